// EventWindow: popularity within the last seconds, exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "reco/options.h"

#include "engine/popular/pair_map.h"
#include "engine/popular/popularity.h"
#include "engine/popular/recent_list.h"

namespace reco::engine {

// Holds the events with a time behind now - length, in a heap by time. A pair weighs what its
// events add up to (PairWeight). A user counts for an item, and with it the user's events of it,
// while that is more than 0; the weight of an item is the sum of its pairs'. About 130 bytes an
// event and pair; an event costs O(log n) when it enters and when it leaves, and a replacement or a
// removal O(log n) for each event of its pair.
//
// Users and events are exact; a sum of weights is within 1e-12 of the sum of the absolute weights
// that went in and out since the item was last without events, and 0 where it cancels
// (CancellingSum).
//
// Thread-compatible.
class EventWindow final : public RecentList {
 public:
  EventWindow(std::int64_t length_ms, Feedback feedback)
      : length_ms_(length_ms), rated_(feedback == Feedback::kExplicit) {}

  void Add(const RecentEvent& event) override;
  void Remove(std::uint32_t user, std::uint32_t item) override;
  void RemoveIf(FunctionRef<bool(std::uint32_t user, std::uint32_t item)> gone) override;
  void Advance(std::int64_t now_ms) override;
  std::vector<RankedValue> Top(PopularBy by, const PageQuery& query) const override {
    return counts_.by(by).Top(query);
  }
  // The number of events.
  std::size_t size() const override { return live_; }
  std::size_t memory_bytes() const override;

 private:
  static constexpr std::uint32_t kNone = HashIndex::kNone;

  struct Pair {
    std::uint32_t first = kNone;       // its events are chained, the last one added in front
    std::uint32_t weightless = kNone;  // this event and all behind it weigh 0
    std::uint32_t events = 0;
    double weight = 0;           // of its events, added up
    std::int64_t newest_ms = 0;  // by event time
  };
  // What is summed up for an item.
  struct Item {
    std::uint32_t events = 0;  // of all pairs
    std::uint32_t users = 0;   // whose pair weighs more than 0
    std::uint32_t liked_events = 0;
    double weight = 0;
  };
  struct Event {
    double weight = 0;
    std::uint32_t pair = kNone;  // kNone: removed
    std::uint32_t next = kNone;
    std::uint32_t previous = kNone;
  };
  using Due = std::pair<std::int64_t, std::uint32_t>;  // time, event

  // Changes what a pair holds, and the item's sums with it.
  void Change(std::uint32_t pair, int events, double weight);
  void DropWeights(std::uint32_t pair);
  void RemovePair(std::uint32_t pair);
  void Insert(std::uint32_t pair, double weight, std::int64_t time_ms);
  // Takes a live event out of its pair, which goes with its last one.
  void Unchain(std::uint32_t event);
  void Free(std::uint32_t event);
  void Sweep();

  const std::int64_t length_ms_;
  const bool rated_;
  PairMap<Pair> pairs_;
  std::deque<Event> events_;
  std::vector<std::uint32_t> free_;
  std::size_t live_ = 0;
  std::deque<Due> ends_;  // a heap, the earliest in front
  std::vector<Item> items_;
  Popularity counts_;
};

}  // namespace reco::engine
