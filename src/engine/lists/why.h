// RECO.WHY: where an item stands in a user's list, or what keeps it out.
#pragma once

#include <string_view>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// By the active model and the rules of now. An unknown item answers ItemPlace().
Result<ItemPlace> Why(const SharedState& shared, std::string_view user, std::string_view item)
    EXCLUDES(shared);

}  // namespace reco::engine::lists
