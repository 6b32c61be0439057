// Alternating least squares for ratings: each half iteration solves one side's rows exactly.
#include "model/rating_trainer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>

#include "model/parallel.h"
#include "model/random.h"
#include "model/rating_fold_in.h"

namespace reco::model {
namespace {

// A block of rows that one thread solves at a time has this many pairs or rows, or is one row.
constexpr std::size_t kBlockPairs = 4096;
constexpr std::size_t kBlockRows = 256;

// One side of the model while it is trained.
struct TrainedSide {
  TrainedSide(RatingSide which, const InteractionMatrix& side_matrix, FactorTable& side_rows)
      : side(which), matrix(side_matrix), rows(side_rows) {}

  std::size_t length(std::size_t row) const {
    return matrix.offsets[row + 1] - matrix.offsets[row];
  }
  std::size_t blocks_count() const { return blocks.size() - 1; }

  const RatingSide side;
  const InteractionMatrix& matrix;
  FactorTable& rows;
  std::vector<std::uint32_t> order;  // rows with pairs, longest first, so that threads balance
  std::vector<std::size_t> blocks;   // starts in `order`, and its size at the end
};

void OrderRows(TrainedSide* side) {
  for (std::size_t row = 0; row < side->matrix.rows(); ++row) {
    if (side->length(row) > 0) {
      side->order.push_back(static_cast<std::uint32_t>(row));
    }
  }
  std::stable_sort(side->order.begin(), side->order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return side->length(a) > side->length(b);
  });
  std::size_t pairs = kBlockPairs;
  for (std::size_t i = 0; i < side->order.size(); ++i) {
    if (pairs >= kBlockPairs || i - side->blocks.back() >= kBlockRows) {
      side->blocks.push_back(i);
      pairs = 0;
    }
    pairs += side->length(side->order[i]);
  }
  side->blocks.push_back(side->order.size());
}

double MeanOf(const std::vector<float>& ratings) {
  const double sum = std::accumulate(ratings.begin(), ratings.end(), 0.0);
  return ratings.empty() ? 0 : sum / static_cast<double>(ratings.size());
}

// One training run. Confined to the calling thread and the threads it starts.
class RatingTraining {
 public:
  RatingTraining(const InteractionMatrix& by_user, const InteractionMatrix& by_item,
                 const TrainingParams& params, const TrainingControl& control, RatingModel* model)
      : params_(params),
        control_(control),
        model_(*model),
        threads_(std::max(params.threads, 1U)),
        users_(RatingSide::kUser, by_user, model->users),
        items_(RatingSide::kItem, by_item, model->items),
        neighbors_(threads_) {
    for (std::uint32_t thread = 0; thread < threads_; ++thread) {
      solvers_.push_back(std::make_unique<RatingFoldIn>(params.dim));
    }
  }

  Status Run() {
    Start();
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint32_t i = 0; i < params_.iterations; ++i) {
      iteration_ = i;
      // Items first, so that users end as fold-ins of the final items, which is what serving
      // solves.
      RECO_RETURN_IF_ERROR(HalfIteration(&items_, users_));
      RECO_RETURN_IF_ERROR(HalfIteration(&users_, items_));
      model_.objectives.push_back(Objective());
      const std::size_t ran = model_.objectives.size();
      if (params_.tolerance > 0 && ran > 1 &&
          model_.objectives[ran - 2] - model_.objectives[ran - 1] <
              params_.tolerance * model_.objectives[ran - 2]) {
        break;
      }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    model_.iterations = static_cast<std::uint32_t>(model_.objectives.size());
    model_.seconds_per_iteration = took.count() / model_.iterations;
    return Status::Ok();
  }

 private:
  // Starts users with small random vectors of variance 0.01 / d and no bias. Each row has its own
  // stream.
  void Start() {
    users_.rows.Allocate(users_.matrix.rows());
    items_.rows.Allocate(items_.matrix.rows());
    OrderRows(&users_);
    OrderRows(&items_);
    model_.mean = MeanOf(users_.matrix.weights);
    const double reach = 0.1 * std::sqrt(3.0 / std::max(params_.dim, 1U));
    for (const std::uint32_t user : users_.order) {
      SplitMix64 random(StreamSeed(params_.seed, user));
      float* row = users_.rows.mutable_row(user);
      for (std::uint32_t k = 0; k < params_.dim; ++k) {
        row[k] = static_cast<float>(reach * (2 * random.Uniform() - 1));
      }
      // As every row with pairs has it (rating_fold_in.h).
      row[RatingConstantAt(RatingSide::kUser, params_.dim)] = 1;
    }
    blocks_total_ = static_cast<double>(params_.iterations) *
                    static_cast<double>(users_.blocks_count() + items_.blocks_count());
  }

  bool Cancelled() const {
    return control_.cancel != nullptr && control_.cancel->load(std::memory_order_relaxed);
  }

  Status HalfIteration(TrainedSide* side, const TrainedSide& fixed) {
    ParallelFor(
        threads_, side->blocks_count(),
        [&](std::size_t block, std::uint32_t thread) {
          if (Cancelled()) {
            return;
          }
          for (std::size_t i = side->blocks[block]; i < side->blocks[block + 1]; ++i) {
            SolveRow(side, fixed.rows, side->order[i], thread);
          }
          blocks_done_.fetch_add(1, std::memory_order_relaxed);
        },
        [this] { Report(); });
    return Cancelled() ? Status::Unavailable("cancelled") : Status::Ok();
  }

  void SolveRow(TrainedSide* side, const FactorTable& fixed, std::uint32_t row,
                std::uint32_t thread) {
    const auto columns = side->matrix.row_columns(row);
    const auto ratings = side->matrix.row_weights(row);
    std::vector<RatedNeighbor>& neighbors = neighbors_[thread];
    neighbors.clear();
    for (std::size_t j = 0; j < columns.size(); ++j) {
      neighbors.push_back({fixed.row(columns[j]), ratings[j]});
    }
    const RatingTerms terms = {side->side, model_.mean, params_.solve.reg, params_.solve.regn};
    solvers_[thread]->Solve(terms, neighbors, side->rows.mutable_row(row));
  }

  void Report() {
    if (control_.progress && !Cancelled()) {
      const auto done = static_cast<double>(blocks_done_.load(std::memory_order_relaxed));
      control_.progress({iteration_, params_.iterations, done / blocks_total_});
    }
  }

  double Objective() {
    return SumOverRows(users_, [this](std::uint32_t user) { return SquaredErrors(user); }) +
           SumOverRows(items_, [](std::uint32_t) { return 0.0; });
  }

  // Returns the sum of value(row) and the row's penalty over the rows of one side, in the same
  // order whatever the threads.
  template <typename Value>
  double SumOverRows(const TrainedSide& side, const Value& value) {
    std::vector<double> parts(side.blocks_count());
    ParallelFor(threads_, parts.size(), [&](std::size_t block, std::uint32_t /*thread*/) {
      for (std::size_t i = side.blocks[block]; i < side.blocks[block + 1]; ++i) {
        parts[block] += value(side.order[i]) + Penalty(side, side.order[i]);
      }
    });
    return std::accumulate(parts.begin(), parts.end(), 0.0);
  }

  double SquaredErrors(std::uint32_t user) const {
    const auto columns = users_.matrix.row_columns(user);
    const auto ratings = users_.matrix.row_weights(user);
    double sum = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const double miss =
          static_cast<double>(ratings[j]) - PredictRating(model_.mean, users_.rows.row(user),
                                                          items_.rows.row(columns[j]), params_.dim);
      sum += miss * miss;
    }
    return sum;
  }

  double Penalty(const TrainedSide& side, std::uint32_t row) const {
    const float* values = side.rows.row(row);
    const double bias = values[RatingBiasAt(side.side, params_.dim)];
    double squares = bias * bias;
    for (std::uint32_t k = 0; k < params_.dim; ++k) {
      squares += static_cast<double>(values[k]) * static_cast<double>(values[k]);
    }
    return squares *
           (static_cast<double>(params_.solve.reg) +
            static_cast<double>(params_.solve.regn) * static_cast<double>(side.length(row)));
  }

  const TrainingParams& params_;
  const TrainingControl& control_;
  RatingModel& model_;
  const std::uint32_t threads_;
  TrainedSide users_;
  TrainedSide items_;
  std::vector<std::unique_ptr<RatingFoldIn>> solvers_;  // one per thread
  std::vector<std::vector<RatedNeighbor>> neighbors_;   // one per thread
  std::uint32_t iteration_ = 0;
  double blocks_total_ = 0;
  std::atomic<std::size_t> blocks_done_{0};  // a count for display, so relaxed
};

}  // namespace

RatingModel::RatingModel(std::uint32_t dim)
    : users(dim + kRatingExtras), items(dim + kRatingExtras) {}

Result<RatingModel> TrainRatings(const InteractionMatrix& by_user, const InteractionMatrix& by_item,
                                 const TrainingParams& params, const TrainingControl& control) {
  if (params.iterations == 0) {
    return Status::InvalidArgument("training needs at least one iteration");
  }
  if (by_item.rows() != by_user.columns_count || by_item.columns_count != by_user.rows() ||
      by_item.pairs() != by_user.pairs()) {
    return Status::InvalidArgument("the two interaction matrices do not match");
  }
  RatingModel model(params.dim);
  RECO_RETURN_IF_ERROR(RatingTraining(by_user, by_item, params, control, &model).Run());
  return model;
}

}  // namespace reco::model
