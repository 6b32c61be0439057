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

Result<Ranking> Popular(const SharedState& shared, PopularBy by, const RankingOptions& options)
    EXCLUDES(shared);
// RECO.POPULAR with a WINDOW, by one measure, or RECO.TRENDING. Builds the list first when nobody
// has asked for it yet.
Result<Ranking> Recent(const SharedState& shared, const RecentListName& list, PopularBy by,
                       const RankingOptions& options) EXCLUDES(shared);
Result<Ranking> Latest(const SharedState& shared, const RankingOptions& options) EXCLUDES(shared);
Result<Ranking> ActiveUsers(const SharedState& shared, const RankingOptions& options)
    EXCLUDES(shared);
Result<std::vector<AudienceEntry>> Audience(const SharedState& shared, std::string_view item,
                                            const AudienceOptions& options) EXCLUDES(shared);

// Values of one side that a list is ranked by, and what its entries say of their source.
struct Counted {
  Side side;
  const RankedValues& values;
  Source source;
};
std::vector<ScoredItem> ListValues(const View& view, const Counted& counted, std::size_t count,
                                   AcceptItem accept, const Among& among);

}  // namespace reco::engine::lists
