// ScratchPool: objects that own scratch memory, shared so that no call allocates its own anew.
// Thread-safe; its lock is a leaf.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace reco {

template <typename T>
class ScratchPool {
 public:
  explicit ScratchPool(std::function<std::unique_ptr<T>()> make) : make_(std::move(make)) {}

  // Calls `use` with an object that nobody else has meanwhile.
  template <typename Use>
  void With(Use use) EXCLUDES(mutex_) {
    std::unique_ptr<T> object = Borrow();
    use(*object);
    MutexLock lock(mutex_);
    objects_.push_back(std::move(object));
  }

 private:
  std::unique_ptr<T> Borrow() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (objects_.empty()) {
      return make_();
    }
    std::unique_ptr<T> object = std::move(objects_.back());
    objects_.pop_back();
    return object;
  }

  const std::function<std::unique_ptr<T>()> make_;
  Mutex mutex_;
  std::vector<std::unique_ptr<T>> objects_ GUARDED_BY(mutex_);
};

}  // namespace reco
