#include "index/block_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define RECO_TARGET_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#endif

namespace reco::index {

#if defined(__x86_64__)
namespace {

// Tiles whose sums are in flight together; hides the latency of the multiply-add.
constexpr std::size_t kTilesAtOnce = 4;

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
RECO_TARGET_VNNI void Select(const CodeBlock& block, const ScanRequest& request, Selection* out) {
  const QueryCode& query = *request.query;
  const std::size_t chunks = query.bytes.size();
  const std::size_t tile_bytes = kTileRows * request.stride;
  const __m512 query_scale = _mm512_set1_ps(query.scale);
  const __m512 error_factor = _mm512_set1_ps(query.error_factor);
  const __m512 norm_factor = _mm512_set1_ps(query.norm_factor);
  const __m512 absolute = _mm512_set1_ps(query.absolute);
  const __m512 threshold = _mm512_set1_ps(request.threshold);
  out->count = 0;
  for (std::size_t first = 0; first < kBlockRows; first += kTilesAtOnce * kTileRows) {
    const std::uint8_t* codes = block.codes + first * request.stride;
    __m512i dots[kTilesAtOnce];
    for (auto& dot : dots) {
      dot = _mm512_set1_epi32(query.bias);
    }
    for (std::size_t c = 0; c < chunks; ++c) {
      const __m512i query_bytes = _mm512_set1_epi32(query.bytes[c]);
      for (std::size_t t = 0; t < kTilesAtOnce; ++t) {
        const __m512i rows = _mm512_load_si512(codes + t * tile_bytes + c * kTileRows * kChunk);
        dots[t] = _mm512_dpbusd_epi32(dots[t], rows, query_bytes);
      }
    }
    for (std::size_t t = 0; t < kTilesAtOnce; ++t) {
      const std::size_t row = first + t * kTileRows;
      const __m512 norm = _mm512_loadu_ps(block.norm + row);
      const __m512 scale = _mm512_mul_ps(_mm512_loadu_ps(block.scale + row), query_scale);
      const __m512 coarse = _mm512_fmadd_ps(norm_factor, norm, absolute);
      const __m512 slack =
          _mm512_fmadd_ps(error_factor, _mm512_loadu_ps(block.error + row), coarse);
      // The masked form, since GCC 12 warns of the plain one's undefined source.
      const __m512 dot = _mm512_maskz_cvtepi32_ps(0xFFFF, dots[t]);
      __m512 upper = _mm512_fmadd_ps(dot, scale, slack);
      if constexpr (kMetric == Metric::kCosine) {
        upper = _mm512_div_ps(upper, norm);
      }
      // Not less than, or unordered.
      const __mmask16 mask = _mm512_cmp_ps_mask(upper, threshold, _CMP_NLT_UQ);
      if (mask != 0) {
        AppendSelected(upper, mask, row, out);
      }
    }
  }
}

}  // namespace

bool VnniSupported() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}

void SelectRowsVnni(const CodeBlock& block, const ScanRequest& request, Selection* out) {
  if (request.metric == Metric::kCosine) {
    Select<Metric::kCosine>(block, request, out);
  } else {
    Select<Metric::kInnerProduct>(block, request, out);
  }
}

#else

bool VnniSupported() {
  return false;
}

void SelectRowsVnni(const CodeBlock& block, const ScanRequest& request, Selection* out) {
  SelectRowsHighway(block, request, out);
}

#endif

}  // namespace reco::index
