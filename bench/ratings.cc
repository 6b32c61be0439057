// Errors of predicted ratings on MovieLens 100K, d = 64, beside the mean and the biases alone:
//   bench_ratings [--json] [FILE]
// FILE is u.data (user, item, rating, seconds; default ../shared/data/ml-100k/u.data). When it is
// absent the program says so and succeeds.
//
// Two splits: a random 80/20 one, as the literature reports, and each user's newest 10 ratings.
// Then the cost of a fold-in by row length, on the items of the last model. Prints, does not judge.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/aligned_vector.h"
#include "model/random.h"
#include "model/rating_evaluation.h"
#include "model/rating_fold_in.h"
#include "model/rating_trainer.h"

namespace reco::model {
namespace {

constexpr std::uint32_t kDim = 64;
constexpr std::uint32_t kThreads = 2;
constexpr std::uint64_t kSeed = 1;
constexpr std::uint32_t kLast = 10;
constexpr double kHeldShare = 0.2;
constexpr std::int64_t kMillisecondsPerSecond = 1000;

struct ParameterSet {
  float reg;
  float regn;
  std::uint32_t iterations;
};

// Those of implicit feedback, those recommended, and the best of a grid on these splits.
constexpr ParameterSet kParameterSets[] = {{0.1F, 0.05F, 12}, {1, 0.1F, 12}, {3, 0.08F, 6}};

struct NamedSplit {
  const char* name;
  RatingHoldOut split;
};

std::optional<TimedInteractions> ReadRatings(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return std::nullopt;
  }
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::pair<float, std::int64_t>> pairs;
  std::uint32_t user = 0;
  std::uint32_t item = 0;
  float rating = 0;
  std::int64_t seconds = 0;
  while (file >> user >> item >> rating >> seconds) {
    pairs[{user - 1, item - 1}] = {rating, seconds * kMillisecondsPerSecond};
  }
  TimedInteractions data;
  InteractionMatrix& matrix = data.matrix;
  for (const auto& [key, value] : pairs) {
    matrix.offsets.resize(key.first + std::size_t{1}, matrix.columns.size());
    matrix.columns.push_back(key.second);
    matrix.columns_count = std::max<std::size_t>(matrix.columns_count, key.second + 1);
    matrix.weights.push_back(value.first);
    data.time_ms.push_back(value.second);
  }
  matrix.offsets.push_back(matrix.columns.size());
  return data;
}

RatingHoldOut RandomSplit(const InteractionMatrix& matrix, double share, std::uint64_t seed) {
  RatingHoldOut out;
  out.train.columns_count = matrix.columns_count;
  SplitMix64 random(seed);
  for (std::uint32_t user = 0; user < matrix.rows(); ++user) {
    for (std::uint64_t at = matrix.offsets[user]; at < matrix.offsets[user + 1]; ++at) {
      if (random.Uniform() <= share) {
        out.held.push_back({user, matrix.columns[at], matrix.weights[at]});
      } else {
        out.train.columns.push_back(matrix.columns[at]);
        out.train.weights.push_back(matrix.weights[at]);
      }
    }
    out.train.offsets.push_back(out.train.columns.size());
  }
  return out;
}

void PrintErrors(const char* what, const RatingErrors& errors) {
  std::printf("    %-8s %.4f +-%.4f  %.4f +-%.4f\n", what, errors.rmse.mean, errors.rmse.half_width,
              errors.mae.mean, errors.mae.half_width);
}

void PrintJsonErrors(const char* what, const RatingErrors& errors) {
  std::printf(R"(,"%s":{"rmse":%.5f,"rmse_95":%.5f,"mae":%.5f,"mae_95":%.5f})", what,
              errors.rmse.mean, errors.rmse.half_width, errors.mae.mean, errors.mae.half_width);
}

void Print(const NamedSplit& named, const ParameterSet& set, const RatingComparison& errors,
           double seconds, bool json) {
  if (json) {
    std::printf(R"({"split":"%s","held":%zu,"d":%u,"reg":%g,"regn":%g,"iterations":%u,)"
                R"("threads":%u,"s_per_iteration":%.5f)",
                named.name, errors.held, kDim, set.reg, set.regn, set.iterations, kThreads,
                seconds);
    PrintJsonErrors("model", errors.model);
    PrintJsonErrors("biases", errors.biases);
    PrintJsonErrors("mean", errors.mean);
    std::printf("}\n");
    return;
  }
  std::printf("%s, %zu held, d=%u reg=%g regn=%g, %u iterations of %.3f s: rmse, mae\n", named.name,
              errors.held, kDim, set.reg, set.regn, set.iterations, seconds);
  PrintErrors("model", errors.model);
  PrintErrors("biases", errors.biases);
  PrintErrors("mean", errors.mean);
}

// Trains and prints; the model, unless training failed.
std::optional<RatingModel> Measure(const NamedSplit& named, const ParameterSet& set, bool json) {
  TrainingParams params;
  params.dim = kDim;
  params.solve.reg = set.reg;
  params.solve.regn = set.regn;
  params.iterations = set.iterations;
  params.seed = kSeed;
  params.threads = kThreads;
  auto model = TrainRatings(named.split.train, Transpose(named.split.train), params, {});
  if (!model.ok()) {
    std::printf("training failed: %s\n", model.status().ToString().c_str());
    return std::nullopt;
  }
  const auto errors = EvaluateRatings(named.split, *model, params, {});
  if (!errors.ok()) {
    std::printf("evaluation failed: %s\n", errors.status().ToString().c_str());
    return std::nullopt;
  }
  Print(named, set, *errors, model->seconds_per_iteration, json);
  return std::move(model).value();
}

// Median over rounds of the time of one user fold-in against random items.
double FoldInMicroseconds(const RatingModel& model, std::size_t pairs) {
  constexpr int kRounds = 15;
  const auto repeats = static_cast<int>(std::max<std::size_t>(20, 20000 / pairs));
  SplitMix64 random(kSeed);
  std::vector<RatedNeighbor> neighbors(pairs);
  for (RatedNeighbor& neighbor : neighbors) {
    neighbor = {model.items.row(random.Next() % model.items.rows()),
                static_cast<float>(1 + random.Next() % 5)};
  }
  RatingFoldIn solver(kDim);
  AlignedVector<float> x(model.items.stride());
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < repeats; ++i) {
      solver.Solve({.side = RatingSide::kUser, .mean = model.mean}, neighbors, x.data());
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    times.push_back(took.count() / repeats);
  }
  std::nth_element(times.begin(), times.begin() + kRounds / 2, times.end());
  return times[kRounds / 2];
}

void MeasureFoldIn(const RatingModel& model, bool json) {
  for (const std::size_t pairs : {1, 10, 30, 64, 65, 100, 300, 1000}) {
    std::printf(json ? "{\"fold_in_pairs\":%zu,\"us\":%.2f}\n" : "fold-in of %4zu pairs %8.2f us\n",
                pairs, FoldInMicroseconds(model, pairs));
  }
}

int Run(const std::string& path, bool json) {
  const auto data = ReadRatings(path);
  if (!data) {
    std::printf("%s is absent, passed over\n", path.c_str());
    return 0;
  }
  const NamedSplit splits[] = {{"random 80/20", RandomSplit(data->matrix, kHeldShare, kSeed)},
                               {"newest 10", LeaveLastRatingsOut(*data, kLast, true, kSeed)}};
  std::optional<RatingModel> model;
  for (const NamedSplit& named : splits) {
    for (const ParameterSet& set : kParameterSets) {
      model = Measure(named, set, json);
      if (!model) {
        return 1;
      }
    }
  }
  MeasureFoldIn(*model, json);
  return 0;
}

}  // namespace
}  // namespace reco::model

int main(int argc, char** argv) {
  std::string path = "../shared/data/ml-100k/u.data";
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") {
      json = true;
    } else {
      path = argv[i];
    }
  }
  return reco::model::Run(path, json);
}
