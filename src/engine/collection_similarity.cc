// What lies near what in a Collection: similar items and users, cosines, representatives.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "engine/collection.h"
#include "engine/collection_queries.h"
#include "index/query_search.h"
#include "index/stepped_search.h"

namespace reco::engine {
namespace {

// `values` as a query of length 1; all zero when there is no direction.
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

}  // namespace

Collection::Query Collection::DirectionQuery(Side side, std::vector<std::uint32_t> ordinals,
                                             const ReplacedModel* replaced) const {
  const model::FactorTable& factors =
      side == Side::kItem ? View(replaced).items : *state_.users().factors;
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
    const double norm = LengthOf(row);
    for (std::uint32_t i = 0; norm > 0 && i < ComparedDim(); ++i) {
      mean[i] += row[i] / norm;
    }
  }
  SetDirection(mean, &query.vector);
  return query;
}

Result<Ranking> Collection::Similar(std::span<const std::string_view> items,
                                    const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckListOptions(options));
  if (items.size() > kBasketItemsMax) {
    return Status::InvalidArgument("a list of ids may name at most 10000");
  }
  return RankUntilCurrent(
      [&](const ReplacedModel* replaced) NO_THREAD_SAFETY_ANALYSIS -> Result<Query> {
        return DirectionQuery(Side::kItem, Ordinals(Side::kItem, items), replaced);
      },
      options);
}

// Shows positions 0 .. end() - 1 to `visit`, piece by piece. False: another model has taken over
// while the lock was given back, and the rest was not shown.
bool Collection::VisitRows(RowScan* scan, FunctionRef<std::size_t()> end,
                           FunctionRef<void(std::size_t, std::size_t)> visit) const {
  const std::size_t step =
      std::max<std::size_t>(context_.scan_step_rows / index::SteppedSearch::kScoreCost, 1);
  const std::uint32_t model = state_.model().id;
  for (std::size_t begin = 0; begin < end();) {
    if (begin > 0 && scan->in_steps) {
      scan->interrupted = true;
      mutex_.UnlockShared();
      mutex_.LockShared();
      if (state_.model().id != model) {
        return false;
      }
      for (const auto& binding : *scan->bindings) {
        BindAgain(scan->side, binding.get());
      }
    }
    const std::size_t last = scan->in_steps ? std::min(begin + step, end()) : end();
    visit(begin, last);
    begin = last;
  }
  return true;
}

// The `count` users nearest to the query. What holds when they change between steps is what
// index/stepped_search.h says of items.
std::vector<index::Candidate> Collection::NearestUsers(const Query& query, std::size_t count,
                                                       AcceptItem accept,
                                                       const Among& among) const {
  const auto before = [this](std::uint32_t a, std::uint32_t b)
                          NO_THREAD_SAFETY_ANALYSIS { return state_.users().ids.Before(a, b); };
  const auto cosine = [&](std::uint32_t user) NO_THREAD_SAFETY_ANALYSIS -> std::optional<float> {
    const model::FactorTable& factors = *state_.users().factors;
    const float* row = factors.row(user);
    const float norm = LengthOf(row);
    return norm > 0 ? std::optional(model::Dot(query.vector.data(), row, factors.stride()) / norm)
                    : std::nullopt;
  };
  const index::SearchRequest request{query.vector.data(), count, query.metric, accept, before};
  std::vector<index::Candidate> found;
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
  const auto end = [&]() NO_THREAD_SAFETY_ANALYSIS -> std::size_t {
    return among.ordinals != nullptr ? among.ordinals->size() : state_.users().ids.end();
  };
  for (std::uint32_t pass = 1;; ++pass) {
    const bool in_steps =
        query.attempts < Query::kAttemptsInSteps && pass < index::SteppedSearch::kPassesMax;
    RowScan scan{Side::kUser, among.bindings, in_steps};
    query.stale = !VisitRows(&scan, end, visit);
    if (query.stale || !scan.interrupted || best.Settle(count, cosine)) {
      break;
    }
    best.ExpectRepeats();
    best.Reopen();
  }
  best.Sort();
  found.resize(std::min(found.size(), count));
  return found;
}

Result<Ranking> Collection::SimilarUsers(std::string_view user,
                                         const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  for (int attempts = 0;; ++attempts) {
    ReaderLock lock(mutex_);
    const auto ordinal = state_.users().ids.Find(user);
    if (!ordinal) {
      return Ranking();
    }
    Query query = DirectionQuery(Side::kUser, {*ordinal});
    query.attempts = attempts;
    if (!query.usable()) {
      return Ranking();
    }
    const auto lister = [&](std::size_t count, AcceptItem accept,
                            const Among& among) NO_THREAD_SAFETY_ANALYSIS {
      std::vector<ScoredItem> list;
      for (const index::Candidate& found : NearestUsers(query, count, accept, among)) {
        list.push_back({found.ordinal, found.score, SourceOf(Side::kUser, found.ordinal, query)});
      }
      return list;
    };
    const auto list = List(Side::kUser, options, query.left_out, {}, lister);
    if (!list.ok()) {
      return list.status();
    }
    if (!query.stale) {
      return Page(Side::kUser, options, *list);
    }
  }
}

Result<std::vector<std::optional<double>>> Collection::Similarities(
    std::string_view item, std::span<const std::string_view> others) const {
  std::vector<std::optional<double>> cosines(others.size());
  ReaderLock lock(mutex_);
  const auto ordinal = state_.items().ids.Find(item);
  if (!ordinal) {
    return cosines;
  }
  const model::FactorTable& factors = *state_.items().factors;
  const float* row = factors.row(*ordinal);
  for (std::size_t i = 0; i < others.size(); ++i) {
    const auto other = state_.items().ids.Find(others[i]);
    if (other && LengthOf(row) > 0 && LengthOf(factors.row(*other)) > 0) {
      cosines[i] = CosineOf(row, factors.row(*other));
    }
  }
  return cosines;
}

// The largest component of each feature among items [begin, end) and in `largest`.
void Collection::TakeLargest(std::size_t begin, std::size_t end, std::int64_t now_ms,
                             std::span<Largest> largest) const {
  const SideState& items = state_.items();
  for (auto item = static_cast<std::uint32_t>(begin); item < end; ++item) {
    if (items.ids.id(item).empty() || !Visible(Side::kItem, item, now_ms)) {
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
// True when there are none.
bool Collection::ForgetFallen(std::int64_t now_ms, std::span<Largest> largest) const {
  const SideState& items = state_.items();
  bool none = true;
  for (std::size_t i = 0; i < largest.size(); ++i) {
    Largest& best = largest[i];
    if (!best) {
      continue;
    }
    const float now = items.factors->row(best->ordinal)[i];
    if (items.ids.id(best->ordinal).empty() || !Visible(Side::kItem, best->ordinal, now_ms) ||
        now < best->score) {
      best.reset();
      none = false;
    } else {
      best->score = now;
    }
  }
  return none;
}

// In steps. At the end each of them is visible and has its component, and no item that stayed as it
// was all the time has a larger one.
Result<std::vector<Representative>> Collection::Representatives() const {
  const std::int64_t now_ms = context_.clock.NowMs();
  const FilterBindings no_filters;
  std::vector<Largest> largest;
  ReaderLock lock(mutex_);
  const auto end = [this]() NO_THREAD_SAFETY_ANALYSIS -> std::size_t {
    return state_.items().ids.end();
  };
  const auto visit = [&](std::size_t first, std::size_t last)
                         NO_THREAD_SAFETY_ANALYSIS { TakeLargest(first, last, now_ms, largest); };
  std::uint32_t pass = 1;
  for (int attempts = 0; state_.model().id != 0;) {
    largest.resize(ComparedDim());
    const bool in_steps =
        attempts < Query::kAttemptsInSteps && pass < index::SteppedSearch::kPassesMax;
    RowScan scan{Side::kItem, &no_filters, in_steps};
    if (!VisitRows(&scan, end, visit)) {
      largest.clear();
      pass = 1;
      ++attempts;
    } else if (!scan.interrupted || ForgetFallen(now_ms, largest)) {
      break;
    } else {
      ++pass;
    }
  }
  std::vector<Representative> representatives;
  for (const Largest& best : largest) {
    if (best) {
      representatives.push_back({std::string(state_.items().ids.id(best->ordinal)), best->score});
    }
  }
  return representatives;
}

}  // namespace reco::engine
