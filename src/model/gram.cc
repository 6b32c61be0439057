// Gram and Information: the running sums that fold-in solves against.
#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "model/factor_table.h"
#include "model/fold_in.h"
#include "model/simd.h"

namespace reco::model {

Gram::Gram(std::uint32_t dim)
    : dim_(dim),
      stride_(StrideFor(dim)),
      values_(std::size_t{stride_} * stride_),
      values32_(std::size_t{stride_} * stride_) {}

void Gram::Update(const float* old_row, const float* new_row) {
  using simd::LoadWide;
  using simd::Wide;
  // Products of two floats are exact in float64, so the result stays symmetric to the bit.
  for (std::size_t i = 0; i < dim_; ++i) {
    const double gained = new_row[i];
    const double lost = -static_cast<double>(old_row[i]);
    double* row = values_.data() + i * stride_;
    float* row32 = values32_.data() + i * stride_;
    for (std::size_t k = 0; k < stride_; k += simd::kWideLanes) {
      Wide sum = simd::Load(row + k);
      sum += gained * LoadWide(new_row + k);
      sum += lost * LoadWide(old_row + k);
      simd::Store(row + k, sum);
      simd::StoreNarrow(row32 + k, sum);
    }
    RECO_DCHECK(std::isfinite(row[i]), "I8");
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
      gram.Update(zero.data(), rows.row(row));
    }
  }
  return gram;
}

Information::Information(std::uint32_t dim)
    : dim_(dim),
      stride_(StrideFor(dim)),
      matrix_(std::size_t{stride_} * stride_),
      right_(stride_) {}

void Information::Replace(const float* factor, float alpha, float old_weight, float new_weight) {
  // By the change of |w|, which is what confidence goes by; the target's part by the liked weight.
  const float change = alpha * (std::abs(new_weight) - std::abs(old_weight));
  const float target = alpha * (std::max(new_weight, 0.0F) - std::max(old_weight, 0.0F));
  simd::Axpy(target, factor, right_.data(), stride_);
  for (std::size_t i = 0; i < dim_; ++i) {
    const float scale = factor[i];
    float* row = matrix_.data() + i * stride_;
    // (f_i f_k) change rounds the same way for (i, k) and (k, i): the matrix stays symmetric.
    for (std::size_t k = 0; k < stride_; k += simd::kLanes) {
      simd::Store(row + k, simd::Load(row + k) + (scale * simd::Load(factor + k)) * change);
    }
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
