// ByteSource: a stream of bytes to import, and OpenInput, which makes text of a file or of standard
// input however it is packed (compression.h) and encoded (text_encoding.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "reco/result.h"

namespace reco::admin {

// Confined to one thread.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Reads up to `size` bytes and returns how many; 0: the end. kIoError, kCorruption (damaged
  // compressed data, text that ends within a character), kInvalidArgument (see compression.h).
  virtual Result<std::size_t> Read(char* out, std::size_t size) = 0;
  // Returns the part of the whole read so far, 0 to 1; negative when the size is not known.
  virtual double Fraction() const = 0;
};

// An input that is open.
struct Input {
  std::unique_ptr<ByteSource> source;  // of text: unpacked, and UTF-8 where it was UTF-16
  bool is_stream = false;
  std::string path = {};   // "-": standard input
  std::string start = {};  // the first bytes of the text, to tell its format by
};

// Opens `path`, or standard input for "-". kNotFound, kIoError, kCorruption; kInvalidArgument: it
// is no text, and the message says what it is and what to do.
Result<Input> OpenInput(const std::string& path);

// Makes text of `input.source` and sets `input.start`; what OpenInput does with a file once it is
// open.
Status MakeText(Input* input);

// Returns a source of bytes in memory, handed out at most `chunk` at a time. The text is copied.
std::unique_ptr<ByteSource> MemorySource(std::string text, std::size_t chunk);

// Reads `size` bytes, or less when the source ends before.
Result<std::string> ReadStart(ByteSource& source, std::size_t size);
// Returns a source of `start` and then of what `rest` has, whose Fraction it answers.
std::unique_ptr<ByteSource> PutBack(std::string start, std::unique_ptr<ByteSource> rest);

// Returns FNV-1a, 64 bits, as 16 hexadecimal digits.
std::string Fingerprint(std::string_view bytes);

}  // namespace reco::admin
