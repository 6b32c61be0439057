// Builds a list that passes with time (a window, a half-life) from the log, when a read asks for
// it.
#pragma once

#include "reco/result.h"

#include "engine/popular/recent_lists.h"
#include "engine/state/shared_state.h"

namespace reco::engine::persist {

// Builds the list when it is not there. Ok when it is, built by this call or by another. kNotFound
// for a deleted collection, kResourceExhausted when the list is beyond its bound.
Status BuildRecent(const SharedState& shared, const RecentListName& list) EXCLUDES(shared);

}  // namespace reco::engine::persist
