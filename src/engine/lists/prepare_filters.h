// Makes ready what the filters of a list and of the rules will ask, before the list.
#pragma once

#include <string_view>

#include "reco/types.h"

#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// Makes the columns and bitmaps that a list with this filter (empty: none) and the rules of now
// will ask. To be called before the list, which else makes columns with the lock held to the end
// and asks about each item by itself. A filter that does not compile is the list's to refuse.
void PrepareFilters(const SharedState& shared, Side side, std::string_view text) EXCLUDES(shared);

// Returns true iff PrepareFilters would find everything made.
bool FiltersAreReady(const SharedState& shared, Side side, std::string_view text) EXCLUDES(shared);

}  // namespace reco::engine::lists
