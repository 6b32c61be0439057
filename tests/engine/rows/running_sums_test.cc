// Running sums against those of the row's pairs as they are, in float64.
#include "engine/rows/running_sums.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "engine/state/holds.h"
#include "model/factor_table.h"

namespace reco::engine {
namespace {

constexpr std::uint32_t kModel = 1;
constexpr std::uint32_t kDim = 4;
constexpr std::uint32_t kLong = RunningSums::LongRow(kDim);
constexpr model::SolveParams kParams = {.alpha = 2};

class RunningSumsTest : public ::testing::Test {
 protected:
  RunningSumsTest() : table_(context_, 1, Side::kUser), partners_(kDim) {
    budget_.limit_bytes = std::int64_t{1} << 30;
    partners_.Grow(1'000);
    std::mt19937 random(3);
    for (std::uint32_t i = 0; i < 1'000; ++i) {
      for (std::uint32_t k = 0; k < kDim; ++k) {
        partners_.mutable_row(i)[k] = static_cast<float>(random() % 100) / 50 - 1;
      }
    }
  }

  RunningSums sums() { return {table_, partners_, kParams, signal_, kModel}; }
  Row& row() { return *table_.Find(0); }
  std::uint32_t pairs() { return static_cast<std::uint32_t>(weights_.size()); }

  // As a write does it. Answers whether the row is to be built in the background.
  bool Write(std::uint32_t other, float weight) {
    const auto known = weights_.find(other);
    const float before = known != weights_.end() ? known->second : 0;
    weights_[other] = weight;
    table_.Put(0, other, {.weight = weight, .count = 1}, 1, true);
    const WeightChange changes[] = {{other, before, weight}};
    return sums().Update(row(), pairs(), changes);
  }
  bool Remove(std::uint32_t other) {
    const float before = weights_.at(other);
    weights_.erase(other);
    table_.Erase(0, other, 1);
    const WeightChange changes[] = {{other, before, 0}};
    return sums().Update(row(), pairs(), changes);
  }
  // Pairs of one call: all are in the row before the sums follow.
  bool WriteTogether(const std::vector<std::pair<std::uint32_t, float>>& pairs_written) {
    std::vector<WeightChange> changes;
    for (const auto& [other, weight] : pairs_written) {
      const auto known = weights_.find(other);
      changes.push_back({other, known != weights_.end() ? known->second : 0, weight});
      weights_[other] = weight;
      table_.Put(0, other, {.weight = weight, .count = 1}, 1, true);
    }
    return sums().Update(row(), pairs(), changes);
  }
  void WriteMany(std::uint32_t count) {
    for (std::uint32_t other = 0; other < count; ++other) {
      Write(other, other % 3 == 0 ? -1.0F : 2.0F);
    }
  }

  // A = sum alpha |w| y y', b = sum alpha w+ y over the pairs.
  void ExpectSumsOfThePairs(double tolerance = 1e-4) {
    ASSERT_NE(row().information(kModel), nullptr);
    const std::uint32_t stride = model::StrideFor(kDim);
    for (std::uint32_t i = 0; i < kDim; ++i) {
      double right = 0;
      double matrix[kDim] = {};
      for (const auto& [other, weight] : weights_) {
        const float* y = partners_.row(other);
        const double share =
            static_cast<double>(kParams.alpha) * std::abs(static_cast<double>(weight));
        right += weight > 0 ? share * static_cast<double>(y[i]) : 0;
        for (std::uint32_t k = 0; k < kDim; ++k) {
          matrix[k] += share * static_cast<double>(y[i]) * static_cast<double>(y[k]);
        }
      }
      EXPECT_NEAR(row().information(kModel)->right_side()[i], right,
                  tolerance * (1 + std::abs(right)));
      for (std::uint32_t k = 0; k < kDim; ++k) {
        EXPECT_NEAR(row().information(kModel)->matrix()[i * stride + k], matrix[k],
                    tolerance * (1 + std::abs(matrix[k])));
      }
    }
  }

  Options options_;
  ManualClock clock_{0};
  Storage storage_;
  RowBudget budget_;
  MemoryBudget memory_;
  HoldTimes holds_;
  CollectionContext context_{storage_, options_, clock_, budget_, memory_, holds_, 64, 500'000};
  RowTable table_;
  model::FactorTable partners_;
  ModelSignal signal_;
  std::map<std::uint32_t, float> weights_;  // of the row's pairs
};

TEST_F(RunningSumsTest, ARowKeepsSumsWhileItIsLong) {
  WriteMany(kLong);
  EXPECT_EQ(row().information(kModel), nullptr);
  Write(kLong, 1);
  ExpectSumsOfThePairs();
  Remove(3);
  EXPECT_EQ(row().information(kModel), nullptr);
}

TEST_F(RunningSumsTest, FollowsPairsThatComeAndGrow) {
  WriteMany(3 * kLong);
  Write(5, 9);
  Write(5, 11);
  Write(6, -3);
  ExpectSumsOfThePairs();
}

TEST_F(RunningSumsTest, PairsThatComeTogetherAreInTheSumsOnce) {
  // Over the border in the middle of a call.
  WriteMany(kLong - 1);
  WriteTogether({{kLong, 1}, {kLong + 1, 2}, {kLong, 4}, {kLong + 2, -1}});
  ExpectSumsOfThePairs();
  // One that grows twice, and one that shrinks beside others that do not.
  WriteTogether({{5, 9}, {6, 3}, {5, 12}});
  ExpectSumsOfThePairs();
  WriteTogether({{5, 13}, {6, 1}, {900, 2}});
  EXPECT_EQ(row().sums->age, 0U);
  ExpectSumsOfThePairs(1e-6);
}

// While a successor is built up: pairs below its end, and above.
TEST_F(RunningSumsTest, PairsThatComeTogetherGoOnTheSuccessor) {
  WriteMany(16 * kLong);
  for (std::uint32_t i = 0; i < 16 * kLong; ++i) {
    partners_.mutable_row(i)[0] += 1;
  }
  std::uint32_t next = 20 * kLong;
  bool seen = false;
  // Every third pair is disliked, and none changes sides.
  for (std::uint32_t i = 1; i < 2 * kLong; i += 3) {
    WriteTogether({{i, 3}, {next, 1}, {i + 12 * kLong, 5}, {next + 1, 2}});
    next += 2;
    seen = seen || row().sums->successor != nullptr;
  }
  ASSERT_TRUE(seen);
  ASSERT_LT(row().sums->age, kLong);  // taken over
  ExpectSumsOfThePairs();
}

TEST_F(RunningSumsTest, AShareThatShrinksOrTurnsHasAShortRowBuiltAtOnce) {
  WriteMany(3 * kLong);
  Write(4, 9);
  ASSERT_GT(row().sums->age, 0U);
  EXPECT_FALSE(Write(4, 1));
  EXPECT_EQ(row().sums->age, 0U);
  ExpectSumsOfThePairs(1e-6);
  Write(4, 2);
  EXPECT_FALSE(Write(4, -2));
  EXPECT_EQ(row().sums->age, 0U);
  EXPECT_FALSE(Remove(5));
  ExpectSumsOfThePairs(1e-6);
}

TEST_F(RunningSumsTest, AShareThatShrinksOfARowNotInMemoryIsQueuedOnce) {
  WriteMany(3 * kLong);
  row().pairs.Clear();
  row().complete = false;
  EXPECT_TRUE(Write(4, 0.5F));
  EXPECT_TRUE(row().sums->stale);
  EXPECT_FALSE(Write(7, 0.5F));  // queued already
  ExpectSumsOfThePairs();
}

TEST_F(RunningSumsTest, AgedSumsAreReplacedByOnesOverThePartnersOfNow) {
  WriteMany(8 * kLong);
  for (std::uint32_t i = 0; i < 8 * kLong; ++i) {
    partners_.mutable_row(i)[0] += 1;  // the sums hold them as they were
  }
  // A sixteenth of the row ages them, the rest of it goes in 32 pairs a write.
  for (std::uint32_t i = 0; i < kLong; ++i) {
    Write(8 * kLong + i, 1);
  }
  ExpectSumsOfThePairs();
}

TEST_F(RunningSumsTest, WhatChangesDuringABuildIsInItsResult) {
  WriteMany(3 * kLong);
  auto built = std::make_unique<model::Information>(kDim);
  for (const auto& [other, weight] : weights_) {
    built->Replace(partners_.row(other), kParams.alpha, 0, weight);
  }
  row().sums->building = true;
  Write(4, 7);
  Write(500, 3);
  Remove(8);
  row().sums->building = false;
  EXPECT_TRUE(sums().TakeOver(row(), pairs(), std::move(built)));
  EXPECT_TRUE(row().sums->changes.empty());
  ExpectSumsOfThePairs();
}

TEST_F(RunningSumsTest, NothingIsTakenOverOfABuildThatFailedOrOfAShortRow) {
  WriteMany(kLong);
  EXPECT_FALSE(sums().TakeOver(row(), pairs(), std::make_unique<model::Information>(kDim)));
  EXPECT_EQ(row().information(kModel), nullptr);
  Write(kLong, 1);
  EXPECT_FALSE(sums().TakeOver(row(), pairs(), nullptr));
  ExpectSumsOfThePairs();
}

}  // namespace
}  // namespace reco::engine
