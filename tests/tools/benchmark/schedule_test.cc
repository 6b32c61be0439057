#include "tools/benchmark/schedule.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace reco::benchmark {
namespace {

std::vector<std::uint64_t> Times(Schedule schedule) {
  std::vector<std::uint64_t> times;
  for (; !schedule.done(); schedule.Advance()) {
    times.push_back(schedule.next_ns());
  }
  return times;
}

TEST(Schedule, TheThreadsTogetherKeepTheRate) {
  struct Case {
    double rate;
    std::size_t pipeline;
    std::uint64_t requests;
    std::size_t threads;
    std::uint64_t batches;
    std::uint64_t interval_ns;
  };
  for (const Case& c : {Case{1000, 1, 10, 1, 10, 1'000'000}, Case{1000, 1, 10, 3, 10, 1'000'000},
                        Case{10'000, 16, 100, 2, 7, 1'600'000},
                        Case{0.5, 1, 2, 4, 2, 2'000'000'000}, Case{3, 1, 4, 2, 4, 333'333'333}}) {
    std::vector<std::uint64_t> all;
    for (std::size_t thread = 0; thread < c.threads; ++thread) {
      const auto own = Times(Schedule(Pace::Of(c.rate, c.pipeline, c.requests), thread, c.threads));
      all.insert(all.end(), own.begin(), own.end());
    }
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), c.batches) << c.rate;
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(all[i]), static_cast<double>(i * c.interval_ns), 2)
          << c.rate << ' ' << i;
    }
  }
}

TEST(Schedule, IntervalsThatAreNotWholeNanosecondsDoNotDrift) {
  const auto times = Times(Schedule(Pace::Of(3e8, 1, 300'000'001), 300'000'000, 1));
  ASSERT_EQ(times.size(), 1U);
  EXPECT_EQ(times[0], 1'000'000'000U);
}

TEST(Schedule, StoppedIsDone) {
  Schedule schedule(Pace::Of(1, 1, 5), 1, 2);
  EXPECT_FALSE(schedule.done());
  schedule.Stop();
  EXPECT_TRUE(schedule.done());
  EXPECT_TRUE(Schedule().done()) << "a closed loop has nothing due";
}

}  // namespace
}  // namespace reco::benchmark
