// How much a part of the score counts beside the vectors: the mean of their best scores over that
// of the part's, for users that a seed chooses.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "model/random.h"

namespace reco::engine::training {

inline constexpr std::size_t kScaleUsersMax = 200;
inline constexpr std::size_t kScaleBest = 20;

// Leaves so many of the users, chosen by the seed.
template <typename User>
void SampleUsers(std::uint64_t seed, std::vector<User>* users) {
  model::SplitMix64 random(seed);
  const std::size_t sampled = std::min(users->size(), kScaleUsersMax);
  for (std::size_t i = 0; i < sampled; ++i) {
    std::swap((*users)[i], (*users)[i + random.Next() % (users->size() - i)]);
  }
  users->resize(sampled);
}

// Returns the mean of the best scores, 0 of none.
inline double MeanOfBest(std::vector<double> scores) {
  const auto end =
      scores.begin() + static_cast<std::ptrdiff_t>(std::min(scores.size(), kScaleBest));
  std::partial_sort(scores.begin(), end, scores.end(), std::greater<>());
  const auto count = static_cast<double>(end - scores.begin());
  return count > 0 ? std::accumulate(scores.begin(), end, 0.0) / count : 0;
}

// Of one part: users who have none of it do not count.
class PartScale {
 public:
  void Add(double best_of_part, double best_by_vectors) {
    if (best_of_part > 0) {
      part_ += best_of_part;
      vectors_ += best_by_vectors;
    }
  }
  double value() const { return part_ > 0 ? std::max(0.0, vectors_ / part_) : 0; }

 private:
  double part_ = 0;
  double vectors_ = 0;
};

}  // namespace reco::engine::training
