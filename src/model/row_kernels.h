// Sums over gathered rows, the inner loops of training and fold-in. kVecs is the width of a row in
// vector registers, known when compiling so that the sums stay in registers; 0 stands for any
// width. Internal to the model layer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "model/aligned_vector.h"
#include "model/packed_table.h"
#include "model/simd.h"

namespace reco::model::kernels {

using simd::kLanes;
using simd::Load;
using simd::Store;
using simd::Vec;

// Rows that are worked on together; lists of rows are padded to a multiple of it.
inline constexpr std::size_t kTogether = 4;
using Four = float __attribute__((vector_size(kTogether * sizeof(float))));
using WideFour = double __attribute__((vector_size(kTogether * sizeof(double))));

// How many rows ahead a first pass over gathered rows asks for them.
inline constexpr std::size_t kAhead = 24;

// Where the rows come from: the table itself, or its copy in half the bytes.
class FullRows {
 public:
  FullRows(const float* rows, std::size_t stride) : rows_(rows), stride_(stride) {}
  const float* At(std::uint32_t row) const { return rows_ + row * stride_; }
  static Vec LoadAt(const float* row, std::size_t v) { return Load(row + v * kLanes); }

 private:
  const float* rows_;
  std::size_t stride_;
};

// Rows that lie anywhere, by their place in a list.
class ListedRows {
 public:
  explicit ListedRows(const float* const* rows) : rows_(rows) {}
  const float* At(std::uint32_t row) const { return rows_[row]; }
  static Vec LoadAt(const float* row, std::size_t v) { return Load(row + v * kLanes); }

 private:
  const float* const* rows_;
};

class PackedRows {
 public:
  explicit PackedRows(const PackedTable& table) : table_(table) {}
  const PackedTable::Word* At(std::uint32_t row) const { return table_.row(row); }
  static Vec LoadAt(const PackedTable::Word* row, std::size_t v) {
    return PackedTable::Load(row, v);
  }

 private:
  const PackedTable& table_;
};

// Pairs of one row, padded by pairs of confidence 0.
struct GatheredPairs {
  const std::uint32_t* rows = nullptr;
  const float* confidence = nullptr;
  const float* target = nullptr;
  std::size_t count = 0;  // a multiple of kTogether
  std::size_t vecs = 0;   // vectors of a row
};

inline Four LoadFour(const float* from) {
  Four v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}

// The lanes of a and b taken in turn, from the lower (kFrom = 0) or upper (2) half of every group
// of four lanes.
template <std::size_t kFrom, std::size_t... I>
Vec InTurn(Vec a, Vec b, std::index_sequence<I...> /*lanes*/) {
  return __builtin_shufflevector(a, b, (I / 4 * 4 + I % 4 / 2 + kFrom + I % 2 * kLanes)...);
}

// Of every group of four lanes two lanes of a, then two of b, from lane kFrom on.
template <std::size_t kFrom, std::size_t... I>
Vec InPairs(Vec a, Vec b, std::index_sequence<I...> /*lanes*/) {
  return __builtin_shufflevector(a, b, (I / 4 * 4 + I % 2 + kFrom + I % 4 / 2 * kLanes)...);
}

template <typename V>
Four AddGroups(V v) {
  constexpr std::size_t kSize = sizeof(V) / sizeof(float);
  if constexpr (kSize == kTogether) {
    return v;
  } else {
    return AddGroups(simd::AddHalves(v, std::make_index_sequence<kSize / 2>()));
  }
}

// The sums of the lanes of four vectors: a transposition that adds on its way.
inline Four SumFour(Vec a, Vec b, Vec c, Vec d) {
  constexpr auto kAll = std::make_index_sequence<kLanes>();
  const Vec ab = InTurn<0>(a, b, kAll) + InTurn<2>(a, b, kAll);
  const Vec cd = InTurn<0>(c, d, kAll) + InTurn<2>(c, d, kAll);
  return AddGroups(InPairs<0>(ab, cd, kAll) + InPairs<2>(ab, cd, kAll));
}

inline void Prefetch(const void* row, std::size_t bytes) {
  const auto* at = static_cast<const char*>(row);
  for (std::size_t k = 0; k < bytes; k += kCacheLine) {
    __builtin_prefetch(at + k);
  }
}

// out = sum_j scale_j row_j, where the scales of rows j to j + 3 are scales(j, s) for their inner
// products s with p. `ahead`: bytes of a row to ask for kAhead rows before its turn, or 0.
template <std::size_t kVecs, typename Rows, typename Scales>
void SumScaled(const Rows& table, const GatheredPairs& pairs, std::size_t ahead, const float* p,
               const Scales& scales, float* out) {
  const std::size_t vecs = kVecs == 0 ? pairs.vecs : kVecs;
  Vec held[kVecs == 0 ? 1 : kVecs] = {};
  if constexpr (kVecs == 0) {
    std::fill_n(out, vecs * kLanes, 0.0F);
  }
  for (std::size_t j = 0; j < pairs.count; j += kTogether) {
    const auto* r0 = table.At(pairs.rows[j]);
    const auto* r1 = table.At(pairs.rows[j + 1]);
    const auto* r2 = table.At(pairs.rows[j + 2]);
    const auto* r3 = table.At(pairs.rows[j + 3]);
    if (ahead > 0 && j + kAhead + kTogether <= pairs.count) {
      for (std::size_t i = 0; i < kTogether; ++i) {
        Prefetch(table.At(pairs.rows[j + kAhead + i]), ahead);
      }
    }
    Vec s0 = {}, s1 = {}, s2 = {}, s3 = {};
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vecs; ++v) {
      const Vec at = Load(p + v * kLanes);
      s0 += at * Rows::LoadAt(r0, v);
      s1 += at * Rows::LoadAt(r1, v);
      s2 += at * Rows::LoadAt(r2, v);
      s3 += at * Rows::LoadAt(r3, v);
    }
    const Four t = scales(j, SumFour(s0, s1, s2, s3));
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vecs; ++v) {
      const Vec front = t[0] * Rows::LoadAt(r0, v) + t[1] * Rows::LoadAt(r1, v);
      const Vec back = t[2] * Rows::LoadAt(r2, v) + t[3] * Rows::LoadAt(r3, v);
      if constexpr (kVecs == 0) {
        Store(out + v * kLanes, Load(out + v * kLanes) + (front + back));
      } else {
        held[v] += front + back;
      }
    }
  }
  if constexpr (kVecs != 0) {
    for (std::size_t v = 0; v < kVecs; ++v) {
      Store(out + v * kLanes, held[v]);
    }
  }
}

// out = sum c (row . p) row
template <std::size_t kVecs, typename Rows>
void Times(const Rows& table, const GatheredPairs& pairs, const float* p, float* out) {
  const auto scales = [&](std::size_t j, Four s) { return LoadFour(pairs.confidence + j) * s; };
  SumScaled<kVecs>(table, pairs, 0, p, scales, out);
}

// out = sum c (target - row . x) row; returns sum c (target - row . x)^2.
template <std::size_t kVecs, typename Rows>
double Misses(const Rows& table, const GatheredPairs& pairs, std::size_t ahead, const float* x,
              float* out) {
  WideFour sum = {};
  const auto scales = [&](std::size_t j, Four s) {
    const Four miss = LoadFour(pairs.target + j) - s;
    const Four pull = LoadFour(pairs.confidence + j) * miss;
    sum += __builtin_convertvector(pull * miss, WideFour);
    return pull;
  };
  SumScaled<kVecs>(table, pairs, ahead, x, scales, out);
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

enum class Part : std::uint8_t { kAll, kUpper };

// Adds sum c y y' to a matrix of stride x stride in tiles of 4 rows by a vector that stay in
// registers. kUpper leaves the columns left of each tile's diagonal alone.
template <Part kPart>
void AddOuterProducts(const float* const* rows, const float* confidence, std::size_t count,
                      float* matrix, std::size_t stride) {
  for (std::size_t i = 0; i < stride; i += 4) {
    for (std::size_t k = kPart == Part::kUpper ? i / kLanes * kLanes : 0; k < stride; k += kLanes) {
      Vec s0 = {}, s1 = {}, s2 = {}, s3 = {};
      for (std::size_t j = 0; j < count; ++j) {
        const float* row = rows[j];
        const Vec v = confidence[j] * Load(row + k);
        s0 += row[i] * v;
        s1 += row[i + 1] * v;
        s2 += row[i + 2] * v;
        s3 += row[i + 3] * v;
      }
      float* out = matrix + i * stride + k;
      Store(out, Load(out) + s0);
      Store(out + stride, Load(out + stride) + s1);
      Store(out + 2 * stride, Load(out + 2 * stride) + s2);
      Store(out + 3 * stride, Load(out + 3 * stride) + s3);
    }
  }
}

}  // namespace reco::model::kernels
