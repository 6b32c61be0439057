// ItemPart: what a part of the score is for one item; vectors of them ascend by item.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace reco::engine {

struct ItemPart {
  std::uint32_t item = 0;
  double value = 0;
};

inline void MultiplyParts(double factor, std::vector<ItemPart>* parts) {
  for (ItemPart& part : *parts) {
    part.value *= factor;
  }
}

// Returns the sum of both, 0 where one lacks an item.
inline std::vector<ItemPart> SumOfParts(std::span<const ItemPart> a, std::span<const ItemPart> b) {
  std::vector<ItemPart> sum;
  sum.reserve(a.size() + b.size());
  while (!a.empty() || !b.empty()) {
    const bool of_a = b.empty() || (!a.empty() && a.front().item <= b.front().item);
    const bool of_b = a.empty() || (!b.empty() && b.front().item <= a.front().item);
    sum.push_back({of_a ? a.front().item : b.front().item,
                   (of_a ? a.front().value : 0) + (of_b ? b.front().value : 0)});
    a = a.subspan(of_a ? 1 : 0);
    b = b.subspan(of_b ? 1 : 0);
  }
  return sum;
}

}  // namespace reco::engine
