// ItemSums: a sum for each of a few items out of many, taken off in the order of items.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace reco::engine {

// 8 bytes for each item up to the largest that was ever added to; taking off costs by what was
// added, and one step for 4096 items. Thread-compatible.
class ItemSums {
 public:
  void Add(std::uint32_t item, double value) {
    if (item >= sums_.size()) {
      Grow(item);
    }
    sums_[item] += value;
    words_[item / kBits] |= std::uint64_t{1} << item % kBits;
    summary_[item / kBits / kBits] |= std::uint64_t{1} << item / kBits % kBits;
  }

  // Calls visit(item, sum) for all that were added to, ascending by item, and forgets them.
  template <typename Visit>
  void TakeOff(Visit&& visit) {
    for (std::size_t s = 0; s < summary_.size(); ++s) {
      for (; summary_[s] != 0; summary_[s] &= summary_[s] - 1) {
        const std::size_t w = s * kBits + static_cast<std::size_t>(std::countr_zero(summary_[s]));
        for (; words_[w] != 0; words_[w] &= words_[w] - 1) {
          const std::size_t item =
              w * kBits + static_cast<std::size_t>(std::countr_zero(words_[w]));
          visit(static_cast<std::uint32_t>(item), sums_[item]);
          sums_[item] = 0;
        }
      }
    }
  }

 private:
  static constexpr std::size_t kBits = 64;

  void Grow(std::uint32_t item) {
    summary_.resize(item / kBits / kBits + 1);
    words_.resize(summary_.size() * kBits);
    sums_.resize(words_.size() * kBits);
  }

  std::vector<double> sums_;            // all 0 between calls of TakeOff
  std::vector<std::uint64_t> words_;    // a bit for an item that was added to
  std::vector<std::uint64_t> summary_;  // a bit for a word that is not 0
};

}  // namespace reco::engine
