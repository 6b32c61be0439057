// RECO.WHY: where an item stands in a user's list, or what keeps it out.
#pragma once

#include <string_view>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// Says where the item stands by the active model and the rules of now, or what keeps it out. An
// unknown item has ItemPlace().
Result<ItemPlace> Why(const SharedState& shared, std::string_view user, std::string_view item,
                      const ScoreOptions& options) EXCLUDES(shared);

}  // namespace reco::engine::lists
