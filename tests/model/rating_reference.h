// Plain float64 references that the rating half of the model layer is held to.
#pragma once

#include <cstdint>
#include <random>
#include <span>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "model/factor_table.h"
#include "model/rating_fold_in.h"
#include "model/reference.h"

namespace reco::model::testing {

inline RatingSide OtherSide(RatingSide side) {
  return side == RatingSide::kUser ? RatingSide::kItem : RatingSide::kUser;
}

// Augmented rows of `side`: random vectors of a falling spectrum, biases from N(0, 0.25).
inline FactorTable RandomRatingRows(RatingSide side, std::uint32_t dim, std::size_t rows,
                                    double scale, std::uint32_t seed) {
  FactorTable table = RandomTable(dim + kRatingExtras, rows, scale, seed);
  std::mt19937 random(seed + 1);
  std::normal_distribution<float> normal(0, 0.5F);
  for (std::size_t i = 0; i < rows; ++i) {
    table.mutable_row(i)[RatingBiasAt(side, dim)] = normal(random);
    table.mutable_row(i)[RatingConstantAt(side, dim)] = 1;
  }
  return table;
}

// [y; 1] of a row.
inline Eigen::VectorXd WithOne(const float* row, std::uint32_t dim) {
  Eigen::VectorXd z(dim + 1);
  z << Widen(row, dim), 1;
  return z;
}

// t = r - mean - b_partner.
inline double ReferenceTarget(const RatingTerms& terms, std::uint32_t dim,
                              const RatedNeighbor& neighbor) {
  const float bias = neighbor.factor[RatingBiasAt(OtherSide(terms.side), dim)];
  return static_cast<double>(neighbor.rating) - terms.mean - static_cast<double>(bias);
}

// A = sum z z' + (reg + regn n) I.
inline Eigen::MatrixXd ReferenceRatingMatrix(const RatingTerms& terms, std::uint32_t dim,
                                             std::span<const RatedNeighbor> neighbors) {
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(dim + 1, dim + 1);
  a.diagonal().array() += static_cast<double>(terms.reg) +
                          static_cast<double>(terms.regn) * static_cast<double>(neighbors.size());
  for (const RatedNeighbor& neighbor : neighbors) {
    const Eigen::VectorXd z = WithOne(neighbor.factor, dim);
    a += z * z.transpose();
  }
  return a;
}

// [x; b] in the closed form.
inline Eigen::VectorXd ReferenceRatingSolution(const RatingTerms& terms, std::uint32_t dim,
                                               std::span<const RatedNeighbor> neighbors) {
  Eigen::VectorXd right = Eigen::VectorXd::Zero(dim + 1);
  for (const RatedNeighbor& neighbor : neighbors) {
    right += ReferenceTarget(terms, dim, neighbor) * WithOne(neighbor.factor, dim);
  }
  return ReferenceRatingMatrix(terms, dim, neighbors).ldlt().solve(right);
}

// |[x; b] - expected| / |expected| of an augmented row of `side`; 0 when both are zero.
inline double RatingRowError(RatingSide side, std::uint32_t dim, const float* x,
                             const Eigen::VectorXd& expected) {
  Eigen::VectorXd got(dim + 1);
  got << Widen(x, dim), static_cast<double>(x[RatingBiasAt(side, dim)]);
  const double error = (got - expected).norm();
  return error == 0 ? 0 : error / expected.norm();
}

}  // namespace reco::model::testing
