// Quantizer: from float32 rows and queries to codes with rigorous error bounds. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/code_block.h"
#include "index/item_index.h"

namespace reco::index {

// Codes a padded row of `stride` floats, aligned to 64 bytes, into the tile bytes that start at
// `codes` (see CodeOffset) and the bytes of its refinement, `finer`. Nothing is written when the
// row is not finite.
RowCode EncodeRow(const float* row, std::size_t stride, std::uint8_t* codes, std::uint8_t* finer);

// Codes a padded query.
QueryCode EncodeQuery(const float* query, std::size_t stride);

// A row that has passed the bound of its four bits.
struct CoarseRow {
  std::int32_t dot;  // twice the product of codes, with the bias, as the kernels give it
  float step;
  float norm;  // or a bound of it for kInnerProduct
};

// Bounds q.y, for kCosine q.y / |y|, by eight bits of each component. `refinement` is followed by
// its codes.
float RefinedBound(const QueryCode& query, Metric metric, const CoarseRow& row,
                   const Refinement& refinement);

// Returns a score in the units of `query`, rounded down, as a threshold for the kernels.
float ThresholdFor(const QueryCode& query, float score);

}  // namespace reco::index
