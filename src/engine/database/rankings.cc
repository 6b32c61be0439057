// Rankings of the collections of a Database: finding the collection by key and asking it. A missing
// one answers what an empty one would.
#include <string>
#include <utility>

#include "engine/database/database.h"
#include "engine/lists/by_vector.h"
#include "engine/lists/cooccurrence.h"
#include "engine/lists/counted.h"
#include "engine/lists/explain.h"
#include "engine/lists/parts.h"
#include "engine/lists/prepare_filters.h"
#include "engine/lists/similar.h"
#include "engine/lists/why.h"

namespace reco {

using engine::Collection;
namespace lists = engine::lists;

namespace {

// Returns the list of a collection, after what its filters need was made: in steps, and before the
// list takes its view.
template <typename List>
auto Filtered(Side side, const RankingOptions& options, List list) {
  return [side, &options, list](const Collection& found) {
    lists::PrepareFilters(found.shared(), side, options.filter);
    return list(found);
  };
}

}  // namespace

Result<Ranking> Database::TopK(KeyRef key, std::string_view user,
                               const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return lists::TopK(found.shared(), user, options);
      }));
}

Result<Ranking> Database::GroupTopK(KeyRef key, std::span<const std::string_view> users,
                                    const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return lists::GroupTopK(found.shared(), users, options);
      }));
}

Result<Ranking> Database::Session(KeyRef key, const Basket& basket,
                                  const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return lists::Session(found.shared(), basket, options);
      }));
}

Result<Ranking> Database::Similar(KeyRef key, std::span<const std::string_view> items,
                                  SimilarityBasis basis, const RankingOptions& options) const {
  const auto list = [&](const Collection& found) {
    switch (basis) {
      case SimilarityBasis::kCooccurrence:
        return lists::SimilarByCooccurrence(found.shared(), items, options);
      case SimilarityBasis::kNeighbours:
        return lists::SimilarByNeighbours(found.shared(), items, options);
      case SimilarityBasis::kVector:
        break;
    }
    return lists::Similar(found.shared(), items, options);
  };
  return impl_->ReadCollection<Ranking>(key, {}, Filtered(Side::kItem, options, list));
}

Result<Ranking> Database::SimilarUsers(KeyRef key, std::string_view user,
                                       const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kUser, options, [&](const Collection& found) {
        return lists::SimilarUsers(found.shared(), user, options);
      }));
}

Result<Ranking> Database::Surprising(KeyRef key, std::string_view user,
                                     const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return lists::Surprising(found.shared(), user, options);
      }));
}

Result<Ranking> Database::Popular(KeyRef key, PopularBy by, const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return lists::Popular(found.shared(), by, options);
      }));
}

Result<Ranking> Database::PopularWithin(KeyRef key, std::int64_t window_s, PopularBy by,
                                        const RankingOptions& options) const {
  const engine::RecentListName list{engine::RecentListName::Kind::kWindow, window_s};
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return lists::Recent(found.shared(), list, by, options);
      }));
}

Result<Ranking> Database::Trending(KeyRef key, std::int64_t halflife_s,
                                   const RankingOptions& options) const {
  const engine::RecentListName list{engine::RecentListName::Kind::kHalfLife, halflife_s};
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return lists::Recent(found.shared(), list, PopularBy::kWeight, options);
      }));
}

Result<Ranking> Database::Latest(KeyRef key, const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return lists::Latest(found.shared(), options);
      }));
}

Result<Ranking> Database::ActiveUsers(KeyRef key, const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kUser, options, [&](const Collection& found) {
        return lists::ActiveUsers(found.shared(), options);
      }));
}

Result<std::vector<AudienceEntry>> Database::Audience(KeyRef key, std::string_view item,
                                                      const AudienceOptions& options) const {
  return impl_->ReadCollection<std::vector<AudienceEntry>>(key, {}, [&](const Collection& found) {
    return lists::Audience(found.shared(), item, options);
  });
}

Result<std::vector<std::optional<double>>> Database::Score(KeyRef key, std::string_view user,
                                                           std::span<const std::string_view> items,
                                                           const ScoreOptions& options) const {
  return impl_->ReadCollection<std::vector<std::optional<double>>>(
      key, std::vector<std::optional<double>>(items.size()),
      [&](const Collection& found) { return lists::Score(found.shared(), user, items, options); });
}

Result<std::optional<double>> Database::SessionScore(KeyRef key, std::string_view target,
                                                     const Basket& basket,
                                                     const ScoreOptions& options) const {
  return impl_->ReadCollection<std::optional<double>>(key, {}, [&](const Collection& found) {
    return lists::SessionScore(found.shared(), target, basket, options);
  });
}

Result<std::vector<std::optional<double>>> Database::Similarities(
    KeyRef key, std::string_view item, std::span<const std::string_view> others) const {
  return impl_->ReadCollection<std::vector<std::optional<double>>>(
      key, std::vector<std::optional<double>>(others.size()),
      [&](const Collection& found) { return lists::Similarities(found.shared(), item, others); });
}

Result<std::vector<ItemNeighbour>> Database::NeighboursOf(KeyRef key, std::string_view item,
                                                          std::size_t count) const {
  return impl_->ReadCollection<std::vector<ItemNeighbour>>(key, {}, [&](const Collection& found) {
    return lists::NeighboursOf(found.shared(), item, count);
  });
}

Result<std::vector<Representative>> Database::Representatives(KeyRef key) const {
  return impl_->ReadCollection<std::vector<Representative>>(
      key, {}, [&](const Collection& found) { return lists::Representatives(found.shared()); });
}

Result<Explanation> Database::Explain(KeyRef key, std::string_view user, std::string_view item,
                                      std::size_t count, const ScoreOptions& options) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  return collection != nullptr ? lists::Explain(collection->shared(), user, item, count, options)
                               : Status::NotFound("no such collection");
}

Result<Explanation> Database::ExplainSession(KeyRef key, std::string_view target,
                                             const Basket& basket, std::size_t count,
                                             const ScoreOptions& options) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  return collection != nullptr
             ? lists::ExplainSession(collection->shared(), target, basket, count, options)
             : Status::NotFound("no such collection");
}

bool Database::ListsAreLong(KeyRef key) const {
  const Result<bool> answer = impl_->ReadCollection<bool>(
      // A missing collection is quick to list: no reason for another thread.
      key, false,
      [](const Collection& found) -> Result<bool> { return lists::ListsAreLong(found.shared()); });
  return answer.ok() && *answer;
}

bool Database::FiltersAreReady(KeyRef key, Side side, std::string_view filter) const {
  const Result<bool> answer =
      impl_->ReadCollection<bool>(key, true, [&](const Collection& found) -> Result<bool> {
        return lists::FiltersAreReady(found.shared(), side, filter);
      });
  return answer.ok() && *answer;
}

Result<ItemPlace> Database::Why(KeyRef key, std::string_view user, std::string_view item,
                                const ScoreOptions& options) const {
  // RECO.WHY takes no filter, but the rules of now have theirs.
  const RankingOptions rules_only;
  return impl_->ReadCollection<ItemPlace>(
      key, {}, Filtered(Side::kItem, rules_only, [&](const Collection& found) {
        return lists::Why(found.shared(), user, item, options);
      }));
}

}  // namespace reco
