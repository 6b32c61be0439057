// Score: the float32 score of one row, which retrieval orders by. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "index/item_index.h"

namespace reco::index {

// Returns model::Dot of two padded, finite rows, for kCosine divided by the float64 norm of `row`.
// Where model::Dot overflows, the float64 product held within float32's range, so never a NaN.
// nullopt: the cosine of a zero vector.
std::optional<float> ScoreRow(Metric metric, const float* query, const float* row,
                              std::uint32_t stride);

}  // namespace reco::index
