#include "engine/neighbours/ridge_build.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/neighbours/ridge_solver.h"
#include "engine/neighbours/sessions.h"

namespace reco::engine {
namespace {

constexpr std::uint32_t kItems = 500;

void AddEvents(Sessions& sessions) {
  std::mt19937 random(1);
  for (int i = 0; i < 10'000; ++i) {
    // Items 200 to 299 have none.
    const std::uint32_t item = random() % (1 + random() % kItems);
    if (item < 200 || item >= 300) {
      sessions.Add(random() % 100, item, i * 60'000);
    }
  }
}

TEST(RidgeBuild, EachRowIsItsSolveForAnyNumberOfThreads) {
  PairCounts counts;
  Sessions sessions(100'000'000, &counts);
  AddEvents(sessions);
  RidgeSolver solver;
  for (const std::uint32_t threads : {0U, 1U, 2U, 5U}) {
    std::vector<double> fractions;
    const auto rows = BuildRidgeRows(
        counts, {.threads = threads,
                 .progress = [&fractions](double fraction) { fractions.push_back(fraction); }});
    ASSERT_TRUE(rows.ok());
    std::uint64_t count = 0;
    for (std::uint32_t item = 0; item < counts.end(); ++item) {
      solver.Gather(counts, item);
      const auto expected = solver.Solve();
      EXPECT_THAT(rows->row(item), ::testing::ElementsAreArray(expected)) << item;
      count += expected.empty() ? 0 : 1;
    }
    EXPECT_EQ(rows->rows(), count);
    EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
    EXPECT_EQ(fractions.back(), 1);
  }
}

TEST(RidgeBuild, NoCountsAreNoRows) {
  const auto rows = BuildRidgeRows(PairCounts(), {.threads = 2});
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows(), 0);
}

TEST(RidgeBuild, EndsWhenItIsCancelled) {
  PairCounts counts;
  Sessions sessions(100'000'000, &counts);
  AddEvents(sessions);
  std::atomic<bool> cancel = false;
  int calls = 0;
  const auto rows = BuildRidgeRows(counts, {.threads = 1,
                                            .progress =
                                                [&](double) {
                                                  ++calls;
                                                  cancel = true;
                                                },
                                            .cancel = &cancel});
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.status().code(), StatusCode::kUnavailable);
  EXPECT_GT(calls, 0);
}

}  // namespace
}  // namespace reco::engine
