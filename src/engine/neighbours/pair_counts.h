// PairCounts: how often two items stand near each other in the histories of users, and how often
// each item stands in one. What ridge rows are solved from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/sparse_table.h"

namespace reco::engine {

// A history is a sequence of items; two places of it, d apart, add Weight(d) to the count of their
// items, which is .95^(d-1) in units of 2^-8, and nothing beyond kWindow. Equal items are no pair.
// Counts are integers, so that what is taken out leaves exactly what was there before it came: they
// are a function of the histories, however these came to be.
//
// A counter may hold 2^31 (the pair side by side 8 million times), half of what it can. Whoever
// puts in asks overfull() after each place and takes out until it is false, so that none wraps.
//
// Thread-compatible.
class PairCounts {
 public:
  static constexpr std::size_t kWindow = 20;
  static constexpr std::uint32_t kUnit = 256;  // what two neighbours count

  // Puts a place with `item` into a history, between those with the items of `before` and `after`,
  // or takes it out from between them, so that they move one nearer. Both have the nearest first,
  // and as many as there are up to kWindow. To be put in at the end, or taken out at an end, costs
  // some 2 x kWindow counters, in the middle kWindow^2.
  void PutIn(std::uint32_t item, std::span<const std::uint32_t> before,
             std::span<const std::uint32_t> after);
  void TakeOut(std::uint32_t item, std::span<const std::uint32_t> before,
               std::span<const std::uint32_t> after);

  // Returns the number of places with the item.
  std::uint32_t places(std::uint32_t item) const { return places_[item]; }
  // All items with a place are below.
  std::uint32_t end() const { return places_.end(); }
  // True while some counter is above what it may hold.
  bool overfull() const { return overfull_ > 0; }
  std::uint64_t pairs() const { return entries_ / 2; }
  // About what all of it takes: by counts, so that it is the same in every process.
  std::uint64_t memory_bytes() const { return items_ * kItemBytes + entries_ * kEntryBytes; }

  // The counters of one item, by the other item. Open addressing, 11 to 13 bytes a counter; a
  // counter at 0 is none.
  class Row {
   public:
    // Returns the count with the other item.
    std::uint32_t Of(std::uint32_t other) const {
      return capacity_ == 0 ? 0 : slots_[Find(other)].count;
    }
    // Asks the processor for what Of will look at; a hint.
    void Prefetch(std::uint32_t other) const {
      if (capacity_ > 0) {
        __builtin_prefetch(&slots_[Home(other)]);
      }
    }
    // Calls visit(other, count) for all counters, in an order that says nothing and that differs
    // by how the histories came to be: results must not depend on it.
    template <typename Visit>
    void ForEach(Visit&& visit) const {
      for (std::size_t i = 0; i < capacity_; ++i) {
        if (slots_[i].count > 0) {
          visit(slots_[i].item, slots_[i].count);
        }
      }
    }
    std::uint32_t size() const { return used_; }

   private:
    friend class PairCounts;
    struct Slot {
      std::uint32_t item = 0;
      std::uint32_t count = 0;  // 0: the slot is free
    };
    std::size_t Home(std::uint32_t other) const {
      const std::uint32_t hash = other * 0x9e3779b1U;
      return static_cast<std::size_t>((std::uint64_t{hash} * capacity_) >> 32U);
    }
    std::size_t Next(std::size_t slot) const { return slot + 1 < capacity_ ? slot + 1 : 0; }
    // Returns the slot of the item, or the free one where it belongs.
    std::size_t Find(std::uint32_t other) const {
      std::size_t at = Home(other);
      while (slots_[at].count > 0 && slots_[at].item != other) {
        at = Next(at);
      }
      return at;
    }
    // Adds to the counter, and returns what it was before and is now.
    std::pair<std::uint32_t, std::uint32_t> Add(std::uint32_t other, std::int32_t units);
    void Free(std::size_t slot);
    void Resize(std::uint32_t capacity);

    std::unique_ptr<Slot[]> slots_;
    std::uint32_t capacity_ = 0;
    std::uint32_t used_ = 0;
  };
  // Valid until something is put in or taken out.
  const Row& row(std::uint32_t item) const { return rows_[item]; }

  // What two places count that are `distance` apart, which is above 0.
  static constexpr std::uint32_t Weight(std::size_t distance) {
    return distance <= kWindow ? kWeights[distance] : 0;
  }

 private:
  static constexpr std::uint64_t kItemBytes = 48;
  static constexpr std::uint64_t kEntryBytes = 13;  // 11.3 where few go, 12.6 under churn
  static constexpr std::uint32_t kCountMax = 1U << 31U;

  static constexpr std::array<std::uint32_t, kWindow + 1> kWeights = [] {
    std::array<std::uint32_t, kWindow + 1> weights{};
    double share = kUnit;
    for (std::size_t distance = 1; distance <= kWindow; ++distance, share *= 0.95) {
      weights[distance] = (static_cast<std::uint32_t>(2 * share) + 1) / 2;  // rounded
    }
    return weights;
  }();

  // Adds `sign` times what a place adds: its own pairs, and that it stands between others.
  void Change(std::uint32_t item, std::span<const std::uint32_t> before,
              std::span<const std::uint32_t> after, std::int32_t sign);
  void Prefetch(std::uint32_t item, std::span<const std::uint32_t> others) const;
  void Add(std::uint32_t a, std::uint32_t b, std::int32_t units);
  void AddToRow(std::uint32_t item, std::uint32_t other, std::int32_t units);

  // An item has a row as long as it has a counter.
  SparseTable<Row> rows_;
  SparseTable<std::uint32_t> places_;
  std::uint64_t items_ = 0;  // that have a place
  std::uint64_t entries_ = 0;
  std::uint64_t overfull_ = 0;  // counters above kCountMax
};

}  // namespace reco::engine
