#include "engine/lists/parts.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "base/sorted.h"
#include "engine/lists/counted.h"
#include "engine/lists/model_view.h"
#include "engine/lists/page.h"
#include "engine/lists/query.h"

namespace reco::engine::lists {
namespace {

std::uint32_t UsersOfItem(const View& view, std::uint32_t item) {
  return std::max(1U, view.state().items().entities[item].pairs);
}

}  // namespace

PartFactors FactorsOf(const View& view, const std::optional<Blend>& blend,
                      const ReplacedModel* replaced) {
  if (view.options().neighbours == Neighbours::kOff || !view.state().times_usable()) {
    return {};
  }
  const NeighbourTables* tables = view.state().neighbours().get();
  if (tables == nullptr) {
    return {};
  }
  const Blend by = blend.value_or(Blend());
  const PartScales& scales = ModelOf(view, replaced).model.scales;
  return {by.sessions * scales.sessions,
          view.options().neighbours == Neighbours::kSessions ? 0 : by.ridge * scales.ridge};
}

std::vector<ItemPart> PartsOf(const View& view, const PartProfile& profile) {
  std::vector<ItemPart> parts;
  if (profile.items.empty() || !profile.factors.any()) {
    return parts;
  }
  const NeighbourTables& tables = *view.state().neighbours().get();
  if (profile.factors.sessions > 0) {
    view.shared().session_scores().With([&](SessionScores& scores) {
      parts = scores.Of(tables.sessions(), profile.items, profile.user,
                        [&](std::uint32_t item) { return UsersOfItem(view, item); });
    });
    MultiplyParts(profile.factors.sessions, &parts);
  }
  if (profile.factors.ridge > 0) {
    std::vector<ItemPart> by_ridge;
    view.shared().ridge_scores().With(
        [&](RidgeScores& scores) { by_ridge = scores.Of(tables.rows(), profile.items); });
    MultiplyParts(profile.factors.ridge, &by_ridge);
    parts = SumOfParts(parts, by_ridge);
  }
  return parts;
}

std::vector<double> PartShares(const View& view, const PartProfile& profile, std::uint32_t item) {
  std::vector<double> shares;
  if (profile.items.empty() || !profile.factors.any()) {
    return shares;
  }
  const NeighbourTables& tables = *view.state().neighbours().get();
  shares.resize(profile.items.size());
  const auto add = [&shares](std::span<const double> of, double factor) {
    for (std::size_t i = 0; i < of.size(); ++i) {
      shares[i] += factor * of[i];
    }
  };
  if (profile.factors.sessions > 0) {
    view.shared().session_scores().With([&](SessionScores& scores) {
      add(scores.Shares(tables.sessions(), profile.items, profile.user, item,
                        [&](std::uint32_t other) { return UsersOfItem(view, other); }),
          profile.factors.sessions);
    });
  }
  if (profile.factors.ridge > 0) {
    add(RidgeShares(tables.rows(), profile.items, item), profile.factors.ridge);
  }
  return shares;
}

Result<Ranking> SimilarByNeighbours(const SharedState& shared,
                                    std::span<const std::string_view> items,
                                    const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  if (items.size() > kBasketItemsMax) {
    return Status::InvalidArgument("a list of items may name at most 10000");
  }
  ReadView view(shared);
  std::vector<std::uint32_t> given = Ordinals(view, Side::kItem, items);
  SortUnique(&given);
  RankedValues scores;
  if (const NeighbourTables* tables = view.state().neighbours().get()) {
    std::vector<ProfileItem> profile;
    profile.reserve(given.size());
    for (const std::uint32_t item : given) {
      profile.push_back({item, 1});
    }
    RidgeScores ridge;
    for (const ItemPart& part : ridge.Of(tables->rows(), profile)) {
      scores.Set(part.item, part.value);
    }
  }
  for (const std::uint32_t item : given) {
    scores.Unrank(item);
  }
  return ItemPage(view, options, {}, [&](std::size_t count, AcceptItem accept, const Among& among) {
    return ListValues(view, {Side::kItem, scores, Source::kNeighbours}, count, accept, among);
  });
}

Result<std::vector<ItemNeighbour>> NeighboursOf(const SharedState& shared, std::string_view item,
                                                std::size_t count) {
  const ReadView view(shared);
  const auto ordinal = view.state().items().ids.Find(item);
  if (!ordinal) {
    return Status::NotFound("no such item");
  }
  std::vector<ItemNeighbour> found;
  const NeighbourTables* tables = view.state().neighbours().get();
  if (tables == nullptr) {
    return found;
  }
  for (const ItemWeight& one : tables->rows().row(*ordinal)) {
    const std::string_view id = view.state().items().ids.id(one.item);
    if (!id.empty()) {  // else it is being deleted
      found.push_back({std::string(id), one.weight});
    }
  }
  std::ranges::sort(found, [](const ItemNeighbour& a, const ItemNeighbour& b) {
    const double larger = std::abs(a.weight) - std::abs(b.weight);
    return larger != 0 ? larger > 0 : a.item < b.item;
  });
  found.resize(std::min(found.size(), count));
  return found;
}

}  // namespace reco::engine::lists
