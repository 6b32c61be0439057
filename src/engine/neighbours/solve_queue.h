// SolveQueue: which items' ridge rows are to be solved anew, the longest waiting first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

#include "base/sparse_table.h"

namespace reco::engine {

// An item waits from its kEventsASolve-th event on since it was last taken, once however many
// follow. While the queue is full nobody comes in, and the item's next event tries again.
//
// Knows nothing of threads and clocks. Thread-compatible.
class SolveQueue {
 public:
  static constexpr std::uint32_t kEventsASolve = 4;
  static constexpr std::uint32_t kEventsLate = 8;

  // `items_max`: how many may wait, at some 40 bytes each.
  explicit SolveQueue(std::size_t items_max) : items_max_(items_max) {}

  // Takes in that an event had to do with the item.
  void NoteEvent(std::uint32_t item, std::int64_t now_ms);
  // Lets the item wait from now on, unless it does already. Returns false when the queue is full.
  bool Push(std::uint32_t item, std::int64_t now_ms);
  // Returns who has waited longest, and takes it out; nothing when nobody waits.
  std::optional<std::uint32_t> Pop();
  // Forgets the item, which waits no more: it is deleted, or its row was solved otherwise.
  void Forget(std::uint32_t item);

  std::size_t size() const { return waiting_.size(); }
  // About what it takes, by counts.
  std::uint64_t memory_bytes() const { return waiting_.size() * kWaitingBytes; }
  // Returns for how long the first has waited, 0 when nobody does.
  std::int64_t OldestAgeMs(std::int64_t now_ms) const;
  // Since the start: who was taken out to be solved, and who of these after its kEventsLate-th
  // event.
  std::uint64_t taken() const { return taken_; }
  std::uint64_t taken_late() const { return taken_late_; }

 private:
  struct Waiting {
    std::uint32_t item = 0;
    std::int64_t since_ms = 0;
  };
  struct Item {
    std::uint32_t events = 0;  // since it was last taken
    std::optional<std::list<Waiting>::iterator> waiting;
  };

  static constexpr std::uint64_t kWaitingBytes = 40;

  const std::size_t items_max_;
  std::list<Waiting> waiting_;
  SparseTable<Item> items_;  // that wait, or had an event
  std::uint64_t taken_ = 0;
  std::uint64_t taken_late_ = 0;
};

}  // namespace reco::engine
