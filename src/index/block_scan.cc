#include "index/block_scan.h"

// Every target that the compiler can make, so that tests reach them all. Highway 1.0.3 forgets
// AVX3_DL among them, even when it is the baseline, unless asked for it.
#define HWY_COMPILE_ALL_ATTAINABLE
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "index/block_scan.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace reco::index {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using LanesInt = hn::CappedTag<std::int32_t, kTileRows>;
using LanesFloat = hn::Rebind<float, LanesInt>;
using VecInt = hn::Vec<LanesInt>;
using VecFloat = hn::Vec<LanesFloat>;

// Dot products of the rows whose bytes start at `codes` with the query, less the bias.
HWY_INLINE VecInt DotCodes(const std::uint8_t* HWY_RESTRICT codes, const QueryCode& query) {
  const LanesInt d32;
  const std::size_t chunks = query.even.size();
#if HWY_TARGET == HWY_SCALAR  // one lane has no room for pairs
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < chunks * kChunk; ++i) {
    sum += QueryByte(query, i) * codes[(i / kChunk) * kTileRows * kChunk + i % kChunk];
  }
  return hn::Set(d32, sum);
#else
  const hn::Repartition<std::int16_t, LanesInt> d16;
  const hn::Repartition<std::uint16_t, LanesInt> du16;
  VecInt sum_low = hn::Zero(d32);
  VecInt sum_high = hn::Zero(d32);
  for (std::size_t c = 0; c < chunks; ++c) {
    const VecInt bytes =
        hn::Load(d32, reinterpret_cast<const std::int32_t*>(codes + c * kTileRows * kChunk));
    const auto pairs = hn::BitCast(du16, bytes);
    const auto even = hn::BitCast(d16, hn::And(pairs, hn::Set(du16, std::uint16_t{0xFF})));
    const auto odd = hn::BitCast(d16, hn::ShiftRight<8>(pairs));
    const auto query_even = hn::BitCast(d16, hn::Set(d32, query.even[c]));
    const auto query_odd = hn::BitCast(d16, hn::Set(d32, query.odd[c]));
    sum_low = hn::ReorderWidenMulAccumulate(d32, even, query_even, sum_low, sum_high);
    sum_low = hn::ReorderWidenMulAccumulate(d32, odd, query_odd, sum_low, sum_high);
  }
  return hn::RearrangeToOddPlusEven(sum_low, sum_high);
#endif
}

template <Metric kMetric>
HWY_INLINE void SelectTile(const CodeBlock& block, const ScanRequest& request, std::size_t first,
                           Selection* out) {
  const LanesInt d32;
  const LanesFloat df;
  const QueryCode& query = *request.query;
  const std::size_t lanes = hn::Lanes(d32);
  const std::uint8_t* codes = block.codes + CodeOffset(first, request.stride);
  for (std::size_t lane = 0; lane < kTileRows; lane += lanes) {
    const std::size_t row = first + lane;
    const VecInt dot = hn::Add(DotCodes(codes + lane * kChunk, query), hn::Set(d32, query.bias));
    const VecFloat norm = hn::LoadU(df, block.norm + row);
    const VecFloat scale = hn::Mul(hn::LoadU(df, block.scale + row), hn::Set(df, query.scale));
    const VecFloat coarse =
        hn::MulAdd(hn::Set(df, query.norm_factor), norm, hn::Set(df, query.absolute));
    const VecFloat slack =
        hn::MulAdd(hn::Set(df, query.error_factor), hn::LoadU(df, block.error + row), coarse);
    VecFloat upper = hn::MulAdd(hn::ConvertTo(df, dot), scale, slack);
    if constexpr (kMetric == Metric::kCosine) {
      upper = hn::Div(upper, norm);
    }
    // NaN is not below.
    const auto below = hn::Lt(upper, hn::Set(df, request.threshold));
    if (hn::AllTrue(df, below)) {
      continue;
    }
    HWY_ALIGN float uppers[kTileRows];
    HWY_ALIGN float rejected[kTileRows];
    hn::StoreU(upper, df, uppers);
    hn::StoreU(hn::IfThenElseZero(below, hn::Set(df, 1.0F)), df, rejected);
    for (std::size_t i = 0; i < lanes; ++i) {
      if (rejected[i] == 0) {
        out->rows[out->count] = static_cast<std::uint16_t>(row + i);
        out->upper[out->count] = uppers[i];
        ++out->count;
      }
    }
  }
}

void Select(const CodeBlock& block, const ScanRequest& request, Selection* out) {
  out->count = 0;
  for (std::size_t first = 0; first < kBlockRows; first += kTileRows) {
    if (request.metric == Metric::kCosine) {
      SelectTile<Metric::kCosine>(block, request, first, out);
    } else {
      SelectTile<Metric::kInnerProduct>(block, request, first, out);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace reco::index
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace reco::index {

HWY_EXPORT(Select);

void SelectRowsHighway(const CodeBlock& block, const ScanRequest& request, Selection* out) {
  HWY_DYNAMIC_DISPATCH(Select)(block, request, out);
}

void SelectRowsReference(const CodeBlock& block, const ScanRequest& request, Selection* out) {
  const QueryCode& query = *request.query;
  out->count = 0;
  for (std::size_t row = 0; row < kBlockRows; ++row) {
    const std::uint8_t* codes = block.codes + CodeOffset(row, request.stride);
    std::int32_t dot = query.bias;
    for (std::size_t i = 0; i < request.stride; ++i) {
      dot += QueryByte(query, i) * codes[(i / kChunk) * kTileRows * kChunk + i % kChunk];
    }
    const float slack = query.error_factor * block.error[row] +
                        (query.norm_factor * block.norm[row] + query.absolute);
    float upper = static_cast<float>(dot) * (block.scale[row] * query.scale) + slack;
    if (request.metric == Metric::kCosine) {
      upper /= block.norm[row];
    }
    if (!(upper < request.threshold)) {
      out->rows[out->count] = static_cast<std::uint16_t>(row);
      out->upper[out->count] = upper;
      ++out->count;
    }
  }
}

void SelectRows(const CodeBlock& block, const ScanRequest& request, Selection* out) {
  static const bool kVnni = VnniSupported();
  if (kVnni) {
    SelectRowsVnni(block, request, out);
  } else {
    SelectRowsHighway(block, request, out);
  }
}

}  // namespace reco::index
#endif  // HWY_ONCE
