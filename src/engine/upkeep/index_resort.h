// IndexResort: background re-sort of the item index. Writes move rows out of the order by norm that
// lets a search end early, and this restores it beside the live index.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/state/shared_state.h"
#include "index/index_rebuild.h"

namespace reco::engine::upkeep {

// Confined to the thread that calls Round, but for times().
class IndexResort {
 public:
  // Restores the order when it is due, some steps a call.
  void Round(SharedState& shared) EXCLUDES(shared);
  // The number of times that the index was re-sorted.
  std::uint64_t times() const { return times_.load(std::memory_order_relaxed); }

 private:
  void Begin(SharedState& shared) EXCLUDES(shared);
  // Puts the new order in the place of the old. kMore: writes were too fast, the next round goes
  // on. kStale: the rebuild is done with, used or not.
  index::IndexRebuild::Progress End(SharedState& shared) EXCLUDES(shared);

  std::unique_ptr<index::IndexRebuild> rebuild_;  // null: none under way
  bool ordered_ = false;
  std::atomic<std::uint64_t> times_ = 0;
};

}  // namespace reco::engine::upkeep
