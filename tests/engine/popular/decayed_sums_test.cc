#include "engine/popular/decayed_sums.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/popular/recent_events.h"

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kAll;
using testing::kStart;
using testing::Reference;
using testing::Stream;
using testing::Tell;

TEST(DecayedSums, AgreeWithBruteForceWithinTheStatedTolerance) {
  for (const Feedback feedback : {Feedback::kImplicit, Feedback::kExplicit}) {
    constexpr std::int64_t kHalfLife = 300;  // 20,000 steps are 1,300 of it: the landmark moves
    constexpr double kTolerance = 2'000 * 0x1p-50;  // events of an item with any weight left
    DecayedSums sums(kHalfLife, feedback);
    Reference reference(feedback == Feedback::kExplicit);
    Stream stream(5, &sums, &reference);
    for (int step = 1; step <= 20'000; ++step) {
      stream.Step(feedback == Feedback::kExplicit ? 1 : 2 * kHalfLife);
      if (step % 200 != 0) {
        continue;
      }
      sums.Advance(stream.now_ms());
      const auto expected = reference.Decayed(kHalfLife, stream.now_ms());
      const auto found = sums.Top(PopularBy::kWeight, kAll);
      std::set<std::uint32_t> listed;
      for (const RankedValue& item : found) {
        listed.insert(item.ordinal);
        ASSERT_TRUE(expected.contains(item.ordinal));
        const Reference::DecayedValue& value = expected.at(item.ordinal);
        ASSERT_TRUE(value.liked) << item.ordinal;
        // What was removed or replaced has left its rounding: its weights are at most 3.5 each.
        ASSERT_NEAR(item.value, value.sum, kTolerance * (value.absolute + 100));
      }
      for (const auto& [item, value] : expected) {
        ASSERT_TRUE(listed.contains(item) || !value.listed) << item;
      }
      ASSERT_TRUE(std::is_sorted(found.begin(), found.end(),
                                 [](const auto& a, const auto& b) { return a.value > b.value; }));
    }
  }
}

TEST(DecayedSums, OfManyEventsFromLaterThanNowStandForAWhile) {
  constexpr std::int64_t kHour = 3'600'000;
  DecayedSums sums(kHour, Feedback::kImplicit);
  sums.Advance(kStart);
  for (std::uint32_t user = 0; user < 100; ++user) {
    sums.Add({user, 7, 1, kStart + 50 + user, kStart + 50 + user, false});
  }
  EXPECT_EQ(sums.exact_until_ms(), kStart + kHour / 16);
  DecayedSums far(kHour, Feedback::kImplicit);
  far.Advance(kStart);
  far.Add({1, 7, 1, kStart + kHour, kStart + kHour, false});
  EXPECT_EQ(far.exact_until_ms(), kStart + kHour);
}

TEST(DecayedSums, PassingTimeChangesScoresAndNotTheOrder) {
  DecayedSums sums(1'000, Feedback::kImplicit);
  Tell(sums, {1, 7, 4, kStart, kStart, false});
  Tell(sums, {2, 8, 1, kStart + 1'000, kStart + 1'000, false});
  // One likes it, others do not.
  Tell(sums, {3, 9, -2, kStart + 1'000, kStart + 1'000, false});
  Tell(sums, {4, 9, 1, kStart + 1'000, kStart + 1'000, false});
  for (int halves = 1; halves <= 40; ++halves) {
    sums.Advance(kStart + halves * 1'000);
    EXPECT_THAT(
        sums.Top(PopularBy::kWeight, kAll),
        ElementsAre(RankedValue{7, std::exp2(2 - halves)}, RankedValue{8, std::exp2(1 - halves)},
                    RankedValue{9, -std::exp2(1 - halves)}));
  }
}

TEST(DecayedSums, WhatNobodyLikesIsNotRanked) {
  DecayedSums sums(1'000, Feedback::kImplicit);
  Tell(sums, {1, 7, -1, kStart, kStart, false});
  Tell(sums, {1, 8, 0, kStart, kStart, false});
  Tell(sums, {1, 9, 0.3, kStart, kStart, false});
  Tell(sums, {1, 9, -0.1, kStart, kStart, false});
  Tell(sums, {1, 9, -0.2, kStart, kStart, false});
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll), IsEmpty());
  Tell(sums, {2, 7, 0.5, kStart, kStart, false});
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll), ElementsAre(RankedValue{7, -0.5}));
  sums.Remove(2, 7);
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll), IsEmpty());
}

TEST(DecayedSums, APairWeighsNoMoreAndNoLessThanAStoredOneCan) {
  DecayedSums sums(1'000, Feedback::kImplicit);
  Tell(sums, {1, 7, 1e-300, kStart, kStart, true});  // 0 as float32
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll), IsEmpty());
  for (int i = 0; i < 3; ++i) {
    Tell(sums, {1, 8, kWeightMax, kStart, kStart, false});
  }
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll), ElementsAre(RankedValue{8, kWeightMax}));
  sums.Advance(kStart + 1'000);
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll), ElementsAre(RankedValue{8, kWeightMax / 2}));
}

TEST(DecayedSums, AnEventFromLaterThanItsTimeIsAsOneOfNow) {
  DecayedSums sums(1'000, Feedback::kImplicit);
  sums.Advance(kStart);
  sums.Add({1, 7, 4, kStart + 1'000'000, kStart + 1'000'000, false});
  sums.Add({2, 8, 1, kStart, kStart, false});
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll),
              ElementsAre(RankedValue{7, 4}, RankedValue{8, 1}));
  sums.Advance(kStart + 1'000);
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll),
              ElementsAre(RankedValue{7, 2}, RankedValue{8, 0.5}));
}

TEST(DecayedSums, APairIsForgottenAfterFiftyHalfLives) {
  DecayedSums sums(1'000, Feedback::kImplicit);
  Tell(sums, {1, 7, 1, kStart, kStart, false});
  Tell(sums, {1, 7, 1, kStart + 10'000, kStart + 10'000, false});
  sums.Advance(kStart + 59'999);
  EXPECT_EQ(sums.size(), 1U);
  sums.Advance(kStart + 60'000);
  EXPECT_EQ(sums.size(), 0U);
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll), IsEmpty());
}

TEST(DecayedSums, AYearOfSilenceLeavesThemUsable) {
  DecayedSums sums(1'000, Feedback::kImplicit);
  Tell(sums, {1, 7, 1, kStart, kStart, false});
  const std::int64_t later = kStart + 31'536'000'000;
  Tell(sums, {1, 8, 1, later, later, false});
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll), ElementsAre(RankedValue{8, 1}));
}

TEST(DecayedSums, RemovedPairsDoNotPileUp) {
  DecayedSums sums(1'000'000'000, Feedback::kImplicit);
  for (int i = 0; i < 50'000; ++i) {
    Tell(sums, {1, 7, 1, kStart + i, kStart + i, false});
    sums.Remove(1, 7);
  }
  EXPECT_EQ(sums.size(), 0U);
  EXPECT_LT(sums.memory_bytes(), 1'000'000U);
}

}  // namespace
}  // namespace reco::engine
