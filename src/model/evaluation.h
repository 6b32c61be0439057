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
  std::vector<std::int64_t> time_ms;  // one per pair: its first event (D6); of a rating its newest
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

// Fills lists[i] with the best `k` items of users[i] out of the whole catalogue, best first, ties
// by item ordinal, without the items of the user's training pairs; fewer when there are no more.
// May be called from several threads at once.
using UserLister = std::function<void(std::span<const std::uint32_t> users, std::size_t k,
                                      std::span<std::vector<std::uint32_t>> lists)>;
// Users that a lister is asked for at once, at most.
constexpr std::size_t kListedUsersMax = 32;

// Measures the lists of all users of `hold_out.held` with held-out items. kUnavailable when
// cancelled.
Result<std::vector<CutOffMetrics>> EvaluateRanking(const HoldOut& hold_out,
                                                   const UserLister& lister,
                                                   std::span<const std::uint32_t> cut_offs,
                                                   std::uint32_t threads,
                                                   const TrainingControl& control);
// Measures the lists that the scores of all items make.
Result<std::vector<CutOffMetrics>> EvaluateRanking(const HoldOut& hold_out,
                                                   const UserScorer& scorer,
                                                   std::span<const std::uint32_t> cut_offs,
                                                   std::uint32_t threads,
                                                   const TrainingControl& control);

// Returns a lister that sorts the scores of all items; the referent must outlive it. An item whose
// score is not a number or -infinity is in no list.
UserLister ScoredLister(const InteractionMatrix& train, UserScorer scorer);

// Return the scorers of the model and of the two baselines; the referents must outlive them.
UserScorer FactorScorer(const FactorTable& users, const FactorTable& items);
UserScorer PopularityScorer(const InteractionMatrix& train);
// Scores by the sum over the user's items j of cos(i, j) of the columns' binary vectors.
UserScorer CosineScorer(const InteractionMatrix& train, const InteractionMatrix& by_item);

}  // namespace reco::model
