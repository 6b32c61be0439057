// A set of ordinals, one bit each, that knows how many it holds.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace reco::filter {

// Thread-compatible.
class Bitmap {
 public:
  static constexpr std::size_t kWordBits = 64;

  static std::size_t WordsFor(std::size_t rows) { return (rows + kWordBits - 1) / kWordBits; }

  bool Test(std::uint32_t row) const {
    const std::size_t word = row / kWordBits;
    return word < words_.size() && ((words_[word] >> (row % kWordBits)) & 1) != 0;
  }

  // Puts the row in the set or takes it out; grows as needed.
  void Set(std::uint32_t row, bool value) {
    const std::size_t word = row / kWordBits;
    if (word >= words_.size()) {
      if (!value) {
        return;
      }
      words_.resize(word + 1);
    }
    const std::uint64_t bit = std::uint64_t{1} << (row % kWordBits);
    const std::uint64_t before = words_[word];
    words_[word] = value ? before | bit : before & ~bit;
    count_ += (words_[word] & bit) != 0 ? 1 : 0;
    count_ -= (before & bit) != 0 ? 1 : 0;
  }

  // Takes whole words, the bits of `first_word` * 64 on.
  void SetWords(std::size_t first_word, std::span<const std::uint64_t> words) {
    words_.resize(std::max(words_.size(), first_word + words.size()));
    for (std::size_t i = 0; i < words.size(); ++i) {
      count_ -= static_cast<std::size_t>(std::popcount(words_[first_word + i]));
      count_ += static_cast<std::size_t>(std::popcount(words[i]));
      words_[first_word + i] = words[i];
    }
  }

  // Makes room for `rows` at once.
  void Reserve(std::size_t rows) { words_.reserve(WordsFor(rows)); }

  std::size_t count() const { return count_; }
  // Bit i of word j is ordinal 64 j + i; ordinals past the end are not in the set.
  std::span<const std::uint64_t> words() const { return words_; }
  std::size_t memory_bytes() const { return words_.capacity() * sizeof(std::uint64_t); }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t count_ = 0;
};

}  // namespace reco::filter
