// SolverPool: row folders that reads share, so that none allocates its scratch memory anew.
// Thread-safe; its lock is a leaf.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "reco/options.h"

#include "base/mutex.h"
#include "engine/rows/row_folder.h"

namespace reco::engine {

class SolverPool {
 public:
  SolverPool(std::uint32_t dim, Feedback feedback) : dim_(dim), feedback_(feedback) {}

  // Calls `use` with a folder that nobody else has meanwhile.
  template <typename Use>
  void With(Use use) EXCLUDES(mutex_) {
    std::unique_ptr<RowFolder> folder = Borrow();
    use(*folder);
    MutexLock lock(mutex_);
    folders_.push_back(std::move(folder));
  }

 private:
  std::unique_ptr<RowFolder> Borrow() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (folders_.empty()) {
      return std::make_unique<RowFolder>(dim_, feedback_);
    }
    std::unique_ptr<RowFolder> folder = std::move(folders_.back());
    folders_.pop_back();
    return folder;
  }

  const std::uint32_t dim_;
  const Feedback feedback_;
  Mutex mutex_;
  std::vector<std::unique_ptr<RowFolder>> folders_ GUARDED_BY(mutex_);
};

}  // namespace reco::engine
