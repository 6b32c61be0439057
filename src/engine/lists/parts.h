// The parts that a score has beside the product of vectors: what neighbours add (doc/model.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/neighbours/session_scores.h"
#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// What each part is multiplied by in a score; 0: there is no such part.
struct PartFactors {
  double sessions = 0;
  double ridge = 0;
  bool any() const { return sessions > 0 || ridge > 0; }
};

// Returns those of lists by the model, with the request's blend.
PartFactors FactorsOf(const View& view, const std::optional<Blend>& blend,
                      const ReplacedModel* replaced);

// Who asks for parts.
struct PartProfile {
  std::vector<ProfileItem> items;  // newest first, at most kProfileItems
  std::uint32_t user = Sessions::kNobody;
  PartFactors factors;
};

// Returns the parts of all items that have some, by ordinal.
std::vector<ItemPart> PartsOf(const View& view, const PartProfile& profile);
// Returns what each item of the profile adds to the part of `item`; empty when there are no parts.
std::vector<double> PartShares(const View& view, const PartProfile& profile, std::uint32_t item);

// Ranks items by the ridge rows alone: what users are told who have had to do with the given items,
// all alike.
Result<Ranking> SimilarByNeighbours(const SharedState& shared,
                                    std::span<const std::string_view> items,
                                    const RankingOptions& options) EXCLUDES(shared);
// As Database::NeighboursOf.
Result<std::vector<ItemNeighbour>> NeighboursOf(const SharedState& shared, std::string_view item,
                                                std::size_t count) EXCLUDES(shared);

}  // namespace reco::engine::lists
