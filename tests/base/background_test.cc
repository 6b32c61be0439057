#include "base/background.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <sched.h>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace reco {
namespace {

TEST(LowerThreadPriority, IsOfTheCallingThread) {
  const int before = getpriority(PRIO_PROCESS, 0);
  std::thread([] {
    LowerThreadPriority();
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 10);
  }).join();
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
}

TEST(BackgroundCpu, IsOfTheThreadThatMadeIt) {
  EXPECT_EQ(BackgroundCpu::OfThread(), nullptr);
  {
    const BackgroundCpu background(10);
    if (BackgroundCpu::OfThread() == nullptr) {
      GTEST_SKIP() << "no thread may leave SCHED_IDLE here";
    }
    EXPECT_EQ(BackgroundCpu::OfThread(), &background);
    std::thread([] { EXPECT_EQ(BackgroundCpu::OfThread(), nullptr); }).join();
  }
  EXPECT_EQ(BackgroundCpu::OfThread(), nullptr);
}

TEST(BackgroundCpu, RunsEachOnceAndReturnsBehindThem) {
  const BackgroundCpu background(10);
  for (const std::uint32_t threads : {0U, 1U, 3U}) {
    std::vector<std::atomic<int>> runs(threads);
    background.Run(
        threads, [&](std::uint32_t i) { ++runs[i]; }, [] {});
    for (const std::atomic<int>& run : runs) {
      EXPECT_EQ(run, 1);
    }
  }
}

// Both policies are seen, each for its share of the time, and the caller keeps its own.
TEST(BackgroundCpu, PacesItsThreads) {
  const BackgroundCpu background(50);
  if (BackgroundCpu::OfThread() == nullptr) {
    GTEST_SKIP() << "no thread may leave SCHED_IDLE here";
  }
  std::atomic<bool> idle = false;
  std::atomic<bool> ordinary = false;
  int pulses = 0;
  background.Run(
      2,
      [&](std::uint32_t) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        // SCHED_OTHER is also what a thread begins with, so it counts behind the other only.
        while (!ordinary && std::chrono::steady_clock::now() < end) {
          const int policy = sched_getscheduler(0);
          idle = idle || policy == SCHED_IDLE;
          ordinary = ordinary || (idle && policy == SCHED_OTHER);
        }
      },
      [&] {
        ++pulses;
        EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
      });
  EXPECT_TRUE(idle);
  EXPECT_TRUE(ordinary);
}

TEST(BackgroundCpu, PulsesWhileTheyWork) {
  const BackgroundCpu background(10);
  std::atomic<int> pulses = 0;
  background.Run(
      1,
      [&](std::uint32_t) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (pulses < 2 && std::chrono::steady_clock::now() < end) {
          std::this_thread::yield();
        }
      },
      [&] { ++pulses; });
  EXPECT_GE(pulses, 2);
}

}  // namespace
}  // namespace reco
