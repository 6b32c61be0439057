#include "engine/neighbours/ridge_scores.h"

namespace reco::engine {
namespace {

// Of two float32, so exact in float64: a compiler that adds it without rounding first (FMA) comes
// to the same bits as one that does not.
double Share(const ProfileItem& own, float weight) {
  return static_cast<double>(static_cast<float>(own.weight)) * static_cast<double>(weight);
}

}  // namespace

std::vector<ItemPart> RidgeScores::Of(const RidgeRows& rows, std::span<const ProfileItem> profile) {
  std::size_t most = 0;
  for (const ProfileItem& own : profile) {
    const std::span<const ItemWeight> with = rows.rows_with(own.item);
    most += with.size();
    for (const ItemWeight& other : with) {
      sums_.Add(other.item, Share(own, other.weight));
    }
  }
  std::vector<ItemPart> parts;
  parts.reserve(most);
  sums_.TakeOff([&parts](std::uint32_t item, double sum) { parts.push_back({item, sum}); });
  return parts;
}

std::vector<double> RidgeShares(const RidgeRows& rows, std::span<const ProfileItem> profile,
                                std::uint32_t target) {
  std::vector<double> shares;
  shares.reserve(profile.size());
  for (const ProfileItem& own : profile) {
    shares.push_back(Share(own, rows.WeightOf(target, own.item)));
  }
  return shares;
}

}  // namespace reco::engine
