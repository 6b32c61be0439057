#include "model/rating_evaluation.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "model/random.h"
#include "model/rating_fold_in.h"

namespace reco::model {
namespace {

// z of a two-sided 95% interval.
constexpr double kInterval = 1.96;

struct Candidate {
  std::int64_t time_ms = 0;
  std::uint64_t tie = 0;  // order within one time
  std::uint64_t at = 0;   // position in the matrix
};

bool Newer(const Candidate& a, const Candidate& b) {
  return std::tie(a.time_ms, a.tie, a.at) > std::tie(b.time_ms, b.tie, b.at);
}

MetricValue MeanWithInterval(std::span<const double> values) {
  if (values.empty()) {
    return {};
  }
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) {
    sum += value;
  }
  const double mean = sum / count;
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  const double variance = values.size() > 1 ? squares / (count - 1) : 0;
  return {mean, kInterval * std::sqrt(variance / count)};
}

RatingPredictor ModelPredictor(const RatingModel& model, std::uint32_t dim) {
  return [&model, dim](std::uint32_t user, std::uint32_t item) {
    return PredictRating(model.mean, model.users.row(user), model.items.row(item), dim);
  };
}

}  // namespace

RatingHoldOut LeaveLastRatingsOut(const TimedInteractions& data, std::uint32_t last,
                                  bool shuffle_ties, std::uint64_t seed) {
  const InteractionMatrix& matrix = data.matrix;
  RatingHoldOut out;
  out.train.columns_count = matrix.columns_count;
  std::vector<Candidate> candidates;
  std::vector<bool> taken(matrix.pairs());
  for (std::uint32_t user = 0; user < matrix.rows(); ++user) {
    SplitMix64 random(StreamSeed(seed, user));
    candidates.clear();
    for (std::uint64_t at = matrix.offsets[user]; at < matrix.offsets[user + 1]; ++at) {
      candidates.push_back(
          {data.time_ms[at], shuffle_ties ? random.Next() : matrix.columns[at], at});
    }
    if (candidates.size() > last) {
      std::partial_sort(candidates.begin(), candidates.begin() + last, candidates.end(), Newer);
      for (std::uint32_t i = 0; i < last; ++i) {
        const std::uint64_t at = candidates[i].at;
        out.held.push_back({user, matrix.columns[at], matrix.weights[at]});
        taken[at] = true;
      }
    }
    for (std::uint64_t at = matrix.offsets[user]; at < matrix.offsets[user + 1]; ++at) {
      if (!taken[at]) {
        out.train.columns.push_back(matrix.columns[at]);
        out.train.weights.push_back(matrix.weights[at]);
      }
    }
    out.train.offsets.push_back(out.train.columns.size());
  }
  return out;
}

RatingErrors MeasureRatings(std::span<const HeldRating> held, const RatingPredictor& predict) {
  std::vector<double> absolute;
  std::vector<double> squared;
  for (const HeldRating& each : held) {
    const double miss = static_cast<double>(each.rating) - predict(each.user, each.item);
    absolute.push_back(std::abs(miss));
    squared.push_back(miss * miss);
  }
  const MetricValue mse = MeanWithInterval(squared);
  const double rmse = std::sqrt(mse.mean);
  // d sqrt(m) = dm / (2 sqrt(m))
  const double half_width = rmse > 0 ? mse.half_width / (2 * rmse) : 0;
  return {{rmse, half_width}, MeanWithInterval(absolute)};
}

Result<RatingComparison> EvaluateRatings(const RatingHoldOut& split, const RatingModel& model,
                                         const TrainingParams& params,
                                         const TrainingControl& control) {
  TrainingParams bias_params = params;
  // The same solver with no factors: what is left are mean and biases.
  bias_params.dim = 0;
  const TrainingControl quiet = {nullptr, control.cancel};
  RECO_ASSIGN_OR_RETURN(const RatingModel biases,
                        TrainRatings(split.train, Transpose(split.train), bias_params, quiet));
  const auto mean = [&model](std::uint32_t, std::uint32_t) { return model.mean; };
  return RatingComparison{
      split.held.size(), MeasureRatings(split.held, ModelPredictor(model, params.dim)),
      MeasureRatings(split.held, ModelPredictor(biases, 0)), MeasureRatings(split.held, mean)};
}

}  // namespace reco::model
