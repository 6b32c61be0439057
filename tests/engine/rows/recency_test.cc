#include "engine/rows/recency.h"

#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kMinute = 60'000;

// Items 0, 1, ... at these times, the newest first.
std::vector<TimedItem> At(const std::vector<std::int64_t>& times_ms) {
  std::vector<TimedItem> items;
  for (const std::int64_t time_ms : times_ms) {
    items.push_back({static_cast<std::uint32_t>(items.size()), time_ms});
  }
  return items;
}

TEST(Pace, IsAMinuteAndTwiceTheMedianGapOfTheNewestTen) {
  EXPECT_EQ(PaceMs({}), 60'000);
  EXPECT_EQ(PaceMs(At({5'000})), 60'000);
  EXPECT_EQ(PaceMs(At({90'000, 80'000})), 80'000);
  // Gaps of 1, 2, 3 and 50 s: the median of an even number is the mean of the middle two.
  EXPECT_EQ(PaceMs(At({56'000, 55'000, 53'000, 50'000, 0})), 65'000);
  // The eleventh is not asked: nine gaps of 1 s stand against one of a day.
  std::vector<std::int64_t> times_ms;
  for (std::int64_t i = 0; i < 10; ++i) {
    times_ms.push_back(86'400'000 + 10'000 - i * 1'000);
  }
  times_ms.push_back(0);
  EXPECT_EQ(PaceMs(At(times_ms)), 62'000);
}

TEST(Pace, CountsAtMostTenMinutesOfGaps) {
  EXPECT_EQ(PaceMs(At({600'000, 300'001})), 60'000 + 599'998);
  EXPECT_EQ(PaceMs(At({600'000, 300'000})), 660'000);
  EXPECT_EQ(PaceMs(At({86'400'000, 0})), 660'000);
}

TEST(Shares, ByAgeHalveAtThePaceAndTheLargestIsOne) {
  // 1 / (1 + age / pace) is 1/2, 1/3 and 1/11.
  const std::vector<TimedItem> items = At({9 * kMinute, 8 * kMinute, 0});
  EXPECT_THAT(SharesByTime(items, {}, 10 * kMinute, kMinute),
              ElementsAre(1, DoubleEq(2.0 / 3), DoubleEq(2.0 / 11)));
}

TEST(Shares, ByAgeWhatIsNewerThanTheMomentCountsInFull) {
  EXPECT_THAT(SharesByTime(At({3 * kMinute, 2 * kMinute, kMinute}), {}, 2 * kMinute, kMinute),
              ElementsAre(1, 1, DoubleEq(0.5)));
}

TEST(Shares, ByAgeBelowATenThousandthOfTheLargestAreNone) {
  // 1 / (1 + age in minutes): the first at age 0.
  const std::vector<TimedItem> items = At({10'000 * kMinute, kMinute, 0});
  EXPECT_THAT(SharesByTime(items, {}, 10'000 * kMinute, kMinute), ElementsAre(1, 1e-4, 0));
  // After a pause all of them are old, and count again.
  const auto later = SharesByTime(items, {}, 90'000 * kMinute, kMinute);
  EXPECT_GT(later[2], 0.8);
}

TEST(Shares, ByPlaceArePowers) {
  const std::vector<TimedItem> items = At({30, 20, 20, 0});
  EXPECT_THAT(SharesByTime(items, 0.5, 1'000, kMinute), ElementsAre(1, 0.5, 0.25, 0.125));
  EXPECT_THAT(SharesByTime(items, 1, 1'000, kMinute), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(SharesByTime({}, {}, 0, kMinute), IsEmpty());
}

TEST(Newest, AreKeptInOrderAndTiesGoByTheLargerItem) {
  std::vector<TimedItem> items = {{1, 10}, {4, 30}, {2, 30}, {3, 20}};
  KeepNewest(&items, 3);
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[0].item, 4U);
  EXPECT_EQ(items[1].item, 2U);
  EXPECT_EQ(items[2].item, 3U);
  KeepNewest(&items, 9);
  EXPECT_EQ(items.size(), 3U);
}

}  // namespace
}  // namespace reco::engine
