// How much the pairs of a user count by their time in what a list is made from (D20, D52).
//
// By age a pair counts 1 / (1 + age / pace): within a session the last minutes are what matters;
// after a pause, as all ages are alike against it, the whole of the last session. By place the n-th
// newest counts gamma^n.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reco/types.h"

namespace reco::engine {

// Lists are made from so many newest pairs at most.
inline constexpr std::size_t kServedPairsMax = 256;

// When a user last had to do with an item.
struct TimedItem {
  std::uint32_t item = 0;
  std::int64_t time_ms = 0;
};

// Returns the age in milliseconds at which a pair counts half: a minute and twice the median gap
// between the newest ten pairs, of which at most ten minutes count. `newest_first`: times from
// the newest on.
double PaceMs(std::span<const TimedItem> newest_first);

// Returns the share of each of `newest_first`, 1 for the largest; 0 for those that count less than
// 1e-4 of it. By age: as of `now_ms`, and who is newer counts in full; `pace_ms` as of PaceMs.
std::vector<double> SharesByTime(std::span<const TimedItem> newest_first, const Recency& recency,
                                 std::int64_t now_ms, double pace_ms);

// Keeps the newest `count`, newest first; ties in time go by the larger item, so that the same row
// gives the same bits.
void KeepNewest(std::vector<TimedItem>* items, std::size_t count);

}  // namespace reco::engine
