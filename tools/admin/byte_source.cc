#include "tools/admin/byte_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <zlib.h>

#include <sys/stat.h>

namespace reco::admin {
namespace {

constexpr unsigned kReadBufferBytes = 256 * 1024;
constexpr std::int64_t kIdentityBytes = 65'536;

std::string LastError() {
  return std::error_code(errno, std::generic_category()).message();
}

// Reads through zlib, which takes plain files as they are: one class serves both kinds.
class GzipSource final : public ByteSource {
 public:
  GzipSource(gzFile file, std::int64_t size_bytes) : file_(file), size_bytes_(size_bytes) {
    gzbuffer(file_, kReadBufferBytes);
  }
  ~GzipSource() override { gzclose_r(file_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  Result<std::size_t> Read(char* out, std::size_t size) override {
    const int count = gzread(file_, out, static_cast<unsigned>(size));
    int code = Z_OK;
    const char* message = gzerror(file_, &code);
    // A file that was cut off gives what it has and tells of the end by Z_BUF_ERROR alone.
    if (count < 0 || code == Z_BUF_ERROR) {
      if (code == Z_ERRNO) {
        return Status::IoError("cannot read: " + LastError());
      }
      return Status::Corruption(code == Z_BUF_ERROR ? "the gzip data ends too early"
                                                    : std::string("damaged gzip data: ") + message);
    }
    return static_cast<std::size_t>(count);
  }

  double Fraction() const override {
    if (size_bytes_ <= 0) {
      return -1;
    }
    // Counted in compressed bytes, whose whole is known.
    return std::min(1.0, static_cast<double>(gzoffset(file_)) / static_cast<double>(size_bytes_));
  }

 private:
  const gzFile file_;
  const std::int64_t size_bytes_;
};

// Text in memory, then what `rest` has (null: nothing).
class StringSource final : public ByteSource {
 public:
  StringSource(std::string text, std::size_t chunk, std::unique_ptr<ByteSource> rest)
      : text_(std::move(text)), chunk_(chunk), rest_(std::move(rest)) {}

  Result<std::size_t> Read(char* out, std::size_t size) override {
    if (at_ == text_.size() && rest_ != nullptr) {
      return rest_->Read(out, size);
    }
    const std::size_t count = std::min({size, chunk_, text_.size() - at_});
    std::memcpy(out, text_.data() + at_, count);
    at_ += count;
    return count;
  }
  double Fraction() const override {
    if (rest_ != nullptr || text_.empty()) {
      return -1;
    }
    return static_cast<double>(at_) / static_cast<double>(text_.size());
  }

 private:
  const std::string text_;
  const std::size_t chunk_;
  const std::unique_ptr<ByteSource> rest_;
  std::size_t at_ = 0;
};

Result<std::string> FileIdentity(int descriptor, std::int64_t size) {
  const std::int64_t tail = std::max<std::int64_t>(0, size - kIdentityBytes);
  std::string bytes(static_cast<std::size_t>(2 * kIdentityBytes), '\0');
  const auto first = pread(descriptor, bytes.data(), kIdentityBytes, 0);
  const auto last = pread(descriptor, bytes.data() + kIdentityBytes, kIdentityBytes, tail);
  if (first < 0 || last < 0) {
    return Status::IoError("cannot read: " + LastError());
  }
  return std::to_string(size) + ':' + bytes;
}

}  // namespace

Result<Input> OpenInput(const std::string& path) {
  // A copy of standard input, because closing the source closes it.
  const int descriptor = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const bool missing = errno == ENOENT;
    const std::string message = "cannot open " + path + ": " + LastError();
    return missing ? Status::NotFound(message) : Status::IoError(message);
  }
  struct stat facts {};
  const bool known = fstat(descriptor, &facts) == 0;
  gzFile file = known && !S_ISDIR(facts.st_mode) ? gzdopen(descriptor, "rb") : nullptr;
  if (file == nullptr) {
    close(descriptor);
    return Status::IoError("cannot read " + path + ": it is no file");
  }
  Input input;
  input.is_stream = !S_ISREG(facts.st_mode);
  input.source = std::make_unique<GzipSource>(file, input.is_stream ? 0 : facts.st_size);
  if (!input.is_stream) {
    RECO_ASSIGN_OR_RETURN(input.identity, FileIdentity(descriptor, facts.st_size));
    return input;
  }
  // A stream cannot be read twice: its first bytes are kept and handed out again in front.
  std::string start(static_cast<std::size_t>(kIdentityBytes), '\0');
  RECO_ASSIGN_OR_RETURN(const std::size_t count, input.source->Read(start.data(), start.size()));
  start.resize(count);
  input.identity = "stream:" + start;
  input.source =
      std::make_unique<StringSource>(std::move(start), kIdentityBytes, std::move(input.source));
  return input;
}

std::unique_ptr<ByteSource> MemorySource(std::string text, std::size_t chunk) {
  return std::make_unique<StringSource>(std::move(text), chunk, nullptr);
}

std::string Fingerprint(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
  return text.data();
}

}  // namespace reco::admin
