// WorkerPool: threads for commands that may take long, behind a bounded queue.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace reco::api {

// Thread-safe. Owns its threads until Stop() or the destructor.
class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t queue_max);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Queues the task. Returns false when the queue is full or the pool is stopped; the task is then
  // not run.
  bool Submit(std::function<void()> task) EXCLUDES(mutex_);
  // Drops what is queued and waits for what runs.
  void Stop() EXCLUDES(mutex_);

 private:
  void Run() EXCLUDES(mutex_);

  const std::size_t queue_max_;
  Mutex mutex_;
  CondVar available_;
  std::deque<std::function<void()>> queue_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // changed only by the constructor and Stop()
};

}  // namespace reco::api
