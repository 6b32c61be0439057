// DecayedSums: items by the sum of their events' weights, each halved with every half-life of age.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "reco/options.h"

#include "engine/popular/pair_map.h"
#include "engine/popular/ranked_values.h"
#include "engine/popular/recent_list.h"

namespace reco::engine {

// An item's value is sum w 2^(-age / half-life), kept by forward decay (Cormode et al. 2009): each
// event weighs w 2^((time - landmark) / half-life) for good, so time changes no order; the landmark
// moves on before the weights get out of a float64's range. An event from later than the list's
// time (a clock was ahead, or the list's is behind) counts as of that time until its own has come;
// then the list is built anew.
//
// What a pair weighs at its newest event is held as a stored pair is (PairWeight).
//
// A pair is forgotten when its newest event is older than kLifeInHalves half-lives: it weighs less
// than 1e-15 of what it did.
//
// A value is within n x 2^-50 x (the same sum of absolute weights) of the sum over its n events,
// removed ones included. About 64 bytes a pair; an event costs O(1), a pair's end O(log n).
//
// Thread-compatible.
class DecayedSums final : public RecentList {
 public:
  static constexpr std::int64_t kLifeInHalves = 50;

  DecayedSums(std::int64_t halflife_ms, Feedback feedback)
      : halflife_ms_(halflife_ms), rated_(feedback == Feedback::kExplicit) {}

  void Add(const RecentEvent& event) override;
  void Remove(std::uint32_t user, std::uint32_t item) override;
  void RemoveIf(FunctionRef<bool(std::uint32_t user, std::uint32_t item)> gone) override;
  void Advance(std::int64_t now_ms) override;
  // Ranks by the one measure there is, whichever is asked for.
  std::vector<RankedValue> Top(PopularBy by, const PageQuery& query) const override;
  // The number of pairs.
  std::size_t size() const override { return pairs_.size(); }
  std::size_t memory_bytes() const override;

 private:
  static constexpr std::uint32_t kNone = HashIndex::kNone;

  struct Pair {
    double sum = 0;  // relative to the landmark
    std::int64_t newest_ms = 0;
  };
  struct Item {
    std::uint32_t pairs = 0;
    std::uint32_t liked = 0;  // those with a sum above 0
    double sum = 0;           // relative to the landmark
  };
  using Due = std::pair<std::int64_t, std::uint32_t>;  // at the earliest forgotten then; pair

  // Returns what an event of weight 1 and this time adds, relative to the landmark.
  double WeightAt(std::int64_t time_ms) const;
  std::int64_t EndOf(const Pair& pair) const {
    return pair.newest_ms + kLifeInHalves * halflife_ms_;
  }
  void MoveLandmark(std::int64_t to_ms);
  // Changes a pair's sum and its item's; `pairs` says whether it comes, stays or goes.
  void Change(std::uint32_t pair, int pairs, double sum);
  // Takes the pair out of the ranking; its slot stays until its entry in `ends_` goes.
  void Detach(std::uint32_t pair);
  void Sweep();

  const std::int64_t halflife_ms_;
  const bool rated_;
  std::int64_t landmark_ms_ = 0;
  PairMap<Pair> pairs_;
  std::deque<Due> ends_;  // a heap, the earliest in front; one entry for each pair, detached or not
  std::vector<Item> items_;
  RankedValues sums_;  // relative to the landmark
};

}  // namespace reco::engine
