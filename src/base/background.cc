#include "base/background.h"

#include <chrono>
#include <pthread.h>
#include <sched.h>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include "base/check.h"
#include "base/mutex.h"

namespace reco {
namespace {

constexpr std::chrono::microseconds kPeriod(100'000);

thread_local const BackgroundCpu* background_of_thread = nullptr;

bool SetPolicy(pthread_t thread, int policy) {
  const sched_param priority{};
  return pthread_setschedparam(thread, policy, &priority) == 0;
}

// Tried by a thread that may get stuck there.
bool CanLeaveIdle() {
  bool can = false;
  std::thread([&can] {
    can = SetPolicy(pthread_self(), SCHED_IDLE) && SetPolicy(pthread_self(), SCHED_OTHER);
  }).join();
  return can;
}

}  // namespace

void LowerThreadPriority() {
  // Linux counts niceness by thread, and 0 names the calling one. Lower is always allowed.
  setpriority(PRIO_PROCESS, 0, 10);
}

BackgroundCpu::BackgroundCpu(std::uint32_t percent) : percent_(percent) {
  RECO_CHECK(percent > 0 && percent < 100 && background_of_thread == nullptr);
  if (CanLeaveIdle()) {
    background_of_thread = this;
  }
}

BackgroundCpu::~BackgroundCpu() {
  background_of_thread = nullptr;
}

const BackgroundCpu* BackgroundCpu::OfThread() {
  return background_of_thread;
}

void BackgroundCpu::Run(std::uint32_t threads, FunctionRef<void(std::uint32_t thread)> work,
                        FunctionRef<void()> pulse) const {
  Mutex mutex;
  CondVar ended;
  std::uint32_t running = threads;
  std::vector<std::thread> workers;
  for (std::uint32_t i = 0; i < threads; ++i) {
    workers.emplace_back([&, i] {
      work(i);
      MutexLock lock(mutex);
      --running;
      ended.NotifyOne();
    });
  }
  // Waits up to `time` from now, as long as somebody works, who meanwhile run under `policy`.
  const auto pace = [&](int policy, std::chrono::microseconds time) {
    for (std::thread& worker : workers) {
      // Of one that has ended it fails, which changes nothing.
      static_cast<void>(SetPolicy(worker.native_handle(), policy));
    }
    const auto until = std::chrono::steady_clock::now() + time;
    MutexLock lock(mutex);
    while (running > 0) {
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
          until - std::chrono::steady_clock::now());
      if (left.count() <= 0 || !ended.WaitFor(mutex, left)) {
        break;
      }
    }
    return running > 0;
  };
  const auto claimed = kPeriod * percent_ / 100;
  while (pace(SCHED_IDLE, kPeriod - claimed) && pace(SCHED_OTHER, claimed)) {
    pulse();
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
}

}  // namespace reco
