// What lies near what in a Collection: similar items and users, cosines, representatives.
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/collection.h"
#include "engine/collection_queries.h"

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

Result<Ranking> Collection::SimilarUsers(std::string_view user,
                                         const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckListOptions(options));
  ReaderLock lock(mutex_);
  const auto ordinal = state_.users().ids.Find(user);
  if (!ordinal) {
    return Ranking();
  }
  const Query query = DirectionQuery(Side::kUser, {*ordinal});
  if (!query.usable()) {
    return Ranking();
  }
  std::vector<std::uint32_t> all;
  if (!options.include) {
    all.resize(state_.users().ids.end());
    std::iota(all.begin(), all.end(), 0U);
  }
  const auto lister = [&](std::size_t count, AcceptItem accept,
                          const Among& among) NO_THREAD_SAFETY_ANALYSIS {
    std::vector<ScoredItem> list;
    for (const index::Candidate& found :
         RankEach(Side::kUser, query, count, accept,
                  among.ordinals != nullptr ? *among.ordinals : all)) {
      list.push_back({found.ordinal, found.score, SourceOf(Side::kUser, found.ordinal, query)});
    }
    return list;
  };
  RECO_ASSIGN_OR_RETURN(const auto list, List(Side::kUser, options, query.left_out, {}, lister));
  return Page(Side::kUser, options, list);
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

Result<std::vector<Representative>> Collection::Representatives() const {
  std::vector<Representative> representatives;
  const std::int64_t now_ms = context_.clock.NowMs();
  ReaderLock lock(mutex_);
  if (state_.model().id == 0) {
    return representatives;
  }
  const SideState& items = state_.items();
  std::vector<std::pair<float, std::uint32_t>> largest(ComparedDim(), {0.0F, 0U});
  std::vector<bool> found(ComparedDim());
  for (std::uint32_t item = 0; item < items.ids.end(); ++item) {
    if (items.ids.id(item).empty() || !Visible(Side::kItem, item, now_ms)) {
      continue;
    }
    const float* row = items.factors->row(item);
    for (std::uint32_t i = 0; i < ComparedDim(); ++i) {
      const bool tie = row[i] == largest[i].first;
      if (!found[i] || row[i] > largest[i].first ||
          (tie && items.ids.Before(item, largest[i].second))) {
        largest[i] = {row[i], item};
        found[i] = true;
      }
    }
  }
  for (std::uint32_t i = 0; i < ComparedDim() && found[i]; ++i) {
    representatives.push_back({std::string(items.ids.id(largest[i].second)), largest[i].first});
  }
  return representatives;
}

}  // namespace reco::engine
