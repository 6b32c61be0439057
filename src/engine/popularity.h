// Popularity: exact top lists of a collection's items by how much they are used, current to the
// last write. The list of RECO.POPULAR and of users nobody knows yet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <vector>

#include "reco/types.h"

#include "base/function_ref.h"

namespace reco::engine {

struct PopularItem {
  std::uint32_t item = 0;
  double value = 0;
  bool operator==(const PopularItem&) const = default;
};

// A page of the ranking.
struct PopularityQuery {
  PopularBy by = PopularBy::kUsers;
  std::size_t count = 10;
  std::size_t offset = 0;
  // Whether an item may be offered. Asked only for items that are good enough.
  FunctionRef<bool(std::uint32_t item)> accept;
  // Strict order of items with equal values.
  FunctionRef<bool(std::uint32_t a, std::uint32_t b)> before;
};

// One value per item and measure, in blocks of 256 with the block's maximum. An update touches one
// value and one maximum a measure (a fall of the maximum looks through its block). A query visits
// blocks by descending maximum and stops when none can hold a better item, so a short list costs
// little more than a look at the maxima, a list of thousands up to one pass over all values; equal
// values at its end cost one comparison of ids each. 24 bytes an item.
//
// Thread-compatible.
class Popularity {
 public:
  // Replaces the values of an item (a dense ordinal): distinct users with a pair, sum of the pairs'
  // weights (finite), events. An item without users is not ranked.
  void Update(std::uint32_t item, std::uint64_t users, double weight, std::uint64_t events);
  void Clear();

  // The item's value, or 0 when it is not ranked.
  double value(PopularBy by, std::uint32_t item) const;
  // Best first.
  std::vector<PopularItem> Top(const PopularityQuery& query) const;
  // The same among `candidates` (distinct), in time linear in their number.
  std::vector<PopularItem> TopOf(std::span<const std::uint32_t> candidates,
                                 const PopularityQuery& query) const;

  std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t kBlockItems = 256;
  static constexpr double kUnranked = -std::numeric_limits<double>::infinity();
  struct Measure {
    std::deque<std::array<double, kBlockItems>> blocks;  // never move
    std::vector<double> maxima;                          // one a block
  };
  class Selection;

  static void SetValue(Measure* measure, std::uint32_t item, double value);
  const Measure& measure(PopularBy by) const { return measures_[static_cast<std::size_t>(by)]; }

  std::array<Measure, 3> measures_;  // by PopularBy
};

}  // namespace reco::engine
