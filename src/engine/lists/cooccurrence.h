// Items that share users with given ones.
#pragma once

#include <span>
#include <string_view>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// Ranks items by the cosine of their rows of users with those of the given ones, exact up to
// 1,000,000 pairs of their users, beyond that from a sample. kResourceExhausted when the given
// items have more than 5,000,000 pairs together.
Result<Ranking> SimilarByCooccurrence(const SharedState& shared,
                                      std::span<const std::string_view> items,
                                      const RankingOptions& options) EXCLUDES(shared);

}  // namespace reco::engine::lists
