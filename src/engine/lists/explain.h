// What single items score for a user or a basket, and what makes up the score.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// Return what single items score by the active model, as RECO.TOPK shows them. nullopt: user or
// item is unknown, or nothing has been trained.
Result<std::vector<std::optional<double>>> Score(const SharedState& shared, std::string_view user,
                                                 std::span<const std::string_view> items,
                                                 const ScoreOptions& options) EXCLUDES(shared);
Result<std::optional<double>> SessionScore(const SharedState& shared, std::string_view target,
                                           const Basket& basket, const ScoreOptions& options)
    EXCLUDES(shared);

// Return the score and the `count` largest shares in it. kNotFound where Score returns nullopt.
Result<Explanation> Explain(const SharedState& shared, std::string_view user, std::string_view item,
                            std::size_t count, const ScoreOptions& options) EXCLUDES(shared);
Result<Explanation> ExplainSession(const SharedState& shared, std::string_view target,
                                   const Basket& basket, std::size_t count,
                                   const ScoreOptions& options) EXCLUDES(shared);

}  // namespace reco::engine::lists
