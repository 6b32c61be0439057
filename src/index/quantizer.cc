#include "index/quantizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

// Every target that the compiler can make, so that tests reach them all. Highway 1.0.3 forgets
// AVX3_DL among them, even when it is the baseline, unless asked for it.
#define HWY_COMPILE_ALL_ATTAINABLE
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "index/quantizer.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

#ifndef RECO_INDEX_QUANTIZER_ONCE
#define RECO_INDEX_QUANTIZER_ONCE
namespace reco::index {

constexpr float kQueryCodeMax = 127;
constexpr float kLevels = 16;  // of a row's component
// Largest components for which float32 sums of squares neither overflow nor lose what matters.
constexpr float kOrdinaryMin = 0x1p-30F;
constexpr float kOrdinaryMax = 0x1p40F;

struct RowSums {
  bool ordinary = false;  // false: the rest is not set
  float step = 0;
  float squares = 0;        // of the row
  float rest_squares = 0;   // of what the codes leave
  float finer_squares = 0;  // of what the refinement leaves
};

}  // namespace reco::index
#endif

HWY_BEFORE_NAMESPACE();
namespace reco::index {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Codes and those of the refinement, one byte each, in the row's order.
RowSums Quantize(const float* HWY_RESTRICT row, std::size_t stride,
                 std::uint8_t* HWY_RESTRICT codes, std::uint8_t* HWY_RESTRICT finer) {
  const hn::CappedTag<float, 16> d;
  const hn::Rebind<std::int32_t, decltype(d)> d32;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  auto largest_lanes = hn::Zero(d);
  auto squares = hn::Zero(d);
  for (std::size_t i = 0; i < stride; i += hn::Lanes(d)) {
    const auto values = hn::LoadU(d, row + i);
    largest_lanes = hn::Max(largest_lanes, hn::Abs(values));
    squares = hn::MulAdd(values, values, squares);
  }
  RowSums sums;
  sums.squares = hn::GetLane(hn::SumOfLanes(d, squares));
  const float largest = hn::GetLane(hn::MaxOfLanes(d, largest_lanes));
  // Max may drop a NaN, the sum does not.
  if (!(largest >= kOrdinaryMin && largest <= kOrdinaryMax) || std::isnan(sums.squares)) {
    return sums;
  }
  sums.ordinary = true;
  sums.step = RoundUpToHalf(largest * (2 / kLevels));
  const auto step = hn::Set(d, sums.step);
  const auto inverse = hn::Set(d, 1 / sums.step);
  const auto middle = hn::Set(d, (kLevels - 1) / 2);
  const auto last = hn::Set(d32, static_cast<std::int32_t>(kLevels) - 1);
  const auto finer_step = hn::Set(d, sums.step / kLevels);
  const auto finer_inverse = hn::Set(d, kLevels / sums.step);
  auto rest_squares = hn::Zero(d);
  auto finer_squares = hn::Zero(d);
  for (std::size_t i = 0; i < stride; i += hn::Lanes(d)) {
    const auto values = hn::LoadU(d, row + i);
    const auto nearest = hn::NearestInt(hn::MulAdd(values, inverse, middle));
    const auto level = hn::Min(hn::Max(nearest, hn::Zero(d32)), last);
    const auto rest = hn::NegMulAdd(hn::Sub(hn::ConvertTo(d, level), middle), step, values);
    rest_squares = hn::MulAdd(rest, rest, rest_squares);
    hn::StoreU(hn::DemoteTo(d8, level), d8, codes + i);
    const auto finer_nearest = hn::NearestInt(hn::MulAdd(rest, finer_inverse, middle));
    const auto finer_level = hn::Min(hn::Max(finer_nearest, hn::Zero(d32)), last);
    const auto left =
        hn::NegMulAdd(hn::Sub(hn::ConvertTo(d, finer_level), middle), finer_step, rest);
    finer_squares = hn::MulAdd(left, left, finer_squares);
    hn::StoreU(hn::DemoteTo(d8, finer_level), d8, finer + i);
  }
  sums.rest_squares = hn::GetLane(hn::SumOfLanes(d, rest_squares));
  sums.finer_squares = hn::GetLane(hn::SumOfLanes(d, finer_squares));
  return sums;
}

}  // namespace HWY_NAMESPACE
}  // namespace reco::index
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace reco::index {
namespace {

// Returns a float32 that is not below the real value when `value` is off by rounding of float64.
float RoundUp(double value) {
  const double raised = value * (1 + 0x1p-40);
  auto rounded = static_cast<float>(raised);
  if (static_cast<double>(rounded) < raised) {
    rounded = std::nextafter(rounded, std::numeric_limits<float>::infinity());
  }
  return rounded;
}

double NormOf(const float* row, std::size_t stride) {
  double squares = 0;
  for (std::size_t i = 0; i < stride; ++i) {
    squares += static_cast<double>(row[i]) * row[i];
  }
  return std::sqrt(squares);
}

// Stores two codes a byte; chunks go `apart` bytes from each other.
void StoreHalves(const std::uint8_t* levels, std::size_t stride, std::size_t apart,
                 std::uint8_t* codes) {
  for (std::size_t c = 0; c < stride / kChunk; ++c) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, levels + c * kChunk, kChunkBytes);
    std::memcpy(&high, levels + c * kChunk + kChunkBytes, kChunkBytes);
    const std::uint32_t both = low | high << 4U;
    std::memcpy(codes + c * apart, &both, kChunkBytes);
  }
}

// Codes a row so small or large that coding it would need care with float32's range: the step is
// zero and the whole row is error. Such rows are rare, so that loose bounds do no harm.
RowCode EncodeExtreme(const float* row, std::size_t stride) {
  RowCode code;
  code.finite = std::all_of(row, row + stride, [](float v) { return std::isfinite(v); });
  if (code.finite) {
    code.norm = RoundUp(NormOf(row, stride));
    code.error = RoundUpToHalf(code.norm);
    code.finer_error = code.norm;
  }
  return code;
}

std::int32_t PackPair(std::int32_t low, std::int32_t high) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(low) & 0xFFFFU) |
                                   (static_cast<std::uint32_t>(high) << 16U));
}

}  // namespace

HWY_EXPORT(Quantize);

RowCode EncodeRow(const float* row, std::size_t stride, std::uint8_t* codes, std::uint8_t* finer) {
  alignas(64) std::uint8_t levels[kStrideMax];
  alignas(64) std::uint8_t finer_levels[kStrideMax];
  const RowSums sums = HWY_DYNAMIC_DISPATCH(Quantize)(row, stride, levels, finer_levels);
  if (!sums.ordinary) {
    return EncodeExtreme(row, stride);
  }
  // A float32 sum of n squares is off by at most n + 1 roundings; each rest by one or, without
  // fused multiply-add, by two of the component's size.
  const float raise = 1 + static_cast<float>(stride + 16) * 0x1p-23F;
  RowCode code;
  code.step = sums.step;
  code.norm = std::sqrt(sums.squares) * raise;
  code.error = RoundUpToHalf(std::sqrt(sums.rest_squares) * raise + code.norm * 0x1p-22F);
  code.finer_error = std::sqrt(sums.finer_squares) * raise + code.norm * 0x1p-22F;
  StoreHalves(levels, stride, kTileChunkBytes, codes);
  StoreHalves(finer_levels, stride, kChunkBytes, finer);
  return code;
}

QueryCode EncodeQuery(const float* query, std::size_t stride) {
  QueryCode code;
  float largest = 0;
  for (std::size_t i = 0; i < stride; ++i) {
    code.finite = code.finite && std::isfinite(query[i]);
    largest = std::max(largest, std::fabs(query[i]));
  }
  if (!code.finite) {
    return code;
  }
  std::frexp(largest, &code.shift);
  const double scaled_largest = std::ldexp(static_cast<double>(largest), -code.shift);
  code.half_scale = static_cast<float>(scaled_largest / (2 * kQueryCodeMax));
  const double inverse = largest > 0 ? kQueryCodeMax / scaled_largest : 0;
  const double down = std::ldexp(1.0, -code.shift);
  constexpr std::size_t kGroup = 4;
  const std::size_t chunks = stride / kGroup;
  code.bytes.resize(chunks);
  code.even.resize(chunks);
  code.odd.resize(chunks);
  code.low.resize(stride / 2);
  code.high.resize(stride / 2);
  double squares = 0;
  double rest_squares = 0;
  for (std::size_t c = 0; c < chunks; ++c) {
    std::int32_t codes[kGroup];
    std::uint32_t bytes = 0;
    for (std::size_t j = 0; j < kGroup; ++j) {
      const double value = static_cast<double>(query[c * kGroup + j]) * down;
      codes[j] = static_cast<std::int32_t>(std::nearbyint(value * inverse));
      const double rest = value - 2.0 * code.half_scale * codes[j];
      squares += value * value;
      rest_squares += rest * rest;
      code.bias -= 15 * codes[j];
      (c % 2 == 0 ? code.low : code.high)[c / 2 * kGroup + j] = static_cast<std::int8_t>(codes[j]);
      bytes |= (static_cast<std::uint32_t>(codes[j]) & 0xFFU) << (8 * j);
    }
    code.bytes[c] = static_cast<std::int32_t>(bytes);
    code.even[c] = PackPair(codes[0], codes[2]);
    code.odd[c] = PackPair(codes[1], codes[3]);
  }
  const double length = std::sqrt(squares);
  const double rest = std::sqrt(rest_squares);
  // Relative rounding: of model::Dot at most stride + 1, of the stored norm stride + 16, of the
  // kernels' own arithmetic a few; 2^-21 per term covers them all more than twice.
  const double rounding = static_cast<double>(stride + 64) * 0x1p-21;
  code.length = RoundUp(length);
  code.error_factor = RoundUp((length + rest) * (1 + 0x1p-18));
  code.norm_factor = RoundUp(rest * (1 + 0x1p-18) + length * rounding);
  code.absolute = RoundUp(static_cast<double>(stride) * 0x1p-125 * down);
  return code;
}

float RefinedBound(const QueryCode& query, Metric metric, const CoarseRow& row,
                   const Refinement& refinement) {
  const auto* codes = reinterpret_cast<const std::uint8_t*>(&refinement + 1);
  const std::int8_t* low = query.low.data();
  const std::int8_t* high = query.high.data();
  std::int32_t low_sum = 0;
  std::int32_t high_sum = 0;
  const std::size_t bytes = query.low.size();
  for (std::size_t i = 0; i < bytes; ++i) {
    low_sum += (codes[i] & 0xF) * low[i];
    high_sum += (codes[i] >> 4) * high[i];
  }
  const std::int32_t dot = 16 * row.dot + 2 * (low_sum + high_sum) + query.bias;
  const float slack =
      query.error_factor * refinement.error + (query.norm_factor * row.norm + query.absolute);
  const float upper =
      static_cast<float>(dot) * (row.step * query.half_scale * (1 / kLevels)) + slack;
  return metric == Metric::kCosine ? upper / row.norm : upper;
}

float ThresholdFor(const QueryCode& query, float score) {
  if (score <= std::numeric_limits<float>::lowest()) {
    return -std::numeric_limits<float>::infinity();
  }
  const double scaled = std::ldexp(static_cast<double>(score), -query.shift);
  auto rounded = static_cast<float>(scaled);
  if (static_cast<double>(rounded) > scaled) {
    rounded = std::nextafter(rounded, -std::numeric_limits<float>::infinity());
  }
  return rounded;
}

}  // namespace reco::index
#endif  // HWY_ONCE
