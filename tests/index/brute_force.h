// What ItemIndex must answer, by the definition, and random tables to ask it about.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "index/item_index.h"
#include "model/factor_table.h"
#include "model/fold_in.h"

namespace reco::index::testing {

inline double WideDot(const float* a, const float* b, std::uint32_t stride) {
  double sum = 0;
  for (std::uint32_t i = 0; i < stride; ++i) {
    sum += static_cast<double>(a[i]) * b[i];
  }
  return sum;
}

// Scores every accepted ordinal of `indexed` with model::Dot and sorts all of them.
inline std::vector<Candidate> BruteForce(const model::FactorTable& items,
                                         const std::set<std::uint32_t>& indexed,
                                         const SearchRequest& request) {
  constexpr double kMax = std::numeric_limits<float>::max();
  std::vector<Candidate> all;
  for (const std::uint32_t ordinal : indexed) {
    const float* row = items.row(ordinal);
    const float dot = model::Dot(request.query, row, items.stride());
    double score = std::isfinite(dot) ? dot : WideDot(request.query, row, items.stride());
    if (request.metric == Metric::kCosine) {
      const double norm = std::sqrt(WideDot(row, row, items.stride()));
      if (norm == 0) {
        continue;
      }
      score /= norm;
    }
    if (request.accept(ordinal)) {
      all.push_back({ordinal, static_cast<float>(std::clamp(score, -kMax, kMax))});
    }
  }
  std::sort(all.begin(), all.end(), [&](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : request.before(a.ordinal, b.ordinal);
  });
  all.resize(std::min(all.size(), request.k));
  return all;
}

enum class Shape : std::uint8_t {
  kGaussian,  // all alike, the hardest for pruning
  kTrained,   // decaying spectrum, norms over two decades
  kTied,      // few distinct rows, small integers
  kExtreme,   // zeros, subnormal, tiny, huge and ordinary rows together
};

inline float ExtremeScale(std::uint32_t choice) {
  constexpr float kScales[] = {0.0F, 1e-42F, 1e-38F, 1e-20F, 1e-9F, 1.0F,
                               1.0F, 1e12F,  1e19F,  1e30F,  1e38F, 3.4e38F};
  return kScales[choice % std::size(kScales)];
}

// Fills the first dim components of a padded vector.
template <typename Random>
void FillRow(Shape shape, std::uint32_t dim, Random& random, float* row) {
  std::normal_distribution<float> normal(0, 1);
  const float spread = shape == Shape::kTrained ? std::exp(1.2F * normal(random)) / 4
                       : shape == Shape::kExtreme
                           ? ExtremeScale(static_cast<std::uint32_t>(random()))
                           : 1.0F;
  for (std::uint32_t i = 0; i < dim; ++i) {
    switch (shape) {
      case Shape::kGaussian:
        row[i] = normal(random);
        break;
      case Shape::kTrained:
        row[i] = spread * normal(random) / std::sqrt(static_cast<float>(i) + 1);
        break;
      case Shape::kTied:
        row[i] = static_cast<float>(static_cast<int>(random() % 3) - 1);
        break;
      case Shape::kExtreme:
        row[i] = spread * std::clamp(normal(random), -1.0F, 1.0F);
        break;
    }
  }
}

}  // namespace reco::index::testing
