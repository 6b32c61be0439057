// How events add up to pairs and pairs become weights, against sums over the events themselves.
#include "engine/rows/signal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "reco/types.h"

namespace reco::engine {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kNowMs = 20'000 * kDayMs;

// Arrives now, whatever its time.
format::Event Add(double weight, std::int64_t time_ms) {
  format::Event event;
  event.weight = weight;
  event.time_ms = time_ms;
  event.arrival_ms = kNowMs;
  return event;
}

// Tells no time, so that it is that of a clock which is `ahead_ms` ahead.
format::Event AddByClock(double weight, std::int64_t ahead_ms) {
  format::Event event = Add(weight, kNowMs + ahead_ms);
  event.arrival_ms = event.time_ms;
  return event;
}

format::Event Set(double weight, std::int64_t time_ms) {
  format::Event event = Add(weight, time_ms);
  event.kind = format::EventKind::kSet;
  return event;
}

format::Pair Sum(const std::vector<format::Event>& events, const SignalRules& rules) {
  format::Pair pair;
  const format::Pair* before = nullptr;
  for (const format::Event& event : events) {
    pair = Accumulate(before, event, rules);
    before = &pair;
  }
  return pair;
}

TEST(Signal, WeightsAddUp) {
  const format::Pair pair = Sum({Add(1, 10), Add(2.5, 30), Add(-4, 20)}, {});
  EXPECT_EQ(pair.weight, -0.5F);
  EXPECT_EQ(pair.count, 3U);
  EXPECT_EQ(pair.first_ms, 10);
  EXPECT_EQ(pair.last_ms, 30);
}

TEST(Signal, SetReplacesWhatWasThere) {
  EXPECT_EQ(Sum({Add(5, 10), Set(2, 20), Add(1, 30)}, {}).weight, 3.0F);
}

TEST(Signal, WeightsSaturate) {
  EXPECT_EQ(Sum({Add(kWeightMax, 1), Add(kWeightMax, 2)}, {}).weight, kWeightMax);
  EXPECT_EQ(Sum({Add(-kWeightMax, 1), Add(-kWeightMax, 2)}, {}).weight, -kWeightMax);
}

TEST(Signal, HalfLifeHalvesAnEventOfThatAge) {
  const SignalRules rules{.halflife_ms = 1'000};
  EXPECT_FLOAT_EQ(Sum({Add(4, 0), Add(1, 2'000)}, rules).weight, 2);
  EXPECT_FLOAT_EQ(Sum({Add(1, 2'000), Add(4, 0)}, rules).weight, 2);
}

// Any order of arrival gives sum w_e 2^((t_e - last) / halflife).
TEST(Signal, OrderOfArrivalDoesNotMatterUnderHalfLife) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    const SignalRules rules{.halflife_ms = 1.0 + static_cast<double>(random() % 5'000)};
    std::vector<format::Event> events;
    std::int64_t last = 0;
    for (std::uint64_t i = 0; i < 1 + random() % 20; ++i) {
      events.push_back(Add(static_cast<double>(random() % 400) / 100 - 1,
                           static_cast<std::int64_t>(random() % 10'000)));
      last = std::max(last, events.back().time_ms);
    }
    double exact = 0;
    double size = 0;
    for (const format::Event& event : events) {
      const double share =
          event.weight * std::exp2(static_cast<double>(event.time_ms - last) / rules.halflife_ms);
      exact += share;
      size += std::abs(share);
    }
    const format::Pair pair = Sum(events, rules);
    EXPECT_NEAR(pair.weight, exact, 1e-5 * size + 1e-12);
    EXPECT_EQ(pair.last_ms, last);
  }
}

TEST(Signal, NothingHappensAfterItHasArrived) {
  const SignalRules rules{.halflife_ms = 7.0 * kDayMs};
  const format::Event odd = Add(1, kNowMs + 400 * kDayMs);
  const format::Pair pair = Sum({odd}, rules);
  EXPECT_EQ(pair.first_ms, kNowMs);
  EXPECT_EQ(pair.last_ms, kNowMs);
  EXPECT_EQ(Sum({odd, Set(-3, kNowMs)}, rules).weight, -3);
  EXPECT_EQ(Sum({odd, Add(5, kNowMs), Add(-6, kNowMs)}, rules).weight, 0);
  const SignalRules rated{.feedback = Feedback::kExplicit};
  EXPECT_EQ(Sum({Add(4, kNowMs + 400 * kDayMs), Add(2, kNowMs)}, rated).weight, 2);
}

TEST(Signal, ASetPreferenceReplacesWhateverTheTimesSay) {
  for (const std::int64_t time_ms : {kNowMs - 70 * kDayMs, kNowMs, kNowMs + 70 * kDayMs}) {
    const SignalRules rules{.halflife_ms = 7.0 * kDayMs};
    const format::Pair pair = Sum({Add(1, kNowMs), Set(-3, time_ms)}, rules);
    EXPECT_EQ(pair.weight, -3);
    EXPECT_EQ(pair.last_ms, kNowMs);
  }
  // It takes a time from ahead away as well, and fades from then on.
  const SignalRules rules{.halflife_ms = 7.0 * kDayMs};
  const format::Pair set = Sum({AddByClock(1, 10 * kDayMs), Set(8, kNowMs)}, rules);
  EXPECT_EQ(set.last_ms, kNowMs);
  EXPECT_EQ(Accumulate(&set, AddByClock(1, 7 * kDayMs), rules).weight, 5);
}

// Where the clock has gone back, nobody knows how much time lies between two events.
TEST(Signal, OneEventOfAWrongClockSpoilsNoPair) {
  const SignalRules rules{.halflife_ms = 7.0 * kDayMs};
  for (const std::int64_t ahead_ms : {-20'000 * kDayMs, -10 * kDayMs, 10 * kDayMs}) {
    const format::Pair before = Sum({AddByClock(4, 0)}, rules);
    const format::Pair pair = Accumulate(&before, AddByClock(2, ahead_ms), rules);
    // By a clock that was ahead the event before is older, and has faded.
    const double faded = ahead_ms > 0 ? std::exp2(-10.0 / 7) : 1;
    EXPECT_NEAR(pair.weight, 4 * faded + 2, 1e-6) << ahead_ms;
    const format::Pair after = Accumulate(&pair, AddByClock(1, kDayMs), rules);
    const double day = ahead_ms > 0 ? 1 : std::exp2(-1.0 / 7);
    EXPECT_NEAR(after.weight, (4 * faded + 2) * day + 1, 1e-6) << ahead_ms;
  }
  // A late event is late all the same.
  format::Event late = AddByClock(4, -7 * kDayMs);
  late.arrival_ms = kNowMs;
  EXPECT_EQ(Sum({AddByClock(1, 10 * kDayMs), late}, rules).weight, 3);
}

TEST(Signal, TheRatingThatArrivesLastStandsWhenTheClockHasGoneBack) {
  const SignalRules rules{.feedback = Feedback::kExplicit};
  EXPECT_EQ(Sum({AddByClock(4, 10 * kDayMs), AddByClock(2, 0)}, rules).weight, 2);
  EXPECT_EQ(Sum({AddByClock(4, 10 * kDayMs), Add(2, kNowMs - 1)}, rules).weight, 4);
}

TEST(Signal, ASumThatCancelsIsZero) {
  EXPECT_EQ(Sum({Add(0.3, 1), Add(-0.1, 2), Add(-0.2, 3)}, {}).weight, 0);
  EXPECT_EQ(Sum({Add(1, 1), Add(-1 + 1e-5, 2)}, {}).weight, static_cast<float>(1e-5));
  const SignalRules rules{.halflife_ms = 1'000};
  EXPECT_EQ(Sum({Add(0.6, 0), Add(-0.1, 1'000), Add(-0.2, 1'000)}, rules).weight, 0);
}

// Pairs of folders before format version 3 must come out as they were made.
TEST(Signal, EventsOfOldKindsFollowTheRulesOfTheirTime) {
  const auto as_said = [](format::Event event) {
    event.kind = format::Replaces(event.kind) ? format::EventKind::kSetAsSaid
                                              : format::EventKind::kInteractionAsSaid;
    return event;
  };
  const SignalRules rules{.halflife_ms = 7.0 * kDayMs};
  const format::Event odd = as_said(Add(1, kNowMs + 400 * kDayMs));
  const format::Pair set = Sum({odd, as_said(Set(-3, kNowMs))}, rules);
  EXPECT_FLOAT_EQ(set.weight, static_cast<float>(-3 * std::exp2(-400.0 / 7)));
  EXPECT_EQ(set.last_ms, kNowMs + 400 * kDayMs);
  const format::Pair sum =
      Sum({as_said(Add(0.3, 1)), as_said(Add(-0.1, 2)), as_said(Add(-0.2, 3))}, {});
  EXPECT_NE(sum.weight, 0);
  // What comes now heals the pair.
  EXPECT_EQ(Sum({odd, Set(-3, kNowMs)}, rules).weight, -3);
  EXPECT_EQ(Sum({odd, Add(5, kNowMs), Add(-6, kNowMs)}, rules).weight, 0);
}

TEST(Signal, DecayIsHeldInBounds) {
  EXPECT_EQ(Decay(0, 1'000'000), 1);
  EXPECT_EQ(Decay(1, 0), 1);
  EXPECT_EQ(Decay(1, std::numeric_limits<std::int64_t>::max()), std::exp2(-60));
  EXPECT_EQ(Decay(1, -253'402'300'799'999), 1024);
}

TEST(Signal, TheNewestRatingStands) {
  const SignalRules rules{.feedback = Feedback::kExplicit};
  EXPECT_EQ(Sum({Add(4, 10), Add(2, 20)}, rules).weight, 2);
  EXPECT_EQ(Sum({Add(4, 20), Add(2, 10)}, rules).weight, 4);
  EXPECT_EQ(Sum({Add(4, 10), Set(0, 20)}, rules).weight, 0);
}

TEST(Signal, ModelWeighsLinearlyOrByLogarithm) {
  format::Pair pair;
  for (const float weight : {0.0F, 1.0F, 3.0F, -3.0F, 1e6F, -1e6F}) {
    pair.weight = weight;
    EXPECT_EQ((ModelSignal{}).WeightOf(pair), weight);
    const double exact =
        std::copysign(std::log2(1 + std::abs(static_cast<double>(weight))), weight);
    EXPECT_NEAR((ModelSignal{.weighting = Weighting::kLog}).WeightOf(pair), exact,
                1e-6 * std::abs(exact));
  }
}

TEST(Signal, ModelDecaysToItsReferenceTime) {
  format::Pair pair;
  pair.weight = 8;
  pair.last_ms = 10'000;
  EXPECT_FLOAT_EQ((ModelSignal{.halflife_ms = 500, .reference_ms = 11'000}).WeightOf(pair), 2);
  EXPECT_FLOAT_EQ((ModelSignal{.halflife_ms = 500, .reference_ms = 9'500}).WeightOf(pair), 16);
  pair.weight = kWeightMax;
  EXPECT_EQ((ModelSignal{.halflife_ms = 1, .reference_ms = 1}).WeightOf(pair), kWeightMax);
}

}  // namespace
}  // namespace reco::engine
