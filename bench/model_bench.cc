// Micro-benchmarks of the model layer: fold-in by row length, the running sums, and training on a
// generated set of 0.8M pairs with power-law popularity.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "model/aligned_vector.h"
#include "model/factor_table.h"
#include "model/fold_in.h"
#include "model/interaction_matrix.h"
#include "model/trainer.h"

namespace reco::model {
namespace {

constexpr std::uint32_t kRows = 4000;

FactorTable RandomTable(std::uint32_t dim) {
  FactorTable table(dim);
  table.Grow(kRows);
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.3F);
  for (std::size_t i = 0; i < table.rows(); ++i) {
    for (std::uint32_t k = 0; k < dim; ++k) {
      table.mutable_row(i)[k] = normal(random) / std::sqrt(1.0F + static_cast<float>(k));
    }
  }
  return table;
}

// One event on a row of n pairs: the newest pair differs from call to call, the rest is warm.
void BM_FoldIn(benchmark::State& state) {
  const auto dim = static_cast<std::uint32_t>(state.range(0));
  const auto count = static_cast<std::size_t>(state.range(1));
  const FactorTable items = RandomTable(dim);
  const Gram gram = GramOf(items);
  FoldInSolver solver(dim);
  std::mt19937 random(2);
  std::vector<Neighbor> neighbors(count);
  for (Neighbor& n : neighbors) {
    n = {items.row(random() % kRows), 1.0F};
  }
  AlignedVector<float> x(items.stride());
  std::size_t at = 0;
  for (auto _ : state) {
    neighbors[at++ % count].factor = items.row(random() % kRows);
    solver.Solve(gram, {}, neighbors, x.data());
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_FoldIn)
    ->ArgNames({"d", "n"})
    ->ArgsProduct({{64, 128}, {1, 3, 10, 30, 100, 128, 200, 1000}});

// The same on a row that keeps its sums.
void BM_FoldInLong(benchmark::State& state) {
  const auto dim = static_cast<std::uint32_t>(state.range(0));
  const FactorTable items = RandomTable(dim);
  const Gram gram = GramOf(items);
  FoldInSolver solver(dim);
  Information information(dim);
  std::mt19937 random(2);
  for (int i = 0; i < 1000; ++i) {
    information.Replace(items.row(random() % kRows), 1, 0, 1);
  }
  AlignedVector<float> x(items.stride());
  std::uint64_t pairs = 1000;
  for (auto _ : state) {
    information.Replace(items.row(random() % kRows), 1, 0, 1);
    solver.SolveLong(gram, {}, information, ++pairs, x.data());
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_FoldInLong)->ArgName("d")->Arg(64)->Arg(128);

void BM_GramUpdate(benchmark::State& state) {
  const FactorTable items = RandomTable(static_cast<std::uint32_t>(state.range(0)));
  Gram gram = GramOf(items);
  std::size_t i = 0;
  for (auto _ : state) {
    gram.Update(items.row(i % kRows), items.row((i + 1) % kRows));
    ++i;
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_GramUpdate)->ArgName("d")->Arg(64)->Arg(128);

// 30,000 users x 41,000 items, about 0.8M pairs: the shape of the public Gowalla check-in split.
// User activity and item popularity follow power laws.
InteractionMatrix PowerLawMatrix() {
  constexpr std::uint32_t kUsers = 30000;
  constexpr std::uint32_t kItems = 41000;
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(1e-9, 1);
  InteractionMatrix matrix;
  matrix.columns_count = kItems;
  std::vector<std::uint32_t> row;
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    const auto length =
        static_cast<std::size_t>(std::min(900.0, 9 / std::pow(uniform(random), 0.67)));
    row.clear();
    for (std::size_t j = 0; j < length; ++j) {
      // A density that falls with the item's rank as rank^-0.6, scattered over the ordinals.
      const auto rank = static_cast<std::uint64_t>(kItems * std::pow(uniform(random), 2.5));
      row.push_back(
          static_cast<std::uint32_t>(std::min<std::uint64_t>(rank, kItems - 1) * 7919 % kItems));
    }
    std::sort(row.begin(), row.end());
    row.erase(std::unique(row.begin(), row.end()), row.end());
    matrix.columns.insert(matrix.columns.end(), row.begin(), row.end());
    matrix.offsets.push_back(matrix.columns.size());
  }
  matrix.weights.assign(matrix.columns.size(), 1.0F);
  return matrix;
}

void BM_Train(benchmark::State& state) {
  const InteractionMatrix by_user = PowerLawMatrix();
  const InteractionMatrix by_item = Transpose(by_user);
  TrainingParams params;
  params.dim = static_cast<std::uint32_t>(state.range(0));
  params.iterations = 6;
  params.threads = static_cast<std::uint32_t>(state.range(1));
  double seconds = 0;
  for (auto _ : state) {
    const auto model = Train(by_user, by_item, params, {});
    seconds += model->seconds_per_iteration;
  }
  state.counters["s_per_iteration"] = seconds / static_cast<double>(state.iterations());
  state.counters["pairs"] = static_cast<double>(by_user.pairs());
}
BENCHMARK(BM_Train)
    ->ArgNames({"d", "threads"})
    ->ArgsProduct({{64, 128}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace reco::model

BENCHMARK_MAIN();
