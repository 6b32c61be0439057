// Popularity: exact top lists of a collection's items by how much they are used, current to the
// last write. The list of RECO.POPULAR, of users nobody knows yet, and of all until the first
// training (D14).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reco/types.h"

#include "engine/popular/ranked_values.h"

namespace reco::engine {

// Three values for every item: 24 bytes, see RankedValues for what a change and a query cost.
//
// Thread-compatible.
class Popularity {
 public:
  // Replaces the values of an item (a dense ordinal): distinct users whose pair weighs more than 0,
  // sum of the weights of all pairs (finite), events of these users. An item without users is not
  // ranked.
  void Update(std::uint32_t item, std::uint64_t users, double weight, std::uint64_t events);
  void Clear();

  // The ranking by one measure.
  const RankedValues& by(PopularBy measure) const {
    return measures_[static_cast<std::size_t>(measure)];
  }

  std::size_t memory_bytes() const;

 private:
  RankedValues& of(PopularBy measure) { return measures_[static_cast<std::size_t>(measure)]; }

  std::array<RankedValues, 3> measures_;  // by PopularBy
};

}  // namespace reco::engine
