// Quantizer: from float32 rows and queries to codes with rigorous error bounds. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/code_block.h"

namespace reco::index {

// Codes a padded row of `stride` floats, aligned to 64 bytes, into the tile bytes that start at
// `codes` (see CodeOffset). Nothing is written when the row is not finite.
RowCode EncodeRow(const float* row, std::size_t stride, std::uint8_t* codes);

// Codes a padded query.
QueryCode EncodeQuery(const float* query, std::size_t stride);

// A score in the units of `query`, rounded down, as a threshold for the kernels.
float ThresholdFor(const QueryCode& query, float score);

}  // namespace reco::index
