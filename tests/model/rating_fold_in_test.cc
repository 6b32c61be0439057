// RatingFoldIn against the closed form in float64.
#include "model/rating_fold_in.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "model/aligned_vector.h"
#include "model/factor_table.h"
#include "model/rating_reference.h"

namespace reco::model::testing {
namespace {

constexpr std::size_t kPartners = 2500;

float StarRating(std::mt19937& random) {
  return static_cast<float>(1 + random() % 5);
}

// From 1e-6 to 1e6, of both signs, some zero.
float ExtremeRating(std::mt19937& random) {
  const double size = std::pow(10.0, std::uniform_real_distribution<double>(-6, 6)(random));
  const std::uint32_t kind = random() % 10;
  const auto rating = static_cast<float>(size);
  return kind == 0 ? 0 : (kind < 4 ? -rating : rating);
}

std::vector<RatedNeighbor> Draw(const FactorTable& partners, std::size_t count,
                                float (*rating)(std::mt19937&), std::mt19937* random) {
  std::vector<RatedNeighbor> neighbors(count);
  for (RatedNeighbor& neighbor : neighbors) {
    neighbor = {partners.row((*random)() % partners.rows()), rating(*random)};
  }
  return neighbors;
}

// Solves into a row that held other values, checks its shape and returns its error.
double SolveError(const RatingTerms& terms, std::uint32_t dim,
                  std::span<const RatedNeighbor> neighbors) {
  RatingFoldIn solver(dim);
  AlignedVector<float> x(StrideFor(dim + kRatingExtras), 7.0F);
  solver.Solve(terms, neighbors, x.data());
  EXPECT_TRUE(std::all_of(x.begin(), x.end(), [](float v) { return std::isfinite(v); }));
  EXPECT_TRUE(std::all_of(x.begin() + dim + kRatingExtras, x.end(), [](float v) { return v == 0; }))
      << "padding, d " << dim;
  EXPECT_EQ(x[RatingConstantAt(terms.side, dim)], neighbors.empty() ? 0 : 1);
  return RatingRowError(terms.side, dim, x.data(), ReferenceRatingSolution(terms, dim, neighbors));
}

struct SolveCase {
  const char* name;
  RatingTerms terms;
  double scale;
  float (*rating)(std::mt19937&);
};

class RatingFoldInSolve : public ::testing::TestWithParam<SolveCase> {};

TEST_P(RatingFoldInSolve, IsTheClosedFormForEveryDimensionAndLength) {
  const SolveCase& c = GetParam();
  std::mt19937 random(3);
  for (const std::uint32_t dim : {1U, 2U, 3U, 6U, 7U, 16U, 31U, 62U, 63U, 64U, 65U, 96U}) {
    const FactorTable partners =
        RandomRatingRows(OtherSide(c.terms.side), dim, kPartners, c.scale, dim);
    for (const std::size_t count : {1U, 2U, 3U, 5U, 10U, dim - 1, dim, dim + 1, 64U, 129U, 2000U}) {
      if (count > 0) {
        EXPECT_LE(SolveError(c.terms, dim, Draw(partners, count, c.rating, &random)), 1e-5)
            << "d " << dim << " n " << count;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RatingFoldInSolve,
    ::testing::Values(
        SolveCase{"user", {RatingSide::kUser, 3.5, 1, 0.1F}, 0.3, StarRating},
        SolveCase{"item", {RatingSide::kItem, 3.5, 1, 0.1F}, 0.3, StarRating},
        SolveCase{"constant_ridge", {RatingSide::kUser, 3.5, 0.1F, 0}, 1, StarRating},
        SolveCase{"faint_ridge", {RatingSide::kItem, 0, 1e-3F, 0}, 1, StarRating},
        SolveCase{"extremes", {RatingSide::kUser, -1000, 0.1F, 0.05F}, 1, ExtremeRating},
        SolveCase{"large_vectors", {RatingSide::kUser, 0, 0.1F, 0.05F}, 1000, ExtremeRating}),
    [](const ::testing::TestParamInfo<SolveCase>& each) { return each.param.name; });

TEST(RatingFoldIn, ARowInPiecesIsTheRowAsAWhole) {
  std::mt19937 random(8);
  for (const std::uint32_t dim : {1U, 7U, 64U}) {
    const RatingTerms terms = {RatingSide::kItem, 3.5, 1, 0.1F};
    const FactorTable partners = RandomRatingRows(RatingSide::kUser, dim, kPartners, 0.3, dim);
    const auto neighbors = Draw(partners, 1'500, StarRating, &random);
    RatingFoldIn solver(dim);
    AlignedVector<float> whole(StrideFor(dim + kRatingExtras));
    AlignedVector<float> pieces(StrideFor(dim + kRatingExtras), 7.0F);
    solver.Start();
    const std::span<const RatedNeighbor> all(neighbors);
    for (std::size_t from = 0; from < all.size(); from += 97) {
      solver.Add(terms, all.subspan(from, std::min<std::size_t>(97, all.size() - from)));
    }
    solver.Finish(terms, all.size(), pieces.data());
    solver.Solve(terms, neighbors, whole.data());
    for (std::size_t k = 0; k < whole.size(); ++k) {
      EXPECT_NEAR(pieces[k], whole[k], 1e-5) << k;
    }
    solver.Start();
    solver.Finish(terms, 0, pieces.data());
    EXPECT_TRUE(std::all_of(pieces.begin(), pieces.end(), [](float v) { return v == 0; }));
  }
}

TEST(RatingFoldIn, RowOfManyPairsIsTheClosedForm) {
  constexpr std::uint32_t kDim = 20;
  std::mt19937 random(9);
  const FactorTable partners = RandomRatingRows(RatingSide::kItem, kDim, kPartners, 0.5, 4);
  EXPECT_LE(SolveError({RatingSide::kUser, 3, 0.1F, 1e-6F}, kDim,
                       Draw(partners, 100000, StarRating, &random)),
            1e-5);
}

TEST(RatingFoldIn, DimensionZeroSolvesTheBiasAlone) {
  AlignedVector<float> partner(16);
  partner[1] = 0.5F;  // the item's bias
  partner[0] = 1;
  const std::vector<RatedNeighbor> neighbors = {{partner.data(), 5}, {partner.data(), 3}};
  AlignedVector<float> x(16);
  RatingFoldIn(0).Solve({RatingSide::kUser, 2, 1, 0.5F}, neighbors, x.data());
  // (2.5 + 0.5) / (2 + 1 + 0.5 x 2)
  EXPECT_FLOAT_EQ(x[0], 0.75F);
  EXPECT_EQ(x[1], 1);
}

TEST(RatingFoldIn, NoNeighboursGiveZerosEvenInTheConstant) {
  AlignedVector<float> x(16, 3.0F);
  RatingFoldIn(8).Solve({}, {}, x.data());
  EXPECT_TRUE(std::all_of(x.begin(), x.end(), [](float v) { return v == 0; }));
}

TEST(RatingFoldIn, PartnerWithoutSolutionStillMovesTheBias) {
  const AlignedVector<float> partner(16);
  const std::vector<RatedNeighbor> neighbors = {{partner.data(), 5}};
  AlignedVector<float> x(16);
  RatingFoldIn(8).Solve({RatingSide::kUser, 3, 1, 0}, neighbors, x.data());
  EXPECT_FLOAT_EQ(x[8], 1);  // 2 / (1 + 1)
  EXPECT_TRUE(std::all_of(x.begin(), x.begin() + 8, [](float v) { return v == 0; }));
}

TEST(RatingFoldIn, SystemsBeyondFloat64GiveFiniteRows) {
  constexpr std::uint32_t kDim = 12;
  const FactorTable partners = RandomRatingRows(RatingSide::kItem, kDim, 3, 1e9, 4);
  RatingFoldIn solver(kDim);
  AlignedVector<float> x(16);
  for (const std::size_t count : {5U, 12U, 13U, 400U}) {
    std::vector<RatedNeighbor> neighbors;
    for (std::size_t j = 0; j < count; ++j) {
      neighbors.push_back({partners.row(j % 3), j % 2 == 0 ? 1e6F : -1e6F});
    }
    solver.Solve({RatingSide::kUser, 0, 1e-6F, 0}, neighbors, x.data());
    EXPECT_TRUE(std::all_of(x.begin(), x.end(), [](float v) { return std::isfinite(v); })) << count;
    EXPECT_EQ(x[kDim + 1], 1) << count;
  }
}

TEST(RatingFoldIn, SameInputsGiveTheSameBitsWhateverWasSolvedBefore) {
  constexpr std::uint32_t kDim = 64;
  std::mt19937 random(2);
  const FactorTable partners = RandomRatingRows(RatingSide::kItem, kDim, kPartners, 0.3, 4);
  RatingFoldIn used(kDim);
  for (const std::size_t count : {200U, 3U, 70U, 64U, 1U}) {
    const auto neighbors = Draw(partners, count, StarRating, &random);
    AlignedVector<float> a(partners.stride());
    AlignedVector<float> b(partners.stride());
    used.Solve({.mean = 3}, neighbors, a.data());
    RatingFoldIn(kDim).Solve({.mean = 3}, neighbors, b.data());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0) << count;
  }
}

class RatingShares : public ::testing::TestWithParam<RatingSide> {};

TEST_P(RatingShares, AddUpToThePredictionWithTheMeanAndTheTargetsBias) {
  constexpr std::uint32_t kDim = 24;
  const RatingTerms terms = {GetParam(), 3.2, 0.5F, 0.05F};
  std::mt19937 random(6);
  const FactorTable partners = RandomRatingRows(OtherSide(terms.side), kDim, kPartners, 0.5, 4);
  const AlignedVector<float> cold(partners.stride());
  RatingFoldIn solver(kDim);
  AlignedVector<float> x(partners.stride());
  for (const std::size_t count : {1U, 5U, 24U, 25U, 300U}) {
    const auto neighbors = Draw(partners, count, StarRating, &random);
    solver.Solve(terms, neighbors, x.data());
    for (const float* target : {partners.row(17), neighbors[0].factor, cold.data()}) {
      std::vector<double> shares(count);
      solver.Shares(terms, neighbors, target, shares);
      const double sum = std::accumulate(shares.begin(), shares.end(), 0.0) + terms.mean +
                         static_cast<double>(target[RatingBiasAt(OtherSide(terms.side), kDim)]);
      const double predicted = terms.side == RatingSide::kUser
                                   ? PredictRating(terms.mean, x.data(), target, kDim)
                                   : PredictRating(terms.mean, target, x.data(), kDim);
      EXPECT_NEAR(sum, predicted, 1e-5) << count;
    }
  }
}

TEST_P(RatingShares, AreThoseOfTheClosedForm) {
  constexpr std::uint32_t kDim = 10;
  const RatingTerms terms = {GetParam(), 3.2, 0.5F, 0.05F};
  std::mt19937 random(8);
  const FactorTable partners = RandomRatingRows(OtherSide(terms.side), kDim, kPartners, 0.5, 4);
  const auto neighbors = Draw(partners, 40, StarRating, &random);
  std::vector<double> shares(neighbors.size());
  RatingFoldIn(kDim).Shares(terms, neighbors, partners.row(5), shares);
  const Eigen::VectorXd v =
      ReferenceRatingMatrix(terms, kDim, neighbors).ldlt().solve(WithOne(partners.row(5), kDim));
  for (std::size_t j = 0; j < neighbors.size(); ++j) {
    EXPECT_NEAR(
        shares[j],
        ReferenceTarget(terms, kDim, neighbors[j]) * WithOne(neighbors[j].factor, kDim).dot(v),
        1e-9)
        << j;
  }
}

INSTANTIATE_TEST_SUITE_P(Sides, RatingShares,
                         ::testing::Values(RatingSide::kUser, RatingSide::kItem));

TEST(PredictRating, IsTheMeanPlusTheInnerProductOfKnownRows) {
  constexpr std::uint32_t kDim = 20;
  const FactorTable users = RandomRatingRows(RatingSide::kUser, kDim, 5, 0.5, 1);
  const FactorTable items = RandomRatingRows(RatingSide::kItem, kDim, 5, 0.5, 2);
  for (std::size_t i = 0; i < 5; ++i) {
    const double product = Widen(users.row(i), users.dim()).dot(Widen(items.row(i), items.dim()));
    EXPECT_NEAR(PredictRating(3, users.row(i), items.row(i), kDim), 3 + product, 1e-12);
  }
}

TEST(PredictRating, RowOfZerosLeavesTheMeanAndThePartnersBias) {
  constexpr std::uint32_t kDim = 20;
  const FactorTable users = RandomRatingRows(RatingSide::kUser, kDim, 1, 0.5, 1);
  const AlignedVector<float> cold(users.stride());
  EXPECT_EQ(PredictRating(3, users.row(0), cold.data(), kDim), 3.0 + users.row(0)[kDim]);
}

}  // namespace
}  // namespace reco::model::testing
