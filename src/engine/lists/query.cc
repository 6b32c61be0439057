// Vectors solved on read: of users, baskets, groups and directions.
//
// Two recencies meet here. A vector that is solved weighs the newest pairs by their time (D20,
// D52). One that is served as stored was solved by the last write or training, from all pairs
// alike: the pairs that explain it are weighed alike, whatever the collection's recency.
#include "engine/lists/query.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/sorted.h"
#include "engine/lists/model_view.h"
#include "engine/neighbours/item_sums.h"
#include "engine/rows/recency.h"

namespace reco::engine::lists {
namespace {

// How the pairs that a vector is solved from count by their time. A user's is solved again at each
// read from at most kServedPairsMax pairs; without recency the vector of a longer row is the one
// that its last write left, but with a context it is solved from all.
struct Moment {
  Recency recency;
  std::optional<std::int64_t> now_ms = {};        // of the request
  std::optional<Blend> blend = {};                // likewise
  std::span<const std::uint32_t> looked_at = {};  // sorted; of now, whatever their pairs say
};
// All pairs alike.
constexpr double kAlike = 1;

// Adds an event with `item`, keeping the order. As the log would add it up, so that a context item
// that was bought before weighs as a purchase of now.
void AddEvent(std::vector<RowPair>* pairs, std::uint32_t item, double weight, std::int64_t time_ms,
              std::int64_t arrival_ms, const SignalRules& rules) {
  format::Event event;
  event.weight = weight;
  event.time_ms = time_ms;
  event.arrival_ms = arrival_ms;
  const std::size_t at = LowerBound(*pairs, item);
  if (at < pairs->size() && (*pairs)[at].other == item) {
    (*pairs)[at].pair = Accumulate(&(*pairs)[at].pair, event, rules);
  } else {
    pairs->insert(pairs->begin() + static_cast<std::ptrdiff_t>(at),
                  RowPair{item, Accumulate(nullptr, event, rules)});
  }
}

Status CheckBasket(const Basket& basket, bool explicit_feedback) {
  if (basket.items.size() > kBasketItemsMax) {
    return Status::InvalidArgument("a basket may name at most 10000 items");
  }
  if (explicit_feedback && basket.weights.empty() && !basket.items.empty()) {
    return Status::InvalidArgument("a session of ratings needs them: add WEIGHTS");
  }
  if (!basket.weights.empty() && basket.weights.size() != basket.items.size()) {
    return Status::InvalidArgument("WEIGHTS needs one weight for each item");
  }
  for (const double weight : basket.weights) {
    if (!std::isfinite(weight) || std::abs(weight) > kWeightMax) {
      return Status::InvalidArgument("a weight must be finite and between -1000000 and 1000000");
    }
  }
  if (!basket.times_ms.empty() && basket.times_ms.size() != basket.items.size()) {
    return Status::InvalidArgument("TIMES needs one time for each item");
  }
  for (const std::int64_t time_ms : basket.times_ms) {
    if (time_ms < 0 || time_ms > kTimeMsMax) {
      return Status::InvalidArgument("a time must be in milliseconds from 0 to 253402300799999");
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

// Returns when the pair was last added to: one from later than now is as one of now, since the
// clock was ahead when it was written (D50).
std::int64_t LastMs(const RowPair& pair, std::int64_t now_ms) {
  return std::min(pair.pair.last_ms, now_ms);
}

// The newest pairs of a row, newest first, those that are looked at in front, and how much each
// counts: as of the request's moment or of now; but a log that stands still keeps the shares of its
// last moment.
struct TimedRow {
  std::vector<TimedItem> newest;
  std::vector<double> shares;
};

TimedRow ByTime(const View& view, std::span<const RowPair> pairs, const Moment& moment,
                std::int64_t clock_ms) {
  TimedRow row;
  row.newest.reserve(pairs.size());
  for (const RowPair& pair : pairs) {
    const bool looked_at = Contains(moment.looked_at, pair.other);
    row.newest.push_back({pair.other, looked_at ? std::numeric_limits<std::int64_t>::max()
                                                : LastMs(pair, clock_ms)});
  }
  KeepNewest(&row.newest, kServedPairsMax);
  const auto stored = std::span<const TimedItem>(row.newest)
                          .subspan(std::min(row.newest.size(), moment.looked_at.size()));
  const double pace_ms = PaceMs(stored);
  std::int64_t now_ms = moment.now_ms.value_or(clock_ms);
  if (!moment.now_ms && !stored.empty()) {
    const std::int64_t newest_ms = std::max(view.state().newest_ms(), stored.front().time_ms);
    now_ms = std::min(now_ms, newest_ms + static_cast<std::int64_t>(pace_ms));
  }
  row.shares = SharesByTime(row.newest, moment.recency, now_ms, pace_ms);
  return row;
}

// Returns what a list is made from: the pairs of the vector, with a recency of 1 or `as_stored` all
// of them, otherwise the newest ones, each with its share; and the profile of the parts.
ServedRow Serve(const View& view, std::span<const RowPair> pairs, const Moment& moment,
                const ReplacedModel* replaced, bool as_stored = false) {
  const ModelView ranked_by = ModelOf(view, replaced);
  const std::int64_t now_ms = view.shared().context().clock.NowMs();
  ServedRow served;
  // An item that is being deleted has no say, though not all rows have lost their pair with it yet.
  const bool some_go = view.state().unfinished();
  const auto add = [&](const RowPair& pair, double share) {
    if (some_go && view.state().items().ids.id(pair.other).empty()) {
      return;
    }
    // An item younger than a replaced model has no vector there: the pair says nothing to it.
    if (const float* row = ranked_by.row(pair.other)) {
      format::Pair read = pair.pair;
      read.last_ms = LastMs(pair, now_ms);
      const double weight = ranked_by.model.signal.WeightOf(read);
      served.items.push_back(pair.other);
      served.neighbors.push_back({row, static_cast<float>(weight * share)});
    }
  };
  // No order is needed. Longer rows of the active model come here with a context, or only to be
  // explained (as_stored); a replaced model has no stored vector, so its rows are cut to the
  // newest.
  const bool all_alike = as_stored || (moment.recency.gamma == kAlike &&
                                       (replaced == nullptr || pairs.size() <= kServedPairsMax));
  if (all_alike) {
    for (const RowPair& pair : pairs) {
      add(pair, 1);
    }
  }
  served.profile.factors = FactorsOf(view, moment.blend, replaced);
  const bool has_parts = served.profile.factors.any();
  if (all_alike && !has_parts) {
    return served;
  }
  const TimedRow row = ByTime(view, pairs, moment, now_ms);
  for (std::size_t i = 0; i < row.newest.size(); ++i) {
    const RowPair& pair = pairs[LowerBound(pairs, row.newest[i].item)];
    if (!all_alike && row.shares[i] > 0) {
      add(pair, row.shares[i]);
    }
    const bool goes = some_go && view.state().items().ids.id(pair.other).empty();
    if (has_parts && served.profile.items.size() < kProfileItems && row.shares[i] > 0 &&
        pair.pair.weight > 0 && !goes) {
      served.profile.items.push_back({pair.other, row.shares[i]});
    }
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

// Returns the recency of a list for a user: of the request, or the collection's as far as the times
// of its events say anything.
Recency RecencyOf(const View& view, const std::optional<Recency>& requested) {
  if (view.shared().rated()) {
    return kAlike;  // a rating does not fade
  }
  const Recency recency = requested.value_or(view.options().recency);
  const bool no_times = !requested && recency.by_age() && !view.state().times_usable();
  return no_times ? kRecencyByPlace : recency;
}

bool InBlend(double factor) {
  return factor >= 0 && factor <= kBlendMax;
}

}  // namespace

Status CheckScoreOptions(const SharedState& shared, const ScoreOptions& options) {
  if (shared.rated() && !options.context.empty()) {
    return Status::InvalidArgument("CONTEXT has no ratings; fold rated items in with RECO.SESSION");
  }
  if (shared.rated() && options.recency) {
    return Status::InvalidArgument("RECENCY is for implicit feedback: ratings do not fade");
  }
  if (options.recency && !options.recency->by_age() &&
      !(*options.recency->gamma >= kRecencyMin && *options.recency->gamma <= 1)) {
    return Status::InvalidArgument("RECENCY must be AGE or a number from 0.01 to 1");
  }
  if (options.now_ms && (*options.now_ms < 0 || *options.now_ms > kTimeMsMax)) {
    return Status::InvalidArgument("NOW must be in milliseconds from 0 to 253402300799999");
  }
  if (options.blend && !(InBlend(options.blend->sessions) && InBlend(options.blend->ridge))) {
    return Status::InvalidArgument("BLEND must be numbers from 0 to 1000");
  }
  if (options.context.size() > kBasketItemsMax) {
    return Status::InvalidArgument("a list of ids may name at most 10000");
  }
  return Status::Ok();
}

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
Result<Query> ServingVector(const View& view, std::uint32_t user, const ScoreOptions& options,
                            ServedRow* served, const ReplacedModel* replaced) {
  const SideState& users = view.state().users();
  const Recency recency = RecencyOf(view, options.recency);
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
                          (recency.gamma == kAlike && pairs.size() > kServedPairsMax));
  query.mean = ModelOf(view, replaced).model.mean;
  std::vector<RowPair> with_context;
  std::vector<std::uint32_t> looked_at;
  if (!options.context.empty()) {
    with_context.assign(pairs.begin(), pairs.end());
    // The items that are looked at now count as the user's newest pairs, all of one time.
    const std::int64_t looked_at_ms = std::max(RequestMs(view), users.entities[user].last_ms);
    looked_at = Ordinals(view, Side::kItem, options.context);
    for (const std::uint32_t item : looked_at) {
      AddEvent(&with_context, item, 1, looked_at_ms, looked_at_ms, view.shared().signal_rules());
      query.left_out.push_back(item);
    }
    SortUnique(&query.left_out);
    SortUnique(&looked_at);
    pairs = with_context;
  }
  // No vectors yet: the list will be the popular one (D14), but what was seen is left out of it.
  if (view.state().model().id == 0) {
    return query;
  }
  if (!as_stored || served != nullptr || FactorsOf(view, options.blend, replaced).any()) {
    // A stored vector needs the row too when it is to be explained: the shares are of all its
    // pairs.
    ServedRow row = Serve(view, pairs, {recency, options.now_ms, options.blend, looked_at},
                          replaced, as_stored);
    row.profile.user = user;
    if (!as_stored) {
      SolveServed(view, row, &query);
    }
    query.parts = PartsOf(view, row.profile);
    if (served != nullptr) {
      *served = std::move(row);
    }
  }
  return query;
}

Result<Query> BasketQuery(const View& view, const Basket& basket, const ScoreOptions& options,
                          ServedRow* served, const ReplacedModel* replaced) {
  RECO_RETURN_IF_ERROR(CheckBasket(basket, view.shared().rated()));
  Query query;
  query.replaced = replaced;
  query.folded = true;
  query.mean = ModelOf(view, replaced).model.mean;
  query.vector.assign(view.state().items().factors->stride(), 0.0F);
  std::vector<RowPair> pairs;  // by ordinal, so that the order of the request does not matter
  const std::int64_t looked_at_ms = RequestMs(view);
  for (std::size_t i = 0; i < basket.items.size(); ++i) {
    if (const auto ordinal = view.state().items().ids.Find(basket.items[i])) {
      // An item named twice counts as two events would.
      AddEvent(&pairs, *ordinal, basket.weights.empty() ? 1.0 : basket.weights[i],
               basket.times_ms.empty() ? looked_at_ms : basket.times_ms[i], kTimeMsMax,
               view.shared().signal_rules());
    }
  }
  for (const RowPair& pair : pairs) {
    query.left_out.push_back(pair.other);
  }
  if (view.state().model().id != 0 && !pairs.empty()) {
    // Without times all of it counts alike; with them a basket has what a collection may lack.
    const Recency recency = basket.times_ms.empty() || view.shared().rated()
                                ? Recency(kAlike)
                                : options.recency.value_or(view.options().recency);
    ServedRow row = Serve(view, pairs, {recency, options.now_ms, options.blend}, replaced);
    SolveServed(view, row, &query);
    query.parts = PartsOf(view, row.profile);
    if (served != nullptr) {
      *served = std::move(row);
    }
  }
  return query;
}

Result<Query> UserQuery(const View& view, std::string_view user, const ScoreOptions& options,
                        const ReplacedModel* replaced) {
  const auto ordinal = view.state().users().ids.Find(user);
  return ordinal ? ServingVector(view, *ordinal, options, nullptr, replaced)
                 : BasketQuery(view, {.items = options.context}, options, nullptr, replaced);
}

Result<Query> GroupQuery(const View& view, std::span<const std::string_view> users,
                         const ScoreOptions& options, const ReplacedModel* replaced) {
  std::vector<std::uint32_t> members = Ordinals(view, Side::kUser, users);
  SortUnique(&members);
  if (members.empty()) {
    // Nobody is known: the context speaks for them.
    return BasketQuery(view, {.items = options.context}, options, nullptr, replaced);
  }
  Query group;
  group.replaced = replaced;
  std::vector<double> sum(view.state().users().factors->stride());
  ItemSums parts;
  std::size_t known = 0;  // members with a vector
  for (const std::uint32_t member : members) {
    RECO_ASSIGN_OR_RETURN(const Query query,
                          ServingVector(view, member, options, nullptr, replaced));
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += query.vector[i];
    }
    for (const ItemPart& part : query.parts) {
      parts.Add(part.item, part.value);
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
  parts.TakeOff([&](std::uint32_t item, double value) {
    group.parts.push_back({item, known > 0 ? value / static_cast<double>(known) : 0});
  });
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
