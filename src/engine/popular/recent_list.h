// RecentList: a ranking of items that passes with time, kept current event by event. See
// EventWindow and DecayedSums for the two kinds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "reco/types.h"

#include "base/function_ref.h"
#include "engine/popular/ranked_values.h"

namespace reco::engine {

// An interaction or a set preference, as the log has it.
struct RecentEvent {
  std::uint32_t user = 0;
  std::uint32_t item = 0;
  double weight = 0;
  std::int64_t time_ms = 0;     // when it happened: not later than it arrived
  std::int64_t arrival_ms = 0;  // as the clock said then
  bool replaces = false;        // of the pair's weights before
};

// Fed with the events of a collection in the order of the log. What counts is what a pair holds: an
// event that replaces takes the weights of the pair's events before it away, a removed pair leaves
// with all of its events. With ratings the pair's newest by event time replaces those before it and
// an older one weighs nothing. An item is ranked while there is a user whose events of it add up to
// more than 0.
//
// Time goes by Advance alone, and never back: what has passed is forgotten. A list whose clock was
// set back is built anew. An event from later than the list's time is as one of now.
//
// Thread-compatible.
class RecentList {
 public:
  RecentList() = default;
  virtual ~RecentList() = default;
  RecentList(const RecentList&) = delete;
  RecentList& operator=(const RecentList&) = delete;

  virtual void Add(const RecentEvent& event) = 0;
  virtual void Remove(std::uint32_t user, std::uint32_t item) = 0;
  virtual void RemoveIf(FunctionRef<bool(std::uint32_t user, std::uint32_t item)> gone) = 0;
  virtual void Advance(std::int64_t now_ms) = 0;
  // The time that it was advanced to.
  std::int64_t now_ms() const { return now_ms_; }
  // From this time on the list is not what it should be, and is to be built anew.
  std::int64_t exact_until_ms() const { return exact_until_ms_; }
  // Returns a page as of the time it was advanced to.
  virtual std::vector<RankedValue> Top(PopularBy by, const PageQuery& query) const = 0;
  // The number of events or pairs, which is what a list's bound is compared with.
  virtual std::size_t size() const = 0;
  virtual std::size_t memory_bytes() const = 0;

 protected:
  std::int64_t now_ms_ = 0;
  std::int64_t exact_until_ms_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace reco::engine
