// Ridge regression on attributes against the closed form in float64.
#include "model/attribute_regression.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <gtest/gtest.h>

#include "model/reference.h"

namespace reco::model::testing {
namespace {

constexpr std::size_t kItems = 400;
constexpr std::size_t kFeatures = 30;

// Each row has a few one-hot features and one number, in column 0.
FeatureRows RandomFeatures(std::size_t rows, std::size_t columns, std::uint32_t seed) {
  FeatureRows features;
  features.columns_count = columns;
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<Feature> row = {{0, normal(random)}};
    for (std::uint32_t j = 1; j < columns; ++j) {
      if (random() % 8 == 0) {
        row.push_back({j, 1});
      }
    }
    features.Add(row);
  }
  return features;
}

Eigen::MatrixXd Dense(const FeatureRows& rows) {
  Eigen::MatrixXd dense = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(rows.rows()),
                                                static_cast<Eigen::Index>(rows.columns_count));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (const Feature& feature : rows.row(i)) {
      dense(static_cast<Eigen::Index>(i), feature.column) = static_cast<double>(feature.value);
    }
  }
  return dense;
}

Eigen::MatrixXd Dense(const FactorTable& table) {
  Eigen::MatrixXd dense(static_cast<Eigen::Index>(table.rows()), table.dim());
  for (std::size_t i = 0; i < table.rows(); ++i) {
    dense.row(static_cast<Eigen::Index>(i)) = Widen(table.row(i), table.dim()).transpose();
  }
  return dense;
}

// Predictions for all rows by the definition.
Eigen::MatrixXd Reference(const FeatureRows& rows, const FactorTable& targets,
                          const std::vector<float>& shares, double ridge) {
  Eigen::MatrixXd x = Dense(rows);
  Eigen::MatrixXd y = Dense(targets);
  Eigen::VectorXd s =
      Eigen::Map<const Eigen::VectorXf>(shares.data(), static_cast<Eigen::Index>(shares.size()))
          .cast<double>();
  s *= static_cast<double>((s.array() > 0).count()) / s.sum();
  const Eigen::RowVectorXd x_mean = s.transpose() * x / s.sum();
  const Eigen::RowVectorXd y_mean = s.transpose() * y / s.sum();
  x.rowwise() -= x_mean;
  y.rowwise() -= y_mean;
  const Eigen::MatrixXd normal =
      x.transpose() * s.asDiagonal() * x + ridge * Eigen::MatrixXd::Identity(x.cols(), x.cols());
  const Eigen::MatrixXd weights = normal.llt().solve(x.transpose() * s.asDiagonal() * y);
  return (x * weights).rowwise() + y_mean;
}

Eigen::MatrixXd Predictions(const AttributeMap& map, const FeatureRows& rows) {
  Eigen::MatrixXd all(static_cast<Eigen::Index>(rows.rows()), map.dim);
  std::vector<float> x(map.dim);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    Predict(map, rows.row(i), x);
    all.row(static_cast<Eigen::Index>(i)) = Widen(x.data(), map.dim).transpose();
  }
  return all;
}

// Vectors that are a linear map of the features plus noise.
FactorTable LinearTargets(const FeatureRows& rows, std::uint32_t dim, double noise,
                          std::uint32_t seed) {
  const FactorTable map = RandomTable(dim, rows.columns_count, 0.3, seed);
  FactorTable targets = RandomTable(dim, rows.rows(), noise, seed + 1);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::uint32_t k = 0; k < dim; ++k) {
      targets.mutable_row(i)[k] += 0.5F;
      for (const Feature& feature : rows.row(i)) {
        targets.mutable_row(i)[k] += feature.value * map.row(feature.column)[k];
      }
    }
  }
  return targets;
}

std::vector<float> RandomShares(std::size_t rows, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> shares(rows);
  for (float& share : shares) {
    share = static_cast<float>(random() % 5);  // some 0: not used
  }
  return shares;
}

TEST(AttributeRegression, EqualsTheClosedForm) {
  for (const std::uint32_t dim : {1U, 16U, 20U, 64U}) {
    for (const double noise : {0.1, 3.0}) {
      const FeatureRows rows = RandomFeatures(kItems, kFeatures, dim);
      const FactorTable targets = LinearTargets(rows, dim, noise, 7);
      const std::vector<float> shares = RandomShares(kItems, 3);
      const auto map = FitAttributes(rows, targets, shares, {});
      ASSERT_TRUE(map.ok()) << map.status().ToString();
      const Eigen::MatrixXd exact = Reference(rows, targets, shares, map->ridge);
      EXPECT_LT((Predictions(*map, rows) - exact).norm(), 1e-3 * exact.norm())
          << "dim " << dim << " noise " << noise;
    }
  }
}

TEST(AttributeRegression, NoisierVectorsGetAStrongerRidge) {
  const FeatureRows rows = RandomFeatures(kItems, kFeatures, 1);
  const std::vector<float> shares(kItems, 1.0F);
  const auto clean = FitAttributes(rows, LinearTargets(rows, 16, 0.01, 7), shares, {});
  const auto noisy = FitAttributes(rows, LinearTargets(rows, 16, 3, 7), shares, {});
  ASSERT_TRUE(clean.ok() && noisy.ok());
  EXPECT_LT(clean->ridge, noisy->ridge);
  EXPECT_GT(clean->explained, 0.95);
  EXPECT_LT(noisy->explained, 0.5);
}

TEST(AttributeRegression, FeaturesThatTellNothingPredictTheMean) {
  const FeatureRows rows = RandomFeatures(kItems, kFeatures, 1);
  const FactorTable targets = RandomTable(16, kItems, 1, 9);
  const auto map = FitAttributes(rows, targets, std::vector<float>(kItems, 1.0F), {});
  ASSERT_TRUE(map.ok());
  EXPECT_LT(map->explained, 0.02);
  const Eigen::MatrixXd y = Dense(targets);
  const Eigen::MatrixXd away = Predictions(*map, rows).rowwise() - y.colwise().mean();
  EXPECT_LT(away.norm(), 0.2 * y.norm());
}

// Rows of ratings hold a constant 1, which a prediction must hold as well.
TEST(AttributeRegression, AConstantDimensionIsPredictedExactly) {
  const FeatureRows rows = RandomFeatures(kItems, kFeatures, 1);
  FactorTable targets = LinearTargets(rows, 18, 0.1, 7);
  for (std::size_t i = 0; i < kItems; ++i) {
    targets.mutable_row(i)[17] = 1;
  }
  const auto map = FitAttributes(rows, targets, RandomShares(kItems, 3), {});
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(Predictions(*map, rows).col(17), Eigen::VectorXd::Ones(kItems));
}

TEST(AttributeRegression, ThreadsDoNotChangeABit) {
  const FeatureRows rows = RandomFeatures(kItems, kFeatures, 4);
  const FactorTable targets = LinearTargets(rows, 64, 1, 5);
  const std::vector<float> shares = RandomShares(kItems, 6);
  const auto one = FitAttributes(rows, targets, shares, {});
  const auto three = FitAttributes(rows, targets, shares, {.threads = 3});
  ASSERT_TRUE(one.ok() && three.ok());
  EXPECT_EQ(one->weights, three->weights);
  EXPECT_EQ(one->base, three->base);
  EXPECT_EQ(one->ridge, three->ridge);
}

TEST(AttributeRegression, RowsBeyondTheBoundAreThoseOfTheLeastShare) {
  FeatureRows rows = RandomFeatures(kItems, kFeatures, 4);
  FactorTable targets = LinearTargets(rows, 16, 0.1, 5);
  std::vector<float> shares(kItems, 2.0F);
  for (std::size_t i = 0; i < kItems; i += 2) {
    shares[i] = 1;
  }
  const auto bounded = FitAttributes(rows, targets, shares, {.rows_max = kItems / 2});
  for (std::size_t i = 0; i < kItems; i += 2) {
    shares[i] = 0;
  }
  const auto chosen = FitAttributes(rows, targets, shares, {});
  ASSERT_TRUE(bounded.ok() && chosen.ok());
  EXPECT_EQ(bounded->weights, chosen->weights);
}

TEST(AttributeRegression, FewItemsAndNoFeaturesPredictTheMean) {
  FeatureRows rows;
  rows.columns_count = 1;
  const Feature only[] = {{0, 1}};
  rows.Add(only);
  rows.Add({});
  const FactorTable targets = RandomTable(16, 2, 1, 9);
  const auto map = FitAttributes(rows, targets, std::vector<float>{1, 1}, {});
  ASSERT_TRUE(map.ok());
  const Eigen::VectorXd mean = Dense(targets).colwise().mean();
  EXPECT_LT((Predictions(*map, rows).row(0).transpose() - mean).norm(), 0.01 * mean.norm());
  rows.columns_count = 0;
  rows.offsets = {0, 0, 0};
  rows.features.clear();
  const auto bare = FitAttributes(rows, targets, std::vector<float>{1, 1}, {});
  ASSERT_TRUE(bare.ok());
  EXPECT_LT((Predictions(*bare, rows).row(1).transpose() - mean).norm(), 1e-6 * mean.norm());
}

TEST(AttributeRegression, NothingToLearnFromAndCancellationAreErrors) {
  const FeatureRows rows = RandomFeatures(10, 4, 4);
  const FactorTable targets = RandomTable(16, 10, 1, 9);
  EXPECT_EQ(FitAttributes(rows, targets, std::vector<float>(10), {}).status().code(),
            StatusCode::kFailedPrecondition);
  const std::atomic<bool> cancel = true;
  EXPECT_EQ(FitAttributes(rows, targets, std::vector<float>(10, 1.0F), {.cancel = &cancel})
                .status()
                .code(),
            StatusCode::kUnavailable);
}

}  // namespace
}  // namespace reco::model::testing
