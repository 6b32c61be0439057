// Trainer: implicit-feedback matrix factorisation by alternating least squares, each half
// iteration solved by conjugate gradients in the eigenbasis of the fixed side's Gram matrix.
// doc/model.md gives the objective and the measurements behind the choice.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "reco/result.h"

#include "model/factor_table.h"
#include "model/fold_in.h"
#include "model/interaction_matrix.h"

namespace reco::model {

struct TrainingParams {
  std::uint32_t dim = 64;
  SolveParams solve;  // solve.unobserved is used only when `unobserved_auto` is false
  bool unobserved_auto = true;
  std::uint32_t iterations = 12;
  std::uint64_t seed = 42;
  // User vectors start from N(0, start^2 / dim). 0.01 reaches a lower objective in as many
  // iterations on dense sets (0.1% to 1% after 12), but hardly moves recall, and is slower for the
  // first iterations on sparse sets with a small w0.
  double start = 0.1;
  std::uint32_t threads = 2;
  // Training stops after an iteration in which the objective fell by less than this share of
  // itself; 0: never. A fall is known from the second iteration on.
  double tolerance = 0;
  // Where to start from: vectors of the same dimension and of one earlier model, or null. Borrowed
  // during the call. Rows that are missing, all zero or not finite start from the seed.
  const FactorTable* warm_users = nullptr;
  const FactorTable* warm_items = nullptr;
};

struct TrainingProgress {
  std::uint32_t iteration = 0;  // 0-based, the one running
  std::uint32_t iterations = 0;
  double fraction = 0;   // of the whole training, 0 to 1; never falls, ends at 1
  double objective = 0;  // of the last iteration that ended; 0 before
};

struct TrainingControl {
  // Called now and then from one training thread.
  std::function<void(const TrainingProgress&)> progress;
  // Set to true from any thread: training returns kUnavailable "cancelled" within one row block.
  const std::atomic<bool>* cancel = nullptr;
};

struct TrainedModel {
  explicit TrainedModel(std::uint32_t dim)
      : users(dim), items(dim), user_gram(dim), item_gram(dim) {}
  FactorTable users;
  FactorTable items;
  Gram user_gram;
  Gram item_gram;
  SolveParams solve;     // with the w0 that was used
  double objective = 0;  // of the final vectors, float64
  // After each iteration that ran, as the solves give it: within 1e-4 of the objective.
  std::vector<double> objectives;
  std::vector<double> seconds;  // that each of them took
  double seconds_per_iteration = 0;
};

// Returns w0 for AUTO: 50 x density, between 0.01 and 3.
float AutoUnobserved(const InteractionMatrix& matrix);

// Trains, items first, so that user vectors end as exact fold-ins. Rows without pairs get zero
// vectors. All vectors are finite whatever the weights. The same matrix, parameters and seed give
// the same bits for any number of threads. `by_item` is Transpose(by_user). Rows x columns of
// by_user give the tables' sizes. kInvalidArgument when the parameters or matrices do not match;
// kUnavailable when cancelled.
Result<TrainedModel> Train(const InteractionMatrix& by_user, const InteractionMatrix& by_item,
                           const TrainingParams& params, const TrainingControl& control);

// The objective of doc/model.md, "Interactions", in float64. The same value for any number
// of threads.
double Objective(const InteractionMatrix& by_user, const FactorTable& users,
                 const FactorTable& items, const SolveParams& params, std::uint32_t threads = 1);

}  // namespace reco::model
