// LineBuffer: the lines of a source, of which one or several stand in memory; what the readers of
// records are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "reco/result.h"

#include "tools/admin/byte_source.h"

namespace reco::admin {

// Lines end by LF or CRLF; in an input that has a CR and no LF in its first 64 KiB, by CR. A UTF-8
// byte order mark in front of a line is dropped (files that were put together have them in the
// middle).
//
// Confined to one thread. Holds at most bytes_max and one read of 256 KiB.
class LineBuffer {
 public:
  // `source` is borrowed and must outlive this.
  LineBuffer(ByteSource& source, std::size_t bytes_max) : source_(source), bytes_max_(bytes_max) {}

  // Makes the next line the text. Returns false at the end of the input. Errors are the source's.
  Result<bool> Next();

  enum class Extension : std::uint8_t { kDone, kEndOfInput, kTooLong };
  // Makes the line behind the text a part of it. Otherwise the text stays as it is: no line
  // follows, or it would be longer than bytes_max.
  Result<Extension> Extend();

  // Makes the text its first line again; Next goes on behind it.
  void KeepFirstLine();

  // The text, without the line end behind it, until the next call of Next. Extend may move it.
  std::string_view text() const { return {buffer_.data() + begin_, end_}; }
  // True iff the line was longer than bytes_max and the text is only its beginning.
  bool is_cut() const { return is_cut_; }
  std::uint64_t line() const { return line_; }    // 1-based number of the text's first line
  std::uint64_t lines() const { return lines_; }  // of the text

 private:
  Status Fill();
  Status ChooseLineEnd();
  Status SkipRestOfLine();
  Status FindLineEnd(std::size_t from);
  void DropByteOrderMark();

  ByteSource& source_;
  const std::size_t bytes_max_;
  std::string buffer_;
  std::size_t size_ = 0;  // of buffer_ that is filled
  bool source_ended_ = false;
  bool started_ = false;
  bool is_skipping_ = false;  // the rest of a line that was cut
  bool is_cut_ = false;
  char line_end_ = '\n';
  std::size_t begin_ = 0;  // of the text
  // Places from begin_ on, which moves with the buffer.
  std::size_t end_ = 0;         // of the text, without its line end
  std::size_t stop_ = 0;        // of its line end
  bool terminated_ = false;     // there is a line end at stop_
  std::size_t first_end_ = 0;   // end_ of the first line
  std::size_t first_stop_ = 0;  // stop_ of the first line
  std::size_t next_ = 0;        // of the next line
  std::uint64_t line_ = 1;
  std::uint64_t lines_ = 0;
};

}  // namespace reco::admin
