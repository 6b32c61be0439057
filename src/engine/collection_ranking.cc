// Rankings of a Collection: serving vectors solved on read, exact top-K, explanations.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/collection.h"
#include "model/aligned_vector.h"

namespace reco::engine {
namespace {

// A user's serving vector is solved again at each read from at most so many pairs; without recency
// the vector of a longer row is the one that its last write left.
constexpr std::size_t kServedPairsMax = 256;
constexpr double kRecencyMin = 0.01;

Status CheckOptions(const RankingOptions& options) {
  if (options.count < 1 || options.count > kCountMax) {
    return Status::InvalidArgument("COUNT must be 1 to 10000");
  }
  if (options.offset > 1'000'000) {
    return Status::InvalidArgument("OFFSET must be 0 to 1000000");
  }
  if (options.recency && !(*options.recency >= kRecencyMin && *options.recency <= 1)) {
    return Status::InvalidArgument("RECENCY must be a number from 0.01 to 1");
  }
  const std::size_t longest =
      std::max({options.exclude.size(), options.context.size(),
                options.include ? options.include->size() : std::size_t{0}});
  if (longest > kBasketItemsMax) {
    return Status::InvalidArgument("a list of items may name at most 10000");
  }
  return Status::Ok();
}

bool Contains(std::span<const std::uint32_t> sorted, std::uint32_t value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

void SortUnique(std::vector<std::uint32_t>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

bool AllZero(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return v == 0; });
}

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

}  // namespace

Status CheckRankingOptions(const RankingOptions& options) {
  return CheckOptions(options);
}

// What a list is made from.
struct Collection::Query {
  model::AlignedVector<float> vector;   // padded; all zero: nothing to score with
  std::vector<std::uint32_t> left_out;  // sorted: seen, context or basket items
  index::Metric metric = index::Metric::kInnerProduct;
  double offset = 0;    // what a score is above the inner product: the mean of all ratings
  bool folded = false;  // the vector is not the one that training left

  bool usable() const { return !AllZero(vector); }
};

// The pairs that a vector is solved from.
struct Collection::ServedRow {
  std::vector<std::uint32_t> items;
  std::vector<model::Neighbor> neighbors;  // of the same items
};

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

std::vector<std::uint32_t> Collection::ItemOrdinals(std::span<const std::string_view> items) const {
  std::vector<std::uint32_t> ordinals;
  for (const std::string_view item : items) {
    if (const auto ordinal = state_.items().ids.Find(item)) {
      ordinals.push_back(*ordinal);
    }
  }
  return ordinals;
}

// What a user's serving vector is solved from: with recency 1 all stored pairs, otherwise the
// newest ones, each weighted by recency to the power of its place from the newest, 0.
Collection::ServedRow Collection::Serve(std::span<const RowPair> pairs, double recency) const {
  const model::FactorTable& factors = *state_.items().factors;
  ServedRow served;
  const auto add = [&](const RowPair& pair, double share) NO_THREAD_SAFETY_ANALYSIS {
    const float weight = state_.model().signal.WeightOf(pair.pair);
    served.items.push_back(pair.other);
    served.neighbors.push_back(
        {factors.row(pair.other), static_cast<float>(static_cast<double>(weight) * share)});
  };
  if (recency == 1) {
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
  auto folder = BorrowFolder();
  folder->Solve(state_.TermsOf(Side::kUser), served.neighbors, query->vector.data());
  ReturnFolder(std::move(folder));
}

// The user's vector as of now: solved from the stored pairs, the request's context and the current
// item vectors. `served`, when given, takes what it was solved from.
Result<Collection::Query> Collection::ServingVector(std::uint32_t user,
                                                    const RankingOptions& options,
                                                    ServedRow* served) const {
  const SideState& users = state_.users();
  const double recency = options.recency.value_or(options_.recency);
  Query query;
  std::vector<RowPair> scratch;
  RECO_ASSIGN_OR_RETURN(std::span<const RowPair> pairs, users.rows.Read(user, &scratch));
  query.left_out.reserve(pairs.size() + options.context.size());
  for (const RowPair& pair : pairs) {
    query.left_out.push_back(pair.other);
  }
  query.folded = (users.entities[user].last_seq > state_.model().trained_at_seq &&
                  state_.fold_in() != FoldIn::kOff) ||
                 !options.context.empty();
  const float* stored = users.factors->row(user);
  query.vector.assign(stored, stored + users.factors->stride());
  // A rating does not fade.
  const bool as_stored =
      options.context.empty() && (state_.fold_in() == FoldIn::kOff || explicit_feedback() ||
                                  (recency == 1 && pairs.size() > kServedPairsMax));
  query.offset = state_.model().mean;
  std::vector<RowPair> with_context;
  if (!options.context.empty()) {
    with_context.assign(pairs.begin(), pairs.end());
    const std::int64_t newest_ms = users.entities[user].last_ms;
    for (const std::uint32_t item : ItemOrdinals(options.context)) {
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
    ServedRow row = Serve(pairs, as_stored ? 1 : recency);
    if (!as_stored) {
      SolveServed(row, &query);
    }
    if (served != nullptr) {
      *served = std::move(row);
    }
  }
  return query;
}

Collection::Query Collection::BasketQuery(std::span<const std::string_view> items,
                                          std::span<const double> weights) const {
  Query query;
  query.folded = true;
  query.offset = state_.model().mean;
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
    SolveServed(Serve(basket, 1), &query);
  }
  return query;
}

// The event time of what a request brings along: with a half-life, that which counts in full.
std::int64_t Collection::RequestMs() const {
  return state_.rules().halflife_ms > 0 ? state_.model().signal.reference_ms
                                        : context_.clock.NowMs();
}

// Length of the part of an item's row that is compared: not its bias and constant.
float Collection::LengthOf(const float* row) const {
  float squares = 0;
  for (std::uint32_t i = 0; i < dim_ - (explicit_feedback() ? model::kRatingExtras : 0); ++i) {
    squares += row[i] * row[i];
  }
  return std::sqrt(squares);
}

// The best count + offset items, best first.
std::vector<index::Candidate> Collection::Search(const Query& query, const RankingOptions& options,
                                                 FunctionRef<bool(std::uint32_t)> accept) const {
  const auto before = [this](std::uint32_t a, std::uint32_t b)
                          NO_THREAD_SAFETY_ANALYSIS { return state_.items().ids.Before(a, b); };
  std::vector<index::Candidate> found;
  const bool over_part = explicit_feedback() && query.metric == index::Metric::kCosine;
  if (!options.include && !over_part) {
    state_.index()->Search(
        {query.vector.data(), options.count + options.offset, query.metric, accept, before},
        &found);
    return found;
  }
  const model::FactorTable& factors = *state_.items().factors;
  std::vector<std::uint32_t> candidates;
  if (options.include) {
    candidates = ItemOrdinals(*options.include);
    SortUnique(&candidates);
  } else {
    candidates.resize(state_.items().ids.end());
    std::iota(candidates.begin(), candidates.end(), 0U);
  }
  for (const std::uint32_t item : candidates) {
    const float* row = factors.row(item);
    const float norm = query.metric == index::Metric::kCosine ? LengthOf(row) : 1.0F;
    if (norm > 0 && accept(item)) {
      found.push_back({item, model::Dot(query.vector.data(), row, factors.stride()) / norm});
    }
  }
  const std::size_t end = std::min(found.size(), options.count + options.offset);
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(end), found.end(),
                    [&](const auto& a, const auto& b) {
                      return a.score != b.score ? a.score > b.score : before(a.ordinal, b.ordinal);
                    });
  found.resize(end);
  return found;
}

Ranking Collection::Rank(const Query& query, const RankingOptions& options) const {
  const std::int64_t now_ms = context_.clock.NowMs();
  std::vector<std::uint32_t> left_out = ItemOrdinals(options.exclude);
  if (!options.with_seen) {
    left_out.insert(left_out.end(), query.left_out.begin(), query.left_out.end());
  }
  SortUnique(&left_out);
  const auto accept = [&](std::uint32_t item) NO_THREAD_SAFETY_ANALYSIS {
    return !Contains(left_out, item) && Visible(item, now_ms);
  };
  // An item without a solved row has no rating to predict: inner product 0 would mean "average".
  const auto predictable = [&](std::uint32_t item) NO_THREAD_SAFETY_ANALYSIS {
    return accept(item) &&
           (!explicit_feedback() || state_.items().factors->row(item)[ConstantAt()] != 0);
  };
  if (state_.index() == nullptr || !query.usable()) {
    return query.metric == index::Metric::kCosine
               ? Ranking()  // nothing to compare with: popularity would not be similarity
               : RankPopular(PopularBy::kUsers, options, accept);
  }
  Ranking ranking;
  const std::vector<index::Candidate> found = Search(query, options, predictable);
  const std::uint64_t trained_at = state_.model().trained_at_seq;
  for (std::size_t i = options.offset; i < found.size() && ranking.entries.size() < options.count;
       ++i) {
    const std::uint32_t item = found[i].ordinal;
    const bool folded = query.folded || state_.items().entities[item].last_seq > trained_at;
    ranking.entries.push_back({std::string(state_.items().ids.id(item)),
                               found[i].score + query.offset,
                               folded ? Source::kFoldIn : Source::kModel});
  }
  return ranking;
}

Result<Ranking> Collection::TopK(std::string_view user, const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckOptions(options));
  if (explicit_feedback() && !options.context.empty()) {
    return Status::InvalidArgument("CONTEXT has no ratings; fold rated items in with RECO.SESSION");
  }
  if (explicit_feedback() && options.recency) {
    return Status::InvalidArgument("RECENCY is for implicit feedback: ratings do not fade");
  }
  ReaderLock lock(mutex_);
  const auto ordinal = state_.users().ids.Find(user);
  if (!ordinal) {
    return Rank(BasketQuery(options.context, {}), options);
  }
  RECO_ASSIGN_OR_RETURN(const Query query, ServingVector(*ordinal, options, nullptr));
  return Rank(query, options);
}

Result<Ranking> Collection::Session(std::span<const std::string_view> items,
                                    std::span<const double> weights,
                                    const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckOptions(options));
  if (items.size() > kBasketItemsMax) {
    return Status::InvalidArgument("a basket may name at most 10000 items");
  }
  if (explicit_feedback() && weights.empty() && !items.empty()) {
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
  ReaderLock lock(mutex_);
  return Rank(BasketQuery(items, weights), options);
}

Result<Ranking> Collection::Similar(std::span<const std::string_view> items,
                                    const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckOptions(options));
  if (items.size() > kBasketItemsMax) {
    return Status::InvalidArgument("a list of items may name at most 10000");
  }
  ReaderLock lock(mutex_);
  const model::FactorTable& factors = *state_.items().factors;
  Query query;
  query.metric = index::Metric::kCosine;
  query.left_out = ItemOrdinals(items);
  SortUnique(&query.left_out);
  const std::uint32_t stride = factors.stride();
  std::vector<double> mean(stride);
  for (const std::uint32_t item : query.left_out) {
    const float* row = factors.row(item);
    const double norm = LengthOf(row);
    for (std::uint32_t i = 0; norm > 0 && i < stride; ++i) {
      mean[i] += row[i] / norm;
    }
  }
  if (explicit_feedback()) {
    std::fill(mean.begin() + (dim_ - model::kRatingExtras), mean.end(), 0.0);
  }
  double norm = 0;
  for (const double value : mean) {
    norm += value * value;
  }
  norm = std::sqrt(norm);
  query.vector.assign(stride, 0.0F);
  for (std::uint32_t i = 0; norm > 0 && i < stride; ++i) {
    query.vector[i] = static_cast<float>(mean[i] / norm);
  }
  return Rank(query, options);
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

Result<Explanation> Collection::Explain(std::string_view user, std::string_view item,
                                        std::size_t count) const {
  ReaderLock lock(mutex_);
  const auto user_ordinal = state_.users().ids.Find(user);
  const auto item_ordinal = state_.items().ids.Find(item);
  if (!user_ordinal || !item_ordinal) {
    return Status::NotFound(user_ordinal ? "no such item" : "no such user");
  }
  Explanation explanation;
  if (state_.model().id == 0) {
    return explanation;
  }
  ServedRow served;
  RECO_ASSIGN_OR_RETURN(const Query query, ServingVector(*user_ordinal, {}, &served));
  const model::FactorTable& factors = *state_.items().factors;
  const float* target = factors.row(*item_ordinal);
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
