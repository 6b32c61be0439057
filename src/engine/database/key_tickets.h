// KeyTickets: the log's ticket of the newest change of each key, which who has read the key waits
// for before it is told (I3).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reco/types.h"

#include "base/hash_index.h"

namespace reco::engine {

// Keys share kSlots tickets by their hashes, so a reader may wait for the change of another key; it
// never fails to wait for one of its own. Thread-compatible.
class KeyTickets {
 public:
  KeyTickets() : newest_(kSlots) {}

  void Changed(KeyRef key, std::uint64_t ticket) {
    newest_[Slot(key)] = newest_of_all_ = std::max(newest_of_all_, ticket);
  }
  // Says that any key may have changed.
  void AllChanged(std::uint64_t ticket) {
    newest_.assign(kSlots, ticket);
    newest_of_all_ = std::max(newest_of_all_, ticket);
  }
  std::uint64_t Of(KeyRef key) const { return newest_[Slot(key)]; }
  // For who has read many keys, or that there are none.
  std::uint64_t OfAll() const { return newest_of_all_; }
  // Of a new log, whose tickets begin anew.
  void Clear() {
    newest_.assign(kSlots, 0);
    newest_of_all_ = 0;
  }

 private:
  static constexpr std::size_t kSlots = 4'096;
  static std::size_t Slot(KeyRef key) { return HashTag(key.name, kHashSeed + key.db) % kSlots; }

  std::vector<std::uint64_t> newest_;
  std::uint64_t newest_of_all_ = 0;
};

}  // namespace reco::engine
