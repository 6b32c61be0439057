#include "model/row_solver.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "model/row_kernels.h"
#include "model/simd.h"

namespace reco::model {
namespace {

using simd::kLanes;
using simd::Load;
using simd::Store;
using simd::Sum;
using simd::Vec;

// Confidences below this say nothing, and their inverse would leave the range of float32.
constexpr float kConfidenceMin = 1e-30F;

// Widths of rows, in vector registers, that have kernels of their own.
constexpr std::size_t kWidths = 8;
// Bytes that Prefetch asks for at most: they have to fit the first level cache beside the rest.
constexpr std::size_t kPrefetchBytes = 16384;

}  // namespace

RowSolver::RowSolver(std::uint32_t dim)
    : dim_(dim),
      stride_(StrideFor(dim)),
      diagonal_(stride_),
      inverse_(stride_),
      work_(3 * stride_),
      plain_(kExactPairs * stride_),
      scaled_(kExactPairs * stride_) {}

bool RowSolver::UsesPacked(std::uint32_t dim) {
  return StrideFor(dim) / simd::kLanes <= kWidths;
}

void RowSolver::SetFixed(const FactorTable& fixed, const PackedTable* packed,
                         std::span<const float> eigenvalues, const SolveParams& params) {
  RECO_CHECK(fixed.allocated() != nullptr || fixed.rows() == 0);
  fixed_ = fixed.allocated();
  packed_ = packed;
  eigenvalues_ = eigenvalues;
  params_ = params;
}

void RowSolver::Prefetch(std::span<const std::uint32_t> columns) const {
  const std::size_t bytes = packed_ != nullptr ? packed_->row_bytes() : stride_ * sizeof(float);
  const std::size_t count = std::min(columns.size(), kPrefetchBytes / bytes);
  for (std::size_t j = 0; j < count; ++j) {
    if (packed_ != nullptr) {
      kernels::Prefetch(packed_->row(columns[j]), bytes);
    } else {
      kernels::Prefetch(fixed_ + columns[j] * stride_, bytes);
    }
  }
}

void RowSolver::Gather(std::span<const std::uint32_t> columns, std::span<const float> weights) {
  const std::size_t room = columns.size() + kernels::kTogether;
  if (rows_.size() < room) {
    rows_.resize(room);
    confidence_.resize(room);
    target_.resize(room);
  }
  count_ = 0;
  known_ = 0;
  for (std::size_t j = 0; j < columns.size(); ++j) {
    const float confidence = params_.alpha * std::abs(weights[j]);
    const float target = weights[j] > 0 ? 1 : 0;
    rows_[count_] = columns[j];
    confidence_[count_] = confidence;
    target_[count_] = target;
    const bool counts = confidence > kConfidenceMin;
    known_ += counts ? confidence * target : 0;
    count_ += counts ? 1 : 0;
  }
  // Kernels take rows in fours: padding repeats the first one with no confidence.
  for (std::size_t i = 0; i < kernels::kTogether; ++i) {
    rows_[count_ + i] = columns[0];
    confidence_[count_ + i] = 0;
    target_[count_ + i] = 0;
  }
}

double RowSolver::Solve(std::span<const std::uint32_t> columns, std::span<const float> weights,
                        const SolveLimits& limits, float* x) {
  Gather(columns, weights);
  const float ridge = params_.reg + params_.regn * static_cast<float>(columns.size());
  for (std::size_t k = 0; k < dim_; ++k) {
    diagonal_[k] = params_.unobserved * eigenvalues_[k] + ridge;
    inverse_[k] = 1 / diagonal_[k];
  }
  double loss = 0;
  // With few pairs a system of their number is solved, exactly, in place of steps.
  if (count_ > kExactPairs || !SolveExact(x, &loss)) {
    loss = SolveWidth(stride_ / simd::kLanes, std::make_index_sequence<kWidths>(), limits, x);
  }
  // Weights beyond float32's range: zero is a vector that other rows can be solved against.
  if (!std::isfinite(loss) || !std::all_of(x, x + dim_, [](float v) { return std::isfinite(v); })) {
    std::fill_n(x, stride_, 0.0F);
    return known_;
  }
  return loss;
}

template <std::size_t... kVecs>
double RowSolver::SolveWidth(std::size_t vecs, std::index_sequence<kVecs...> /*widths*/,
                             const SolveLimits& limits, float* x) {
  double loss = 0;
  const auto packed = [&]<std::size_t kWidth>() {
    loss = SolveSteps<kWidth>(kernels::PackedRows(*packed_), limits, x);
    return true;
  };
  const auto full = [&]<std::size_t kWidth>() {
    loss = SolveSteps<kWidth>(kernels::FullRows(fixed_, stride_), limits, x);
    return true;
  };
  if (packed_ != nullptr) {
    static_cast<void>(((vecs == kVecs + 1 && packed.template operator()<kVecs + 1>()) || ...));
  } else if (!((vecs == kVecs + 1 && full.template operator()<kVecs + 1>()) || ...)) {
    full.template operator()<0>();
  }
  return loss;
}

template <std::size_t kVecs, typename Rows>
double RowSolver::StartSteps(const Rows& table, const kernels::GatheredPairs& pairs, const float* x,
                             float* energy) {
  const std::size_t stride = kVecs == 0 ? stride_ : kVecs * kLanes;
  const std::size_t bytes = packed_ != nullptr ? packed_->row_bytes() : stride * sizeof(float);
  float* residual = work_.data();
  float* direction = residual + stride;
  const double loss = kernels::Misses<kVecs>(table, pairs, bytes, x, residual);
  Vec energies = {};
  Vec norms = {};
  for (std::size_t k = 0; k < stride; k += kLanes) {
    const Vec at = Load(x + k);
    const Vec weighted = Load(diagonal_.data() + k) * at;
    const Vec r = Load(residual + k) - weighted;
    const Vec z = Load(inverse_.data() + k) * r;
    Store(residual + k, r);
    Store(direction + k, z);
    energies += z * r;
    norms += weighted * at;
  }
  *energy = Sum(energies);
  return loss + Sum(norms);
}

template <std::size_t kVecs>
RowSolver::Moved RowSolver::Move(float length, float* x) {
  const std::size_t stride = kVecs == 0 ? stride_ : kVecs * kLanes;
  float* residual = work_.data();
  const float* direction = residual + stride;
  const float* product = direction + stride;
  Vec squares = {};
  Vec errors = {};
  Vec residuals = {};
  Vec energies = {};
  for (std::size_t k = 0; k < stride; k += kLanes) {
    const Vec at = Load(x + k) + length * Load(direction + k);
    const Vec r = Load(residual + k) - length * Load(product + k);
    const Vec z = Load(inverse_.data() + k) * r;
    Store(x + k, at);
    Store(residual + k, r);
    squares += at * at;
    errors += z * z;
    residuals += r * r;
    energies += z * r;
  }
  return {Sum(squares), Sum(errors), Sum(residuals), Sum(energies)};
}

template <std::size_t kVecs, typename Rows>
double RowSolver::SolveSteps(const Rows& table, const SolveLimits& limits, float* x) {
  const std::size_t stride = kVecs == 0 ? stride_ : kVecs * kLanes;
  const kernels::GatheredPairs pairs = {
      rows_.data(), confidence_.data(), target_.data(),
      (count_ + kernels::kTogether - 1) / kernels::kTogether * kernels::kTogether, stride / kLanes};
  const float* residual = work_.data();
  float* direction = work_.data() + stride;
  float* product = direction + stride;

  float energy = 0;
  double loss = StartSteps<kVecs>(table, pairs, x, &energy);
  // The warm start is worse than none.
  if (!(loss <= known_)) {
    std::fill_n(x, stride, 0.0F);
    loss = StartSteps<kVecs>(table, pairs, x, &energy);
  }
  for (int step = 0; step < limits.steps; ++step) {
    kernels::Times<kVecs>(table, pairs, direction, product);
    Vec bends = {};
    for (std::size_t k = 0; k < stride; k += kLanes) {
      const Vec p = Load(direction + k);
      const Vec whole = Load(product + k) + Load(diagonal_.data() + k) * p;
      Store(product + k, whole);
      bends += p * whole;
    }
    const float bend = Sum(bends);
    // Rounding, or there already: no direction is left that goes down.
    if (!(bend > 0)) {
      break;
    }
    const float length = energy / bend;
    // The step along the direction lowers the quadratic by exactly this.
    loss -= static_cast<double>(length) * energy;
    const Moved moved = Move<kVecs>(length, x);
    // |M^-1 r| bounds the error, for A is no less than M.
    if (moved.errors <= limits.error * limits.error * moved.squares &&
        moved.residuals <= moved.squares) {
      break;
    }
    const float turn = moved.energy / energy;
    energy = moved.energy;
    for (std::size_t k = 0; k < stride; k += kLanes) {
      Store(direction + k,
            Load(inverse_.data() + k) * Load(residual + k) + turn * Load(direction + k));
    }
  }
  return loss;
}

bool RowSolver::SolveExact(float* x, double* loss) {
  const std::size_t n = count_;
  std::array<std::array<float, kExactPairs>, kExactPairs> k;  // lower triangle of the n x n system
  std::array<float, kExactPairs> s;
  for (std::size_t i = 0; i < n; ++i) {
    float* plain = plain_.data() + i * stride_;
    float* scaled = scaled_.data() + i * stride_;
    for (std::size_t v = 0; v < stride_ / simd::kLanes; ++v) {
      const std::size_t at = v * simd::kLanes;
      const simd::Vec row = packed_ != nullptr ? PackedTable::Load(packed_->row(rows_[i]), v)
                                               : simd::Load(fixed_ + rows_[i] * stride_ + at);
      simd::Store(plain + at, row);
      simd::Store(scaled + at, simd::Load(inverse_.data() + at) * row);
    }
    for (std::size_t j = 0; j <= i; ++j) {
      k[i][j] = simd::Dot(scaled, plain_.data() + j * stride_, stride_);
    }
    k[i][i] += 1 / confidence_[i];
    s[i] = target_[i];
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
    // float32 does not carry it, as when rows are nearly equal; steps do.
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
  // s = c (p - x.y), and x' M x + sum c (p - x.y)^2 = sum c p (p - x.y) where the gradient is zero.
  *loss = 0;
  for (std::size_t i = 0; i < n; ++i) {
    *loss += static_cast<double>(target_[i] * s[i]);
  }
  return true;
}

}  // namespace reco::model
