// Lists of a Collection: what is left out, filters, rules and pages, and the lists that a vector
// ranks.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/collection.h"
#include "engine/collection_queries.h"
#include "index/stepped_search.h"

namespace reco::engine {
namespace {

constexpr double kRecencyMin = 0.01;
constexpr std::size_t kPageEndMax = 1'000'000;
// A filter that holds for fewer items than this share of all is ranked item by item.
constexpr double kSmallShare = 0.02;

}  // namespace

Status CheckListOptions(const RankingOptions& options) {
  if (options.count < 1 || options.count > kCountMax) {
    return Status::InvalidArgument("COUNT must be 1 to 10000");
  }
  if (options.offset > kPageEndMax) {
    return Status::InvalidArgument("OFFSET must be 0 to 1000000");
  }
  if (options.recency && !(*options.recency >= kRecencyMin && *options.recency <= 1)) {
    return Status::InvalidArgument("RECENCY must be a number from 0.01 to 1");
  }
  if (!(options.diversity >= 0 && options.diversity <= 1)) {
    return Status::InvalidArgument("DIVERSITY must be a number from 0 to 1");
  }
  if (options.approximate_ef &&
      (*options.approximate_ef < 1 || *options.approximate_ef > kApproximateEfMax)) {
    return Status::InvalidArgument("EF must be 1 to 10000");
  }
  const std::size_t longest =
      std::max({options.exclude.size(), options.context.size(),
                options.include ? options.include->size() : std::size_t{0}});
  if (longest > kBasketItemsMax) {
    return Status::InvalidArgument("a list of ids may name at most 10000");
  }
  return Status::Ok();
}

Status CheckOptionsWithoutModel(const RankingOptions& options) {
  return options.model ? Status::InvalidArgument("this list takes no MODEL: leave it out")
                       : CheckListOptions(options);
}

std::vector<std::uint32_t> Collection::Ordinals(Side side,
                                                std::span<const std::string_view> ids) const {
  std::vector<std::uint32_t> ordinals;
  for (const std::string_view id : ids) {
    if (const auto ordinal = state_.side(side).ids.Find(id)) {
      ordinals.push_back(*ordinal);
    }
  }
  return ordinals;
}

bool Collection::Visible(Side side, std::uint32_t ordinal, std::int64_t now_ms) const {
  const AttributeTable& all = state_.side(side).attributes;
  const Attributes* own = all.empty() ? nullptr : all.Find(ordinal);
  return own == nullptr || (!own->hidden && !own->ExpiredAt(now_ms));
}

// The best offset + count that `lister` finds when nothing that is to be left out is accepted.
// Rules and diversity are for items.
Result<std::vector<ScoredItem>> Collection::List(Side side, const RankingOptions& options,
                                                 std::vector<std::uint32_t> left_out,
                                                 BoundRules rules, Lister lister,
                                                 const ReplacedModel* replaced) const {
  const SideState& own = state_.side(side);
  const std::int64_t now_ms = context_.clock.NowMs();
  const std::vector<std::uint32_t> excluded = Ordinals(side, options.exclude);
  left_out.insert(left_out.end(), excluded.begin(), excluded.end());
  SortUnique(&left_out);
  std::vector<std::uint32_t> included;
  if (options.include) {
    included = Ordinals(side, *options.include);
    SortUnique(&included);
  }
  bool few = options.include.has_value();
  const FilterBinding* filter = nullptr;
  if (!options.filter.empty()) {
    RECO_ASSIGN_OR_RETURN(auto compiled, filter::Filter::Compile(options.filter));
    filter = Bind(side, std::move(compiled), &rules.bindings);
    const auto matches = filter->bound->match_count();
    if (!few && matches && static_cast<double>(*matches) < kSmallShare * own.ids.end()) {
      few = true;
      filter->bound->ForEachMatch([&](std::uint32_t ordinal) {
        included.push_back(ordinal);
        return true;
      });
    }
  }
  const auto accept = [&](std::uint32_t ordinal) NO_THREAD_SAFETY_ANALYSIS {
    return !Contains(left_out, ordinal) && Visible(side, ordinal, now_ms) &&
           (filter == nullptr || filter->bound->Matches(ordinal));
  };
  const auto best = [&](std::size_t count, AcceptItem accepted, const RuleInForce* only) {
    const auto* known = few ? &included : only != nullptr ? only->few : nullptr;
    return lister(count, accepted, Among{known, filter, &rules.bindings});
  };
  const auto before = [&](std::uint32_t a, std::uint32_t b) { return own.ids.Before(a, b); };
  const auto cosine = [&](std::uint32_t a, std::uint32_t b) NO_THREAD_SAFETY_ANALYSIS {
    const ModelView view = View(replaced);
    const float* row_a = view.row(a);
    const float* row_b = view.row(b);
    return row_a != nullptr && row_b != nullptr ? CosineOf(row_a, row_b) : 0;
  };
  return MakeItemList({options.offset + options.count, side == Side::kItem ? options.diversity : 0,
                       rules.rules, accept, before, cosine},
                      best);
}

// The entries of `list` behind the offset.
Ranking Collection::Page(Side side, const RankingOptions& options,
                         std::span<const ScoredItem> list) const {
  const SideState& own = state_.side(side);
  Ranking ranking;
  for (const ScoredItem& item : list.subspan(std::min(options.offset, list.size()))) {
    if (own.ids.id(item.item).empty()) {
      continue;  // deleted since the first of several searches
    }
    Ranking::Entry& entry = ranking.entries.emplace_back();
    entry.id = own.ids.id(item.item);
    entry.score = item.score;
    entry.source = item.source;
    const Attributes* attributes =
        options.with_attributes ? own.attributes.Find(item.item) : nullptr;
    if (attributes != nullptr) {
      entry.attributes = attributes->json;
    }
  }
  return ranking;
}

// A page of items under the rules of now.
Result<Ranking> Collection::ItemPage(const RankingOptions& options,
                                     std::vector<std::uint32_t> left_out, Lister lister,
                                     const ReplacedModel* replaced) const {
  RECO_ASSIGN_OR_RETURN(const auto list, List(Side::kItem, options, std::move(left_out),
                                              RulesInForce(), lister, replaced));
  return Page(Side::kItem, options, list);
}

// Inner product of the parts of two rows that are compared: not their biases and constants.
float Collection::ComparedDot(const float* a, const float* b) const {
  if (!explicit_feedback()) {
    return model::Dot(a, b, model::StrideFor(dim_));
  }
  float sum = 0;
  for (std::uint32_t i = 0; i < ComparedDim(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

float Collection::LengthOf(const float* row) const {
  return std::sqrt(ComparedDot(row, row));
}

double Collection::CosineOf(const float* a, const float* b) const {
  const double lengths = static_cast<double>(LengthOf(a)) * LengthOf(b);
  return lengths > 0 ? ComparedDot(a, b) / lengths : 0;
}

// The `count` best of `candidates`, each scored by itself.
std::vector<index::Candidate> Collection::RankEach(
    Side side, const Query& query, std::size_t count, AcceptItem accept,
    std::span<const std::uint32_t> candidates) const {
  const SideState& own = state_.side(side);
  const ModelView view = View(query.replaced);
  std::vector<index::Candidate> found;
  for (const std::uint32_t ordinal : candidates) {
    const float* row = side == Side::kItem ? view.row(ordinal) : own.factors->row(ordinal);
    if (row == nullptr) {
      continue;
    }
    const float norm = query.metric == index::Metric::kCosine ? LengthOf(row) : 1.0F;
    if (norm > 0 && accept(ordinal)) {
      found.push_back(
          {ordinal, model::Dot(query.vector.data(), row, own.factors->stride()) / norm});
    }
  }
  const std::size_t end = std::min(found.size(), count);
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(end), found.end(),
                    [&](const auto& a, const auto& b) {
                      return a.score != b.score ? a.score > b.score
                                                : own.ids.Before(a.ordinal, b.ordinal);
                    });
  found.resize(end);
  return found;
}

Source Collection::SourceOf(Side side, std::uint32_t ordinal, const Query& query) const {
  return query.folded || state_.side(side).entities[ordinal].last_seq >
                             View(query.replaced).model.trained_at_seq
             ? Source::kFoldIn
             : Source::kModel;
}

// The best items of the index. Between steps it gives the lock back, so that a write never waits
// for a whole scan; what holds then is said in index/stepped_search.h.
std::vector<index::Candidate> Collection::SearchInSteps(const Query& query, std::size_t count,
                                                        AcceptItem accept,
                                                        const Among& among) const {
  const auto before = [this](std::uint32_t a, std::uint32_t b)
                          NO_THREAD_SAFETY_ANALYSIS { return state_.items().ids.Before(a, b); };
  index::SearchRequest request{query.vector.data(), count, query.metric, accept, before};
  if (among.ordinals != nullptr) {
    std::vector<index::Candidate> found;
    View(query.replaced).index->SearchAmong(request, *among.ordinals, &found);
    return found;
  }
  const auto set_among = [&] {
    if (among.filter != nullptr) {
      request.among = among.filter->bound->words();
    }
  };
  set_among();
  if (query.attempts >= Query::kAttemptsInSteps) {
    std::vector<index::Candidate> found;
    View(query.replaced).index->Search(request, &found);
    return found;
  }
  index::SteppedSearch search(*View(query.replaced).index, request);
  auto progress = search.Step(*View(query.replaced).index, context_.scan_step_rows);
  while (progress == index::SteppedSearch::Progress::kMore) {
    mutex_.UnlockShared();
    mutex_.LockShared();
    for (const auto& binding : *among.bindings) {
      BindAgain(Side::kItem, binding.get());
    }
    set_among();
    progress = search.Step(*View(query.replaced).index, context_.scan_step_rows);
  }
  query.stale = query.stale || progress == index::SteppedSearch::Progress::kStale;
  return search.result();
}

// The best items by the query's vector.
std::vector<ScoredItem> Collection::ListByVector(const Query& query, std::size_t count,
                                                 AcceptItem accept, const Among& among) const {
  const SideState& items = state_.items();
  // An item without a solved row has no rating to predict: inner product 0 would mean "average".
  // The index of a replaced model keeps items that were deleted since.
  const auto predictable = [&](std::uint32_t item) NO_THREAD_SAFETY_ANALYSIS {
    return (!explicit_feedback() || View(query.replaced).row(item)[ConstantAt()] != 0) &&
           (query.replaced == nullptr || !items.ids.id(item).empty()) && accept(item);
  };
  std::vector<index::Candidate> found;
  if (explicit_feedback() && query.metric == index::Metric::kCosine) {
    // The index compares whole rows.
    std::vector<std::uint32_t> all;
    if (among.ordinals == nullptr) {
      all.resize(items.ids.end());
      std::iota(all.begin(), all.end(), 0U);
    }
    found = RankEach(Side::kItem, query, count, predictable,
                     among.ordinals != nullptr ? *among.ordinals : all);
  } else if (auto near = SearchGraph(query, count, predictable, among)) {
    found = std::move(*near);
  } else {
    found = SearchInSteps(query, count, predictable, among);
  }
  std::vector<ScoredItem> list;
  list.reserve(found.size());
  for (const index::Candidate& candidate : found) {
    list.push_back({candidate.ordinal, candidate.score + query.offset,
                    SourceOf(Side::kItem, candidate.ordinal, query)});
  }
  return list;
}

// What a list for `query` is made by: its vector, or popularity when there is nothing to score
// with.
std::vector<ScoredItem> Collection::ListFor(const Query& query, std::size_t count,
                                            AcceptItem accept, const Among& among) const {
  if (View(query.replaced).index != nullptr && query.usable()) {
    return ListByVector(query, count, accept, among);
  }
  return query.metric == index::Metric::kCosine
             ? std::vector<ScoredItem>()  // popularity would not be similarity
             : ListValues(Side::kItem, state_.popularity().by(PopularBy::kUsers), Source::kPopular,
                          count, accept, among);
}

Result<Ranking> Collection::Rank(const Query& query, const RankingOptions& options) const {
  return ItemPage(
      options, options.with_seen ? std::vector<std::uint32_t>() : query.left_out,
      [&](std::size_t count, AcceptItem accept, const Among& among)
          NO_THREAD_SAFETY_ANALYSIS { return ListFor(query, count, accept, among); },
      query.replaced);
}

// The list for the query, which is made again when another model takes over in the middle.
Result<Ranking> Collection::RankUntilCurrent(MakeQuery make_query,
                                             const RankingOptions& options) const {
  constexpr std::int64_t kNewShare = 16;
  for (int attempts = 0;; ++attempts) {
    RECO_ASSIGN_OR_RETURN(const auto replaced, ModelFor(options));
    const std::int64_t begin_us = context_.clock.MonotonicUs();
    ReaderLock lock(mutex_);
    if (ReplacedSince(options, replaced.get())) {
      continue;
    }
    RECO_ASSIGN_OR_RETURN(Query query, make_query(replaced.get()));
    query.attempts = attempts;
    query.approximate_ef = options.approximate_ef;
    Result<Ranking> ranking = Rank(query, options);
    if (!query.stale) {
      const std::int64_t mean_us = list_us_.load(std::memory_order_relaxed);
      const std::int64_t took_us = context_.clock.MonotonicUs() - begin_us;
      list_us_.store(mean_us + (took_us - mean_us) / kNewShare, std::memory_order_relaxed);
      return ranking;
    }
  }
}

Status Collection::CheckUserOptions(const RankingOptions& options) const {
  if (explicit_feedback() && !options.context.empty()) {
    return Status::InvalidArgument("CONTEXT has no ratings; fold rated items in with RECO.SESSION");
  }
  if (explicit_feedback() && options.recency) {
    return Status::InvalidArgument("RECENCY is for implicit feedback: ratings do not fade");
  }
  return CheckListOptions(options);
}

// The query of a user, known or not.
Result<Collection::Query> Collection::UserQuery(std::string_view user,
                                                const RankingOptions& options,
                                                const ReplacedModel* replaced) const {
  const auto ordinal = state_.users().ids.Find(user);
  return ordinal ? ServingVector(*ordinal, options, nullptr, replaced)
                 : BasketQuery(options.context, {}, nullptr, replaced);
}

Result<Ranking> Collection::TopK(std::string_view user, const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckUserOptions(options));
  const auto make_query = [&](const ReplacedModel* replaced) NO_THREAD_SAFETY_ANALYSIS {
    return UserQuery(user, options, replaced);
  };
  return RankUntilCurrent(make_query, options);
}

// The mean of the members' vectors, and what any of them has seen.
Result<Collection::Query> Collection::GroupQuery(std::span<const std::string_view> users,
                                                 const RankingOptions& options,
                                                 const ReplacedModel* replaced) const {
  std::vector<std::uint32_t> members = Ordinals(Side::kUser, users);
  SortUnique(&members);
  if (members.empty()) {
    return BasketQuery(options.context, {}, nullptr, replaced);
  }
  Query group;
  group.replaced = replaced;
  std::vector<double> sum(state_.users().factors->stride());
  std::size_t known = 0;  // members with a vector
  for (const std::uint32_t member : members) {
    RECO_ASSIGN_OR_RETURN(const Query query, ServingVector(member, options, nullptr, replaced));
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += query.vector[i];
    }
    known += query.usable() ? 1 : 0;
    group.left_out.insert(group.left_out.end(), query.left_out.begin(), query.left_out.end());
    group.folded = group.folded || query.folded;
    group.offset = query.offset;
  }
  SortUnique(&group.left_out);
  for (const double value : sum) {
    group.vector.push_back(static_cast<float>(known > 0 ? value / static_cast<double>(known) : 0));
  }
  return group;
}

Result<Ranking> Collection::GroupTopK(std::span<const std::string_view> users,
                                      const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckUserOptions(options));
  if (users.size() > kGroupUsersMax) {
    return Status::InvalidArgument("a group may name at most 1000 users");
  }
  if (users.size() * options.context.size() > kBasketItemsMax) {
    return Status::InvalidArgument(
        "users times items of CONTEXT may be at most 10000; ask for fewer of either");
  }
  const auto make_query = [&](const ReplacedModel* replaced) NO_THREAD_SAFETY_ANALYSIS {
    return GroupQuery(users, options, replaced);
  };
  return RankUntilCurrent(make_query, options);
}

Result<Ranking> Collection::Session(std::span<const std::string_view> items,
                                    std::span<const double> weights,
                                    const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckListOptions(options));
  const auto make_query = [&](const ReplacedModel* replaced) NO_THREAD_SAFETY_ANALYSIS {
    return BasketQuery(items, weights, nullptr, replaced);
  };
  return RankUntilCurrent(make_query, options);
}

Result<Ranking> Collection::Surprising(std::string_view user, const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckUserOptions(options));
  for (;;) {
    RECO_ASSIGN_OR_RETURN(const auto replaced, ModelFor(options));
    ReaderLock lock(mutex_);
    if (!ReplacedSince(options, replaced.get())) {
      return ListSurprising(user, options, replaced.get());
    }
  }
}

Result<Ranking> Collection::ListSurprising(std::string_view user, const RankingOptions& options,
                                           const ReplacedModel* replaced) const {
  const auto ordinal = state_.users().ids.Find(user);
  if (!ordinal || state_.model().id == 0) {
    return Ranking();
  }
  RECO_ASSIGN_OR_RETURN(Query query, ServingVector(*ordinal, options, nullptr, replaced));
  // The least expected come first: ranked by the opposite of the score.
  for (float& value : query.vector) {
    value = -value;
  }
  query.offset = -query.offset;
  const std::vector<std::uint32_t> known = query.left_out;
  const auto lister = [&](std::size_t count, AcceptItem accept,
                          const Among& among) NO_THREAD_SAFETY_ANALYSIS {
    const auto both = [&](std::uint32_t item) {
      return accept(item) && (among.ordinals == nullptr || Contains(*among.ordinals, item));
    };
    return ListByVector(query, count, both, {.ordinals = &known});
  };
  RECO_ASSIGN_OR_RETURN(std::vector<ScoredItem> list,
                        List(Side::kItem, options, {}, {}, lister, replaced));
  for (ScoredItem& entry : list) {
    entry.score = -entry.score;
  }
  return Page(Side::kItem, options, list);
}

}  // namespace reco::engine
