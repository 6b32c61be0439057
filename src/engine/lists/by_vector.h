// The lists that a vector ranks: for a user, a group, a session, and what surprises.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "base/function_ref.h"
#include "engine/lists/page.h"
#include "engine/lists/query.h"
#include "engine/state/shared_state.h"
#include "index/item_index.h"

namespace reco::engine::lists {

// Ranks items for a user; one whom nobody knows gets the list of the request's context, or the
// popular one.
Result<Ranking> TopK(const SharedState& shared, std::string_view user,
                     const RankingOptions& options) EXCLUDES(shared);
// Ranks items for several users, 1 to kGroupUsersMax, by the mean of their vectors.
Result<Ranking> GroupTopK(const SharedState& shared, std::span<const std::string_view> users,
                          const RankingOptions& options) EXCLUDES(shared);
// Ranks items for an anonymous basket.
Result<Ranking> Session(const SharedState& shared, const Basket& basket,
                        const RankingOptions& options) EXCLUDES(shared);
// Ranks the items that a user knows, those first that the model would have predicted least.
Result<Ranking> Surprising(const SharedState& shared, std::string_view user,
                           const RankingOptions& options) EXCLUDES(shared);

// Makes the list for a query, and both again when another model takes over in the middle.
using MakeQuery = FunctionRef<Result<Query>(const View& view, const ReplacedModel* replaced)>;
Result<Ranking> RankUntilCurrent(const SharedState& shared, MakeQuery make_query,
                                 const RankingOptions& options) EXCLUDES(shared);

// MAY GIVE THE LOCK BACK, between steps, so that a write never waits for a whole scan;
// index/stepped_search.h says what holds then. Returns the best items of the index, exact (I11).
std::vector<index::Candidate> SearchInSteps(ReadView& view, Query& query, std::size_t count,
                                            AcceptItem accept, const Among& among);

// Returns true iff lists by vector have taken long of late, so that a caller may want another
// thread.
bool ListsAreLong(const SharedState& shared);

}  // namespace reco::engine::lists
