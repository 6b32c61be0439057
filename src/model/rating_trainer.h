// Rating trainer: matrix factorisation of explicit ratings with a global mean and user and item
// biases, by alternating least squares (Koren, Bell, Volinsky 2009). It minimises over known pairs
//
//   sum (r - mean - b_u - b_i - x_u.y_i)^2 + sum_u (reg + regn n_u) (|x_u|^2 + b_u^2)
//                                          + sum_i (reg + regn n_i) (|y_i|^2 + b_i^2)
//
// and unlike the trainer of implicit feedback says nothing about unknown pairs.
#pragma once

#include <cstdint>
#include <vector>

#include "reco/result.h"

#include "model/factor_table.h"
#include "model/interaction_matrix.h"
#include "model/trainer.h"

namespace reco::model {

// Tables of dimension d + 2 with the augmented rows that rating_fold_in.h describes: the prediction
// is mean plus the inner product of a user's row and an item's.
struct RatingModel {
  explicit RatingModel(std::uint32_t dim);

  FactorTable users;
  FactorTable items;
  double mean = 0;                 // of all ratings; 0 when there are none
  std::vector<double> objectives;  // after each iteration, of the float32 rows, in float64
  std::uint32_t iterations = 0;
  double seconds_per_iteration = 0;
};

// Trains on ratings: the weights of the matrices, of any sign, zero included. Of `params` it uses
// dim (d; 0 trains the biases alone), solve.reg, solve.regn, iterations, tolerance, seed and
// threads. Every row is the exact RatingFoldIn of the rows it was solved from; items go first, so
// users are those of the final items. The same matrix, parameters and seed give the same bits for
// any number of threads. `by_item` is Transpose(by_user). kInvalidArgument without iterations or
// when the matrices do not match; kUnavailable when cancelled. O(pairs d^2 + rows d^3) per
// iteration.
Result<RatingModel> TrainRatings(const InteractionMatrix& by_user, const InteractionMatrix& by_item,
                                 const TrainingParams& params, const TrainingControl& control);

}  // namespace reco::model
