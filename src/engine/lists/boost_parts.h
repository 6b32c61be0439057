// Items by what the boosts in force make of their scores, so that the best of each part can be
// searched by score alone (D29).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/lists/item_list.h"

namespace reco::engine {

// Items whose scores the boosts multiply by about the same factor.
struct BoostPart {
  double factor = 1;                      // of no item a larger one
  bool keeps_order = true;                // by score the items stand as by boosted score
  std::vector<std::uint32_t> items = {};  // ascending
  bool one_by_one = false;  // these are to be scored each by itself, not searched among all
};

struct BoostParts {
  // Each item that a boost holds for and none takes out is in one of them.
  std::vector<BoostPart> lifted;
  // Bit i of word j: a boost holds for item 64 j + i. None does for the items behind.
  std::vector<std::uint64_t> boosted;
  // The items that no boost holds for, ascending, when they are few.
  std::optional<std::vector<std::uint32_t>> plain;

  bool IsBoosted(std::uint32_t item) const {
    return item / 64 < boosted.size() && (boosted[item / 64] >> (item % 64) & 1U) != 0;
  }
};

// Divides the items by the boosts in force; with `only`, those that this rule holds for where that
// is known (else maybe others too). nullopt when it is not known what a boost holds for. Costs a
// pass over the rules' words and some nanoseconds an item that a boost holds for.
std::optional<BoostParts> DivideByBoosts(std::span<const RuleInForce> rules,
                                         const RuleInForce* only);

}  // namespace reco::engine
