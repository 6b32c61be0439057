#include "model/row_solver.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "model/conjugate_gradient.h"
#include "model/simd.h"

namespace reco::model {
namespace {

// Estimated relative error at which further steps are wasted in float32.
constexpr float kErrorGoal = 2e-5F;
// Confidences below this say nothing, and their inverse would leave the range of float32.
constexpr float kConfidenceMin = 1e-30F;

void Prefetch(const float* row, std::size_t stride) {
  for (std::size_t k = 0; k < stride; k += kCacheLine / sizeof(float)) {
    __builtin_prefetch(row + k);
  }
}

}  // namespace

RowSolver::RowSolver(std::uint32_t dim)
    : dim_(dim),
      stride_(StrideFor(dim)),
      diagonal_(stride_),
      inverse_(stride_),
      right_(stride_),
      work_(3 * stride_),
      scaled_(kExactPairs * stride_) {}

void RowSolver::SetFixed(const FactorTable& fixed, std::span<const float> eigenvalues,
                         const SolveParams& params) {
  fixed_ = &fixed;
  eigenvalues_ = eigenvalues;
  params_ = params;
}

void RowSolver::Solve(std::span<const std::uint32_t> columns, std::span<const float> weights,
                      int steps, float* x) {
  rows_.clear();
  confidence_.clear();
  pull_.clear();
  for (std::size_t j = 0; j < columns.size(); ++j) {
    const float confidence = params_.alpha * std::abs(weights[j]);
    if (confidence > kConfidenceMin) {
      rows_.push_back(fixed_->row(columns[j]));
      Prefetch(rows_.back(), stride_);
      confidence_.push_back(confidence);
      pull_.push_back(weights[j] > 0 ? confidence : 0);
    }
  }
  const float ridge = params_.reg + params_.regn * static_cast<float>(columns.size());
  for (std::size_t k = 0; k < dim_; ++k) {
    diagonal_[k] = params_.unobserved * eigenvalues_[k] + ridge;
    inverse_[k] = 1 / diagonal_[k];
  }
  if (rows_.size() > kExactPairs || !SolveExact(x)) {
    std::fill(right_.begin(), right_.end(), 0.0F);
    simd::AddGathered(rows_.data(), pull_.data(), rows_.size(), right_.data(), stride_);
    const auto times = [this](const float* p, float* out) {
      for (std::size_t k = 0; k < stride_; k += simd::kLanes) {
        simd::Store(out + k, simd::Load(diagonal_.data() + k) * simd::Load(p + k));
      }
      simd::AddGatheredTimes(rows_.data(), confidence_.data(), rows_.size(), p, out, stride_);
    };
    const CgSystem system = {right_.data(), inverse_.data(), inverse_.data(), stride_};
    const CgWorkspace workspace = {work_.data(), work_.data() + stride_,
                                   work_.data() + 2 * stride_};
    // Steps short of the goal are the point: the next iteration goes on from here.
    static_cast<void>(SolveCg(times, system, {steps, kErrorGoal, 1.0F}, workspace, x));
  }
  if (!std::all_of(x, x + dim_, [](float v) { return std::isfinite(v); })) {
    std::fill_n(x, stride_, 0.0F);
  }
}

bool RowSolver::SolveExact(float* x) {
  const std::size_t n = rows_.size();
  std::array<std::array<float, kExactPairs>, kExactPairs> k;  // lower triangle of the n x n system
  std::array<float, kExactPairs> s;
  for (std::size_t i = 0; i < n; ++i) {
    float* scaled = scaled_.data() + i * stride_;
    for (std::size_t at = 0; at < stride_; at += simd::kLanes) {
      simd::Store(scaled + at, simd::Load(inverse_.data() + at) * simd::Load(rows_[i] + at));
    }
    for (std::size_t j = 0; j <= i; ++j) {
      k[i][j] = simd::Dot(scaled, rows_[j], stride_);
    }
    k[i][i] += 1 / confidence_[i];
    s[i] = pull_[i] > 0 ? 1 : 0;
  }
  // Cholesky, with the forward substitution alongside.
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      for (std::size_t t = 0; t < j; ++t) {
        k[i][j] -= k[i][t] * k[j][t];
      }
      k[i][j] /= k[j][j];
      k[i][i] -= k[i][j] * k[i][j];
      s[i] -= k[i][j] * s[j];
    }
    if (!(k[i][i] > 0)) {
      return false;
    }
    k[i][i] = std::sqrt(k[i][i]);
    s[i] /= k[i][i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = i + 1; j < n; ++j) {
      s[i] -= k[j][i] * s[j];
    }
    s[i] /= k[i][i];
  }
  std::array<const float*, kExactPairs> scaled_rows;
  for (std::size_t i = 0; i < n; ++i) {
    scaled_rows[i] = scaled_.data() + i * stride_;
  }
  std::fill_n(x, stride_, 0.0F);
  simd::AddGathered(scaled_rows.data(), s.data(), n, x, stride_);
  return true;
}

}  // namespace reco::model
