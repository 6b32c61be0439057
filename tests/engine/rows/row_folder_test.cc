// One row against the closed form of its feedback, in float64.
#include "engine/rows/row_folder.h"

#include <cstdint>
#include <random>
#include <vector>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include "model/aligned_vector.h"
#include "model/factor_table.h"

namespace reco::engine {
namespace {

constexpr std::uint32_t kDim = 3;
constexpr std::uint32_t kRows = 20;
constexpr model::SolveParams kParams = {.alpha = 2, .reg = 0.5F, .regn = 0.1F, .unobserved = 0.3F};

CollectionOptions OptionsOf(std::uint32_t dim, Feedback feedback) {
  CollectionOptions options;
  options.dim = dim;
  options.feedback = feedback;
  return options;
}

// Partners of a row, with their Gram.
struct Partners {
  explicit Partners(std::uint32_t dim) : table(dim), gram(dim) {
    table.Grow(kRows);
    std::mt19937 random(7);
    const std::vector<float> none(table.stride());
    for (std::uint32_t i = 0; i < kRows; ++i) {
      for (std::uint32_t k = 0; k < kDim; ++k) {
        table.mutable_row(i)[k] = static_cast<float>(random() % 100) / 50 - 1;
      }
      gram.Update(none.data(), table.row(i));
    }
  }
  std::vector<model::Neighbor> Neighbors(const std::vector<float>& weights) const {
    std::vector<model::Neighbor> neighbors;
    neighbors.reserve(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      neighbors.push_back({table.row(2 * i), weights[i]});
    }
    return neighbors;
  }
  Eigen::VectorXd Row(const float* row) const {
    return Eigen::Map<const Eigen::VectorXf>(row, kDim).cast<double>();
  }

  model::FactorTable table;
  model::Gram gram;
};

TEST(RowFolder, WeightsAreSolvedByTheirClosedForm) {
  const Partners partners(kDim);
  const std::vector<model::Neighbor> neighbors = partners.Neighbors({1, 4, -2});
  Eigen::MatrixXd a = Eigen::MatrixXd::Identity(kDim, kDim) * (0.5 + 0.1 * 3);
  for (std::uint32_t i = 0; i < kRows; ++i) {
    const Eigen::VectorXd y = partners.Row(partners.table.row(i));
    a += 0.3F * y * y.transpose();
  }
  Eigen::VectorXd b = Eigen::VectorXd::Zero(kDim);
  for (const model::Neighbor& neighbor : neighbors) {
    const Eigen::VectorXd y = partners.Row(neighbor.factor);
    a += 2.0 * std::abs(neighbor.weight) * y * y.transpose();
    b += neighbor.weight > 0 ? Eigen::VectorXd(2.0 * neighbor.weight * y)
                             : Eigen::VectorXd::Zero(kDim);
  }
  RowFolder folder(kDim, Feedback::kImplicit);
  model::AlignedVector<float> x(model::StrideFor(kDim));
  folder.Solve({Side::kUser, partners.gram, kParams}, neighbors, x.data());
  EXPECT_LT((partners.Row(x.data()) - a.ldlt().solve(b)).norm(), 1e-4);
}

TEST(RowFolder, RatingsAreSolvedTogetherWithTheRowsBias) {
  const std::uint32_t stored = kDim + model::kRatingExtras;
  Partners partners(stored);
  for (const Side side : {Side::kUser, Side::kItem}) {
    const auto partner_side =
        side == Side::kUser ? model::RatingSide::kItem : model::RatingSide::kUser;
    const auto own_side = side == Side::kUser ? model::RatingSide::kUser : model::RatingSide::kItem;
    for (std::uint32_t i = 0; i < kRows; ++i) {
      float* row = partners.table.mutable_row(i);
      row[model::RatingBiasAt(partner_side, kDim)] = 0.25F;
      row[model::RatingConstantAt(partner_side, kDim)] = 1;
    }
    const std::vector<model::Neighbor> neighbors = partners.Neighbors({5, 1, 3, 4});
    Eigen::MatrixXd a = Eigen::MatrixXd::Identity(kDim + 1, kDim + 1) * (0.5 + 0.1 * 4);
    Eigen::VectorXd b = Eigen::VectorXd::Zero(kDim + 1);
    for (const model::Neighbor& neighbor : neighbors) {
      Eigen::VectorXd z = Eigen::VectorXd::Ones(kDim + 1);
      z.head(kDim) = partners.Row(neighbor.factor);
      a += z * z.transpose();
      b += (neighbor.weight - 3.5 - 0.25) * z;
    }
    const Eigen::VectorXd expected = a.ldlt().solve(b);
    RowFolder folder(stored, Feedback::kExplicit);
    model::AlignedVector<float> x(model::StrideFor(stored));
    folder.Solve({side, partners.gram, kParams, 3.5}, neighbors, x.data());
    EXPECT_LT((partners.Row(x.data()) - expected.head(kDim)).norm(), 1e-4);
    EXPECT_NEAR(x[model::RatingBiasAt(own_side, kDim)], expected[kDim], 1e-4);
    EXPECT_EQ(x[model::RatingConstantAt(own_side, kDim)], 1);
  }
}

TEST(RowFolder, PriorOfARowWithoutPairsIsItsVectorWhateverTheFeedback) {
  for (const Feedback feedback : {Feedback::kImplicit, Feedback::kExplicit}) {
    const std::uint32_t dim = StoredDim(OptionsOf(kDim, feedback));
    const Partners partners(dim);
    model::AlignedVector<float> prior(model::StrideFor(dim));
    prior[0] = 0.5F;
    prior[dim - 1] = -2;
    model::AlignedVector<float> x(model::StrideFor(dim), 9.0F);
    RowFolder folder(dim, feedback);
    folder.Solve({Side::kItem, partners.gram, kParams, 0, prior.data()}, {}, x.data());
    EXPECT_EQ(x, prior);
  }
}

TEST(RowFolder, RunningSumsGiveTheSolutionOfThePairs) {
  const Partners partners(kDim);
  const std::vector<model::Neighbor> neighbors = partners.Neighbors({1, 4, -2, 0.5F, 3});
  model::Information sums(kDim);
  for (const model::Neighbor& neighbor : neighbors) {
    sums.Replace(neighbor.factor, kParams.alpha, 0, neighbor.weight);
  }
  RowFolder folder(kDim, Feedback::kImplicit);
  model::AlignedVector<float> from_pairs(model::StrideFor(kDim));
  model::AlignedVector<float> from_sums(model::StrideFor(kDim));
  const FoldInTerms terms{Side::kUser, partners.gram, kParams};
  folder.Solve(terms, neighbors, from_pairs.data());
  folder.SolveLong(terms, sums, neighbors.size(), from_sums.data());
  for (std::uint32_t k = 0; k < kDim; ++k) {
    EXPECT_NEAR(from_sums[k], from_pairs[k], 1e-4);
  }
}

TEST(RowFolder, SharesAddUpToTheProductWithTheSolution) {
  const Partners partners(kDim);
  const std::vector<model::Neighbor> neighbors = partners.Neighbors({1, 4, -2, 0.5F});
  RowFolder folder(kDim, Feedback::kImplicit);
  model::AlignedVector<float> x(model::StrideFor(kDim));
  const FoldInTerms terms{Side::kUser, partners.gram, kParams};
  folder.Solve(terms, neighbors, x.data());
  const float* target = partners.table.row(19);
  std::vector<double> shares(neighbors.size());
  folder.Shares(terms, neighbors, target, shares);
  double sum = 0;
  for (const double share : shares) {
    sum += share;
  }
  EXPECT_NEAR(sum, partners.Row(x.data()).dot(partners.Row(target)), 1e-4);
}

TEST(StoredDim, HasRoomForTheBiasAndTheConstantOfRatings) {
  EXPECT_EQ(StoredDim(OptionsOf(10, Feedback::kImplicit)), 10U);
  EXPECT_EQ(StoredDim(OptionsOf(10, Feedback::kExplicit)), 12U);
}

}  // namespace
}  // namespace reco::engine
