// Plain float64 references that the model layer is held to.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "model/factor_table.h"
#include "model/fold_in.h"

namespace reco::model::testing {

inline Eigen::VectorXd Widen(const float* row, std::uint32_t dim) {
  return Eigen::Map<const Eigen::VectorXf>(row, dim).cast<double>();
}

// Rows drawn from N(0, scale^2 / (1 + k)) in column k: a spectrum like that of a trained model.
inline FactorTable RandomTable(std::uint32_t dim, std::size_t rows, double scale,
                               std::uint32_t seed) {
  FactorTable table(dim);
  table.Allocate(rows);
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, scale);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::uint32_t k = 0; k < dim; ++k) {
      table.mutable_row(i)[k] = static_cast<float>(normal(random) / std::sqrt(1.0 + k));
    }
  }
  return table;
}

inline Eigen::MatrixXd ReferenceGram(const FactorTable& table) {
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(table.dim(), table.dim());
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const Eigen::VectorXd row = Widen(table.row(i), table.dim());
    sum += row * row.transpose();
  }
  return sum;
}

// The Gram of `table` through the public interface.
inline Gram SummedGram(const FactorTable& table) {
  const Eigen::MatrixXd sum = ReferenceGram(table);
  Gram gram(table.dim());
  std::vector<double> padded(std::size_t{gram.stride()} * gram.stride());
  for (std::uint32_t i = 0; i < table.dim(); ++i) {
    for (std::uint32_t k = 0; k < table.dim(); ++k) {
      padded[std::size_t{i} * gram.stride() + k] = sum(i, k);
    }
  }
  gram.Assign(padded);
  return gram;
}

// A = w0 G + (reg + regn n) I + sum alpha |w| y y'.
inline Eigen::MatrixXd ReferenceMatrix(const Gram& gram, const SolveParams& params,
                                       std::span<const Neighbor> neighbors) {
  const std::uint32_t dim = gram.dim();
  Eigen::MatrixXd a(dim, dim);
  for (std::uint32_t i = 0; i < dim; ++i) {
    for (std::uint32_t k = 0; k < dim; ++k) {
      a(i, k) = static_cast<double>(params.unobserved) *
                gram.values()[std::size_t{i} * gram.stride() + k];
    }
  }
  a.diagonal().array() += static_cast<double>(params.reg) +
                          static_cast<double>(params.regn) * static_cast<double>(neighbors.size());
  for (const Neighbor& n : neighbors) {
    const Eigen::VectorXd y = Widen(n.factor, dim);
    a += static_cast<double>(params.alpha) * std::abs(static_cast<double>(n.weight)) * y *
         y.transpose();
  }
  return a;
}

inline Eigen::VectorXd ReferenceSolution(const Gram& gram, const SolveParams& params,
                                         std::span<const Neighbor> neighbors) {
  Eigen::VectorXd b = Eigen::VectorXd::Zero(gram.dim());
  for (const Neighbor& n : neighbors) {
    if (n.weight > 0) {
      b += static_cast<double>(params.alpha) * n.weight * Widen(n.factor, gram.dim());
    }
  }
  return ReferenceMatrix(gram, params, neighbors).ldlt().solve(b);
}

// |x - expected| / |expected|; 0 when both are zero.
inline double RelativeError(const float* x, const Eigen::VectorXd& expected) {
  const double error = (Widen(x, static_cast<std::uint32_t>(expected.size())) - expected).norm();
  return error == 0 ? 0 : error / expected.norm();
}

}  // namespace reco::model::testing
