// PairMap: what a list keeps of each (user, item) pair, in numbered slots.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string_view>
#include <vector>

#include "reco/types.h"

#include "base/hash_index.h"

namespace reco::engine {

// Returns what a pair weighs whose events add up to `sum`, both in this `unit`: as a stored pair it
// is held within +-kWeightMax, and 0 when float32 has nothing so small.
inline double PairWeight(double sum, double unit = 1) {
  const double weight = std::clamp(sum, -kWeightMax * unit, kWeightMax * unit);
  return static_cast<float>(weight / unit) == 0 ? 0 : weight;
}

// Slots keep their numbers and are used again; a slot that is detached is not found any more but
// stays until it is freed, so that others may still refer to it by number. About 16 bytes a pair on
// top of T. No call moves more than a few KiB.
//
// Thread-compatible.
template <typename T>
class PairMap {
 public:
  struct Slot {
    std::uint32_t user = 0;
    std::uint32_t item = 0;
    bool attached = false;
    T value{};
  };
  static constexpr std::uint32_t kNone = HashIndex::kNone;

  std::size_t size() const { return index_.size(); }
  // The number of detached slots that were not freed yet.
  std::size_t detached() const { return slots_.size() - free_.size() - index_.size(); }
  Slot& operator[](std::uint32_t slot) { return slots_[slot]; }
  const Slot& operator[](std::uint32_t slot) const { return slots_[slot]; }
  // All slots ever used are below.
  std::uint32_t end() const { return static_cast<std::uint32_t>(slots_.size()); }

  std::uint32_t Find(std::uint32_t user, std::uint32_t item) const {
    return index_.Find(TagOf(user, item), [&](std::uint32_t slot) {
      return slots_[slot].user == user && slots_[slot].item == item;
    });
  }
  // Adds a pair, which must not be there, and returns its slot.
  std::uint32_t Add(std::uint32_t user, std::uint32_t item) {
    std::uint32_t slot = end();
    if (free_.empty()) {
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    slots_[slot] = {user, item, true, T{}};
    index_.Insert(TagOf(user, item), slot);
    return slot;
  }
  void Detach(std::uint32_t slot) {
    index_.Erase(TagOf(slots_[slot].user, slots_[slot].item), slot);
    slots_[slot].attached = false;
  }
  // Gives a slot, which must be detached, back for use.
  void Free(std::uint32_t slot) { free_.push_back(slot); }

  std::size_t memory_bytes() const {
    return slots_.size() * sizeof(Slot) + free_.capacity() * sizeof(free_[0]) +
           index_.memory_bytes();
  }

 private:
  static std::uint32_t TagOf(std::uint32_t user, std::uint32_t item) {
    const std::uint64_t key = std::uint64_t{user} << 32U | item;
    char bytes[sizeof(key)];
    std::memcpy(bytes, &key, sizeof(key));
    return HashTag({bytes, sizeof(bytes)}, kHashSeed);
  }

  HashIndex index_;
  std::deque<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace reco::engine
