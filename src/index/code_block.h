// CodeBlock: the int8 codes of a block of rows and what bounds their error.
//
// A row y is coded as y = scale x code + rest with |rest| <= error and |y| <= norm (Euclidean).
// With a query q = scale' x code' + rest' this bounds the score without touching the float32 row:
//
//   q.y <= scale' scale (code'.code) + (|q| + |rest'|) error + |rest'| norm + rounding
//
// The kernels of block_scan.h evaluate the right side for all rows of a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace reco::index {

// Rows of one tile lie side by side, so that a vector register holds four components of each of
// them and a dot product needs no sum across lanes.
constexpr std::size_t kTileRows = 16;
constexpr std::size_t kBlockRows = 256;
constexpr std::size_t kChunk = 4;  // components that lie together
// Keeps every sum of products within int32 and within what the rounding terms allow for.
constexpr std::size_t kStrideMax = 4096;

// A free slot has scale 0, error -infinity and norm 1, so that its bound is -infinity.
//
// Component c x 4 + j of row t x 16 + r is the byte codes[((t x chunks + c) x 16 + r) x 4 + j],
// plus 128. Views into memory of the index; codes are aligned to 64 bytes.
struct CodeBlock {
  const std::uint8_t* codes = nullptr;
  const float* scale = nullptr;
  const float* error = nullptr;
  const float* norm = nullptr;
};

// Place of a row's first four components; the next four are kTileRows x kChunk bytes further on.
constexpr std::size_t CodeOffset(std::size_t row, std::size_t stride) {
  return (row / kTileRows) * kTileRows * stride + (row % kTileRows) * kChunk;
}

// How one row is coded, besides the codes.
struct RowCode {
  float scale = 0;
  float error = 0;
  float norm = 0;
  bool finite = true;  // false: the row holds a NaN or an infinity and cannot be ranked
};

// A query in the kernels' layouts. It is coded after scaling by 2^-shift to a largest component in
// [0.5, 1), so every bound below is in units of 2^shift.
struct QueryCode {
  std::vector<std::int32_t> bytes;  // per chunk: the codes of four components
  std::vector<std::int32_t> even;   // per chunk: components 0 and 2 as int16
  std::vector<std::int32_t> odd;    // per chunk: components 1 and 3 as int16
  std::int32_t bias = 0;            // -128 x sum of codes: takes back the 128 in the rows' bytes
  float scale = 0;
  float error_factor = 0;  // |q| + |rest'|
  float norm_factor = 0;   // |rest'| and the rounding that is relative to |q| |y|
  float absolute = 0;      // rounding where products underflow
  float length = 0;        // |q|, rounded up
  int shift = 0;
  bool finite = true;
};

// The code of a query's component.
inline std::int32_t QueryByte(const QueryCode& query, std::size_t component) {
  const auto bytes = static_cast<std::uint32_t>(query.bytes[component / kChunk]);
  return static_cast<std::int8_t>(bytes >> (8 * (component % kChunk)));
}

}  // namespace reco::index
