// Vectors solved on read: of users, baskets, groups and directions.
//
// Two recencies meet here. A vector that is solved weighs the n-th newest pair by recency^n, from n
// = 0 (D20). One that is served as stored was solved by the last write or training, from all pairs
// alike: the pairs that explain it are weighed with recency 1, whatever the collection's.
#include "engine/lists/query.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/sorted.h"
#include "engine/lists/model_view.h"

namespace reco::engine::lists {
namespace {

// A user's serving vector is solved again at each read from at most so many pairs; without recency
// the vector of a longer row is the one that its last write left, but with a context it is solved
// from all.
constexpr std::size_t kServedPairsMax = 256;

// Adds an event of `weight` and time `now_ms` with `item`, keeping the order. As the log would add
// it up, so that a context item that was bought before weighs as a purchase of now.
void AddEvent(std::vector<RowPair>* pairs, std::uint32_t item, double weight, std::int64_t now_ms,
              const SignalRules& rules) {
  format::Event event;
  event.weight = weight;
  event.time_ms = now_ms;
  const std::size_t at = LowerBound(*pairs, item);
  if (at < pairs->size() && (*pairs)[at].other == item) {
    (*pairs)[at].pair = Accumulate(&(*pairs)[at].pair, event, rules);
  } else {
    pairs->insert(pairs->begin() + static_cast<std::ptrdiff_t>(at),
                  RowPair{item, Accumulate(nullptr, event, rules)});
  }
}

Status CheckBasket(std::span<const std::string_view> items, std::span<const double> weights,
                   bool explicit_feedback) {
  if (items.size() > kBasketItemsMax) {
    return Status::InvalidArgument("a basket may name at most 10000 items");
  }
  if (explicit_feedback && weights.empty() && !items.empty()) {
    return Status::InvalidArgument("a session of ratings needs them: add WEIGHTS");
  }
  if (!weights.empty() && weights.size() != items.size()) {
    return Status::InvalidArgument("WEIGHTS needs one weight for each item");
  }
  for (const double weight : weights) {
    if (!std::isfinite(weight) || std::abs(weight) > kWeightMax) {
      return Status::InvalidArgument("a weight must be finite and between -1000000 and 1000000");
    }
  }
  return Status::Ok();
}

// Makes `values` a query of length 1; all zero when there is no direction.
void SetDirection(std::span<const double> values, model::AlignedVector<float>* vector) {
  double squares = 0;
  for (const double value : values) {
    squares += value * value;
  }
  const double norm = std::sqrt(squares);
  vector->assign(values.size(), 0.0F);
  for (std::size_t i = 0; norm > 0 && i < values.size(); ++i) {
    (*vector)[i] = static_cast<float>(values[i] / norm);
  }
}

// Returns what a user's serving vector is solved from: with recency 1 all stored pairs, otherwise
// the newest ones, each weighted by recency to the power of its place from the newest, 0.
ServedRow Serve(const View& view, std::span<const RowPair> pairs, double recency,
                const ReplacedModel* replaced) {
  const ModelView ranked_by = ModelOf(view, replaced);
  ServedRow served;
  // An item that is being deleted has no say, though not all rows have lost their pair with it yet.
  const bool some_go = view.state().unfinished();
  const auto add = [&](const RowPair& pair, double share) {
    if (some_go && view.state().items().ids.id(pair.other).empty()) {
      return;
    }
    // An item younger than a replaced model has no vector there: the pair says nothing to it.
    if (const float* row = ranked_by.row(pair.other)) {
      const double weight = ranked_by.model.signal.WeightOf(pair.pair);
      served.items.push_back(pair.other);
      served.neighbors.push_back({row, static_cast<float>(weight * share)});
    }
  };
  // No order is needed. Longer rows of the active model come here with a context, or only to be
  // explained (as_stored); a replaced model has no stored vector, so its rows are cut to the
  // newest.
  if (recency == 1 && (replaced == nullptr || pairs.size() <= kServedPairsMax)) {
    for (const RowPair& pair : pairs) {
      add(pair, 1);
    }
    return served;
  }
  std::vector<const RowPair*> newest;
  newest.reserve(pairs.size());
  for (const RowPair& pair : pairs) {
    newest.push_back(&pair);
  }
  const auto middle =
      newest.begin() + static_cast<std::ptrdiff_t>(std::min(newest.size(), kServedPairsMax));
  const auto newer = [](const RowPair* a, const RowPair* b) {
    return a->pair.last_ms != b->pair.last_ms ? a->pair.last_ms > b->pair.last_ms
                                              : a->other > b->other;
  };
  // Ties in time go by ordinal, so that the same row gives the same vector.
  std::partial_sort(newest.begin(), middle, newest.end(), newer);
  newest.erase(middle, newest.end());
  double share = 1;
  for (const RowPair* pair : newest) {
    add(*pair, share);
    share *= recency;
  }
  return served;
}

// Solves `served` into the query's vector, which holds the solver's start.
void SolveServed(const View& view, const ServedRow& served, Query* query) {
  const ModelView ranked_by = ModelOf(view, query->replaced);
  view.shared().solvers().With([&](RowFolder& folder) {
    folder.Solve({Side::kUser, ranked_by.item_gram, ranked_by.model.solve, ranked_by.model.mean},
                 served.neighbors, query->vector.data());
  });
}

// Returns the event time of what a request brings along: with a half-life, that which counts in
// full.
std::int64_t RequestMs(const View& view) {
  return view.shared().signal_rules().halflife_ms > 0 ? view.state().model().signal.reference_ms
                                                      : view.shared().context().clock.NowMs();
}

}  // namespace

std::vector<std::uint32_t> Ordinals(const View& view, Side side,
                                    std::span<const std::string_view> ids) {
  std::vector<std::uint32_t> ordinals;
  for (const std::string_view id : ids) {
    if (const auto ordinal = view.state().side(side).ids.Find(id)) {
      ordinals.push_back(*ordinal);
    }
  }
  return ordinals;
}

// Solves from the stored pairs, the request's context and the current item vectors; `as_stored`, as
// the last write left it, with fold-in off, for ratings, and for long rows without recency (D5). A
// replaced model has no stored one.
Result<Query> ServingVector(const View& view, std::uint32_t user, const RankingOptions& options,
                            ServedRow* served, const ReplacedModel* replaced) {
  const SideState& users = view.state().users();
  // A rating does not fade.
  const double recency =
      view.shared().rated() ? 1 : options.recency.value_or(view.options().recency);
  Query query;
  query.replaced = replaced;
  std::vector<RowPair> scratch;
  RECO_ASSIGN_OR_RETURN(std::span<const RowPair> pairs, users.rows.Read(user, &scratch));
  query.left_out.reserve(pairs.size() + options.context.size());
  for (const RowPair& pair : pairs) {
    query.left_out.push_back(pair.other);
  }
  // Entries say by this where they come from: true when the vector is not the one that training
  // left. A replaced model's users are always solved.
  query.folded = (users.entities[user].last_seq > view.state().model().trained_at_seq &&
                  view.state().fold_in() != FoldIn::kOff) ||
                 !options.context.empty() || replaced != nullptr;
  // Served as it is, or the start of the solver. A replaced model solves from zero.
  if (replaced == nullptr) {
    const float* stored = users.factors->row(user);
    query.vector.assign(stored, stored + users.factors->stride());
  } else {
    query.vector.assign(users.factors->stride(), 0.0F);
  }
  // Context is in no stored vector, so it is always solved in.
  const bool as_stored = replaced == nullptr && options.context.empty() &&
                         (view.state().fold_in() == FoldIn::kOff || view.shared().rated() ||
                          (recency == 1 && pairs.size() > kServedPairsMax));
  query.mean = ModelOf(view, replaced).model.mean;
  std::vector<RowPair> with_context;
  if (!options.context.empty()) {
    with_context.assign(pairs.begin(), pairs.end());
    // The items that are looked at now count as the user's newest pairs, all of one time.
    const std::int64_t looked_at_ms = std::max(RequestMs(view), users.entities[user].last_ms);
    for (const std::uint32_t item : Ordinals(view, Side::kItem, options.context)) {
      AddEvent(&with_context, item, 1, looked_at_ms, view.shared().signal_rules());
      query.left_out.push_back(item);
    }
    SortUnique(&query.left_out);
    pairs = with_context;
  }
  // No vectors yet: the list will be the popular one (D14), but what was seen is left out of it.
  if (view.state().model().id == 0) {
    return query;
  }
  if (!as_stored || served != nullptr) {
    // A stored vector needs the row too when it is to be explained: the shares are of all its
    // pairs.
    ServedRow row = Serve(view, pairs, as_stored ? 1 : recency, replaced);
    if (!as_stored) {
      SolveServed(view, row, &query);
    }
    if (served != nullptr) {
      *served = std::move(row);
    }
  }
  return query;
}

Result<Query> BasketQuery(const View& view, std::span<const std::string_view> items,
                          std::span<const double> weights, ServedRow* served,
                          const ReplacedModel* replaced) {
  RECO_RETURN_IF_ERROR(CheckBasket(items, weights, view.shared().rated()));
  Query query;
  query.replaced = replaced;
  query.folded = true;
  query.mean = ModelOf(view, replaced).model.mean;
  query.vector.assign(view.state().items().factors->stride(), 0.0F);
  std::vector<RowPair> basket;  // by ordinal, so that the order of the request does not matter
  const std::int64_t looked_at_ms = RequestMs(view);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const auto ordinal = view.state().items().ids.Find(items[i])) {
      // An item named twice counts as two events would.
      AddEvent(&basket, *ordinal, weights.empty() ? 1.0 : weights[i], looked_at_ms,
               view.shared().signal_rules());
    }
  }
  for (const RowPair& pair : basket) {
    query.left_out.push_back(pair.other);
  }
  if (view.state().model().id != 0 && !basket.empty()) {
    // A basket has no order of time, so all of it counts alike.
    ServedRow row = Serve(view, basket, 1, replaced);
    SolveServed(view, row, &query);
    if (served != nullptr) {
      *served = std::move(row);
    }
  }
  return query;
}

Result<Query> UserQuery(const View& view, std::string_view user, const RankingOptions& options,
                        const ReplacedModel* replaced) {
  const auto ordinal = view.state().users().ids.Find(user);
  return ordinal ? ServingVector(view, *ordinal, options, nullptr, replaced)
                 : BasketQuery(view, options.context, {}, nullptr, replaced);
}

Result<Query> GroupQuery(const View& view, std::span<const std::string_view> users,
                         const RankingOptions& options, const ReplacedModel* replaced) {
  std::vector<std::uint32_t> members = Ordinals(view, Side::kUser, users);
  SortUnique(&members);
  if (members.empty()) {
    // Nobody is known: the context speaks for them.
    return BasketQuery(view, options.context, {}, nullptr, replaced);
  }
  Query group;
  group.replaced = replaced;
  std::vector<double> sum(view.state().users().factors->stride());
  std::size_t known = 0;  // members with a vector
  for (const std::uint32_t member : members) {
    RECO_ASSIGN_OR_RETURN(const Query query,
                          ServingVector(view, member, options, nullptr, replaced));
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += query.vector[i];
    }
    // Members without a vector would only draw the mean to zero; their seen items count all the
    // same.
    known += query.usable() ? 1 : 0;
    group.left_out.insert(group.left_out.end(), query.left_out.begin(), query.left_out.end());
    group.folded = group.folded || query.folded;
    group.mean = query.mean;
  }
  SortUnique(&group.left_out);
  for (const double value : sum) {
    group.vector.push_back(static_cast<float>(known > 0 ? value / static_cast<double>(known) : 0));
  }
  return group;
}

Query DirectionQuery(const View& view, Side side, std::vector<std::uint32_t> ordinals,
                     const ReplacedModel* replaced) {
  const model::FactorTable& factors =
      side == Side::kItem ? ModelOf(view, replaced).items : *view.state().users().factors;
  Query query;
  query.replaced = replaced;
  query.metric = index::Metric::kCosine;
  query.left_out = std::move(ordinals);
  SortUnique(&query.left_out);
  std::vector<double> mean(factors.stride());
  for (const std::uint32_t ordinal : query.left_out) {
    if (ordinal >= factors.rows()) {
      continue;  // younger than the replaced model
    }
    const float* row = factors.row(ordinal);
    // Unit vectors give each item the same say, however long its vector is.
    const double norm = ComparedLength(view.shared(), row);
    for (std::uint32_t i = 0; norm > 0 && i < view.shared().compared_dim(); ++i) {
      mean[i] += row[i] / norm;
    }
  }
  SetDirection(mean, &query.vector);
  return query;
}

}  // namespace reco::engine::lists
