#include <cmath>

#include "index/block_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define RECO_TARGET_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#endif

namespace reco::index {

#if defined(__x86_64__)
namespace {

// What the bounds need of a query, copied where no store of the scan can change it.
struct QueryTerms {
  const std::int32_t* bytes;
  Selection* out;
  std::size_t count;
  std::int32_t bias;
  float half_scale;
  float error_factor;
  float norm_factor;
  float absolute;
  float coarse;  // norm_factor x bound + absolute
  float threshold;
};

inline QueryTerms TermsOf(const CodeBlock& block, const BlockQuery& asked) {
  const QueryCode& query = *asked.request->query;
  return {query.bytes.data(),
          asked.out,
          0,
          query.bias,
          query.half_scale,
          query.error_factor,
          query.norm_factor,
          query.absolute,
          std::fma(query.norm_factor, block.bound, query.absolute),
          asked.request->threshold};
}

RECO_TARGET_VNNI inline void AppendSelected(__m512 upper, __mmask16 mask, std::size_t first,
                                            QueryTerms* query) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i rows = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(first)));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(&query->out->rows[query->count]),
                      _mm512_maskz_cvtepi32_epi16(0xFFFF, _mm512_maskz_compress_epi32(mask, rows)));
  _mm512_storeu_ps(&query->out->upper[query->count], _mm512_maskz_compress_ps(mask, upper));
  query->count += static_cast<std::size_t>(__builtin_popcount(mask));
}

template <Metric kMetric>
RECO_TARGET_VNNI inline void SelectTile(const CodeBlock& block, __m512i sum, std::size_t row,
                                        QueryTerms* query) {
  const __m512i doubled = _mm512_add_epi32(sum, sum);
  const __m512i dots = _mm512_add_epi32(doubled, _mm512_set1_epi32(query->bias));
  const __m512i heads = _mm512_loadu_si512(block.heads + row);
  const __m512i upper_half = _mm512_set1_epi32(static_cast<std::int32_t>(0xFFFF0000U));
  const __m512 step = _mm512_castsi512_ps(_mm512_and_si512(heads, upper_half));
  // The masked forms, since GCC 12 warns of the plain ones' undefined source.
  const __m512 error = _mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xFFFF, heads, 16));
  const __m512 dot = _mm512_maskz_cvtepi32_ps(0xFFFF, dots);
  __m512 norm = _mm512_setzero_ps();
  __m512 coarse = _mm512_set1_ps(query->coarse);
  if constexpr (kMetric == Metric::kCosine) {
    norm = _mm512_loadu_ps(block.norm + row);
    coarse =
        _mm512_fmadd_ps(_mm512_set1_ps(query->norm_factor), norm, _mm512_set1_ps(query->absolute));
  }
  const __m512 slack = _mm512_fmadd_ps(_mm512_set1_ps(query->error_factor), error, coarse);
  const __m512 scale = _mm512_mul_ps(step, _mm512_set1_ps(query->half_scale));
  __m512 upper = _mm512_fmadd_ps(dot, scale, slack);
  if constexpr (kMetric == Metric::kCosine) {
    upper = _mm512_div_ps(upper, norm);
  }
  // Not less than, or unordered.
  const __mmask16 mask = _mm512_cmp_ps_mask(upper, _mm512_set1_ps(query->threshold), _CMP_NLT_UQ);
  if (mask != 0) {
    AppendSelected(upper, mask, row, query);
  }
}

// The sums of kTiles x kQueries are in flight together, which hides the latency of the
// multiply-add and loads each row's and each query's bytes once for all. kChunks: of a row, or 0
// for any number; known ones are unrolled.
template <Metric kMetric, std::size_t kQueries, std::size_t kTiles, std::size_t kChunks>
RECO_TARGET_VNNI void SelectFor(const CodeBlock& block, const BlockQuery* queries) {
  const std::size_t chunks = kChunks != 0 ? kChunks : queries[0].request->stride / kChunk;
  const std::size_t tile_bytes = chunks * kTileChunkBytes;
  const __m512i low_half = _mm512_set1_epi8(0x0F);
  QueryTerms terms[kQueries];
  for (std::size_t q = 0; q < kQueries; ++q) {
    terms[q] = TermsOf(block, queries[q]);
  }
  for (std::size_t first = 0; first < kBlockRows; first += kTiles * kTileRows) {
    const std::uint8_t* codes = block.codes + first / kTileRows * tile_bytes;
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
        const __m512i query_low = _mm512_set1_epi32(terms[q].bytes[2 * c]);
        const __m512i query_high = _mm512_set1_epi32(terms[q].bytes[2 * c + 1]);
        for (std::size_t t = 0; t < kTiles; ++t) {
          sums[q][t] = _mm512_dpbusd_epi32(sums[q][t], low[t], query_low);
          sums[q][t] = _mm512_dpbusd_epi32(sums[q][t], high[t], query_high);
        }
      }
    }
    for (std::size_t q = 0; q < kQueries; ++q) {
      for (std::size_t t = 0; t < kTiles; ++t) {
        SelectTile<kMetric>(block, sums[q][t], first + t * kTileRows, &terms[q]);
      }
    }
  }
  for (const QueryTerms& query : terms) {
    query.out->count = query.count;
  }
}

template <Metric kMetric, std::size_t kQueries, std::size_t kTiles>
RECO_TARGET_VNNI void SelectForStride(const CodeBlock& block, const BlockQuery* queries) {
  switch (queries[0].request->stride) {
    case 64:
      return SelectFor<kMetric, kQueries, kTiles, 64 / kChunk>(block, queries);
    case 128:
      return SelectFor<kMetric, kQueries, kTiles, 128 / kChunk>(block, queries);
    default:
      return SelectFor<kMetric, kQueries, kTiles, 0>(block, queries);
  }
}

template <Metric kMetric>
RECO_TARGET_VNNI void Select(const CodeBlock& block, std::span<const BlockQuery> queries) {
  std::size_t q = 0;
  for (; q + 8 <= queries.size(); q += 8) {
    SelectForStride<kMetric, 8, 2>(block, &queries[q]);
  }
  for (; q + 4 <= queries.size(); q += 4) {
    SelectForStride<kMetric, 4, 4>(block, &queries[q]);
  }
  for (; q < queries.size(); ++q) {
    SelectForStride<kMetric, 1, 4>(block, &queries[q]);
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
