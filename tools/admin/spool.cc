#include "tools/admin/spool.h"

#include <cerrno>
#include <system_error>

namespace reco::admin {
namespace {

constexpr std::size_t kMemoryBytes = 1U << 20U;

Status Failure(const char* what) {
  return Status::IoError(std::string("cannot ") + what + " the temporary file of the input: " +
                         std::error_code(errno, std::generic_category()).message());
}

}  // namespace

Result<std::size_t> Spool::Read(char* out, std::size_t size) {
  if (replays_) {
    if (replayed_ < memory_.size()) {
      const std::size_t count = memory_.copy(out, size, replayed_);
      replayed_ += count;
      return count;
    }
    const std::size_t count = file_ != nullptr ? std::fread(out, 1, size, file_.get()) : 0;
    if (count > 0) {
      return count;
    }
    if (file_ != nullptr && std::ferror(file_.get()) != 0) {
      return Failure("read");
    }
    replays_ = false;
    Stop();
  }
  RECO_ASSIGN_OR_RETURN(const std::size_t count, source_->Read(out, size));
  if (keeps_ && count > 0) {
    RECO_RETURN_IF_ERROR(Keep(out, count));
  }
  return count;
}

Status Spool::Keep(const char* bytes, std::size_t size) {
  if (file_ == nullptr && memory_.size() + size <= kMemoryBytes) {
    memory_.append(bytes, size);
    return Status::Ok();
  }
  if (file_ == nullptr) {
    file_.reset(std::tmpfile());
  }
  if (file_ == nullptr || std::fwrite(bytes, 1, size, file_.get()) != size) {
    return Failure("write");
  }
  return Status::Ok();
}

void Spool::Stop() {
  keeps_ = false;
  memory_ = {};
  file_.reset();
}

Status Spool::Rewind() {
  keeps_ = false;
  if (file_ != nullptr &&
      (std::fflush(file_.get()) != 0 || std::fseek(file_.get(), 0, SEEK_SET) != 0)) {
    return Failure("read");
  }
  replays_ = true;
  return Status::Ok();
}

}  // namespace reco::admin
