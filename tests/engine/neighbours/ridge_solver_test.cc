#include "engine/neighbours/ridge_solver.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using Items = std::vector<std::uint32_t>;
using Row = std::vector<ItemWeight>;

void PutInAll(const Items& history, PairCounts* counts) {
  Items before;
  for (const std::uint32_t item : history) {
    counts->PutIn(item, before, {});
    before.insert(before.begin(), item);
  }
}

std::vector<Items> RandomHistories(std::uint32_t seed, int count, std::uint32_t items) {
  std::mt19937 random(seed);
  std::vector<Items> histories(static_cast<std::size_t>(count));
  for (Items& history : histories) {
    for (std::uint32_t i = 0; i < 5 + random() % 40; ++i) {
      history.push_back(random() % (1 + random() % items));
    }
  }
  return histories;
}

// Solves a x = b by Gauss' elimination with pivots.
std::vector<double> Eliminate(std::vector<std::vector<double>> a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < n; ++i) {
      pivot = std::abs(a[i][k]) > std::abs(a[pivot][k]) ? i : pivot;
    }
    std::swap(a[k], a[pivot]);
    std::swap(b[k], b[pivot]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = a[i][k] / a[k][k];
      for (std::size_t j = k; j < n; ++j) {
        a[i][j] -= factor * a[k][j];
      }
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) {
      b[k] -= a[k][j] * b[j];
    }
    b[k] /= a[k][k];
  }
  return b;
}

// The definition. `more`: times the damping.
Row Reference(const PairCounts& counts, std::uint32_t item, std::uint32_t items, double more = 1) {
  const auto count = [&](std::uint32_t a, std::uint32_t b) { return counts.row(a).Of(b) / 256.0; };
  std::vector<std::pair<double, std::uint32_t>> near;
  for (std::uint32_t other = 0; other < items; ++other) {
    if (count(item, other) > 0) {
      const double places = static_cast<double>(counts.places(item)) * counts.places(other);
      // Rounded, so that what is equal but for the last bits goes by item here, too.
      const double cosine = count(item, other) / std::sqrt(places);
      near.emplace_back(-std::round(cosine * 1e12), other);
    }
  }
  std::sort(near.begin(), near.end());
  near.resize(std::min<std::size_t>(near.size(), 50));
  Items n;
  for (const auto& [cosine, other] : near) {
    n.push_back(other);
  }
  std::sort(n.begin(), n.end());
  std::vector<std::vector<double>> a(n.size(), std::vector<double>(n.size()));
  std::vector<double> b;
  for (std::size_t i = 0; i < n.size(); ++i) {
    for (std::size_t j = 0; j < n.size(); ++j) {
      a[i][j] = count(n[i], n[j]);
    }
    a[i][i] += counts.places(n[i]) + more * (10 + 0.5 * counts.places(n[i]));
    b.push_back(count(item, n[i]));
  }
  const std::vector<double> x = Eliminate(a, b);
  Row row;
  for (std::size_t i = 0; i < n.size(); ++i) {
    row.push_back({n[i], static_cast<float>(x[i])});
  }
  return row;
}

Row Solved(RidgeSolver& solver, const PairCounts& counts, std::uint32_t item) {
  solver.Gather(counts, item);
  const auto row = solver.Solve();
  return {row.begin(), row.end()};
}

void ExpectNear(const Row& found, const Row& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].item, expected[i].item);
    EXPECT_NEAR(found[i].weight, expected[i].weight, 1e-6);
  }
}

TEST(RidgeSolver, AnItemWithoutCountsHasNoWeights) {
  PairCounts counts;
  counts.PutIn(3, {}, {});
  RidgeSolver solver;
  for (const std::uint32_t item : {3U, 1'000'000U}) {
    solver.Gather(counts, item);
    EXPECT_TRUE(solver.Solve().empty());
  }
}

TEST(RidgeSolver, OneNeighbourCountsByItsPlaces) {
  PairCounts counts;
  PutInAll({3, 4}, &counts);
  RidgeSolver solver;
  // 1 / (1 + 10 + .5)
  EXPECT_EQ(Solved(solver, counts, 3), Row({{4, static_cast<float>(1 / 11.5)}}));
}

TEST(RidgeSolver, SolvesTheSystemOfTheNeighbours) {
  constexpr std::uint32_t kItems = 300;
  PairCounts counts;
  for (const Items& history : RandomHistories(1, 300, kItems)) {
    PutInAll(history, &counts);
  }
  RidgeSolver solver;
  std::size_t cut = 0;
  for (std::uint32_t item = 0; item < kItems; ++item) {
    ExpectNear(Solved(solver, counts, item), Reference(counts, item, kItems));
    cut += counts.row(item).size() > 50 ? 1 : 0;
  }
  EXPECT_GT(cut, 100);
}

TEST(RidgeSolver, EquallyNearOnesGoByItem) {
  PairCounts counts;
  for (std::uint32_t other = 100; other > 0; --other) {
    PutInAll({0, other}, &counts);
  }
  RidgeSolver solver;
  const Row row = Solved(solver, counts, 0);
  ASSERT_EQ(row.size(), 50);
  EXPECT_EQ(row.front().item, 1);
  EXPECT_EQ(row.back().item, 50);
}

TEST(RidgeSolver, RowsAreTheSameBitsWhateverCameAndWent) {
  const std::vector<Items> kept = RandomHistories(2, 100, 200);
  const std::vector<Items> gone = RandomHistories(3, 400, 900);
  PairCounts never;
  PairCounts counts;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    PutInAll(gone[i], &counts);
    if (i < kept.size()) {
      PutInAll(kept[kept.size() - 1 - i], &counts);
      PutInAll(kept[i], &never);
    }
  }
  for (const Items& history : gone) {
    for (std::size_t i = 0; i < history.size(); ++i) {
      counts.TakeOut(history[i], {}, std::span(history).subspan(i + 1));
    }
  }
  RidgeSolver solver;
  RidgeSolver other;
  for (std::uint32_t item = 0; item < 200; ++item) {
    EXPECT_EQ(Solved(solver, counts, item), Solved(other, never, item)) << item;
  }
}

// Places that stand near each other but hardly ever alone: without more damping the system has
// negative eigenvalues.
TEST(RidgeSolver, DampsMoreWhereTheCountsAreNoInnerProduct) {
  PairCounts counts;
  Items history;
  for (int i = 0; i < 3'000; ++i) {
    history.push_back(1 + static_cast<std::uint32_t>(i % 2));
  }
  history.push_back(0);
  PutInAll(history, &counts);
  RidgeSolver solver;
  const Row row = Solved(solver, counts, 0);
  const double places = 1'500;
  const double damping = 10 + 0.5 * places;
  const double pair = counts.row(1).Of(2) / 256.0;
  double more = 1;
  while (places + more * damping <= pair) {
    more *= 2;
  }
  EXPECT_GT(more, 1);
  ExpectNear(row, Reference(counts, 0, 3, more));
}

}  // namespace
}  // namespace reco::engine
