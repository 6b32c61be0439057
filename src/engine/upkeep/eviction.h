// Eviction of rows beyond the memory that they may take.
#pragma once

#include "engine/state/shared_state.h"

namespace reco::engine::upkeep {

// Drops rows beyond their budget that a checkpoint has unpinned since the last write (I7).
void EvictRows(SharedState& shared) EXCLUDES(shared);

}  // namespace reco::engine::upkeep
