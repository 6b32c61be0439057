// Long rows that a write could not solve: their running sums or vectors are made in the background.
// See doc/engine/upkeep.md.
#pragma once

#include "reco/result.h"

#include "engine/state/shared_state.h"

namespace reco::engine::upkeep {

// Builds what writes have put off. Returns true when there was any; on an error the rest waits on.
Result<bool> BuildPendingRows(SharedState& shared) EXCLUDES(shared);

}  // namespace reco::engine::upkeep
