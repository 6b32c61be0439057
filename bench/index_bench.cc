// Retrieval: ItemIndex beside the plain way (Eigen matrix-vector product and nth_element) in the
// same run, one thread, k = 20, d = 64.
//
// Gaussian: independent components, all norms alike, the hardest case. Trained: the variance of
// component i falls as 1/i and norms are log-normal, as those of factors trained on catalogues
// with a few popular items.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include <Eigen/Core>
#include <benchmark/benchmark.h>

#include "index/item_index.h"
#include "model/factor_table.h"

namespace reco::index {
namespace {

constexpr std::uint32_t kDim = 64;
constexpr std::size_t kAnswers = 20;
constexpr std::size_t kQueries = 256;

enum class Shape : std::int64_t { kGaussian = 0, kTrained = 1 };

void FillRow(Shape shape, float spread, std::mt19937_64* random, float* row) {
  std::normal_distribution<float> normal(0, 1);
  const float size = shape == Shape::kTrained ? std::exp(spread * normal(*random)) : 1.0F;
  for (std::uint32_t i = 0; i < kDim; ++i) {
    const float decay = shape == Shape::kTrained ? 1 / std::sqrt(1 + static_cast<float>(i)) : 1.0F;
    row[i] = size * decay * normal(*random);
  }
}

struct Catalogue {
  Catalogue(std::size_t rows, Shape shape) : items(kDim), users(kDim), index(items) {
    std::mt19937_64 random(1);
    items.Allocate(rows);  // as a training does
    users.Allocate(kQueries);
    for (std::size_t i = 0; i < rows; ++i) {
      FillRow(shape, 0.7F, &random, items.mutable_row(i));
    }
    for (std::size_t i = 0; i < kQueries; ++i) {
      FillRow(shape, 0.3F, &random, users.mutable_row(i));
    }
    index.Build(rows, [](std::uint32_t) { return true; });
  }
  model::FactorTable items;
  model::FactorTable users;
  ItemIndex index;
};

// The catalogue of the last call is kept, so that benchmarks on the same one share it.
Catalogue& CatalogueOf(const benchmark::State& state) {
  static std::unique_ptr<Catalogue> catalogue;
  static std::int64_t rows = -1;
  static std::int64_t shape = -1;
  if (rows != state.range(0) || shape != state.range(1)) {
    rows = state.range(0);
    shape = state.range(1);
    catalogue.reset();
    catalogue =
        std::make_unique<Catalogue>(static_cast<std::size_t>(rows), static_cast<Shape>(shape));
  }
  return *catalogue;
}

void SearchIndex(benchmark::State& state, Metric metric, std::uint32_t one_in) {
  const Catalogue& catalogue = CatalogueOf(state);
  std::vector<Candidate> out;
  SearchStats stats;
  SearchStats total;
  const auto accept = [one_in](std::uint32_t i) { return i * 2654435761U / 4096 % one_in == 0; };
  const auto before = [](std::uint32_t a, std::uint32_t b) { return a < b; };
  std::size_t query = 0;
  for (auto _ : state) {
    const float* user = catalogue.users.row(query++ % kQueries);
    catalogue.index.Search({user, kAnswers, metric, accept, before}, &out, &stats);
    benchmark::DoNotOptimize(out.data());
    total.rows_visited += stats.rows_visited;
    total.rows_rescored += stats.rows_rescored;
  }
  const auto count = static_cast<double>(state.iterations());
  state.counters["visited"] = static_cast<double>(total.rows_visited) / count;
  state.counters["rescored"] = static_cast<double>(total.rows_rescored) / count;
}

void SearchEigen(benchmark::State& state) {
  const Catalogue& catalogue = CatalogueOf(state);
  const auto rows = static_cast<Eigen::Index>(catalogue.items.rows());
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> items(rows, kDim);
  for (Eigen::Index i = 0; i < rows; ++i) {
    items.row(i) = Eigen::Map<const Eigen::RowVectorXf>(
        catalogue.items.row(static_cast<std::size_t>(i)), kDim);
  }
  Eigen::VectorXf scores(rows);
  std::vector<std::uint32_t> order(catalogue.items.rows());
  std::size_t query = 0;
  for (auto _ : state) {
    const Eigen::Map<const Eigen::VectorXf> user(catalogue.users.row(query++ % kQueries), kDim);
    scores.noalias() = items * user;
    std::iota(order.begin(), order.end(), 0U);
    const auto better = [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; };
    std::nth_element(order.begin(), order.begin() + kAnswers, order.end(), better);
    std::sort(order.begin(), order.begin() + kAnswers, better);
    benchmark::DoNotOptimize(order.data());
  }
}

void RefreshRow(benchmark::State& state) {
  Catalogue& catalogue = CatalogueOf(state);
  std::mt19937 random(2);
  const auto rows = static_cast<std::uint32_t>(catalogue.items.rows());
  for (auto _ : state) {
    catalogue.index.Refresh(static_cast<std::uint32_t>(random()) % rows);
  }
}

void BuildIndex(benchmark::State& state) {
  const Catalogue& catalogue = CatalogueOf(state);
  for (auto _ : state) {
    ItemIndex index(catalogue.items);
    index.Build(catalogue.items.rows(), [](std::uint32_t) { return true; });
    benchmark::DoNotOptimize(index.size());
  }
}

void RegisterAll() {
  for (const Shape shape : {Shape::kTrained, Shape::kGaussian}) {
    for (const std::int64_t rows : {10'000, 41'000, 100'000, 1'000'000}) {
      const auto add = [&](const char* name, auto body) {
        benchmark::RegisterBenchmark(name, body)
            ->Args({rows, static_cast<std::int64_t>(shape)})
            ->ArgNames({"items", "gaussian0_trained1"})
            ->Unit(benchmark::kMicrosecond);
      };
      add("search", [](benchmark::State& s) { SearchIndex(s, Metric::kInnerProduct, 1); });
      add("search_accept_1_in_50",
          [](benchmark::State& s) { SearchIndex(s, Metric::kInnerProduct, 50); });
      add("search_cosine", [](benchmark::State& s) { SearchIndex(s, Metric::kCosine, 1); });
      add("eigen_gemv_nth_element", SearchEigen);
      add("refresh", RefreshRow);
      add("build", BuildIndex);
    }
  }
}

}  // namespace
}  // namespace reco::index

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  reco::index::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
