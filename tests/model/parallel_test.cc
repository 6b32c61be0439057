#include "model/parallel.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace reco::model {
namespace {

TEST(ParallelFor, EveryBlockIsWorkedOnOnce) {
  for (const std::uint32_t threads : {1U, 2U, 7U}) {
    for (const std::size_t blocks : {0U, 1U, 5U, 1'000U}) {
      std::vector<std::atomic<int>> times(blocks);
      ParallelFor(threads, blocks, [&](std::size_t block, std::uint32_t thread) {
        EXPECT_LT(thread, threads);
        ++times[block];
      });
      for (const std::atomic<int>& count : times) {
        EXPECT_EQ(count, 1);
      }
    }
  }
}

// Each block waits for all others, so that every thread has to take one: fewer would wait for ever.
TEST(ParallelFor, BlocksAreWorkedOnAtOnceByTheCallerAsNumberZeroToo) {
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<int> arrived = 0;
  ParallelFor(4, 4, [&](std::size_t, std::uint32_t thread) {
    EXPECT_EQ(std::this_thread::get_id() == caller, thread == 0);
    ++arrived;
    while (arrived < 4) {
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(arrived, 4);
}

}  // namespace
}  // namespace reco::model
