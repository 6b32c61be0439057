// Trainer: implicit-feedback matrix factorisation by alternating least squares, each half
// iteration solved by conjugate gradients in the eigenbasis of the fixed side's Gram matrix.
// doc/architecture.md gives the objective and the measurements behind the choice.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

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
  std::uint32_t threads = 2;
};

struct TrainingProgress {
  std::uint32_t iteration = 0;  // 0-based, the one running
  std::uint32_t iterations = 0;
  double fraction = 0;  // of the whole training, 0 to 1
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
  double seconds_per_iteration = 0;
};

// w0 for AUTO: 50 x density, between 0.01 and 3.
float AutoUnobserved(const InteractionMatrix& matrix);

// Items first, so that user vectors end as exact fold-ins. Rows without pairs get zero vectors. The
// same matrix, parameters and seed give the same bits for any number of threads.
// `by_item` is Transpose(by_user). Rows x columns of by_user give the tables' sizes.
Result<TrainedModel> Train(const InteractionMatrix& by_user, const InteractionMatrix& by_item,
                           const TrainingParams& params, const TrainingControl& control);

// The objective of doc/architecture.md section "Model", in float64.
double Objective(const InteractionMatrix& by_user, const FactorTable& users,
                 const FactorTable& items, const SolveParams& params);

}  // namespace reco::model
