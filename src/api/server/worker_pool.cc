#include "api/server/worker_pool.h"

#include <utility>

#include "base/thread_name.h"

namespace reco::api {

WorkerPool::WorkerPool(std::size_t threads, std::size_t queue_max) : queue_max_(queue_max) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      NameThread("worker");
      Run();
    });
  }
}

WorkerPool::~WorkerPool() {
  Stop();
}

bool WorkerPool::Submit(std::function<void()> task) {
  const MutexLock lock(mutex_);
  // Bounded, because each waiting task holds the input of a connection.
  if (stopped_ || queue_.size() >= queue_max_) {
    return false;
  }
  queue_.push_back(std::move(task));
  available_.NotifyOne();
  return true;
}

void WorkerPool::Stop() {
  std::deque<std::function<void()>> dropped;  // destroyed without the lock
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
    dropped.swap(queue_);
    available_.NotifyAll();
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

void WorkerPool::Run() {
  while (true) {
    std::function<void()> task;
    {
      const MutexLock lock(mutex_);
      while (queue_.empty() && !stopped_) {
        available_.Wait(mutex_);
      }
      if (stopped_) {
        return;
      }
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    // Runs without the lock; a command may take minutes.
    task();
  }
}

}  // namespace reco::api
