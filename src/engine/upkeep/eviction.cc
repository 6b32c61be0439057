#include "engine/upkeep/eviction.h"

#include <cstddef>

namespace reco::engine::upkeep {

void EvictRows(SharedState& shared) {
  constexpr std::size_t kWrites = 32;  // about 50 us under the lock
  constexpr int kHoldsARound = 2;
  for (int i = 0; i < kHoldsARound && shared.context().row_budget.over(); ++i) {
    WriteView view(shared, Holder::kEvict);
    // A write in several holds relies on the rows that it has made ready, until it ends; a long one
    // was announced before it made any.
    if (view.state().unfinished() ||
        shared.hints().long_writes.load(std::memory_order_relaxed) != 0) {
      return;
    }
    view.state().Evict(kWrites);
  }
}

}  // namespace reco::engine::upkeep
