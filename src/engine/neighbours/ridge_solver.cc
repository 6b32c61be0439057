#include "engine/neighbours/ridge_solver.h"

#include <algorithm>
#include <array>

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace reco::engine {
namespace {

constexpr double kDamping = 10;
constexpr double kDampingAPlace = 0.5;
constexpr int kMax = static_cast<int>(kRidgeNeighbours);

}  // namespace

// In units of PairCounts, of the lower triangle. Sized for the most neighbours, so that a solve
// allocates nothing.
struct RidgeSolver::System {
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor, kMax, kMax> matrix;
  Eigen::Matrix<double, Eigen::Dynamic, 1, Eigen::ColMajor, kMax, 1> damping;
  Eigen::Matrix<double, Eigen::Dynamic, 1, Eigen::ColMajor, kMax, 1> weights;
  Eigen::LLT<decltype(matrix)> factor;
};

RidgeSolver::RidgeSolver() : system_(std::make_unique<System>()) {}
RidgeSolver::~RidgeSolver() = default;

void RidgeSolver::Gather(const PairCounts& counts, std::uint32_t item) {
  FindNeighbours(counts, item);
  const auto size = static_cast<Eigen::Index>(neighbours_.size());
  auto& [matrix, damping, weights, factor] = *system_;
  matrix.resize(size, size);
  damping.resize(size);
  weights.resize(size);
  for (Eigen::Index a = 0; a < size; ++a) {
    const Neighbour& neighbour = neighbours_[static_cast<std::size_t>(a)];
    const double places = counts.places(neighbour.item);
    weights[a] = neighbour.count;
    damping[a] = PairCounts::kUnit * (kDamping + kDampingAPlace * places);
    matrix(a, a) = PairCounts::kUnit * places + damping[a];
    const PairCounts::Row& row = counts.row(neighbour.item);
    for (Eigen::Index b = a + 1; b < size; ++b) {
      row.Prefetch(neighbours_[static_cast<std::size_t>(b)].item);
    }
    for (Eigen::Index b = a + 1; b < size; ++b) {
      matrix(b, a) = row.Of(neighbours_[static_cast<std::size_t>(b)].item);
    }
  }
}

std::span<const ItemWeight> RidgeSolver::Solve() {
  row_.clear();
  const auto size = static_cast<Eigen::Index>(neighbours_.size());
  if (size == 0) {
    return row_;
  }
  auto& [matrix, damping, weights, factor] = *system_;
  // Counts cut off at a distance need not be those of any inner product. On the logs that were
  // measured the damping always suffices; where it does not, more of it does.
  for (factor.compute(matrix); factor.info() != Eigen::Success; factor.compute(matrix)) {
    matrix.diagonal() += damping;
    damping *= 2;
  }
  factor.solveInPlace(weights);
  for (Eigen::Index a = 0; a < size; ++a) {
    row_.push_back({neighbours_[static_cast<std::size_t>(a)].item, static_cast<float>(weights[a])});
  }
  return row_;
}

// By item, so that the sums of a solve do not depend on the order of the counters.
void RidgeSolver::FindNeighbours(const PairCounts& counts, std::uint32_t item) {
  neighbours_.clear();
  counts.row(item).ForEach([&](std::uint32_t other, std::uint32_t count) {
    // f_i is the same for all, and the square has the same order.
    const double rank = static_cast<double>(count) * count / counts.places(other);
    neighbours_.push_back({rank, other, count});
  });
  if (neighbours_.size() > kRidgeNeighbours) {
    const auto end = neighbours_.begin() + kRidgeNeighbours;
    std::nth_element(neighbours_.begin(), end, neighbours_.end(),
                     [](const Neighbour& a, const Neighbour& b) {
                       return a.rank != b.rank ? a.rank > b.rank : a.item < b.item;
                     });
    neighbours_.erase(end, neighbours_.end());
  }
  std::sort(neighbours_.begin(), neighbours_.end(),
            [](const Neighbour& a, const Neighbour& b) { return a.item < b.item; });
}

}  // namespace reco::engine
