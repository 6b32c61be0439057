// Vector arithmetic over padded rows, in the compiler's vector extensions: one source for AVX-512,
// AVX2 and SSE. Internal to the model layer. All lengths are strides: multiples of 16 floats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace reco::model::simd {

#if defined(__AVX512F__)
inline constexpr std::size_t kVectorBytes = 64;
#elif defined(__AVX__)
inline constexpr std::size_t kVectorBytes = 32;
#else
inline constexpr std::size_t kVectorBytes = 16;
#endif

using Vec = float __attribute__((vector_size(kVectorBytes)));
using Wide = double __attribute__((vector_size(kVectorBytes)));
inline constexpr std::size_t kLanes = kVectorBytes / sizeof(float);
inline constexpr std::size_t kWideLanes = kVectorBytes / sizeof(double);

inline Vec Load(const float* from) {
  Vec v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}

inline void Store(float* to, Vec v) {
  std::memcpy(to, &v, sizeof(v));
}

inline Wide Load(const double* from) {
  Wide v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}

inline void Store(double* to, Wide v) {
  std::memcpy(to, &v, sizeof(v));
}

// Loads kWideLanes floats, widened.
inline Wide LoadWide(const float* from) {
  using Half = float __attribute__((vector_size(kVectorBytes / 2)));
  Half half;
  std::memcpy(&half, from, sizeof(half));
  return __builtin_convertvector(half, Wide);
}

inline void StoreNarrow(float* to, Wide v) {
  using Half = float __attribute__((vector_size(kVectorBytes / 2)));
  const Half half = __builtin_convertvector(v, Half);
  std::memcpy(to, &half, sizeof(half));
}

template <typename V, std::size_t... I>
inline auto AddHalves(V v, std::index_sequence<I...> /*lower*/) {
  constexpr std::size_t kHalf = sizeof...(I);
  return __builtin_shufflevector(v, v, I...) + __builtin_shufflevector(v, v, (I + kHalf)...);
}

// Returns the sum of the lanes, by halving.
inline float Sum(Vec v) {
  if constexpr (kLanes == 16) {
    const auto v8 = AddHalves(v, std::make_index_sequence<8>());
    const auto v4 = AddHalves(v8, std::make_index_sequence<4>());
    const auto v2 = AddHalves(v4, std::make_index_sequence<2>());
    return v2[0] + v2[1];
  } else if constexpr (kLanes == 8) {
    const auto v4 = AddHalves(v, std::make_index_sequence<4>());
    const auto v2 = AddHalves(v4, std::make_index_sequence<2>());
    return v2[0] + v2[1];
  } else {
    return (v[0] + v[2]) + (v[1] + v[3]);
  }
}

inline float Dot(const float* a, const float* b, std::size_t stride) {
  Vec sum = {};
  for (std::size_t k = 0; k < stride; k += kLanes) {
    sum += Load(a + k) * Load(b + k);
  }
  return Sum(sum);
}

// y += scale x
inline void Axpy(float scale, const float* x, float* y, std::size_t stride) {
  for (std::size_t k = 0; k < stride; k += kLanes) {
    Store(y + k, Load(y + k) + scale * Load(x + k));
  }
}

// out = M p for a symmetric M of stride x stride, as a sum of rows.
inline void SymmetricTimes(const float* matrix, const float* p, float* out, std::size_t stride) {
  std::size_t k = 0;
  for (; k + 8 * kLanes <= stride; k += 8 * kLanes) {
    Vec sums[8] = {};
    for (std::size_t i = 0; i < stride; ++i) {
      const float* row = matrix + i * stride + k;
      for (std::size_t v = 0; v < 8; ++v) {
        sums[v] += p[i] * Load(row + v * kLanes);
      }
    }
    for (std::size_t v = 0; v < 8; ++v) {
      Store(out + k + v * kLanes, sums[v]);
    }
  }
  for (; k + 4 * kLanes <= stride; k += 4 * kLanes) {
    // Two sets of sums hide the latency of the multiply-add.
    Vec a0 = {}, a1 = {}, a2 = {}, a3 = {}, b0 = {}, b1 = {}, b2 = {}, b3 = {};
    const float* row = matrix + k;
    for (std::size_t i = 0; i < stride; i += 2) {
      const float s = p[i];
      const float t = p[i + 1];
      a0 += s * Load(row);
      a1 += s * Load(row + kLanes);
      a2 += s * Load(row + 2 * kLanes);
      a3 += s * Load(row + 3 * kLanes);
      row += stride;
      b0 += t * Load(row);
      b1 += t * Load(row + kLanes);
      b2 += t * Load(row + 2 * kLanes);
      b3 += t * Load(row + 3 * kLanes);
      row += stride;
    }
    Store(out + k, a0 + b0);
    Store(out + k + kLanes, a1 + b1);
    Store(out + k + 2 * kLanes, a2 + b2);
    Store(out + k + 3 * kLanes, a3 + b3);
  }
  for (; k < stride; k += kLanes) {
    Vec a = {}, b = {}, c = {}, d = {};
    const float* row = matrix + k;
    for (std::size_t i = 0; i < stride; i += 4) {
      a += p[i] * Load(row);
      b += p[i + 1] * Load(row + stride);
      c += p[i + 2] * Load(row + 2 * stride);
      d += p[i + 3] * Load(row + 3 * stride);
      row += 4 * stride;
    }
    Store(out + k, (a + b) + (c + d));
  }
}

// out += sum_j scale[j] row_j over `count` gathered rows.
inline void AddGathered(const float* const* rows, const float* scale, std::size_t count, float* out,
                        std::size_t stride) {
  std::size_t j = 0;
  for (; j + 4 <= count; j += 4) {
    for (std::size_t k = 0; k < stride; k += kLanes) {
      const Vec front = scale[j] * Load(rows[j] + k) + scale[j + 1] * Load(rows[j + 1] + k);
      const Vec back = scale[j + 2] * Load(rows[j + 2] + k) + scale[j + 3] * Load(rows[j + 3] + k);
      Store(out + k, Load(out + k) + (front + back));
    }
  }
  for (; j < count; ++j) {
    Axpy(scale[j], rows[j], out, stride);
  }
}

// out += sum_j scale[j] row_j * row_j (element by element) over `count` gathered rows.
inline void AddGatheredSquares(const float* const* rows, const float* scale, std::size_t count,
                               float* out, std::size_t stride) {
  for (std::size_t j = 0; j < count; ++j) {
    const float s = scale[j];
    for (std::size_t k = 0; k < stride; k += kLanes) {
      const Vec v = Load(rows[j] + k);
      Store(out + k, Load(out + k) + (s * v) * v);
    }
  }
}

// Returns the inner product of a float row and a double vector.
inline double WideDot(const float* row, const double* x, std::size_t stride) {
  Wide sum = {};
  for (std::size_t k = 0; k < stride; k += kWideLanes) {
    sum += LoadWide(row + k) * Load(x + k);
  }
  double total = 0;
  for (std::size_t lane = 0; lane < kWideLanes; ++lane) {
    total += sum[lane];
  }
  return total;
}

// y += scale row
inline void WideAxpy(double scale, const float* row, double* y, std::size_t stride) {
  for (std::size_t k = 0; k < stride; k += kWideLanes) {
    Store(y + k, Load(y + k) + scale * LoadWide(row + k));
  }
}

}  // namespace reco::model::simd
