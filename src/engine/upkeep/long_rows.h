// Long rows that a write could not solve: their running sums or vectors are made in the background.
// See doc/engine/upkeep.md.
#pragma once

#include "reco/result.h"

#include "engine/state/shared_state.h"

namespace reco::engine::upkeep {

// Builds what writes have put off, for some 50 ms. Returns true when there was any; the rest waits
// for the next call, also on an error.
Result<bool> BuildPendingRows(SharedState& shared) EXCLUDES(shared);

}  // namespace reco::engine::upkeep
