// What lies near what: similar items and users, cosines, representatives of the features.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// Ranks items by the cosine of the model's vectors; cooccurrence.h does it by the users in common.
Result<Ranking> Similar(const SharedState& shared, std::span<const std::string_view> items,
                        const RankingOptions& options) EXCLUDES(shared);
// Ranks users by the cosine of the model's vectors.
Result<Ranking> SimilarUsers(const SharedState& shared, std::string_view user,
                             const RankingOptions& options) EXCLUDES(shared);
// Returns the cosines of `item` and each of `others`; nullopt where one is unknown or has no
// direction.
Result<std::vector<std::optional<double>>> Similarities(const SharedState& shared,
                                                        std::string_view item,
                                                        std::span<const std::string_view> others)
    EXCLUDES(shared);
// Returns the visible item with the largest component of each feature. It scans in steps: no item
// that stayed as it was all the time has a larger one.
Result<std::vector<Representative>> Representatives(const SharedState& shared) EXCLUDES(shared);

}  // namespace reco::engine::lists
