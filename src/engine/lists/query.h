// Query: what a list is made from. The vector of a user, a basket or a group is solved on read,
// from the stored pairs and the current item vectors (D5, D20).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/lists/parts.h"
#include "engine/neighbours/session_scores.h"
#include "engine/rows/row_table.h"
#include "engine/state/shared_state.h"
#include "index/item_index.h"
#include "model/aligned_vector.h"
#include "model/fold_in.h"

namespace reco::engine::lists {

struct Query {
  const ReplacedModel* replaced = nullptr;  // the model that it is made for; null: the active one
  model::AlignedVector<float> vector;       // padded; all zero: nothing to score with
  std::vector<std::uint32_t> left_out;      // sorted: seen, context or basket items
  index::Metric metric = index::Metric::kInnerProduct;
  double mean = 0;  // of all ratings; 0 for interactions
  // What the score of items is beside their product, by item; 0 of all others. Where it is empty,
  // scores are products.
  std::vector<ItemPart> parts;
  std::optional<std::uint32_t> approximate_ef;  // of the request
  bool folded = false;                          // the vector is not the one that training left
  // How often the query was made before, because another model took over in the middle of a list;
  // from kAttemptsInSteps on the lock is kept to the end.
  int attempts = 0;
  static constexpr int kAttemptsInSteps = 3;
  bool stale = false;  // it has happened again; set by what gives the lock back

  bool usable() const {
    return !std::all_of(vector.begin(), vector.end(), [](float v) { return v == 0; });
  }
};

// The pairs that a vector is solved from.
struct ServedRow {
  std::vector<std::uint32_t> items;
  std::vector<model::Neighbor> neighbors;  // of the same items
  PartProfile profile;
};

// Checks the options of a score. kInvalidArgument says what is allowed.
Status CheckScoreOptions(const SharedState& shared, const ScoreOptions& options);

// Returns the ordinals of the ids that are known, in their order.
std::vector<std::uint32_t> Ordinals(const View& view, Side side,
                                    std::span<const std::string_view> ids);

// Returns the query of a known user as of now, with the request's context. `served`, when given,
// takes what it was solved from.
Result<Query> ServingVector(const View& view, std::uint32_t user, const ScoreOptions& options,
                            ServedRow* served = nullptr, const ReplacedModel* replaced = nullptr);

// Returns the query of a user, known or not: without pairs that of the context.
Result<Query> UserQuery(const View& view, std::string_view user, const ScoreOptions& options,
                        const ReplacedModel* replaced = nullptr);

// Returns the query of an anonymous basket, whose times count by the options' recency and moment.
// At most kServedPairsMax newest items of a basket with times count. kInvalidArgument when the
// basket is too long, or a weight or time is missing or out of bounds.
Result<Query> BasketQuery(const View& view, const Basket& basket, const ScoreOptions& options,
                          ServedRow* served = nullptr, const ReplacedModel* replaced = nullptr);

// Returns the query of a group: the mean of the members' vectors, without what any of them has
// seen.
Result<Query> GroupQuery(const View& view, std::span<const std::string_view> users,
                         const ScoreOptions& options, const ReplacedModel* replaced = nullptr);

// Returns the query by cosine for the mean of the unit vectors of the rows, which are left out.
Query DirectionQuery(const View& view, Side side, std::vector<std::uint32_t> ordinals,
                     const ReplacedModel* replaced = nullptr);

}  // namespace reco::engine::lists
