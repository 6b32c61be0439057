// Rankings of the collections of a Database: finding the collection by key and asking it. A missing
// one answers what an empty one would.
#include <string>
#include <utility>

#include "engine/database/database.h"

namespace reco {

using engine::Collection;

namespace {

// A list of a collection, after what its filters need was made.
template <typename List>
auto Filtered(Side side, const RankingOptions& options, List list) {
  return [side, &options, list](const Collection& found) {
    found.PrepareFilters(side, options.filter);
    return list(found);
  };
}

}  // namespace

Result<Ranking> Database::TopK(KeyRef key, std::string_view user,
                               const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return found.TopK(user, options);
      }));
}

Result<Ranking> Database::GroupTopK(KeyRef key, std::span<const std::string_view> users,
                                    const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return found.GroupTopK(users, options);
      }));
}

Result<Ranking> Database::Session(KeyRef key, std::span<const std::string_view> items,
                                  std::span<const double> weights,
                                  const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return found.Session(items, weights, options);
      }));
}

Result<Ranking> Database::Similar(KeyRef key, std::span<const std::string_view> items,
                                  SimilarityBasis basis, const RankingOptions& options) const {
  const auto list = [&](const Collection& found) {
    return basis == SimilarityBasis::kCooccurrence ? found.SimilarByCooccurrence(items, options)
                                                   : found.Similar(items, options);
  };
  return impl_->ReadCollection<Ranking>(key, {}, Filtered(Side::kItem, options, list));
}

Result<Ranking> Database::SimilarUsers(KeyRef key, std::string_view user,
                                       const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kUser, options, [&](const Collection& found) {
        return found.SimilarUsers(user, options);
      }));
}

Result<Ranking> Database::Surprising(KeyRef key, std::string_view user,
                                     const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return found.Surprising(user, options);
      }));
}

Result<Ranking> Database::Popular(KeyRef key, PopularBy by, const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return found.Popular(by, options);
      }));
}

Result<Ranking> Database::PopularWithin(KeyRef key, std::int64_t window_s, PopularBy by,
                                        const RankingOptions& options) const {
  const engine::RecentListName list{engine::RecentListName::Kind::kWindow, window_s};
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return found.Recent(list, by, options);
      }));
}

Result<Ranking> Database::Trending(KeyRef key, std::int64_t halflife_s,
                                   const RankingOptions& options) const {
  const engine::RecentListName list{engine::RecentListName::Kind::kHalfLife, halflife_s};
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return found.Recent(list, PopularBy::kWeight, options);
      }));
}

Result<Ranking> Database::Latest(KeyRef key, const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kItem, options, [&](const Collection& found) {
        return found.Latest(options);
      }));
}

Result<Ranking> Database::ActiveUsers(KeyRef key, const RankingOptions& options) const {
  return impl_->ReadCollection<Ranking>(
      key, {}, Filtered(Side::kUser, options, [&](const Collection& found) {
        return found.ActiveUsers(options);
      }));
}

Result<std::vector<AudienceEntry>> Database::Audience(KeyRef key, std::string_view item,
                                                      const AudienceOptions& options) const {
  return impl_->ReadCollection<std::vector<AudienceEntry>>(
      key, {}, [&](const Collection& found) { return found.Audience(item, options); });
}

Result<std::vector<std::optional<double>>> Database::Score(
    KeyRef key, std::string_view user, std::span<const std::string_view> items) const {
  return impl_->ReadCollection<std::vector<std::optional<double>>>(
      key, std::vector<std::optional<double>>(items.size()),
      [&](const Collection& found) { return found.Score(user, items); });
}

Result<std::optional<double>> Database::SessionScore(KeyRef key, std::string_view target,
                                                     std::span<const std::string_view> items,
                                                     std::span<const double> weights) const {
  return impl_->ReadCollection<std::optional<double>>(
      key, {}, [&](const Collection& found) { return found.SessionScore(target, items, weights); });
}

Result<std::vector<std::optional<double>>> Database::Similarities(
    KeyRef key, std::string_view item, std::span<const std::string_view> others) const {
  return impl_->ReadCollection<std::vector<std::optional<double>>>(
      key, std::vector<std::optional<double>>(others.size()),
      [&](const Collection& found) { return found.Similarities(item, others); });
}

Result<std::vector<Representative>> Database::Representatives(KeyRef key) const {
  return impl_->ReadCollection<std::vector<Representative>>(
      key, {}, [&](const Collection& found) { return found.Representatives(); });
}

Result<Explanation> Database::Explain(KeyRef key, std::string_view user, std::string_view item,
                                      std::size_t count) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  return collection != nullptr ? collection->Explain(user, item, count)
                               : Status::NotFound("no such collection");
}

Result<Explanation> Database::ExplainSession(KeyRef key, std::string_view target,
                                             std::span<const std::string_view> items,
                                             std::span<const double> weights,
                                             std::size_t count) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  return collection != nullptr ? collection->ExplainSession(target, items, weights, count)
                               : Status::NotFound("no such collection");
}

bool Database::ListsAreLong(KeyRef key) const {
  const Result<bool> answer = impl_->ReadCollection<bool>(
      key, false, [](const Collection& found) -> Result<bool> { return found.lists_are_long(); });
  return answer.ok() && *answer;
}

bool Database::FiltersAreReady(KeyRef key, Side side, std::string_view filter) const {
  const Result<bool> answer = impl_->ReadCollection<bool>(
      key, true,
      [&](const Collection& found) -> Result<bool> { return found.FiltersAreReady(side, filter); });
  return answer.ok() && *answer;
}

Result<ItemPlace> Database::Why(KeyRef key, std::string_view user, std::string_view item) const {
  const RankingOptions rules_only;
  return impl_->ReadCollection<ItemPlace>(
      key, {}, Filtered(Side::kItem, rules_only, [&](const Collection& found) {
        return found.Why(user, item);
      }));
}

}  // namespace reco
