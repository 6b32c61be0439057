// ByteSource: a stream of bytes to import: a file, a gzip file, or standard input.
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
  // Reads up to `size` bytes and returns how many; 0: the end. kIoError, kCorruption (damaged gzip
  // data).
  virtual Result<std::size_t> Read(char* out, std::size_t size) = 0;
  // Returns the part of the whole read so far, 0 to 1; negative when the size is not known.
  virtual double Fraction() const = 0;
};

// An input that is open, and what tells it from others.
struct Input {
  std::unique_ptr<ByteSource> source;
  // Of a regular file: its size with its first and last 64 KiB (which hold a gzip file's checksum).
  // Of a stream: its first 64 KiB.
  std::string identity;
  bool is_stream = false;
};

// Opens `path`, or standard input for "-"; gzip data is recognised by its content. kNotFound,
// kIoError, kCorruption.
Result<Input> OpenInput(const std::string& path);

// Returns a source of bytes in memory, handed out at most `chunk` at a time. The text is copied.
std::unique_ptr<ByteSource> MemorySource(std::string text, std::size_t chunk);

// Returns FNV-1a, 64 bits, as 16 hexadecimal digits.
std::string Fingerprint(std::string_view bytes);

}  // namespace reco::admin
