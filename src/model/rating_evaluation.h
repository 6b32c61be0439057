// Rating evaluation: errors of predicted ratings on held-out pairs, beside those of two baselines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "reco/result.h"

#include "model/evaluation.h"
#include "model/interaction_matrix.h"
#include "model/rating_trainer.h"
#include "model/trainer.h"

namespace reco::model {

struct HeldRating {
  std::uint32_t user = 0;
  std::uint32_t item = 0;
  float rating = 0;
};

struct RatingHoldOut {
  InteractionMatrix train;       // users x items
  std::vector<HeldRating> held;  // by user, each user's newest first
};

// Takes from every user with more than `last` ratings, of whatever sign, the `last` newest; the
// others keep everything. Ratings of one time are ordered by item, or shuffled by `seed`.
RatingHoldOut LeaveLastRatingsOut(const TimedInteractions& data, std::uint32_t last,
                                  bool shuffle_ties, std::uint64_t seed);

// Root mean squared and mean absolute error with the half-widths of 95% confidence intervals
// (normal approximation, ratings taken as independent; that of rmse by the delta method). All zero
// without held-out ratings; the half-widths are zero for a single one.
struct RatingErrors {
  MetricValue rmse;
  MetricValue mae;
};

struct RatingComparison {
  std::size_t held = 0;
  RatingErrors model;
  RatingErrors biases;  // mean and biases, trained with the same parameters but d = 0
  RatingErrors mean;    // the mean of the training ratings
};

using RatingPredictor = std::function<double(std::uint32_t user, std::uint32_t item)>;

RatingErrors MeasureRatings(std::span<const HeldRating> held, const RatingPredictor& predict);

// Measures the errors of `model`, which is TrainRatings of split.train under `params`, and of the
// baselines. Predictions are not clipped to a scale. Progress is not reported. kUnavailable when
// cancelled.
Result<RatingComparison> EvaluateRatings(const RatingHoldOut& split, const RatingModel& model,
                                         const TrainingParams& params,
                                         const TrainingControl& control);

}  // namespace reco::model
