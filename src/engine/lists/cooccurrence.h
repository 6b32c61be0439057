// Items that share users with given ones.
#pragma once

#include <span>
#include <string_view>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/state/shared_state.h"

namespace reco::engine::lists {

Result<Ranking> SimilarByCooccurrence(const SharedState& shared,
                                      std::span<const std::string_view> items,
                                      const RankingOptions& options) EXCLUDES(shared);

}  // namespace reco::engine::lists
