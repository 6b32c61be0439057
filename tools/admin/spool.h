// Spool: a stream that can be read a second time from its start.
#pragma once

#include <cstdio>
#include <memory>

#include "tools/admin/byte_source.h"

namespace reco::admin {

// Keeps what is read: the first MiB in memory, more in a temporary file, which takes as much space
// as was read and is gone with the process. Confined to one thread.
class Spool final : public ByteSource {
 public:
  explicit Spool(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  Result<std::size_t> Read(char* out, std::size_t size) override;
  double Fraction() const override { return source_->Fraction(); }

  // Keeps no more; what was kept is dropped.
  void Stop();
  // Goes back to the start, once: from here on nothing is kept. kIoError.
  Status Rewind();

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  Status Keep(const char* bytes, std::size_t size);

  const std::unique_ptr<ByteSource> source_;
  std::string memory_;
  std::size_t replayed_ = 0;  // of memory_
  std::unique_ptr<std::FILE, Closer> file_;
  bool keeps_ = true;
  bool replays_ = false;  // memory_ is read, then the file, then the source
};

}  // namespace reco::admin
