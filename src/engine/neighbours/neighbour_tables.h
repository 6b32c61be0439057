// NeighbourTables: all that lists by neighbours are made from, of one collection, as its events
// have it. See doc/engine/neighbours.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reco/types.h"

#include "engine/neighbours/pair_counts.h"
#include "engine/neighbours/ridge_rows.h"
#include "engine/neighbours/sessions.h"
#include "engine/neighbours/solve_queue.h"
#include "format/event.h"

namespace reco::engine {

// A function of the events, so that a replay gives the same tables to the bit; but for the queue,
// which says what is to be done. Thread-compatible.
class NeighbourTables {
 public:
  // bytes_max: of all together, counted as by memory_bytes(). Sessions and counts take up to three
  // quarters, the oldest sessions go first; rows the rest, then items without one get none.
  explicit NeighbourTables(std::uint64_t bytes_max);
  static constexpr std::uint64_t SessionBytesMax(std::uint64_t bytes_max) {
    return bytes_max - bytes_max / 4;
  }

  // Takes the event in. One on a pair puts the item into the user's session when its weight is
  // above 0; another one, such as a dislike, takes the pair out.
  void Follow(const format::Event& event);
  // Takes a deletion in by steps of about 200 us. Returns true while there is more of it.
  bool ForgetSome(Side side, std::uint32_t ordinal);

  const Sessions& sessions() const { return sessions_; }
  const PairCounts& pairs() const { return pairs_; }
  const RidgeRows& rows() const { return rows_; }
  const SolveQueue& queue() const { return queue_; }
  SolveQueue& queue() { return queue_; }
  // Returns true iff the item has a row, or may get one.
  bool HasRoomFor(std::uint32_t item) const;
  // About what all of it takes: by counts, so that it is the same in every process.
  std::uint64_t memory_bytes() const {
    return sessions_.memory_bytes() + rows_.memory_bytes() + queue_.memory_bytes();
  }

 private:
  // Items that may wait for their row at once.
  static constexpr std::size_t kWaitingMax = 100'000;

  const std::uint64_t rows_bytes_max_;
  PairCounts pairs_;
  Sessions sessions_;  // tells pairs_
  RidgeRows rows_;
  SolveQueue queue_;
};

}  // namespace reco::engine
