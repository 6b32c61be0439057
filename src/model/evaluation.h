// Evaluation: full-catalogue ranking metrics on held-out pairs. Sampled metrics are never used.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "reco/result.h"

#include "model/factor_table.h"
#include "model/interaction_matrix.h"
#include "model/trainer.h"

namespace reco::model {

// Known pairs with their times, aligned with `matrix`.
struct TimedInteractions {
  InteractionMatrix matrix;           // users x items
  std::vector<std::int64_t> time_ms;  // one per pair: when it became known, its first event
};

struct HoldOut {
  InteractionMatrix train;                       // users x items
  std::vector<std::vector<std::uint32_t>> held;  // per user: items held out, newest first
};

// Takes from every user with more than `last` pairs of positive weight the `last` newest of these;
// the others keep everything. Pairs of one time are ordered by item, or shuffled by `seed`.
HoldOut LeaveLastOut(const TimedInteractions& data, std::uint32_t last, bool shuffle_ties,
                     std::uint64_t seed);

// Means over the users with held-out items, with the half-width of a 95% confidence interval
// (normal approximation).
struct MetricValue {
  double mean = 0;
  double half_width = 0;
};

// At one cut-off k. recall = hits / held; ndcg with binary gains; map; mrr; hit = any hit;
// coverage = share of items in any list (no interval); novelty = mean of -log2(popularity share).
struct CutOffMetrics {
  std::uint32_t k = 0;
  MetricValue recall, precision, ndcg, map, mrr, hit_rate;
  double coverage = 0;
  double novelty = 0;
};

// Fills `scores` (one per item) for a user. May be called from several threads at once.
using UserScorer = std::function<void(std::uint32_t user, std::span<float> scores)>;

// Ranks the whole catalogue for every user of `hold_out.held`, training items removed; ties break
// by item ordinal. kUnavailable when cancelled.
Result<std::vector<CutOffMetrics>> EvaluateRanking(const HoldOut& hold_out,
                                                   const UserScorer& scorer,
                                                   std::span<const std::uint32_t> cut_offs,
                                                   std::uint32_t threads,
                                                   const TrainingControl& control);

// Scorers of the model and of the two baselines; the referents must outlive the scorer.
UserScorer FactorScorer(const FactorTable& users, const FactorTable& items);
UserScorer PopularityScorer(const InteractionMatrix& train);
// sum over the user's items j of cos(i, j) of the columns' binary vectors.
UserScorer CosineScorer(const InteractionMatrix& train, const InteractionMatrix& by_item);

}  // namespace reco::model
