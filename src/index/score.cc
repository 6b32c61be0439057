#include "index/score.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/fold_in.h"

namespace reco::index {
namespace {

double DotWide(const float* a, const float* b, std::uint32_t stride) {
  double sum = 0;
  for (std::uint32_t i = 0; i < stride; ++i) {
    sum += static_cast<double>(a[i]) * b[i];
  }
  return sum;
}

float Narrow(double value) {
  constexpr double kMax = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(value, -kMax, kMax));
}

}  // namespace

std::optional<float> ScoreRow(Metric metric, const float* query, const float* row,
                              std::uint32_t stride) {
  const float dot = model::Dot(query, row, stride);
  if (metric == Metric::kInnerProduct && std::isfinite(dot)) {
    return dot;
  }
  // Overflow of float32 only: the product of two finite rows fits a float64.
  const double wide = std::isfinite(dot) ? dot : DotWide(query, row, stride);
  if (metric == Metric::kInnerProduct) {
    return Narrow(wide);
  }
  const double norm = std::sqrt(DotWide(row, row, stride));
  if (norm == 0) {
    return std::nullopt;
  }
  return Narrow(wide / norm);
}

}  // namespace reco::index
