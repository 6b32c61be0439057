// RankedValues: one number for each user or item, with exact pages of the highest, current to the
// last change. The common part of all lists that are not personal. See doc/engine/popular.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "base/function_ref.h"
#include "base/sparse_table.h"

namespace reco::engine {

struct RankedValue {
  std::uint32_t ordinal = 0;
  double value = 0;
  bool operator==(const RankedValue&) const = default;
};

// A page of the ranking.
struct PageQuery {
  std::size_t count = 10;
  std::size_t offset = 0;
  // Returns true iff a user or item may be offered. Asked only for those that are good enough.
  FunctionRef<bool(std::uint32_t ordinal)> accept;
  // Strict order of those with equal values.
  FunctionRef<bool(std::uint32_t a, std::uint32_t b)> before;
  // Ranks only these (distinct), in time linear in their number.
  std::optional<std::span<const std::uint32_t>> among = {};
};

// Values by ordinal in blocks of 256 with the block's maximum. A change touches one value and one
// maximum (a fall of the maximum looks through its block). A query visits blocks by descending
// maximum and stops when none can hold a better value, so a short list costs little more than a
// look at the maxima, a list of thousands up to one pass over all values; equal values at its end
// cost one call of `before` each. 8 bytes for what is ranked, half a byte for other ordinals.
//
// Thread-compatible.
class RankedValues {
 public:
  // Ranks it by `value`, which must be finite.
  void Set(std::uint32_t ordinal, double value);
  void Unrank(std::uint32_t ordinal);
  void Clear();
  // Multiplies every value by a positive factor.
  void Scale(double factor);

  // The value; 0 when it is not ranked.
  double value(std::uint32_t ordinal) const;
  // Returns the page, highest first.
  std::vector<RankedValue> Top(const PageQuery& query) const;

  std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t kBlock = 256;
  static constexpr double kNothing = -std::numeric_limits<double>::infinity();
  class Selection;

  template <typename Visit>
  void ForEachOf(std::size_t block, Visit&& visit) const {
    const auto begin = static_cast<std::uint32_t>(block * kBlock);
    values_.ForEach(begin, begin + kBlock, visit);
  }
  double MaximumOf(std::size_t block) const;
  void OfferAll(Selection* selection) const;

  SparseTable<double> values_;
  std::vector<double> maxima_;  // one a block
};

}  // namespace reco::engine
