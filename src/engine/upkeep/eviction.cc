#include "engine/upkeep/eviction.h"

#include <cstddef>

namespace reco::engine::upkeep {

void EvictRows(SharedState& shared) {
  constexpr std::size_t kWrites = 64;  // about 0.1 ms under the lock
  if (shared.context().row_budget.over()) {
    WriteView view(shared);
    view.state().Evict(kWrites);
  }
}

}  // namespace reco::engine::upkeep
