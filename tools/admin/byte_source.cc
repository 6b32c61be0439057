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

#include <sys/stat.h>

#include "tools/admin/compression.h"
#include "tools/admin/text_encoding.h"

namespace reco::admin {
namespace {

constexpr std::size_t kStartBytes = 65'536;

std::string LastError() {
  return std::error_code(errno, std::generic_category()).message();
}

// A file, a pipe or a terminal. Owns the descriptor.
class FileSource final : public ByteSource {
 public:
  FileSource(int descriptor, std::int64_t size_bytes)
      : descriptor_(descriptor), size_bytes_(size_bytes) {}
  ~FileSource() override { close(descriptor_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  Result<std::size_t> Read(char* out, std::size_t size) override {
    while (true) {
      const ssize_t count = read(descriptor_, out, size);
      if (count >= 0) {
        read_bytes_ += count;
        return static_cast<std::size_t>(count);
      }
      if (errno != EINTR) {
        return Status::IoError("cannot read: " + LastError());
      }
    }
  }

  double Fraction() const override {
    if (size_bytes_ <= 0) {
      return -1;
    }
    // Counted as it lies on the disk, compressed or not, whose whole is known.
    return std::min(1.0, static_cast<double>(read_bytes_) / static_cast<double>(size_bytes_));
  }

 private:
  const int descriptor_;
  const std::int64_t size_bytes_;
  std::int64_t read_bytes_ = 0;
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
    if (rest_ != nullptr) {
      return rest_->Fraction();
    }
    if (text_.empty()) {
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
  if (fstat(descriptor, &facts) != 0 || S_ISDIR(facts.st_mode)) {
    close(descriptor);
    return Status::IoError("cannot read " + path + ": it is no file");
  }
  Input input;
  input.path = path;
  const bool is_regular = S_ISREG(facts.st_mode);
  // Standard input cannot be opened again, also where it is a file.
  input.is_stream = path == "-" || !is_regular;
  input.source =
      std::make_unique<FileSource>(descriptor, is_regular ? std::int64_t{facts.st_size} : 0);
  RECO_RETURN_IF_ERROR(MakeText(&input));
  return input;
}

Status MakeText(Input* input) {
  RECO_ASSIGN_OR_RETURN(input->source, Decompressed(std::move(input->source)));
  RECO_ASSIGN_OR_RETURN(input->source, DecodedText(std::move(input->source)));
  // A stream cannot be read twice: its first bytes are kept and handed out again in front.
  RECO_ASSIGN_OR_RETURN(input->start, ReadStart(*input->source, kStartBytes));
  input->source = PutBack(input->start, std::move(input->source));
  return Status::Ok();
}

std::unique_ptr<ByteSource> MemorySource(std::string text, std::size_t chunk) {
  return std::make_unique<StringSource>(std::move(text), chunk, nullptr);
}

Result<std::string> ReadStart(ByteSource& source, std::size_t size) {
  std::string start(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    // A pipe hands out what it has, which may be less than was asked for.
    RECO_ASSIGN_OR_RETURN(const std::size_t count,
                          source.Read(start.data() + filled, size - filled));
    if (count == 0) {
      break;
    }
    filled += count;
  }
  start.resize(filled);
  return start;
}

std::unique_ptr<ByteSource> PutBack(std::string start, std::unique_ptr<ByteSource> rest) {
  const std::size_t size = start.size();
  return std::make_unique<StringSource>(std::move(start), size, std::move(rest));
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
