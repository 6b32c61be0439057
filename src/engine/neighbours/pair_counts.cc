#include "engine/neighbours/pair_counts.h"

#include <algorithm>

#include "base/check.h"

namespace reco::engine {
namespace {

// Between a half and four fifths of the slots of a row are used, and five eighths when it was just
// made: with linear probing a search that fails looks at 13 of them at most on average.
bool Full(std::uint32_t used, std::uint32_t capacity) {
  return std::uint64_t{used} * 5 >= std::uint64_t{capacity} * 4;
}
bool Sparse(std::uint32_t used, std::uint32_t capacity) {
  return std::uint64_t{used} * 2 < capacity;
}
std::uint32_t CapacityFor(std::uint32_t used) {
  return static_cast<std::uint32_t>(std::uint64_t{used} * 8 / 5) + 3;
}

}  // namespace

void PairCounts::PutIn(std::uint32_t item, std::span<const std::uint32_t> before,
                       std::span<const std::uint32_t> after) {
  std::uint32_t& places = places_.Make(item);
  items_ += places == 0 ? 1 : 0;
  ++places;
  Change(item, before, after, 1);
}

void PairCounts::TakeOut(std::uint32_t item, std::span<const std::uint32_t> before,
                         std::span<const std::uint32_t> after) {
  Change(item, before, after, -1);
  std::uint32_t* places = places_.Find(item);
  RECO_CHECK(places != nullptr);
  if (--*places == 0) {
    places_.Erase(item);
    --items_;
  }
}

void PairCounts::Change(std::uint32_t item, std::span<const std::uint32_t> before,
                        std::span<const std::uint32_t> after, std::int32_t sign) {
  before = before.first(std::min(before.size(), kWindow));
  after = after.first(std::min(after.size(), kWindow));
  for (const std::span<const std::uint32_t> side : {before, after}) {
    Prefetch(item, side);
    for (std::size_t i = 0; i < side.size(); ++i) {
      Add(item, side[i], sign * static_cast<std::int32_t>(Weight(i + 1)));
    }
  }
  // Two places i + 1 before and k + 1 behind are i + k + 2 apart with it and one less without.
  for (std::size_t i = 0; i < before.size(); ++i) {
    for (std::size_t k = 0; k < after.size() && i + k + 1 <= kWindow; ++k) {
      const std::uint32_t less = Weight(i + k + 1) - Weight(i + k + 2);
      Add(before[i], after[k], -sign * static_cast<std::int32_t>(less));
    }
  }
}

// Counters lie anywhere in memory: waiting for one at a time is most of what a place costs.
void PairCounts::Prefetch(std::uint32_t item, std::span<const std::uint32_t> others) const {
  const Row& own = row(item);
  for (const std::uint32_t other : others) {
    own.Prefetch(other);
    row(other).Prefetch(item);
  }
}

void PairCounts::Add(std::uint32_t a, std::uint32_t b, std::int32_t units) {
  if (a != b) {
    AddToRow(a, b, units);
    AddToRow(b, a, units);
  }
}

void PairCounts::AddToRow(std::uint32_t item, std::uint32_t other, std::int32_t units) {
  Row& row = rows_.Make(item);
  const auto [was, now] = row.Add(other, units);
  entries_ += (now > 0 ? 1 : 0) - (was > 0 ? 1 : 0);
  overfull_ += (now > kCountMax ? 1 : 0) - (was > kCountMax ? 1 : 0);
  if (row.used_ == 0) {
    rows_.Erase(item);
  }
}

std::pair<std::uint32_t, std::uint32_t> PairCounts::Row::Add(std::uint32_t other,
                                                             std::int32_t units) {
  if (Full(used_ + 1, capacity_)) {
    Resize(CapacityFor(used_ + 1));
  }
  const std::size_t at = Find(other);
  Slot& slot = slots_[at];
  const std::uint32_t was = slot.count;
  const std::int64_t sum = std::int64_t{was} + units;
  // Below 0, something was taken out that had not been put in.
  RECO_CHECK(sum >= 0 && sum <= UINT32_MAX);
  const auto now = static_cast<std::uint32_t>(sum);
  slot.item = other;
  slot.count = now;
  if (was == 0 && now > 0) {
    ++used_;
  } else if (was > 0 && now == 0) {
    Free(at);
    --used_;
    if (Sparse(used_, capacity_)) {
      Resize(CapacityFor(used_));
    }
  }
  return {was, now};
}

// Moves entries behind the freed slot up where their search would end at it (Knuth 6.4, R).
void PairCounts::Row::Free(std::size_t slot) {
  const auto distance = [this](std::size_t from, std::size_t to) {
    return to >= from ? to - from : to + capacity_ - from;
  };
  std::size_t hole = slot;
  for (std::size_t at = Next(hole); slots_[at].count > 0; at = Next(at)) {
    if (distance(Home(slots_[at].item), at) >= distance(hole, at)) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole] = Slot();
}

void PairCounts::Row::Resize(std::uint32_t capacity) {
  const std::unique_ptr<Slot[]> old = std::exchange(slots_, std::make_unique<Slot[]>(capacity));
  const std::uint32_t old_capacity = std::exchange(capacity_, capacity);
  for (std::size_t i = 0; i < old_capacity; ++i) {
    if (old[i].count > 0) {
      slots_[Find(old[i].item)] = old[i];
    }
  }
}

}  // namespace reco::engine
