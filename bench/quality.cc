// Recall@20 and NDCG@20 of the model and of two baselines on real data, leave-last-out:
//   bench_quality FOLDER [SEEDS]
// FOLDER holds ml-100k/u.data (MovieLens 100K) and online-retail/interactions.csv.gz (UCI Online
// Retail; timestamp_ms,user,item,type,quantity). A set that is absent is named and passed over.
//
// Recipe: distinct pairs of weight 1, purchases only, each at the time of its first line; the
// newest pair of every user is held out. Ties in time go by the order of the file (MovieLens: by
// item), or are shuffled by each seed, which also starts the training.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "index/index_lister.h"
#include "index/item_index.h"
#include "log_lines.h"
#include "model/evaluation.h"
#include "model/trainer.h"

namespace reco::model {
namespace {

constexpr std::uint32_t kCutOff = 20;
constexpr std::uint32_t kThreads = 2;

struct Figures {
  double recall = 0;
  double ndcg = 0;
};

// What the model must reach, and the parameters that it is reached with.
struct Target {
  const char* name;
  SolveParams solve;
  Figures in_order;
  Figures shuffled;
};

// Pairs by (user, item) with the time of the first line of each.
using Pairs = std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t>;

Pairs PairsOf(const std::vector<bench::LogEvent>& events) {
  Pairs pairs;
  for (const bench::LogEvent& event : events) {
    pairs.try_emplace({event.user, event.item}, event.time_ms);
  }
  return pairs;
}

TimedInteractions ToMatrix(const Pairs& pairs) {
  TimedInteractions data;
  InteractionMatrix& matrix = data.matrix;
  for (const auto& [key, ms] : pairs) {
    matrix.offsets.resize(key.first + 1, matrix.columns.size());
    matrix.columns.push_back(key.second);
    matrix.columns_count = std::max<std::size_t>(matrix.columns_count, key.second + 1);
    data.time_ms.push_back(ms);
  }
  matrix.offsets.push_back(matrix.columns.size());
  matrix.weights.assign(matrix.columns.size(), 1.0F);
  return data;
}

Figures Measure(const HoldOut& split, const UserLister& lister) {
  const std::uint32_t cut_offs[] = {kCutOff};
  const auto metrics = EvaluateRanking(split, lister, cut_offs, kThreads, {});
  if (!metrics.ok()) {
    return {};
  }
  return {metrics->front().recall.mean, metrics->front().ndcg.mean};
}

// The lists of the model are asked of an index, as RECO.EVAL does, and of the scores of all items;
// says so when these disagree.
Figures MeasureModel(const HoldOut& split, const TrainedModel& model) {
  index::ItemIndex items(model.items);
  items.Build(split.train.columns_count, [](std::uint32_t) { return true; });
  const Figures figures = Measure(split, index::IndexLister(model.users, items, split.train));
  const Figures scored =
      Measure(split, ScoredLister(split.train, FactorScorer(model.users, model.items)));
  if (figures.recall != scored.recall || figures.ndcg != scored.ndcg) {
    std::printf("  the index disagrees: by the scores of all items %.6f, %.6f\n", scored.recall,
                scored.ndcg);
  }
  return figures;
}

// Mean, least and greatest of what the seeds gave.
void PrintRow(const char* what, const std::vector<Figures>& runs) {
  Figures sum;
  Figures least = runs.front();
  Figures most = runs.front();
  for (const Figures& run : runs) {
    sum = {sum.recall + run.recall, sum.ndcg + run.ndcg};
    least = {std::min(least.recall, run.recall), std::min(least.ndcg, run.ndcg)};
    most = {std::max(most.recall, run.recall), std::max(most.ndcg, run.ndcg)};
  }
  const auto count = static_cast<double>(runs.size());
  std::printf("  %-22s %.4f (%.4f to %.4f)  %.4f (%.4f to %.4f)\n", what, sum.recall / count,
              least.recall, most.recall, sum.ndcg / count, least.ndcg, most.ndcg);
}

void Compare(const Target& target, const TimedInteractions& data, bool shuffled,
             std::uint64_t seeds) {
  std::vector<Figures> model_runs;
  std::vector<Figures> cosine_runs;
  std::vector<Figures> popularity_runs;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const HoldOut split = LeaveLastOut(data, 1, shuffled, seed);
    const InteractionMatrix by_item = Transpose(split.train);
    TrainingParams params;
    params.dim = 64;
    params.solve = target.solve;
    params.unobserved_auto = false;
    params.iterations = 12;
    params.seed = seed;
    params.threads = kThreads;
    const auto model = Train(split.train, by_item, params, {});
    if (!model.ok()) {
      std::printf("training failed: %s\n", model.status().ToString().c_str());
      return;
    }
    model_runs.push_back(MeasureModel(split, *model));
    if (shuffled || seed == 1) {
      cosine_runs.push_back(
          Measure(split, ScoredLister(split.train, CosineScorer(split.train, by_item))));
      popularity_runs.push_back(
          Measure(split, ScoredLister(split.train, PopularityScorer(split.train))));
    }
  }
  const Figures& goal = shuffled ? target.shuffled : target.in_order;
  std::printf("%s, %zu pairs, ties %s, %llu seeds: recall@20, ndcg@20\n", target.name,
              data.matrix.pairs(), shuffled ? "shuffled" : "in order",
              static_cast<unsigned long long>(seeds));
  std::printf("  %-22s %.3f                     %.3f\n", "goal", goal.recall, goal.ndcg);
  PrintRow("model, d=64", model_runs);
  PrintRow("item-item cosine", cosine_runs);
  PrintRow("popularity", popularity_runs);
}

int Run(const std::string& folder, std::uint64_t seeds) {
  if (const auto lines = bench::ReadLines(folder + "/ml-100k/u.data")) {
    const Target target = {"MovieLens 100K",
                           {.alpha = 1, .reg = 0.1F, .regn = 0.03F, .unobserved = 3},
                           {0.161, 0.060},
                           {0.225, 0.100}};
    const TimedInteractions data = ToMatrix(PairsOf(bench::MovieLensEvents(*lines)));
    Compare(target, data, false, seeds);
    Compare(target, data, true, seeds);
  }
  if (const auto lines = bench::ReadLines(folder + "/online-retail/interactions.csv.gz")) {
    const Target target = {"Online Retail",
                           {.alpha = 1, .reg = 0.1F, .regn = 0.06F, .unobserved = 1},
                           {0.208, 0.096},
                           {0.249, 0.118}};
    Compare(target, ToMatrix(PairsOf(bench::RetailEvents(*lines, true))), false, seeds);
    Compare(target, ToMatrix(PairsOf(bench::RetailEvents(*lines, false))), true, seeds);
  }
  return 0;
}

}  // namespace
}  // namespace reco::model

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  const std::int64_t seeds = argc > 2 ? reco::bench::ToNumber(argv[2]) : 3;
  return reco::model::Run(folder, static_cast<std::uint64_t>(std::max<std::int64_t>(seeds, 1)));
}
