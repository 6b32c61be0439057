// PackedTable: a copy of a FactorTable in half the bytes, for the steps of training that need not
// be exact: float32 rounded to bfloat16 (8 bits of mantissa), two columns in a word. Training is
// bound by the memory that it gathers rows from (D24). Internal to the trainer.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "model/aligned_vector.h"
#include "model/simd.h"

namespace reco::model {

// Thread-compatible; different rows may be set from several threads. All rows are in one piece.
class PackedTable {
 public:
  using Word = std::uint32_t;

  // Makes room for `rows` rows of `stride` floats; what they hold is unspecified.
  void Resize(std::size_t rows, std::size_t stride) {
    row_words_ = RowWords(stride);
    if (words_.size() < rows * row_words_) {
      words_ = AlignedVector<Word>(rows * row_words_);
    }
  }
  void Clear() { words_ = AlignedVector<Word>(); }

  void Set(std::size_t row, const float* values, std::size_t stride) {
    Word* to = words_.data() + row * row_words_;
    for (std::size_t v = 0; v * simd::kLanes < stride; v += 2) {
      const float* from = values + v * simd::kLanes;
      const bool last = (v + 1) * simd::kLanes >= stride;
      for (std::size_t lane = 0; lane < simd::kLanes; ++lane) {
        const Word upper = Round(from[lane]);
        const Word lower = last ? 0 : Round(from[simd::kLanes + lane]);
        to[v / 2 * simd::kLanes + lane] = upper << 16U | lower;
      }
    }
  }

  const Word* row(std::size_t i) const { return words_.data() + i * row_words_; }
  std::size_t row_bytes() const { return row_words_ * sizeof(Word); }

  // Returns vector v of a row: the upper halves of the words for even v, the lower ones for odd v.
  static simd::Vec Load(const Word* row, std::size_t v) {
    using Words = Word __attribute__((vector_size(simd::kVectorBytes)));
    Words words;
    std::memcpy(&words, row + v / 2 * simd::kLanes, sizeof(words));
    words = v % 2 == 0 ? words & 0xFFFF0000U : words << 16U;
    return std::bit_cast<simd::Vec>(words);
  }

 private:
  static std::size_t RowWords(std::size_t stride) {
    return (stride / simd::kLanes + 1) / 2 * simd::kLanes;
  }
  // Rounds to the nearest; finite stays finite.
  static Word Round(float value) {
    const auto bits = std::bit_cast<Word>(value);
    const Word rounded = (bits + 0x8000U) >> 16U;
    return (rounded & 0x7F80U) == 0x7F80U ? bits >> 16U : rounded;
  }

  std::size_t row_words_ = 0;
  AlignedVector<Word> words_;
};

}  // namespace reco::model
