// DirectoryLock: a lock on a data folder itself. RocksDB's own is on the file LOCK in it, which can
// be removed, and then a second program would open the folder beside the first and damage it.
#pragma once

#include <memory>
#include <string>

#include "reco/result.h"

namespace reco::store {

// Held until it goes, or the process ends. Immutable.
class DirectoryLock {
 public:
  // Makes a missing folder when `create`; without it there is no lock to take of one. Answers
  // kFailedPrecondition when somebody else holds the lock, also in this process. A file system that
  // knows no locks is left to RocksDB's.
  static Result<std::unique_ptr<DirectoryLock>> Take(const std::string& path, bool create);
  explicit DirectoryLock(int fd) : fd_(fd) {}
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  const int fd_;  // -1: nothing was locked
};

// What who finds a folder locked is told.
Status FolderIsLocked(const std::string& path);

}  // namespace reco::store
