// CsvReader: reads CSV and TSV as found in the wild, one record at a time, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

#include "tools/admin/byte_source.h"

namespace reco::admin {

struct CsvOptions {
  char delimiter = ',';
  bool quotes = true;                      // false: a quote is a character like any other
  std::size_t record_bytes_max = 1 << 20;  // of one record, line feeds in quotes included
};

// Views live until the next call of Next().
struct CsvRecord {
  std::uint64_t line = 0;                // 1-based number of the record's first line
  std::vector<std::string_view> fields;  // empty when the line is bad
  std::string_view error;                // empty: a good record; otherwise what is wrong
};

// Grammar: RFC 4180 with LF or CRLF line ends, an optional UTF-8 byte order mark, and any bytes in
// fields. A field that begins with a quote ends at the next single quote; a doubled quote stands
// for one; delimiters and line ends inside belong to the field. A quote elsewhere is an ordinary
// character. Empty lines are skipped.
//
// A bad line costs no more than itself: when a quote is not closed before the end of the input or
// within record_bytes_max, the line it stands on is reported and reading goes on at the next line.
//
// Confined to one thread. Holds at most record_bytes_max plus one read buffer.
class CsvReader {
 public:
  // `source` is borrowed and must outlive the reader.
  CsvReader(ByteSource& source, const CsvOptions& options) : source_(source), options_(options) {}

  // Reads the next record. Returns false at the end. An error is the source's; a malformed line is
  // none, see CsvRecord::error.
  Result<bool> Next(CsvRecord* record);

 private:
  struct Span {
    std::size_t offset;
    std::size_t size;
    bool has_doubled_quotes;
  };
  enum class Outcome : std::uint8_t { kFieldEnd, kRecordEnd, kBad };

  // Makes buffer_[at] readable. Returns false at the end of the input.
  Result<bool> Ensure(std::size_t at);
  Result<bool> SkipMarkAndEmptyLines();
  // Reads the field at at_, and moves at_ behind the delimiter or line end that follows it.
  Result<Outcome> ReadField();
  Result<Outcome> ReadQuotedField();
  Result<Outcome> EndOfField(Span field);
  // Reports the line that begins at begin_ as bad and moves behind it.
  Status SkipBadLine(CsvRecord* record);
  std::string_view Resolve(const Span& span);
  std::uint64_t CountLines(std::size_t from, std::size_t to) const;

  ByteSource& source_;
  const CsvOptions options_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of the record being read
  std::size_t at_ = 0;     // next byte to look at
  std::uint64_t line_ = 1;
  bool started_ = false;
  bool source_ended_ = false;
  std::vector<Span> spans_;
  std::string_view error_;
};

}  // namespace reco::admin
