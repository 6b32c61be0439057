// CodeBlock: the 4-bit codes of a block of rows and what bounds their error.
//
// A row y is coded as y = step x (code - 7.5) + rest, code in 0 .. 15, with |rest| <= error and
// |y| <= norm (Euclidean). With a query q = scale x code' + rest', code' in -127 .. 127, this
// bounds the score without touching the float32 row:
//
//   q.y <= scale step (code'.(code - 7.5)) + (|q| + |rest'|) error + |rest'| norm + rounding
//
// The kernels of block_scan.h evaluate the right side for all rows of a block. Four bits and not
// eight: a scan of many rows runs at the speed of memory (D13). Four more bits of each component
// lie apart, in the row's refinement, and are looked at only for rows that pass the first bound.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace reco::index {

// Rows of one tile lie side by side, so that a vector register holds eight components of each of
// them and a dot product needs no sum across lanes.
constexpr std::size_t kTileRows = 16;
constexpr std::size_t kBlockRows = 256;
constexpr std::size_t kChunk = 8;       // components that lie together, in kChunkBytes
constexpr std::size_t kChunkBytes = 4;  // two components a byte
constexpr std::size_t kTileChunkBytes = kTileRows * kChunkBytes;
// Keeps every sum of products within int32 and within what the rounding terms allow for.
constexpr std::size_t kStrideMax = 4096;

// Byte j, 0 .. 3, of chunk c of row t x 16 + r is codes[(t x chunks + c) x 64 + r x 4 + j]; its low
// half holds component c x 8 + j, its high half component c x 8 + 4 + j. Views into memory of the
// index; codes are aligned to 64 bytes.
struct CodeBlock {
  const std::uint8_t* codes = nullptr;
  const std::uint32_t* heads = nullptr;  // per row: see PackHead
  const float* norm = nullptr;           // per row
  float bound = 0;                       // not below any of `norm` but those of free slots
  std::size_t ahead = 0;                 // bytes from here to a block that comes soon; 0: none
};

// Returns the place of a row's first chunk; the next ones are kTileChunkBytes apart.
constexpr std::size_t CodeOffset(std::size_t row, std::size_t stride) {
  return (row / kTileRows) * kTileRows * stride / 2 + (row % kTileRows) * kChunkBytes;
}

// The code of a component in the bytes of a row that start at `codes`.
inline std::int32_t CodeAt(const std::uint8_t* codes, std::size_t component) {
  const std::size_t within = component % kChunk;
  const std::uint8_t both = codes[component / kChunk * kTileChunkBytes + within % kChunkBytes];
  return within < kChunkBytes ? both & 0xF : both >> 4;
}

// The upper half of a float32, which has all of its range: not below `value`, by at most 1%.
inline float RoundUpToHalf(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool negative = (bits >> 31U) != 0;
  const std::uint32_t raised = negative ? bits : bits + 0xFFFFU;
  return std::bit_cast<float>(raised & 0xFFFF0000U);
}

// The next four bits: rest = step / 16 x (code - 7.5) + finer rest, |finer rest| <= error. In
// memory the codes follow, stride / 2 bytes: byte c x 4 + j holds components c x 8 + j (low half)
// and c x 8 + 4 + j.
struct Refinement {
  std::uint32_t ordinal;  // all ones: a free slot
  float error;
};

// How one row is coded, besides the codes. A free slot has step 0, error -infinity and norm 1, so
// that its bound is -infinity.
struct RowCode {
  float step = 0;   // of those that RoundUpToHalf gives
  float error = 0;  // likewise
  float finer_error = 0;
  float norm = 0;
  bool finite = true;  // false: the row holds a NaN or an infinity and cannot be ranked
};

inline std::uint32_t PackHead(const RowCode& code) {
  return std::bit_cast<std::uint32_t>(code.step) | std::bit_cast<std::uint32_t>(code.error) >> 16U;
}
inline float StepOf(std::uint32_t head) {
  return std::bit_cast<float>(head & 0xFFFF0000U);
}
inline float ErrorOf(std::uint32_t head) {
  return std::bit_cast<float>(head << 16U);
}

// A query in the kernels' layouts. It is coded after scaling by 2^-shift to a largest component in
// [0.5, 1), so every bound below is in units of 2^shift.
struct QueryCode {
  std::vector<std::int32_t> bytes;  // per four components: their codes
  std::vector<std::int32_t> even;   // per four components: 0 and 2 as int16
  std::vector<std::int32_t> odd;    // per four components: 1 and 3 as int16
  std::vector<std::int8_t> low;     // for each byte of a refinement: its low half's component
  std::vector<std::int8_t> high;    // and its high half's
  std::int32_t bias = 0;            // -15 x sum of codes: takes back the 7.5 in the rows' codes
  float half_scale = 0;             // the kernels' sums are twice the product of codes
  float error_factor = 0;           // |q| + |rest'|
  float norm_factor = 0;            // |rest'| and the rounding that is relative to |q| |y|
  float absolute = 0;               // rounding where products underflow
  float length = 0;                 // |q|, rounded up
  int shift = 0;
  bool finite = true;
};

// The code of a query's component.
inline std::int32_t QueryByte(const QueryCode& query, std::size_t component) {
  const auto bytes = static_cast<std::uint32_t>(query.bytes[component / 4]);
  return static_cast<std::int8_t>(bytes >> (8 * (component % 4)));
}

}  // namespace reco::index
