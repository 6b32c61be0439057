// The model's scorer and the two baselines it is measured against.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "model/evaluation.h"
#include "model/simd.h"

namespace reco::model {

namespace {

// sum over the user's items j of |users of i and j| / |j|: every user of j adds 1 / |j| to each of
// their items. `norms` has |item| as lengths of the columns' vectors.
void SumSharedUsers(const InteractionMatrix& train, const InteractionMatrix& by_item,
                    std::span<const float> norms, std::uint32_t user, std::span<float> scores) {
  for (const std::uint32_t known : train.row_columns(user)) {
    const float share = 1 / norms[known];
    for (const std::uint32_t other : by_item.row_columns(known)) {
      for (const std::uint32_t item : train.row_columns(other)) {
        scores[item] += share;
      }
    }
  }
}

}  // namespace

UserScorer FactorScorer(const FactorTable& users, const FactorTable& items) {
  return [&users, &items](std::uint32_t user, std::span<float> scores) {
    const float* x = users.row(user);
    for (std::size_t item = 0; item < scores.size(); ++item) {
      scores[item] = simd::Dot(x, items.row(item), items.stride());
    }
  };
}

UserScorer PopularityScorer(const InteractionMatrix& train) {
  // std::function copies what it holds, so the counts are shared.
  auto counts = std::make_shared<std::vector<float>>(train.columns_count);
  // A user who dislikes an item makes it no more popular.
  for (std::size_t i = 0; i < train.columns.size(); ++i) {
    (*counts)[train.columns[i]] += train.weights[i] > 0 ? 1 : 0;
  }
  return [counts = std::move(counts)](std::uint32_t /*user*/, std::span<float> scores) {
    std::copy(counts->begin(), counts->end(), scores.begin());
  };
}

UserScorer CosineScorer(const InteractionMatrix& train, const InteractionMatrix& by_item) {
  auto norms = std::make_shared<std::vector<float>>(by_item.rows());
  for (std::size_t item = 0; item < by_item.rows(); ++item) {
    (*norms)[item] = std::sqrt(static_cast<float>(by_item.row_columns(item).size()));
  }
  return [&train, &by_item, norms = std::move(norms)](std::uint32_t user, std::span<float> scores) {
    std::fill(scores.begin(), scores.end(), 0.0F);
    SumSharedUsers(train, by_item, *norms, user, scores);
    for (std::size_t item = 0; item < scores.size(); ++item) {
      // Items without users have no length to divide by.
      if (scores[item] != 0) {
        scores[item] /= (*norms)[item];
      }
    }
  };
}

}  // namespace reco::model
