// Windows and half-lives against brute force over the events.
#include "engine/popular/recent_lists.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/popular/decayed_sums.h"
#include "engine/popular/event_window.h"

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kAcceptAll = [](std::uint32_t) { return true; };
constexpr auto kByOrdinal = [](std::uint32_t a, std::uint32_t b) { return a < b; };
const PageQuery kAll{1'000, 0, kAcceptAll, kByOrdinal};
constexpr std::int64_t kStart = 1'700'000'000'000;

// The events that count, by the rules of RecentList.
class Reference {
 public:
  explicit Reference(bool rated) : rated_(rated) {}

  void Add(const RecentEvent& event) {
    auto& pair = pairs_[{event.user, event.item}];
    double weight = event.weight;
    std::int64_t newest_ms = -1;
    for (const Kept& kept : pair) {
      newest_ms = std::max(newest_ms, kept.time_ms);
    }
    if (event.replaces || (rated_ && event.time_ms >= newest_ms)) {
      for (Kept& kept : pair) {
        kept.weight = 0;
      }
    } else if (rated_) {
      weight = 0;
    }
    pair.push_back({event.time_ms, event.arrival_ms, weight});
  }
  void Remove(std::uint32_t user, std::uint32_t item) { pairs_.erase({user, item}); }

  std::map<std::uint32_t, double> Window(PopularBy by, std::int64_t from_ms,
                                         std::int64_t now_ms) const {
    std::map<std::uint32_t, double> values;
    for (const auto& [name, events] : pairs_) {
      double weight = 0;
      double count = 0;
      for (const Kept& kept : events) {
        if (kept.time_ms > from_ms && kept.time_ms <= now_ms) {
          weight += kept.weight;
          ++count;
        }
      }
      if (count > 0) {
        values[name.second] +=
            by == PopularBy::kUsers ? 1 : (by == PopularBy::kWeight ? weight : count);
      }
    }
    return values;
  }

  // Values, and the same sums of absolute weights.
  std::map<std::uint32_t, std::pair<double, double>> Decayed(double halflife_ms,
                                                             std::int64_t now_ms) const {
    std::map<std::uint32_t, std::pair<double, double>> values;
    for (const auto& [name, events] : pairs_) {
      for (const Kept& kept : events) {
        const auto age = static_cast<double>(now_ms - std::min(kept.time_ms, kept.arrival_ms));
        const double weight = kept.weight * std::exp2(-age / halflife_ms);
        values[name.second].first += weight;
        values[name.second].second += std::abs(weight);
      }
    }
    return values;
  }

 private:
  struct Kept {
    std::int64_t time_ms;
    std::int64_t arrival_ms;
    double weight;
  };
  const bool rated_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<Kept>> pairs_;
};

// A seeded stream of what happens to a list.
class Stream {
 public:
  Stream(std::uint32_t seed, RecentList* list, Reference* reference)
      : random_(seed), list_(list), reference_(reference) {}

  std::int64_t now_ms() const { return now_ms_; }

  // `reach_ms`: events come up to so late, and up to a third of it from the future.
  void Step(std::int64_t reach_ms) {
    now_ms_ += static_cast<std::int64_t>(random_() % 40);
    const auto user = static_cast<std::uint32_t>(random_() % 12);
    const auto item = static_cast<std::uint32_t>(random_() % 600);
    if (random_() % 12 == 0) {
      list_->Remove(user, item % 20);
      reference_->Remove(user, item % 20);
      return;
    }
    RecentEvent event{user, random_() % 8 == 0 ? item : item % 20};
    event.weight = static_cast<double>(random_() % 9) / 2 - 1;
    event.arrival_ms = now_ms_;
    event.time_ms = now_ms_;
    if (random_() % 2 == 0) {
      event.time_ms += reach_ms / 3 -
                       static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(reach_ms));
    }
    event.replaces = random_() % 6 == 0;
    list_->Add(event);
    reference_->Add(event);
  }
  // A while in which nothing is written.
  void Pass(std::int64_t ms) { now_ms_ += ms; }

 private:
  std::mt19937 random_;
  RecentList* list_;
  Reference* reference_;
  std::int64_t now_ms_ = kStart;
};

void ExpectWindow(const EventWindow& window, const Reference& reference, std::int64_t from_ms,
                  std::int64_t now_ms) {
  for (const PopularBy by : {PopularBy::kUsers, PopularBy::kWeight, PopularBy::kEvents}) {
    const auto expected = reference.Window(by, from_ms, now_ms);
    const auto found = window.Top(by, kAll);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto at = expected.find(found[i].ordinal);
      ASSERT_NE(at, expected.end());
      ASSERT_EQ(found[i].value, at->second) << "multiples of 1/2 add up exactly";
      ASSERT_TRUE(i == 0 || found[i - 1].value > found[i].value ||
                  found[i - 1].ordinal < found[i].ordinal);
    }
  }
}

TEST(EventWindow, AgreesWithBruteForceUnderRandomChangesAsTimeGoesOn) {
  for (const Feedback feedback : {Feedback::kImplicit, Feedback::kExplicit}) {
    constexpr std::int64_t kLength = 4'000;
    EventWindow window(kLength, feedback);
    Reference reference(feedback == Feedback::kExplicit);
    Stream stream(3, &window, &reference);
    for (int step = 1; step <= 20'000; ++step) {
      // Ratings only within the window: what an older or a coming one replaces is another matter.
      stream.Step(feedback == Feedback::kExplicit ? 1 : 2 * kLength);
      if (step % 5'000 == 0) {
        stream.Pass(kLength / 2);
      }
      if (step % 100 == 0) {
        window.Advance(stream.now_ms());
        ASSERT_NO_FATAL_FAILURE(
            ExpectWindow(window, reference, stream.now_ms() - kLength, stream.now_ms()))
            << step;
      }
    }
    stream.Pass(2 * kLength);
    window.Advance(stream.now_ms());
    EXPECT_THAT(window.Top(PopularBy::kUsers, kAll), IsEmpty());
    EXPECT_EQ(window.size(), 0U);
  }
}

TEST(EventWindow, AnEventCountsFromItsTimeUntilItIsAsOldAsTheWindow) {
  EventWindow window(1'000, Feedback::kImplicit);
  window.Add({1, 7, 1, kStart + 500, kStart, false});
  window.Advance(kStart + 499);
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), IsEmpty());
  window.Advance(kStart + 500);
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), ElementsAre(RankedValue{7, 1}));
  window.Advance(kStart + 1'499);
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), ElementsAre(RankedValue{7, 1}));
  window.Advance(kStart + 1'500);
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), IsEmpty());
}

TEST(EventWindow, AClockThatStepsBackBringsNothingBack) {
  EventWindow window(1'000, Feedback::kImplicit);
  window.Add({1, 7, 1, kStart, kStart, false});
  window.Advance(kStart + 1'000);
  window.Advance(kStart);
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), IsEmpty());
}

TEST(EventWindow, RemovedEventsDoNotPileUp) {
  EventWindow window(1'000'000'000, Feedback::kImplicit);
  for (int i = 0; i < 50'000; ++i) {
    window.Add({1, 7, 1, kStart + i, kStart + i, false});
    window.Remove(1, 7);
  }
  EXPECT_EQ(window.size(), 0U);
  EXPECT_LT(window.memory_bytes(), 1'000'000U);
}

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
        const auto& [value, absolute] = expected.at(item.ordinal);
        // What was removed or replaced has left its rounding: its weights are at most 3.5 each.
        ASSERT_NEAR(item.value, value, kTolerance * (absolute + 100));
      }
      for (const auto& [item, value] : expected) {
        ASSERT_TRUE(listed.contains(item) || value.second < 1e-12) << item;
      }
      ASSERT_TRUE(std::is_sorted(found.begin(), found.end(),
                                 [](const auto& a, const auto& b) { return a.value > b.value; }));
    }
  }
}

TEST(DecayedSums, PassingTimeChangesScoresAndNotTheOrder) {
  DecayedSums sums(1'000, Feedback::kImplicit);
  sums.Add({1, 7, 4, kStart, kStart, false});
  sums.Add({2, 8, 1, kStart + 1'000, kStart + 1'000, false});
  sums.Add({3, 9, -1, kStart + 1'000, kStart + 1'000, false});
  for (int halves = 1; halves <= 40; ++halves) {
    sums.Advance(kStart + halves * 1'000);
    EXPECT_THAT(
        sums.Top(PopularBy::kWeight, kAll),
        ElementsAre(RankedValue{7, std::exp2(2 - halves)}, RankedValue{8, std::exp2(1 - halves)},
                    RankedValue{9, -std::exp2(1 - halves)}));
  }
}

TEST(DecayedSums, APairIsForgottenAfterFiftyHalfLives) {
  DecayedSums sums(1'000, Feedback::kImplicit);
  sums.Add({1, 7, 1, kStart, kStart, false});
  sums.Add({1, 7, 1, kStart + 10'000, kStart + 10'000, false});
  sums.Advance(kStart + 59'999);
  EXPECT_EQ(sums.size(), 1U);
  sums.Advance(kStart + 60'000);
  EXPECT_EQ(sums.size(), 0U);
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll), IsEmpty());
}

TEST(DecayedSums, AYearOfSilenceLeavesThemUsable) {
  DecayedSums sums(1'000, Feedback::kImplicit);
  sums.Add({1, 7, 1, kStart, kStart, false});
  const std::int64_t later = kStart + 31'536'000'000;
  sums.Add({1, 8, 1, later, later, false});
  EXPECT_THAT(sums.Top(PopularBy::kWeight, kAll), ElementsAre(RankedValue{8, 1}));
}

TEST(DecayedSums, RemovedPairsDoNotPileUp) {
  DecayedSums sums(1'000'000'000, Feedback::kImplicit);
  for (int i = 0; i < 50'000; ++i) {
    sums.Add({1, 7, 1, kStart + i, kStart + i, false});
    sums.Remove(1, 7);
  }
  EXPECT_EQ(sums.size(), 0U);
  EXPECT_LT(sums.memory_bytes(), 1'000'000U);
}

using Kind = RecentListName::Kind;

void Build(RecentLists* lists, const RecentListName& name, std::int64_t now_ms) {
  lists->Begin();
  ASSERT_TRUE(lists->End(name, lists->Make(name), now_ms).ok());
}

TEST(RecentLists, WhatIsWrittenWhileAListIsBuiltIsInIt) {
  RecentLists lists(Feedback::kImplicit);
  const RecentListName name{Kind::kWindow, 60};
  lists.Add({1, 6, 1, kStart, kStart, false});  // nobody listens
  lists.Begin();
  auto list = lists.Make(name);
  for (std::uint32_t user = 0; user < 3'000; ++user) {
    lists.Add({user, 7, 1, kStart, kStart, false});
  }
  lists.Remove(5, 7);
  ASSERT_TRUE(lists.End(name, std::move(list), kStart).ok());
  lists.Add({1, 8, 1, kStart, kStart, false});
  const auto top = lists.Top(name, PopularBy::kUsers, kStart, kAll);
  ASSERT_TRUE(top && top->ok());
  EXPECT_THAT(**top, ElementsAre(RankedValue{7, 2'999}, RankedValue{8, 1}));
}

TEST(RecentLists, TheOneUnusedForTheLongestOfItsKindGivesWay) {
  RecentLists lists(Feedback::kImplicit);
  Build(&lists, {Kind::kHalfLife, 1}, kStart);
  for (std::int64_t seconds = 1; seconds <= 4; ++seconds) {
    Build(&lists, {Kind::kWindow, seconds}, kStart + seconds);
  }
  ASSERT_TRUE(lists.Top({Kind::kWindow, 1}, PopularBy::kUsers, kStart + 10, kAll));
  Build(&lists, {Kind::kWindow, 5}, kStart + 11);
  EXPECT_TRUE(lists.Has({Kind::kHalfLife, 1}));
  EXPECT_TRUE(lists.Has({Kind::kWindow, 1}));
  EXPECT_FALSE(lists.Has({Kind::kWindow, 2}));
  EXPECT_TRUE(lists.Has({Kind::kWindow, 3}));
}

TEST(RecentLists, AWriteDropsWhatNobodyReads) {
  RecentLists lists(Feedback::kImplicit);
  Build(&lists, {Kind::kWindow, 60}, kStart);
  const std::int64_t soon = kStart + RecentLists::kIdleMs;
  lists.Add({1, 7, 1, soon, soon, false});
  EXPECT_TRUE(lists.Has({Kind::kWindow, 60}));
  lists.Add({1, 7, 1, soon + 1, soon + 1, false});
  EXPECT_FALSE(lists.Has({Kind::kWindow, 60}));
  EXPECT_EQ(lists.memory_bytes(), 0U);
}

TEST(RecentLists, AListAboveItsBoundIsRefusedForAWhile) {
  RecentLists lists(Feedback::kImplicit);
  const RecentListName name{Kind::kWindow, 3'600};
  Build(&lists, name, kStart);
  for (std::uint32_t i = 0; i <= RecentLists::kEventsMax; ++i) {
    lists.Add({i, i % 100, 1, kStart, kStart, false});
  }
  const auto refused = lists.Top(name, PopularBy::kUsers, kStart + 1, kAll);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status().code(), StatusCode::kResourceExhausted);
  EXPECT_NE(refused->status().message().find("shorter WINDOW"), std::string::npos);
  EXPECT_FALSE(lists.Top(name, PopularBy::kUsers, kStart + RecentLists::kRefusedMs, kAll));
}

TEST(RecentLists, TooManyWritesWhileBuildingAreSaid) {
  RecentLists lists(Feedback::kImplicit);
  const RecentListName name{Kind::kHalfLife, 60};
  lists.Begin();
  for (std::uint32_t i = 0; i < 1'000'001; ++i) {
    lists.Remove(1, i % 10);
  }
  EXPECT_EQ(lists.End(name, lists.Make(name), kStart).code(), StatusCode::kResourceExhausted);
  EXPECT_FALSE(lists.Has(name));
  EXPECT_EQ(lists.memory_bytes(), 0U);
}

}  // namespace
}  // namespace reco::engine
