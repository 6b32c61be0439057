// Serving vectors of a Collection, solved on read, and what single items score with them.
#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/collection.h"
#include "engine/collection_queries.h"

namespace reco::engine {
namespace {

// A user's serving vector is solved again at each read from at most so many pairs; without recency
// the vector of a longer row is the one that its last write left.
constexpr std::size_t kServedPairsMax = 256;
// Adds an event of `weight` and time `now_ms` with `item`, keeping the order.
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

}  // namespace

std::unique_ptr<RowFolder> Collection::BorrowFolder() const {
  {
    MutexLock lock(folder_mutex_);
    if (!folders_.empty()) {
      auto folder = std::move(folders_.back());
      folders_.pop_back();
      return folder;
    }
  }
  return std::make_unique<RowFolder>(dim_, feedback_);
}

void Collection::ReturnFolder(std::unique_ptr<RowFolder> folder) const {
  MutexLock lock(folder_mutex_);
  folders_.push_back(std::move(folder));
}

// What a user's serving vector is solved from: with recency 1 all stored pairs, otherwise the
// newest ones, each weighted by recency to the power of its place from the newest, 0.
Collection::ServedRow Collection::Serve(std::span<const RowPair> pairs, double recency,
                                        const ReplacedModel* replaced) const {
  const ModelView view = View(replaced);
  ServedRow served;
  const auto add = [&](const RowPair& pair, double share) {
    if (const float* row = view.row(pair.other)) {
      const double weight = view.model.signal.WeightOf(pair.pair);
      served.items.push_back(pair.other);
      served.neighbors.push_back({row, static_cast<float>(weight * share)});
    }
  };
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
  std::partial_sort(newest.begin(), middle, newest.end(), newer);
  newest.erase(middle, newest.end());
  double share = 1;
  for (const RowPair* pair : newest) {
    add(*pair, share);
    share *= recency;
  }
  return served;
}

// Solves `served` into the query's vector.
void Collection::SolveServed(const ServedRow& served, Query* query) const {
  const ModelView view = View(query->replaced);
  auto folder = BorrowFolder();
  folder->Solve({Side::kUser, view.item_gram, view.model.solve, view.model.mean}, served.neighbors,
                query->vector.data());
  ReturnFolder(std::move(folder));
}

// The user's vector as of now: solved from the stored pairs, the request's context and the current
// item vectors, or by a replaced model's, which has no stored one. `served`, when given, takes what
// it was solved from.
Result<Collection::Query> Collection::ServingVector(std::uint32_t user,
                                                    const RankingOptions& options,
                                                    ServedRow* served,
                                                    const ReplacedModel* replaced) const {
  const SideState& users = state_.users();
  // A rating does not fade.
  const double recency = explicit_feedback() ? 1 : options.recency.value_or(options_.recency);
  Query query;
  query.replaced = replaced;
  std::vector<RowPair> scratch;
  RECO_ASSIGN_OR_RETURN(std::span<const RowPair> pairs, users.rows.Read(user, &scratch));
  query.left_out.reserve(pairs.size() + options.context.size());
  for (const RowPair& pair : pairs) {
    query.left_out.push_back(pair.other);
  }
  query.folded = (users.entities[user].last_seq > state_.model().trained_at_seq &&
                  state_.fold_in() != FoldIn::kOff) ||
                 !options.context.empty() || replaced != nullptr;
  if (replaced == nullptr) {
    const float* stored = users.factors->row(user);
    query.vector.assign(stored, stored + users.factors->stride());
  } else {
    query.vector.assign(users.factors->stride(), 0.0F);
  }
  const bool as_stored = replaced == nullptr && options.context.empty() &&
                         (state_.fold_in() == FoldIn::kOff || explicit_feedback() ||
                          (recency == 1 && pairs.size() > kServedPairsMax));
  query.offset = View(replaced).model.mean;
  std::vector<RowPair> with_context;
  if (!options.context.empty()) {
    with_context.assign(pairs.begin(), pairs.end());
    const std::int64_t newest_ms = users.entities[user].last_ms;
    for (const std::uint32_t item : Ordinals(Side::kItem, options.context)) {
      AddEvent(&with_context, item, 1, std::max(RequestMs(), newest_ms), state_.rules());
      query.left_out.push_back(item);
    }
    SortUnique(&query.left_out);
    pairs = with_context;
  }
  if (state_.model().id == 0) {
    return query;
  }
  if (!as_stored || served != nullptr) {
    ServedRow row = Serve(pairs, as_stored ? 1 : recency, replaced);
    if (!as_stored) {
      SolveServed(row, &query);
    }
    if (served != nullptr) {
      *served = std::move(row);
    }
  }
  return query;
}

// What an anonymous basket gives; `weights` empty or one for each item.
Result<Collection::Query> Collection::BasketQuery(std::span<const std::string_view> items,
                                                  std::span<const double> weights,
                                                  ServedRow* served,
                                                  const ReplacedModel* replaced) const {
  RECO_RETURN_IF_ERROR(CheckBasket(items, weights, explicit_feedback()));
  Query query;
  query.replaced = replaced;
  query.folded = true;
  query.offset = View(replaced).model.mean;
  query.vector.assign(state_.items().factors->stride(), 0.0F);
  std::vector<RowPair> basket;  // by ordinal, so that the order of the request does not matter
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const auto ordinal = state_.items().ids.Find(items[i])) {
      AddEvent(&basket, *ordinal, weights.empty() ? 1.0 : weights[i], RequestMs(), state_.rules());
    }
  }
  for (const RowPair& pair : basket) {
    query.left_out.push_back(pair.other);
  }
  if (state_.model().id != 0 && !basket.empty()) {
    ServedRow row = Serve(basket, 1, replaced);
    SolveServed(row, &query);
    if (served != nullptr) {
      *served = std::move(row);
    }
  }
  return query;
}

// The event time of what a request brings along: with a half-life, that which counts in full.
std::int64_t Collection::RequestMs() const {
  return state_.rules().halflife_ms > 0 ? state_.model().signal.reference_ms
                                        : context_.clock.NowMs();
}

// The inner product, or the predicted rating.
double Collection::ScoreOf(const Query& query, const float* item) const {
  return explicit_feedback() ? model::PredictRating(query.offset, query.vector.data(), item,
                                                    dim_ - model::kRatingExtras)
                             : model::Dot(query.vector.data(), item, model::StrideFor(dim_));
}

Result<std::vector<std::optional<double>>> Collection::Score(
    std::string_view user, std::span<const std::string_view> items) const {
  std::vector<std::optional<double>> scores(items.size());
  ReaderLock lock(mutex_);
  const auto ordinal = state_.users().ids.Find(user);
  if (!ordinal || state_.model().id == 0) {
    return scores;
  }
  RECO_ASSIGN_OR_RETURN(const Query query, ServingVector(*ordinal, {}, nullptr));
  const model::FactorTable& factors = *state_.items().factors;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const auto item = state_.items().ids.Find(items[i])) {
      scores[i] = ScoreOf(query, factors.row(*item));
    }
  }
  return scores;
}

Result<std::optional<double>> Collection::SessionScore(std::string_view target,
                                                       std::span<const std::string_view> items,
                                                       std::span<const double> weights) const {
  ReaderLock lock(mutex_);
  RECO_ASSIGN_OR_RETURN(const Query query, BasketQuery(items, weights, nullptr));
  const auto ordinal = state_.items().ids.Find(target);
  const bool basket_known = !query.left_out.empty();
  if (!ordinal || !basket_known || state_.model().id == 0) {
    return std::optional<double>();
  }
  return std::optional<double>(ScoreOf(query, state_.items().factors->row(*ordinal)));
}

Result<Explanation> Collection::Explain(std::string_view user, std::string_view item,
                                        std::size_t count) const {
  ReaderLock lock(mutex_);
  const auto user_ordinal = state_.users().ids.Find(user);
  const auto item_ordinal = state_.items().ids.Find(item);
  if (!user_ordinal || !item_ordinal) {
    return Status::NotFound(user_ordinal ? "no such item" : "no such user");
  }
  if (state_.model().id == 0) {
    return Status::NotFound("nothing has been trained");
  }
  ServedRow served;
  RECO_ASSIGN_OR_RETURN(const Query query, ServingVector(*user_ordinal, {}, &served));
  return ExplainScore(query, served, *item_ordinal, count);
}

Result<Explanation> Collection::ExplainSession(std::string_view target,
                                               std::span<const std::string_view> items,
                                               std::span<const double> weights,
                                               std::size_t count) const {
  ReaderLock lock(mutex_);
  ServedRow served;
  RECO_ASSIGN_OR_RETURN(const Query query, BasketQuery(items, weights, &served));
  const auto ordinal = state_.items().ids.Find(target);
  const bool basket_known = !query.left_out.empty();
  if (!ordinal || !basket_known || state_.model().id == 0) {
    return Status::NotFound(!ordinal        ? "no such item"
                            : !basket_known ? "no item of the basket is known"
                                            : "nothing has been trained");
  }
  return ExplainScore(query, served, *ordinal, count);
}

// The shares of the pairs that the query's vector was solved from in the score of `item`.
Explanation Collection::ExplainScore(const Query& query, const ServedRow& served,
                                     std::uint32_t item, std::size_t count) const {
  Explanation explanation;
  const float* target = state_.items().factors->row(item);
  explanation.score = ScoreOf(query, target);
  std::vector<double> shares(served.items.size());
  auto folder = BorrowFolder();
  folder->Shares(state_.TermsOf(Side::kUser), served.neighbors, target, shares);
  ReturnFolder(std::move(folder));
  explanation.remainder = explanation.score;
  std::vector<std::size_t> order(shares.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    order[i] = i;
    explanation.remainder -= shares[i];
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const double x = std::abs(shares[a]);
    const double y = std::abs(shares[b]);
    return x != y ? x > y : served.items[a] < served.items[b];
  });
  order.resize(std::min(order.size(), count));
  for (const std::size_t i : order) {
    explanation.shares.push_back({std::string(state_.items().ids.id(served.items[i])), shares[i]});
  }
  return explanation;
}

}  // namespace reco::engine
