#include "index/block_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define RECO_TARGET_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#endif

namespace reco::index {

#if defined(__x86_64__)
namespace {

RECO_TARGET_VNNI inline void AppendSelected(__m512 upper, __mmask16 mask, std::size_t first,
                                            Selection* out) {
  alignas(64) float uppers[kTileRows];
  _mm512_store_ps(uppers, upper);
  for (unsigned bits = mask; bits != 0; bits &= bits - 1) {
    const auto lane = static_cast<std::size_t>(__builtin_ctz(bits));
    out->rows[out->count] = static_cast<std::uint16_t>(first + lane);
    out->upper[out->count] = uppers[lane];
    ++out->count;
  }
}

template <Metric kMetric>
RECO_TARGET_VNNI inline void SelectTile(const CodeBlock& block, const BlockQuery& asked,
                                        __m512i sum, std::size_t row) {
  const QueryCode& query = *asked.request->query;
  const __m512i doubled = _mm512_add_epi32(sum, sum);
  const __m512i dots = _mm512_add_epi32(doubled, _mm512_set1_epi32(query.bias));
  const __m512i heads = _mm512_loadu_si512(block.heads + row);
  const __m512i upper_half = _mm512_set1_epi32(static_cast<std::int32_t>(0xFFFF0000U));
  const __m512 step = _mm512_castsi512_ps(_mm512_and_si512(heads, upper_half));
  // The masked forms, since GCC 12 warns of the plain ones' undefined source.
  const __m512 error = _mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xFFFF, heads, 16));
  const __m512 dot = _mm512_maskz_cvtepi32_ps(0xFFFF, dots);
  __m512 norm = _mm512_set1_ps(block.bound);
  if constexpr (kMetric == Metric::kCosine) {
    norm = _mm512_loadu_ps(block.norm + row);
  }
  const __m512 coarse =
      _mm512_fmadd_ps(_mm512_set1_ps(query.norm_factor), norm, _mm512_set1_ps(query.absolute));
  const __m512 slack = _mm512_fmadd_ps(_mm512_set1_ps(query.error_factor), error, coarse);
  const __m512 scale = _mm512_mul_ps(step, _mm512_set1_ps(query.half_scale));
  __m512 upper = _mm512_fmadd_ps(dot, scale, slack);
  if constexpr (kMetric == Metric::kCosine) {
    upper = _mm512_div_ps(upper, norm);
  }
  // Not less than, or unordered.
  const __m512 threshold = _mm512_set1_ps(asked.request->threshold);
  const __mmask16 mask = _mm512_cmp_ps_mask(upper, threshold, _CMP_NLT_UQ);
  if (mask != 0) {
    AppendSelected(upper, mask, row, asked.out);
  }
}

// The sums of kTiles x kQueries are in flight together, which hides the latency of the
// multiply-add and loads each row's and each query's bytes once for all.
template <Metric kMetric, std::size_t kQueries, std::size_t kTiles>
RECO_TARGET_VNNI void SelectFor(const CodeBlock& block, const BlockQuery* queries) {
  const std::size_t stride = queries[0].request->stride;
  const std::size_t chunks = stride / kChunk;
  const std::size_t tile_bytes = kTileRows * stride / 2;
  const __m512i low_half = _mm512_set1_epi8(0x0F);
  const std::int32_t* bytes[kQueries];
  for (std::size_t q = 0; q < kQueries; ++q) {
    queries[q].out->count = 0;
    bytes[q] = queries[q].request->query->bytes.data();
  }
  for (std::size_t first = 0; first < kBlockRows; first += kTiles * kTileRows) {
    const std::uint8_t* codes = block.codes + first * stride / 2;
    for (std::size_t t = 0; t < kTiles; ++t) {
      __builtin_prefetch(block.heads + first + t * kTileRows + block.ahead / sizeof(std::uint32_t));
    }
    __m512i sums[kQueries][kTiles];
    for (std::size_t q = 0; q < kQueries; ++q) {
      for (std::size_t t = 0; t < kTiles; ++t) {
        sums[q][t] = _mm512_setzero_si512();
      }
    }
    for (std::size_t c = 0; c < chunks; ++c) {
      __m512i low[kTiles];
      __m512i high[kTiles];
      for (std::size_t t = 0; t < kTiles; ++t) {
        __builtin_prefetch(codes + t * tile_bytes + c * kTileChunkBytes + block.ahead);
        const __m512i both = _mm512_load_si512(codes + t * tile_bytes + c * kTileChunkBytes);
        low[t] = _mm512_and_si512(both, low_half);
        high[t] = _mm512_and_si512(_mm512_srli_epi16(both, 4), low_half);
      }
      for (std::size_t q = 0; q < kQueries; ++q) {
        const __m512i query_low = _mm512_set1_epi32(bytes[q][2 * c]);
        const __m512i query_high = _mm512_set1_epi32(bytes[q][2 * c + 1]);
        for (std::size_t t = 0; t < kTiles; ++t) {
          sums[q][t] = _mm512_dpbusd_epi32(sums[q][t], low[t], query_low);
          sums[q][t] = _mm512_dpbusd_epi32(sums[q][t], high[t], query_high);
        }
      }
    }
    for (std::size_t q = 0; q < kQueries; ++q) {
      for (std::size_t t = 0; t < kTiles; ++t) {
        SelectTile<kMetric>(block, queries[q], sums[q][t], first + t * kTileRows);
      }
    }
  }
}

template <Metric kMetric>
RECO_TARGET_VNNI void Select(const CodeBlock& block, std::span<const BlockQuery> queries) {
  std::size_t q = 0;
  for (; q + 8 <= queries.size(); q += 8) {
    SelectFor<kMetric, 8, 2>(block, &queries[q]);
  }
  for (; q + 4 <= queries.size(); q += 4) {
    SelectFor<kMetric, 4, 4>(block, &queries[q]);
  }
  for (; q < queries.size(); ++q) {
    SelectFor<kMetric, 1, 4>(block, &queries[q]);
  }
}

}  // namespace

bool VnniSupported() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}

void SelectRowsVnni(const CodeBlock& block, std::span<const BlockQuery> queries) {
  if (queries.empty()) {
    return;
  }
  if (queries[0].request->metric == Metric::kCosine) {
    Select<Metric::kCosine>(block, queries);
  } else {
    Select<Metric::kInnerProduct>(block, queries);
  }
}

#else

bool VnniSupported() {
  return false;
}

void SelectRowsVnni(const CodeBlock& block, std::span<const BlockQuery> queries) {
  SelectRowsHighway(block, queries);
}

#endif

}  // namespace reco::index
