// Items are searched by the index; users have none, and are scanned (NearestUsers), as are the
// components of all items (Representatives). Both scans let writes through (D11).
#include "engine/lists/similar.h"

#include <algorithm>
#include <optional>
#include <string>

#include "engine/lists/by_vector.h"
#include "engine/lists/model_view.h"
#include "engine/lists/page.h"
#include "engine/lists/query.h"
#include "engine/lists/row_scan.h"
#include "engine/lists/scorer.h"
#include "index/query_search.h"
#include "index/stepped_search.h"

namespace reco::engine::lists {
namespace {

using Largest = std::optional<index::Candidate>;  // of one component; nullopt: none yet

// MAY GIVE THE LOCK BACK. Returns the `count` users nearest to the query. What holds when they
// change between steps is what index/stepped_search.h says of items.
std::vector<index::Candidate> NearestUsers(ReadView& view, Query& query, std::size_t count,
                                           AcceptItem accept, const Among& among) {
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return view.state().users().ids.Before(a, b);
  };
  const Scorer scorer(view, Side::kUser, query);
  const auto cosine = [&](std::uint32_t user) -> std::optional<float> {
    const std::optional<ScoreParts> parts = scorer.PartsOf(user);
    return parts ? std::optional(parts->product) : std::nullopt;
  };
  const index::SearchRequest request{query.vector.data(), count, query.metric, accept, before};
  std::vector<index::Candidate> found;
  // Some more than are asked for, in place of those that turn out to have fallen meanwhile.
  index::BestList best(request, count + index::SteppedSearch::kReserve, &found);
  const auto visit = [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; ++at) {
      const auto user =
          among.ordinals != nullptr ? (*among.ordinals)[at] : static_cast<std::uint32_t>(at);
      if (const auto score = cosine(user)) {
        best.Offer({user, *score});
      }
    }
  };
  const auto end = [&]() -> std::size_t {
    return among.ordinals != nullptr ? among.ordinals->size() : view.state().users().ids.end();
  };
  for (std::uint32_t pass = 1;; ++pass) {
    const bool in_steps =
        query.attempts < Query::kAttemptsInSteps && pass < index::SteppedSearch::kPassesMax;
    RowScan scan{Side::kUser, among.bindings, in_steps};
    query.stale = !VisitRows(view, &scan, end, visit);
    // Settle scores what was found anew. False: so many fell that others may stand above them.
    if (query.stale || !scan.interrupted || best.Settle(count, cosine)) {
      break;
    }
    // The next pass meets users again that are in the list already.
    best.ExpectRepeats();
    best.Reopen();
  }
  best.Sort();
  found.resize(std::min(found.size(), count));
  return found;
}

// Takes into `largest` the largest component of each feature among items [begin, end).
void TakeLargest(const View& view, std::size_t begin, std::size_t end, std::int64_t now_ms,
                 std::span<Largest> largest) {
  const SideState& items = view.state().items();
  for (auto item = static_cast<std::uint32_t>(begin); item < end; ++item) {
    if (items.ids.id(item).empty() || !Visible(view, Side::kItem, item, now_ms)) {
      continue;
    }
    const float* row = items.factors->row(item);
    for (std::size_t i = 0; i < largest.size(); ++i) {
      Largest& best = largest[i];
      if (!best || row[i] > best->score ||
          (row[i] == best->score && items.ids.Before(item, best->ordinal))) {
        best = {item, row[i]};
      }
    }
  }
}

// Forgets the items that are gone or whose component has fallen: others may stand above them now.
// Returns true when there are none.
bool ForgetFallen(const View& view, std::int64_t now_ms, std::span<Largest> largest) {
  const SideState& items = view.state().items();
  bool none = true;
  for (std::size_t i = 0; i < largest.size(); ++i) {
    Largest& best = largest[i];
    if (!best) {
      continue;
    }
    const float now = items.factors->row(best->ordinal)[i];
    if (items.ids.id(best->ordinal).empty() || !Visible(view, Side::kItem, best->ordinal, now_ms) ||
        now < best->score) {
      best.reset();
      none = false;
    } else {
      best->score = now;
    }
  }
  return none;
}

}  // namespace

Result<Ranking> Similar(const SharedState& shared, std::span<const std::string_view> items,
                        const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckListOptions(options));
  if (items.size() > kBasketItemsMax) {
    return Status::InvalidArgument("a list of ids may name at most 10000");
  }
  const auto make_query = [&](const View& view, const ReplacedModel* replaced) -> Result<Query> {
    return DirectionQuery(view, Side::kItem, Ordinals(view, Side::kItem, items), replaced);
  };
  return RankUntilCurrent(shared, make_query, options);
}

Result<Ranking> SimilarUsers(const SharedState& shared, std::string_view user,
                             const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  for (int attempts = 0;; ++attempts) {
    ReadView view(shared);
    const auto ordinal = view.state().users().ids.Find(user);
    if (!ordinal) {
      return Ranking();
    }
    Query query = DirectionQuery(view, Side::kUser, {*ordinal});
    query.attempts = attempts;
    if (!query.usable()) {
      return Ranking();
    }
    const auto lister = [&](std::size_t count, AcceptItem accept, const Among& among) {
      const Scorer scorer(view, Side::kUser, query);
      std::vector<ScoredItem> list;
      for (const index::Candidate& found : NearestUsers(view, query, count, accept, among)) {
        list.push_back({found.ordinal, found.score, scorer.SourceOf(found.ordinal)});
      }
      return list;
    };
    const auto list =
        List(view, options, {.side = Side::kUser, .left_out = query.left_out}, lister);
    if (!list.ok()) {
      return list.status();
    }
    if (!query.stale) {
      return Page(view, Side::kUser, options, *list);
    }
  }
}

Result<std::vector<std::optional<double>>> Similarities(const SharedState& shared,
                                                        std::string_view item,
                                                        std::span<const std::string_view> others) {
  std::vector<std::optional<double>> cosines(others.size());
  ReadView view(shared);
  const auto ordinal = view.state().items().ids.Find(item);
  if (!ordinal) {
    return cosines;
  }
  const model::FactorTable& factors = *view.state().items().factors;
  const float* row = factors.row(*ordinal);
  for (std::size_t i = 0; i < others.size(); ++i) {
    const auto other = view.state().items().ids.Find(others[i]);
    if (other && ComparedLength(shared, row) > 0 &&
        ComparedLength(shared, factors.row(*other)) > 0) {
      cosines[i] = Cosine(shared, row, factors.row(*other));
    }
  }
  return cosines;
}

Result<std::vector<Representative>> Representatives(const SharedState& shared) {
  const std::int64_t now_ms = shared.context().clock.NowMs();
  const FilterBindings no_filters;
  std::vector<Largest> largest;
  ReadView view(shared);
  const auto end = [&]() -> std::size_t { return view.state().items().ids.end(); };
  const auto visit = [&](std::size_t first, std::size_t last) {
    TakeLargest(view, first, last, now_ms, largest);
  };
  std::uint32_t pass = 1;
  for (int attempts = 0; view.state().model().id != 0;) {
    largest.resize(shared.compared_dim());
    const bool in_steps =
        attempts < Query::kAttemptsInSteps && pass < index::SteppedSearch::kPassesMax;
    RowScan scan{Side::kItem, &no_filters, in_steps};
    if (!VisitRows(view, &scan, end, visit)) {
      // Another model: its features are others.
      largest.clear();
      pass = 1;
      ++attempts;
    } else if (!scan.interrupted || ForgetFallen(view, now_ms, largest)) {
      break;
    } else {
      // Some were forgotten: the next pass finds what stands there now; the last one keeps the
      // lock.
      ++pass;
    }
  }
  std::vector<Representative> representatives;
  for (const Largest& best : largest) {
    if (best) {
      representatives.push_back(
          {std::string(view.state().items().ids.id(best->ordinal)), best->score});
    }
  }
  return representatives;
}

}  // namespace reco::engine::lists
