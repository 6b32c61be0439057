#include "tools/admin/spool.h"

#include <cerrno>
#include <system_error>

namespace reco::admin {
namespace {

Status Failure(const char* what) {
  return Status::IoError(std::string("cannot ") + what + " the temporary file of the input: " +
                         std::error_code(errno, std::generic_category()).message());
}

}  // namespace

Result<std::size_t> Spool::Read(char* out, std::size_t size) {
  if (replays_) {
    const std::size_t count = std::fread(out, 1, size, file_.get());
    if (count > 0) {
      return count;
    }
    if (std::ferror(file_.get()) != 0) {
      return Failure("read");
    }
    replays_ = false;
    file_.reset();
  }
  RECO_ASSIGN_OR_RETURN(const std::size_t count, source_->Read(out, size));
  if (keeps_ && count > 0) {
    if (file_ == nullptr) {
      file_.reset(std::tmpfile());
    }
    if (file_ == nullptr || std::fwrite(out, 1, count, file_.get()) != count) {
      return Failure("write");
    }
  }
  return count;
}

void Spool::Stop() {
  keeps_ = false;
  file_.reset();
}

Status Spool::Rewind() {
  keeps_ = false;
  if (file_ == nullptr) {
    return Status::Ok();
  }
  if (std::fflush(file_.get()) != 0 || std::fseek(file_.get(), 0, SEEK_SET) != 0) {
    return Failure("read");
  }
  replays_ = true;
  return Status::Ok();
}

}  // namespace reco::admin
