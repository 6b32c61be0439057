#include "index/score.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "index/brute_force.h"

namespace reco::index {
namespace {

constexpr std::uint32_t kStride = 16;
constexpr float kMax = std::numeric_limits<float>::max();

model::AlignedVector<float> Row(std::initializer_list<float> values) {
  model::AlignedVector<float> row(values);
  row.resize(kStride);
  return row;
}
std::optional<float> Score(Metric metric, const model::AlignedVector<float>& query,
                           const model::AlignedVector<float>& row) {
  return ScoreRow(metric, query.data(), row.data(), kStride);
}

TEST(ScoreRow, InnerProductHasTheBitsOfDot) {
  std::mt19937 random(1);
  for (int round = 0; round < 100; ++round) {
    auto query = Row({});
    auto row = Row({});
    testing::FillRow(testing::Shape::kGaussian, 13, random, query.data());
    testing::FillRow(testing::Shape::kGaussian, 13, random, row.data());
    EXPECT_EQ(Score(Metric::kInnerProduct, query, row),
              model::Dot(query.data(), row.data(), kStride));
  }
}

TEST(ScoreRow, CosineIsDividedByTheLengthOfTheRowAlone) {
  EXPECT_EQ(Score(Metric::kCosine, Row({2, 0}), Row({3, 4})), 1.2F);
  EXPECT_EQ(Score(Metric::kCosine, Row({2, 0}), Row({-0.5F})), -2.0F);
  // Squares that float32 does not hold.
  EXPECT_EQ(Score(Metric::kCosine, Row({1}), Row({1e-30F})), 1.0F);
  EXPECT_EQ(Score(Metric::kCosine, Row({1}), Row({1e30F})), 1.0F);
}

TEST(ScoreRow, ZeroVectorHasAProductAndNoCosine) {
  EXPECT_EQ(Score(Metric::kInnerProduct, Row({1}), Row({})), 0.0F);
  EXPECT_EQ(Score(Metric::kCosine, Row({1}), Row({})), std::nullopt);
}

TEST(ScoreRow, WhatOverflowsIsHeldAtTheLimitsOfFloat) {
  EXPECT_EQ(Score(Metric::kInnerProduct, Row({2}), Row({kMax})), kMax);
  EXPECT_EQ(Score(Metric::kInnerProduct, Row({2}), Row({-kMax})), -kMax);
  // Both ways at once would be a NaN; in float64 they cancel.
  EXPECT_EQ(Score(Metric::kInnerProduct, Row({2, 2}), Row({kMax, -kMax})), 0.0F);
  EXPECT_EQ(Score(Metric::kCosine, Row({kMax}), Row({2})), kMax);
}

}  // namespace
}  // namespace reco::index
