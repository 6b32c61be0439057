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

format::Event Add(double weight, std::int64_t time_ms) {
  format::Event event;
  event.weight = weight;
  event.time_ms = time_ms;
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
