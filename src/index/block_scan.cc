#include "index/block_scan.h"

// Every target that the compiler can make, so that tests reach them all; which one runs is chosen
// at run time (D10). Highway 1.0.3 forgets AVX3_DL among them, even when it is the baseline, unless
// asked for it.
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

// Queries whose sums are in flight together.
constexpr std::size_t kQueriesAtOnce = 4;

// Computes twice the dot products, less the bias, of `lanes` rows whose bytes start at `codes` with
// each query.
template <std::size_t kQueries>
HWY_INLINE void DotCodes(const std::uint8_t* HWY_RESTRICT codes, const BlockQuery* queries,
                         std::int32_t* HWY_RESTRICT dots) {
  const LanesInt d32;
  const std::size_t chunks = queries[0].request->stride / kChunk;
#if HWY_TARGET == HWY_SCALAR  // one lane has no room for pairs
  for (std::size_t q = 0; q < kQueries; ++q) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < chunks * kChunk; ++i) {
      sum += QueryByte(*queries[q].request->query, i) * CodeAt(codes, i);
    }
    dots[q * kTileRows] = 2 * sum;
  }
  static_cast<void>(d32);
#else
  const hn::Repartition<std::int16_t, LanesInt> d16;
  const hn::Repartition<std::uint16_t, LanesInt> du16;
  VecInt low[kQueries];
  VecInt high[kQueries];
  for (std::size_t q = 0; q < kQueries; ++q) {
    low[q] = hn::Zero(d32);
    high[q] = hn::Zero(d32);
  }
  const auto mask = hn::Set(du16, std::uint16_t{0xF});
  for (std::size_t c = 0; c < chunks; ++c) {
    const auto quads = hn::BitCast(
        du16, hn::Load(d32, reinterpret_cast<const std::int32_t*>(codes + c * kTileChunkBytes)));
    const auto even = hn::BitCast(d16, hn::And(quads, mask));
    const auto even_high = hn::BitCast(d16, hn::And(hn::ShiftRight<4>(quads), mask));
    const auto odd = hn::BitCast(d16, hn::And(hn::ShiftRight<8>(quads), mask));
    const auto odd_high = hn::BitCast(d16, hn::ShiftRight<12>(quads));
    const auto add = [&](auto pairs, std::int32_t with, std::size_t q) HWY_ATTR {
      low[q] = hn::ReorderWidenMulAccumulate(d32, pairs, hn::BitCast(d16, hn::Set(d32, with)),
                                             low[q], high[q]);
    };
    for (std::size_t q = 0; q < kQueries; ++q) {
      const QueryCode& query = *queries[q].request->query;
      add(even, query.even[2 * c], q);
      add(even_high, query.even[2 * c + 1], q);
      add(odd, query.odd[2 * c], q);
      add(odd_high, query.odd[2 * c + 1], q);
    }
  }
  for (std::size_t q = 0; q < kQueries; ++q) {
    const VecInt sum = hn::RearrangeToOddPlusEven(low[q], high[q]);
    hn::Store(hn::Add(sum, sum), d32, dots + q * kTileRows);
  }
#endif
}

template <Metric kMetric>
HWY_INLINE void SelectLanes(const CodeBlock& block, const BlockQuery& asked,
                            const std::int32_t* HWY_RESTRICT dots, std::size_t row) {
  const LanesInt d32;
  const LanesFloat df;
  const hn::Rebind<std::uint32_t, LanesInt> du32;
  const QueryCode& query = *asked.request->query;
  const VecInt dot = hn::Add(hn::Load(d32, dots), hn::Set(d32, query.bias));
  const auto head = hn::LoadU(du32, block.heads + row);
  const VecFloat step = hn::BitCast(df, hn::And(head, hn::Set(du32, 0xFFFF0000U)));
  const VecFloat error = hn::BitCast(df, hn::ShiftLeft<16>(head));
  VecFloat norm = hn::Set(df, block.bound);
  if constexpr (kMetric == Metric::kCosine) {
    norm = hn::LoadU(df, block.norm + row);
  }
  const VecFloat coarse =
      hn::MulAdd(hn::Set(df, query.norm_factor), norm, hn::Set(df, query.absolute));
  const VecFloat slack = hn::MulAdd(hn::Set(df, query.error_factor), error, coarse);
  const VecFloat scale = hn::Mul(step, hn::Set(df, query.half_scale));
  VecFloat upper = hn::MulAdd(hn::ConvertTo(df, dot), scale, slack);
  if constexpr (kMetric == Metric::kCosine) {
    upper = hn::Div(upper, norm);
  }
  // NaN is not below.
  const auto below = hn::Lt(upper, hn::Set(df, asked.request->threshold));
  if (hn::AllTrue(df, below)) {
    return;
  }
  HWY_ALIGN float uppers[kTileRows];
  HWY_ALIGN float rejected[kTileRows];
  HWY_ALIGN std::int32_t biased[kTileRows];
  hn::StoreU(dot, d32, biased);
  hn::StoreU(upper, df, uppers);
  hn::StoreU(hn::IfThenElseZero(below, hn::Set(df, 1.0F)), df, rejected);
  Selection& out = *asked.out;
  for (std::size_t i = 0; i < hn::Lanes(d32); ++i) {
    if (rejected[i] == 0) {
      out.rows[out.count] = static_cast<std::uint16_t>(row + i);
      out.upper[out.count] = uppers[i];
      out.dot[out.count] = biased[i];
      ++out.count;
    }
  }
}

template <std::size_t kQueries>
HWY_INLINE void SelectFor(const CodeBlock& block, const BlockQuery* queries) {
  const std::size_t lanes = hn::Lanes(LanesInt());
  const ScanRequest& first = *queries[0].request;
  for (std::size_t q = 0; q < kQueries; ++q) {
    queries[q].out->count = 0;
  }
  HWY_ALIGN std::int32_t dots[kQueries * kTileRows];
  for (std::size_t row = 0; row < kBlockRows; row += lanes) {
    DotCodes<kQueries>(block.codes + CodeOffset(row, first.stride), queries, dots);
    for (std::size_t q = 0; q < kQueries; ++q) {
      if (first.metric == Metric::kCosine) {
        SelectLanes<Metric::kCosine>(block, queries[q], dots + q * kTileRows, row);
      } else {
        SelectLanes<Metric::kInnerProduct>(block, queries[q], dots + q * kTileRows, row);
      }
    }
  }
}

void Select(const CodeBlock& block, const BlockQuery* queries, std::size_t count) {
  for (; count >= kQueriesAtOnce; count -= kQueriesAtOnce, queries += kQueriesAtOnce) {
    SelectFor<kQueriesAtOnce>(block, queries);
  }
  for (std::size_t q = 0; q < count; ++q) {
    SelectFor<1>(block, queries + q);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace reco::index
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace reco::index {

HWY_EXPORT(Select);

void SelectRowsHighway(const CodeBlock& block, std::span<const BlockQuery> queries) {
  HWY_DYNAMIC_DISPATCH(Select)(block, queries.data(), queries.size());
}

namespace {

float UpperOf(const CodeBlock& block, const ScanRequest& request, std::size_t row,
              std::int32_t* biased) {
  const QueryCode& query = *request.query;
  const std::uint8_t* codes = block.codes + CodeOffset(row, request.stride);
  std::int32_t dot = query.bias;
  for (std::size_t i = 0; i < request.stride; ++i) {
    dot += 2 * QueryByte(query, i) * CodeAt(codes, i);
  }
  *biased = dot;
  const bool cosine = request.metric == Metric::kCosine;
  const float norm = cosine ? block.norm[row] : block.bound;
  const float slack =
      query.error_factor * ErrorOf(block.heads[row]) + (query.norm_factor * norm + query.absolute);
  const float scale = StepOf(block.heads[row]) * query.half_scale;
  const float upper = static_cast<float>(dot) * scale + slack;
  return cosine ? upper / norm : upper;
}

}  // namespace

void SelectRowsReference(const CodeBlock& block, std::span<const BlockQuery> queries) {
  for (const BlockQuery& asked : queries) {
    Selection& out = *asked.out;
    out.count = 0;
    for (std::size_t row = 0; row < kBlockRows; ++row) {
      const float upper = UpperOf(block, *asked.request, row, &out.dot[out.count]);
      if (!(upper < asked.request->threshold)) {
        out.rows[out.count] = static_cast<std::uint16_t>(row);
        out.upper[out.count] = upper;
        ++out.count;
      }
    }
  }
}

void SelectRows(const CodeBlock& block, std::span<const BlockQuery> queries) {
  static const bool kVnni = VnniSupported();
  if (kVnni) {
    SelectRowsVnni(block, queries);
  } else {
    SelectRowsHighway(block, queries);
  }
}

}  // namespace reco::index
#endif  // HWY_ONCE
