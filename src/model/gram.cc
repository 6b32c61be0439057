// Gram and Information: the running sums that fold-in solves against.
#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "model/factor_table.h"
#include "model/fold_in.h"
#include "model/row_kernels.h"
#include "model/simd.h"

namespace reco::model {
namespace {

// Pairs that one pass over an Information's matrix takes in: 64 KB of rows at d = 64.
constexpr std::size_t kBlock = 256;
// Changes that one pass over a Gram takes in: 16 KB of rows at d = 64.
constexpr std::size_t kDeferredMax = 16;
constexpr std::size_t kTileRows = 4;

// What a pair's change is to the sums: its share of the matrix and of the right side.
struct Share {
  float matrix;
  float right;
};

// The matrix goes by the change of |w|, as confidence does; the right side by the liked weight.
Share ShareOf(float alpha, float old_weight, float new_weight) {
  return {alpha * (std::abs(new_weight) - std::abs(old_weight)),
          alpha * (std::max(new_weight, 0.0F) - std::max(old_weight, 0.0F))};
}

}  // namespace

Gram::Gram(std::uint32_t dim)
    : dim_(dim),
      stride_(StrideFor(dim)),
      values_(std::size_t{stride_} * stride_),
      values32_(std::size_t{stride_} * stride_) {}

void Gram::Update(const float* old_row, const float* new_row) {
  Defer(old_row, new_row);
  Settle();
}

void Gram::Defer(const float* old_row, const float* new_row) {
  if (deferred_.size() == kDeferredMax * 2 * stride_) {
    Settle();
  }
  deferred_.insert(deferred_.end(), old_row, old_row + stride_);
  deferred_.insert(deferred_.end(), new_row, new_row + stride_);
}

void Gram::Settle() {
  for (std::size_t i = 0; i < stride_ && !deferred_.empty(); i += kTileRows) {
    for (std::size_t k = 0; k < stride_; k += simd::kWideLanes) {
      SettleTile(i, k);
    }
    RECO_DCHECK(std::isfinite(values_[i * stride_ + i]), "I8");
  }
  deferred_.clear();
}

// A tile stays in registers while all changes go by. Products of two floats are exact in float64
// and added in one order, so the result stays symmetric to the bit.
void Gram::SettleTile(std::size_t i, std::size_t k) {
  using simd::Wide;
  const std::size_t stride = stride_;
  double* out = values_.data() + i * stride + k;
  Wide sums[kTileRows];
  for (std::size_t r = 0; r < kTileRows; ++r) {
    sums[r] = simd::Load(out + r * stride);
  }
  const double* end = deferred_.data() + deferred_.size();
  for (const double* lost = deferred_.data(); lost < end; lost += 2 * stride) {
    const double* gained = lost + stride;
    const Wide lost_columns = simd::Load(lost + k);
    const Wide gained_columns = simd::Load(gained + k);
    for (std::size_t r = 0; r < kTileRows; ++r) {
      sums[r] += gained[i + r] * gained_columns;
      sums[r] -= lost[i + r] * lost_columns;
    }
  }
  for (std::size_t r = 0; r < kTileRows; ++r) {
    simd::Store(out + r * stride, sums[r]);
    simd::StoreNarrow(values32_.data() + (i + r) * stride + k, sums[r]);
  }
}

void Gram::Assign(std::span<const double> values) {
  RECO_DCHECK(values.size() == values_.size(), "I8");
  std::copy(values.begin(), values.end(), values_.begin());
  std::transform(values.begin(), values.end(), values32_.begin(),
                 [](double v) { return static_cast<float>(v); });
}

double Gram::RelativeDistance(const Gram& other) const {
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const double d = values_[i] - other.values_[i];
    difference += d * d;
    size += other.values_[i] * other.values_[i];
  }
  // Against nothing any distance is whole.
  if (size == 0) {
    return difference == 0 ? 0 : 1;
  }
  return std::sqrt(difference / size);
}

Gram GramOf(const FactorTable& rows) {
  Gram gram(rows.dim());
  const AlignedVector<float> zero(rows.stride());
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    if (rows.has_vector(row)) {
      gram.Defer(zero.data(), rows.row(row));
    }
  }
  gram.Settle();
  return gram;
}

Information::Information(std::uint32_t dim)
    : stride_(StrideFor(dim)), matrix_(std::size_t{stride_} * stride_), right_(stride_) {}

void Information::Replace(const float* factor, float alpha, float old_weight, float new_weight) {
  const Change changes[] = {{factor, old_weight, new_weight}};
  ReplaceAll(changes, alpha);
}

void Information::ReplaceAll(std::span<const Change> changes, float alpha) {
  if (changes.empty()) {
    return;
  }
  const float* rows[kBlock];
  float shares[kBlock];
  for (std::size_t from = 0; from < changes.size(); from += kBlock) {
    const std::size_t count = std::min(kBlock, changes.size() - from);
    for (std::size_t j = 0; j < count; ++j) {
      const Change& change = changes[from + j];
      const Share share = ShareOf(alpha, change.old_weight, change.new_weight);
      rows[j] = change.factor;
      shares[j] = share.matrix;
      simd::Axpy(share.right, change.factor, right_.data(), stride_);
    }
    kernels::AddOuterProducts<kernels::Part::kAll>(rows, shares, count, matrix_.data(), stride_);
  }
}

void Information::Clear() {
  std::fill(matrix_.begin(), matrix_.end(), 0.0F);
  std::fill(right_.begin(), right_.end(), 0.0F);
}

std::size_t Information::memory_bytes() const {
  return sizeof(*this) + (matrix_.capacity() + right_.capacity()) * sizeof(float);
}

}  // namespace reco::model
