// Lists that are not personal: popular, trending, latest, active users, audience. Exact, and
// current to the last write.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/lists/page.h"
#include "engine/popular/ranked_values.h"
#include "engine/popular/recent_lists.h"
#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// Ranks items by their users, weights or events of all time.
Result<Ranking> Popular(const SharedState& shared, PopularBy by, const RankingOptions& options)
    EXCLUDES(shared);
// Ranks items by what happened lately: RECO.POPULAR with a WINDOW, by one measure, or
// RECO.TRENDING. Builds the list first when nobody has asked for it yet.
Result<Ranking> Recent(const SharedState& shared, const RecentListName& list, PopularBy by,
                       const RankingOptions& options) EXCLUDES(shared);
// Ranks items by the time that they became known, the newest first.
Result<Ranking> Latest(const SharedState& shared, const RankingOptions& options) EXCLUDES(shared);
// Ranks users by their events.
Result<Ranking> ActiveUsers(const SharedState& shared, const RankingOptions& options)
    EXCLUDES(shared);
// Returns the visible users of an item, the one with the newest event first.
Result<std::vector<AudienceEntry>> Audience(const SharedState& shared, std::string_view item,
                                            const AudienceOptions& options) EXCLUDES(shared);

// Values of one side that a list is ranked by, and what its entries say of their source.
struct Counted {
  Side side;
  const RankedValues& values;
  Source source;
};
// Returns the best `count` of them that are accepted. A Lister, but for its first arguments.
std::vector<ScoredItem> ListValues(const View& view, const Counted& counted, std::size_t count,
                                   AcceptItem accept, const Among& among);

}  // namespace reco::engine::lists
