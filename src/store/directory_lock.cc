#include "store/directory_lock.h"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

namespace reco::store {
namespace {

Status ErrnoStatus(const std::string& what, int error) {
  return Status::IoError(what + ": " + std::generic_category().message(error));
}

}  // namespace

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::Take(const std::string& path, bool create) {
  if (create && mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    return ErrnoStatus("create " + path, errno);
  }
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return create ? ErrnoStatus("open " + path, errno)
                  : Result<std::unique_ptr<DirectoryLock>>(std::make_unique<DirectoryLock>(-1));
  }
  auto lock = std::make_unique<DirectoryLock>(fd);
  // Of the open file, not of the process: it is not lost when another descriptor is closed.
  if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return FolderIsLocked(path);
  }
  return lock;
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

Status FolderIsLocked(const std::string& path) {
  return Status::FailedPrecondition("locked by another process: " + path +
                                    "; stop that first, or use another folder");
}

}  // namespace reco::store
