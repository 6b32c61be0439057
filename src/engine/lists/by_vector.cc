// The lists that a vector ranks. From the inside out: a search (graph, steps, or one by one), the
// list by it or by popularity (ListFor), the page with its filters and rules (Rank), and the loop
// that begins anew when a training takes over (RankUntilCurrent).
#include "engine/lists/by_vector.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/sorted.h"
#include "engine/lists/counted.h"
#include "engine/lists/model_view.h"
#include "engine/lists/scorer.h"
#include "engine/persist/model_reader.h"
#include "index/row_blocks.h"
#include "index/stepped_search.h"

namespace reco::engine::lists {
namespace {

constexpr std::int64_t kLongListUs = 1'000;
constexpr std::int64_t kNewShare = 16;  // of a list's time in their mean
// Entries of a deep list that are scored in one hold: about 0.4 ms.
constexpr std::size_t kListedAStep = 4'096;
// Longer lists are exact: one search of the graph keeps the lock, and looks at as many items.
constexpr std::size_t kGraphCountMax = 10'000;

// Returns the `count` best of `candidates`, each scored by itself, ordered as the index orders
// them.
std::vector<index::Candidate> RankEach(const View& view, const Scorer& scorer, std::size_t count,
                                       AcceptItem accept,
                                       std::span<const std::uint32_t> candidates) {
  std::vector<index::Candidate> found;
  for (const std::uint32_t item : candidates) {
    const std::optional<ScoreParts> parts = scorer.PartsOf(item);
    if (parts && accept(item)) {
      found.push_back({item, parts->product});
    }
  }
  const Dictionary& ids = view.state().items().ids;
  const std::size_t end = std::min(found.size(), count);
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(end), found.end(),
                    [&](const auto& a, const auto& b) {
                      return a.score != b.score ? a.score > b.score
                                                : ids.Before(a.ordinal, b.ordinal);
                    });
  found.resize(end);
  return found;
}

// Searches the graph of neighbours. nullopt when it is not to be asked, or would leave the list
// short.
std::optional<std::vector<index::Candidate>> SearchGraph(const View& view, const Query& query,
                                                         std::size_t count, AcceptItem accept,
                                                         const Among& among) {
  // The graph holds inner products of the active model's items, and no list of single ones.
  if (!query.approximate_ef || query.replaced != nullptr || among.ordinals != nullptr ||
      query.metric != index::Metric::kInnerProduct || count > kGraphCountMax) {
    return std::nullopt;
  }
  // Noted also when there is no graph: asking is what has it built and keeps it
  // (GraphBuild::Wanted).
  view.shared().hints().graph_asked_us.store(view.shared().context().clock.MonotonicUs(),
                                             std::memory_order_relaxed);
  if (!view.state().approximate().answers()) {
    return std::nullopt;
  }
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return view.state().items().ids.Before(a, b);
  };
  index::SearchRequest request{query.vector.data(), count, query.metric, accept, before};
  if (among.filter != nullptr) {
    request.among = among.filter->bound->words();
  }
  std::vector<index::Candidate> found;
  const Status status =
      view.state().approximate().graph->Search(request, *query.approximate_ef, &found);
  // The exact search answers then: the list may be short by right, or because the graph missed
  // items.
  if (!status.ok() || found.size() < count) {
    return std::nullopt;
  }
  return found;
}

// Returns the best `count` of the query's items that have parts, of those that are accepted and
// among these, in no order.
std::vector<ScoredItem> BestOfParted(const View& view, const Query& query, std::size_t count,
                                     AcceptItem accept, const Among& among) {
  const Scorer scorer(view, Side::kItem, query);
  const index::RowBlocks& rows = ModelOf(view, query.replaced).index->blocks();
  const Dictionary& ids = view.state().items().ids;
  const auto before = [&ids](const ScoredItem& a, const ScoredItem& b) {
    return a.score != b.score ? a.score > b.score : ids.Before(a.item, b.item);
  };
  std::vector<ScoredItem> best;  // a heap, the worst in front
  if (count == 0) {
    return best;
  }
  for (const ItemPart& part : query.parts) {
    if (!rows.Contains(part.item) ||
        (among.ordinals != nullptr && !Contains(*among.ordinals, part.item))) {
      continue;
    }
    const ScoredItem scored{part.item, scorer.WithPart(part).value_or(0),
                            scorer.SourceOf(part.item)};
    // Filters and rules are asked last, and only of what would be in the list.
    if ((best.size() == count && !before(scored, best.front())) || !accept(part.item)) {
      continue;
    }
    best.push_back(scored);
    std::ranges::push_heap(best, before);
    if (best.size() > count) {
      std::ranges::pop_heap(best, before);
      best.pop_back();
    }
  }
  return best;
}

// MAY GIVE THE LOCK BACK. Returns the best items by the query's vector, and its parts.
std::vector<ScoredItem> ListByVector(ReadView& view, Query& query, std::size_t count,
                                     AcceptItem accept, const Among& among) {
  const Scorer scorer(view, Side::kItem, query);
  // Cheapest first: most items that reach this are scorable, and `accept` asks filters and rules.
  const auto accepted = [&](std::uint32_t item) { return scorer.Scorable(item) && accept(item); };
  const auto scorable = [&](std::uint32_t item) {
    return accepted(item) && (query.parts.empty() ||
                              !std::ranges::binary_search(query.parts, item, {}, &ItemPart::item));
  };
  std::vector<index::Candidate> found;
  if (view.shared().rated() && query.metric == index::Metric::kCosine) {
    // The index compares whole rows.
    std::vector<std::uint32_t> all;
    if (among.ordinals == nullptr) {
      all.resize(view.state().items().ids.end());
      std::iota(all.begin(), all.end(), 0U);
    }
    found =
        RankEach(view, scorer, count, scorable, among.ordinals != nullptr ? *among.ordinals : all);
  } else if (auto near = SearchGraph(view, query, count, scorable, among)) {
    found = std::move(*near);
  } else {
    found = SearchInSteps(view, query, count, scorable, among);
  }
  std::vector<ScoredItem> list;
  list.reserve(found.size());
  const std::uint32_t model = view.state().model().id;
  // Single items were scored with the lock kept, and after several attempts it is kept throughout.
  const bool yields = among.ordinals == nullptr && query.attempts < Query::kAttemptsInSteps;
  for (const index::Candidate& candidate : found) {
    if (yields && list.size() % kListedAStep == kListedAStep - 1) {
      view.Yield();
      BindAgain(view, Side::kItem, *among.bindings);
      if (query.replaced == nullptr && view.state().model().id != model) {
        query.stale = true;  // what was found is by vectors that are gone
        break;
      }
    }
    // The shown score, from the product that the search has computed: the same bits as Scorer::Of
    // (D32).
    list.push_back({candidate.ordinal, scorer.WithProduct(candidate.ordinal, candidate.score).sum(),
                    scorer.SourceOf(candidate.ordinal)});
  }
  if (query.parts.empty()) {
    return list;
  }
  // Behind the search, which may have let writes through.
  const std::vector<ScoredItem> parted = BestOfParted(view, query, count, accepted, among);
  list.insert(list.end(), parted.begin(), parted.end());
  const Dictionary& ids = view.state().items().ids;
  const auto end = list.begin() + static_cast<std::ptrdiff_t>(std::min(list.size(), count));
  std::partial_sort(list.begin(), end, list.end(), [&](const ScoredItem& a, const ScoredItem& b) {
    return a.score != b.score ? a.score > b.score : ids.Before(a.item, b.item);
  });
  list.erase(end, list.end());
  return list;
}

// MAY GIVE THE LOCK BACK. Returns what a list for `query` is made by: its vector, or popularity
// when there is nothing to score with.
std::vector<ScoredItem> ListFor(ReadView& view, Query& query, std::size_t count, AcceptItem accept,
                                const Among& among) {
  if (Scorer(view, Side::kItem, query).usable()) {
    return ListByVector(view, query, count, accept, among);
  }
  return query.metric == index::Metric::kCosine
             ? std::vector<ScoredItem>()  // popularity would not be similarity
             : ListValues(
                   view,
                   {Side::kItem, view.state().popularity().by(PopularBy::kUsers), Source::kPopular},
                   count, accept, among);
}

Result<Ranking> Rank(ReadView& view, Query& query, const RankingOptions& options) {
  return ItemPage(
      view, options, options.with_seen ? std::vector<std::uint32_t>() : query.left_out,
      [&](std::size_t count, AcceptItem accept, const Among& among) {
        return ListFor(view, query, count, accept, among);
      },
      query.replaced);
}

Status CheckUserOptions(const SharedState& shared, const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckScoreOptions(shared, options));
  return CheckListOptions(options);
}

// MAY GIVE THE LOCK BACK. Ranks by the opposite of the score, so that the least expected come
// first.
Result<Ranking> ListSurprising(ReadView& view, std::string_view user, const RankingOptions& options,
                               const ReplacedModel* replaced) {
  const auto ordinal = view.state().users().ids.Find(user);
  if (!ordinal || view.state().model().id == 0) {
    return Ranking();
  }
  RECO_ASSIGN_OR_RETURN(Query query, ServingVector(view, *ordinal, options, nullptr, replaced));
  // Negated before the search, which ranks the highest first, and back behind it. Vector, mean and
  // parts, since the score is their sum (scorer.h).
  for (float& value : query.vector) {
    value = -value;
  }
  query.mean = -query.mean;
  for (ItemPart& part : query.parts) {
    part.value = -part.value;
  }
  // The items that other lists leave out are the only candidates here.
  const std::vector<std::uint32_t> known = query.left_out;
  const auto lister = [&](std::size_t count, AcceptItem accept, const Among& among) {
    const auto both = [&](std::uint32_t item) {
      return accept(item) && (among.ordinals == nullptr || Contains(*among.ordinals, item));
    };
    return ListByVector(view, query, count, both, {.ordinals = &known});
  };
  RankingOptions opposite = options;
  if (options.min_score) {
    opposite.min_score = -*options.min_score;
  }
  RECO_ASSIGN_OR_RETURN(std::vector<ScoredItem> list,
                        List(view, opposite, {.replaced = replaced}, lister));
  for (ScoredItem& entry : list) {
    entry.score = -entry.score;
  }
  return Page(view, Side::kItem, options, list);
}

}  // namespace

std::vector<index::Candidate> SearchInSteps(ReadView& view, Query& query, std::size_t count,
                                            AcceptItem accept, const Among& among) {
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return view.state().items().ids.Before(a, b);
  };
  index::SearchRequest request{query.vector.data(), count, query.metric, accept, before};
  if (among.ordinals != nullptr) {
    std::vector<index::Candidate> found;
    // These few are scored in one step, with the lock kept.
    ModelOf(view, query.replaced).index->SearchAmong(request, *among.ordinals, &found);
    return found;
  }
  const auto set_among = [&] {
    if (among.filter != nullptr) {
      request.among = among.filter->bound->words();
    }
  };
  set_among();
  // Several trainings have broken off this list by now: the lock is kept, so that it ends (D11).
  if (query.attempts >= Query::kAttemptsInSteps) {
    std::vector<index::Candidate> found;
    ModelOf(view, query.replaced).index->Search(request, &found);
    return found;
  }
  index::SteppedSearch search(*ModelOf(view, query.replaced).index, request);
  auto progress =
      search.Step(*ModelOf(view, query.replaced).index, view.shared().context().scan_step_rows);
  while (progress == index::SteppedSearch::Progress::kMore) {
    view.Yield();
    // Writes may have changed attributes, so filters and the words of one are read anew (D11).
    BindAgain(view, Side::kItem, *among.bindings);
    set_among();
    progress =
        search.Step(*ModelOf(view, query.replaced).index, view.shared().context().scan_step_rows);
  }
  // The index is another model's by now, and what was found is of vectors that are gone.
  query.stale = query.stale || progress == index::SteppedSearch::Progress::kStale;
  return search.result();
}

Result<Ranking> RankUntilCurrent(const SharedState& shared, MakeQuery make_query,
                                 const RankingOptions& options) {
  for (int attempts = 0;; ++attempts) {
    // Comes before the view: it may read from disk, and takes a turn, which needs a thread without
    // views.
    RECO_ASSIGN_OR_RETURN(const auto replaced, persist::ModelFor(shared, options));
    const std::int64_t begin_us = shared.context().clock.MonotonicUs();
    ReadView view(shared);
    // The model was active when it was asked for and is a replaced one now: it is to be read.
    if (persist::ReplacedSince(view, options, replaced.get())) {
      continue;
    }
    RECO_ASSIGN_OR_RETURN(Query query, make_query(view, replaced.get()));
    query.attempts = attempts;
    query.approximate_ef = options.approximate_ef;
    Result<Ranking> ranking = Rank(view, query, options);
    // A moving mean; threads that store at the same time lose one value, which is as good as a
    // hint.
    if (!query.stale) {
      const std::int64_t mean_us = shared.hints().list_us.load(std::memory_order_relaxed);
      const std::int64_t took_us = shared.context().clock.MonotonicUs() - begin_us;
      shared.hints().list_us.store(mean_us + (took_us - mean_us) / kNewShare,
                                   std::memory_order_relaxed);
      return ranking;
    }
  }
}

Result<Ranking> TopK(const SharedState& shared, std::string_view user,
                     const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckUserOptions(shared, options));
  const auto make_query = [&](const View& view, const ReplacedModel* replaced) {
    return UserQuery(view, user, options, replaced);
  };
  return RankUntilCurrent(shared, make_query, options);
}

Result<Ranking> GroupTopK(const SharedState& shared, std::span<const std::string_view> users,
                          const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckUserOptions(shared, options));
  if (users.size() > kGroupUsersMax) {
    return Status::InvalidArgument("a group may name at most 1000 users");
  }
  if (users.size() * options.context.size() > kBasketItemsMax) {
    return Status::InvalidArgument(
        "users times items of CONTEXT may be at most 10000; ask for fewer of either");
  }
  const auto make_query = [&](const View& view, const ReplacedModel* replaced) {
    return GroupQuery(view, users, options, replaced);
  };
  return RankUntilCurrent(shared, make_query, options);
}

Result<Ranking> Session(const SharedState& shared, const Basket& basket,
                        const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckUserOptions(shared, options));
  const auto make_query = [&](const View& view, const ReplacedModel* replaced) {
    return BasketQuery(view, basket, options, nullptr, replaced);
  };
  return RankUntilCurrent(shared, make_query, options);
}

Result<Ranking> Surprising(const SharedState& shared, std::string_view user,
                           const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckUserOptions(shared, options));
  for (;;) {
    RECO_ASSIGN_OR_RETURN(const auto replaced, persist::ModelFor(shared, options));
    ReadView view(shared);
    if (!persist::ReplacedSince(view, options, replaced.get())) {
      return ListSurprising(view, user, options, replaced.get());
    }
  }
}

bool ListsAreLong(const SharedState& shared) {
  return shared.hints().list_us.load(std::memory_order_relaxed) > kLongListUs;
}

}  // namespace reco::engine::lists
