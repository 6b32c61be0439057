// Alternating least squares for implicit feedback (Hu, Koren, Volinsky 2008), solved row by row
// with conjugate gradients (Takacs, Pilaszy, Tikk 2011) in the eigenbasis of the fixed side's Gram.
#include "model/trainer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include "model/aligned_vector.h"
#include "model/parallel.h"
#include "model/random.h"
#include "model/row_solver.h"
#include "model/simd.h"

namespace reco::model {
namespace {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// What a row gets per iteration; more costs time and gains nothing. Where M dominates, one step
// suffices; three matter where confidences are large beside it. An error of 0.03 costs less than
// 1e-5 of the objective (20M pairs; w0 1 and 0.02), one of 0.1 up to 1e-3 where steps matter.
constexpr SolveLimits kSteps = {3, 0.03F};
// What it gets in the last half iteration, which ends as an exact fold-in: the error at which
// further steps are wasted in float32.
constexpr SolveLimits kLastSteps = {50, 2e-5F};
// A block of rows that one thread solves at a time: this many pairs or rows.
constexpr std::size_t kBlockPairs = 4096;
constexpr std::size_t kBlockRows = 256;
// Rows of this many pairs come first, longest first, so that threads end together; the others keep
// their order, in which memory is read ahead.
constexpr std::size_t kLongRow = 1024;
// Rows rotated at a time. They are contiguous (FactorTable::Allocate).
constexpr std::size_t kRotateRows = 256;
// A Gram is the sum, in this order, of this many parts: whatever the threads, the same bits.
constexpr std::size_t kGramParts = 32;
// Users whose part of the exact objective is summed by itself, for the same reason.
constexpr std::size_t kLossRows = 1024;
// Rows that one rank update of a Gram takes in.
constexpr std::size_t kGramRows = 64;

// Fills `row` from N(0, start^2 / dim) by the Box-Muller transform. Each row has its own stream.
void FillNormal(const TrainingParams& params, std::uint64_t number, float* row) {
  const std::uint32_t dim = params.dim;
  SplitMix64 random(StreamSeed(params.seed, number));
  const double deviation = params.start / std::sqrt(static_cast<double>(dim));
  for (std::uint32_t k = 0; k < dim; k += 2) {
    const double length = deviation * std::sqrt(-2 * std::log(random.Uniform()));
    const double angle = 2 * std::numbers::pi * random.Uniform();
    row[k] = static_cast<float>(length * std::cos(angle));
    if (k + 1 < dim) {
      row[k + 1] = static_cast<float>(length * std::sin(angle));
    }
  }
}

// What a block of solved rows adds to the objective.
struct BlockSums {
  double loss = 0;     // the part that was minimised, with the rows' own penalty
  double penalty = 0;  // sum l |x|^2 alone
};

// One side of the model while it is trained.
struct Side {
  Side(const InteractionMatrix& side_matrix, FactorTable& side_vectors)
      : matrix(side_matrix), vectors(side_vectors) {}

  const InteractionMatrix& matrix;
  FactorTable& vectors;
  Eigen::MatrixXd gram;
  std::vector<std::uint32_t> order;  // rows with pairs, long ones first
  std::vector<std::size_t> blocks;   // starts in `order`, and its size at the end
  std::vector<BlockSums> sums;       // of the last solve, one per block

  std::size_t block_count() const { return blocks.size() - 1; }
};

std::size_t RowLength(const InteractionMatrix& matrix, std::size_t row) {
  return matrix.offsets[row + 1] - matrix.offsets[row];
}

void OrderRows(Side* side) {
  for (std::size_t row = 0; row < side->matrix.rows(); ++row) {
    if (RowLength(side->matrix, row) > 0) {
      side->order.push_back(static_cast<std::uint32_t>(row));
    }
  }
  const auto end = std::stable_partition(
      side->order.begin(), side->order.end(),
      [&](std::uint32_t row) { return RowLength(side->matrix, row) >= kLongRow; });
  std::stable_sort(side->order.begin(), end, [&](std::uint32_t a, std::uint32_t b) {
    return RowLength(side->matrix, a) > RowLength(side->matrix, b);
  });
  std::size_t pairs = kBlockPairs;
  for (std::size_t i = 0; i < side->order.size(); ++i) {
    if (pairs >= kBlockPairs || i - side->blocks.back() >= kBlockRows) {
      side->blocks.push_back(i);
      pairs = 0;
    }
    pairs += RowLength(side->matrix, side->order[i]);
  }
  side->blocks.push_back(side->order.size());
  side->sums.resize(side->block_count());
}

// Returns the row to start from, or null when there is none.
const float* WarmRow(const FactorTable* table, std::uint32_t row) {
  if (table == nullptr || row >= table->rows()) {
    return nullptr;
  }
  const auto values = table->values(row);
  const bool finite =
      std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  const bool zero = std::all_of(values.begin(), values.end(), [](float v) { return v == 0; });
  return finite && !zero ? values.data() : nullptr;
}

// Returns the lower triangle of sum v v' over the rows [begin, end), in float64.
Eigen::MatrixXd PartialGram(const FactorTable& table, std::size_t begin, std::size_t end) {
  const auto dim = static_cast<Eigen::Index>(table.dim());
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(dim, dim);
  Eigen::MatrixXd columns(dim, static_cast<Eigen::Index>(kGramRows));
  for (std::size_t from = begin; from < end; from += kGramRows) {
    const auto count = static_cast<Eigen::Index>(std::min(kGramRows, end - from));
    for (Eigen::Index i = 0; i < count; ++i) {
      const float* row = table.row(from + static_cast<std::size_t>(i));
      columns.col(i) = Eigen::Map<const Eigen::VectorXf>(row, dim).cast<double>();
    }
    sum.selfadjointView<Eigen::Lower>().rankUpdate(columns.leftCols(count));
  }
  return sum;
}

Eigen::MatrixXd FullGram(const FactorTable& table, std::uint32_t threads) {
  std::vector<Eigen::MatrixXd> parts(kGramParts);
  const std::size_t rows = table.rows();
  ParallelFor(threads, kGramParts, [&](std::size_t part, std::uint32_t /*thread*/) {
    parts[part] = PartialGram(table, rows * part / kGramParts, rows * (part + 1) / kGramParts);
  });
  Eigen::MatrixXd sum = parts[0];
  for (std::size_t part = 1; part < kGramParts; ++part) {
    sum += parts[part];
  }
  sum.triangularView<Eigen::StrictlyUpper>() = sum.transpose();
  return sum;
}

void AssignGram(const Eigen::MatrixXd& sum, Gram* gram) {
  std::vector<double> padded(std::size_t{gram->stride()} * gram->stride());
  for (Eigen::Index i = 0; i < sum.rows(); ++i) {
    for (Eigen::Index k = 0; k < sum.cols(); ++k) {
      padded[static_cast<std::size_t>(i) * gram->stride() + static_cast<std::size_t>(k)] =
          sum(i, k);
    }
  }
  gram->Assign(padded);
}

// One training run. Confined to the calling thread and the threads it starts.
class Training {
 public:
  Training(const InteractionMatrix& by_user, const InteractionMatrix& by_item,
           const TrainingParams& params, const TrainingControl& control, TrainedModel* model)
      : params_(params),
        control_(control),
        model_(*model),
        threads_(std::max(params.threads, 1U)),
        users_(by_user, model->users),
        items_(by_item, model->items),
        solvers_(threads_, RowSolver(params.dim)),
        rotated_(threads_) {}

  Status Run() {
    Start();
    const auto begin = Clock::now();
    bool last = false;
    while (!last) {
      const auto iteration_begin = Clock::now();
      // Only the users' half of the last iteration is solved to the end: they end as exact
      // fold-ins.
      last = progress_.iteration + 1 == params_.iterations;
      RECO_RETURN_IF_ERROR(HalfIteration(&items_, &users_, false));
      RECO_RETURN_IF_ERROR(HalfIteration(&users_, &items_, last));
      model_.objectives.push_back(CurrentObjective());
      // Known only behind the iteration, whose users had steps: they are finished now.
      if (!last && Stalled()) {
        last = true;
        RECO_RETURN_IF_ERROR(FinishUsers());
        model_.objectives.back() = CurrentObjective();
      }
      progress_.objective = model_.objectives.back();
      progress_.iteration += last ? 0 : 1;
      model_.seconds.push_back(Seconds(iteration_begin));
    }
    model_.seconds_per_iteration = Seconds(begin) / static_cast<double>(model_.objectives.size());
    AssignGram(users_.gram, &model_.user_gram);
    // Anew, since the last half iteration has rotated the items after their Gram was taken.
    AssignGram(FullGram(items_.vectors, threads_), &model_.item_gram);
    if (control_.progress && progress_.fraction < 1) {
      progress_.fraction = 1;
      control_.progress(progress_);
    }
    return Status::Ok();
  }

 private:
  using Clock = std::chrono::steady_clock;

  static double Seconds(Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  }

  void Start() {
    users_.vectors.Allocate(users_.matrix.rows());
    items_.vectors.Allocate(items_.matrix.rows());
    OrderRows(&users_);
    OrderRows(&items_);
    FillRows(&users_, [this](std::uint32_t row, float* x) {
      if (const float* warm = WarmRow(params_.warm_users, row)) {
        std::copy_n(warm, params_.dim, x);
      } else {
        FillNormal(params_, row, x);
      }
    });
    FillRows(&items_, [this](std::uint32_t row, float* x) {
      if (const float* warm = WarmRow(params_.warm_items, row)) {
        std::copy_n(warm, params_.dim, x);
      }
    });
    // The first half iteration needs the users' basis.
    users_.gram = FullGram(users_.vectors, threads_);
    progress_.iterations = params_.iterations;
    fraction_per_block_ = 1.0 / (static_cast<double>(params_.iterations) *
                                 static_cast<double>(users_.block_count() + items_.block_count()));
  }

  template <typename Fill>
  void FillRows(Side* side, const Fill& fill) {
    ParallelFor(threads_, side->block_count(), [&](std::size_t block, std::uint32_t /*thread*/) {
      for (std::size_t i = side->blocks[block]; i < side->blocks[block + 1]; ++i) {
        fill(side->order[i], side->vectors.mutable_row(side->order[i]));
      }
    });
  }

  // Returns the objective of the vectors as they are. The users, solved last, bring all terms but
  // the items' penalty.
  double CurrentObjective() const {
    double sum = 0;
    for (const BlockSums& block : users_.sums) {
      sum += block.loss;
    }
    for (const BlockSums& block : items_.sums) {
      sum += block.penalty;
    }
    return sum;
  }

  bool Stalled() const {
    const std::vector<double>& past = model_.objectives;
    return params_.tolerance > 0 && past.size() > 1 &&
           past[past.size() - 2] - past.back() < params_.tolerance * past[past.size() - 2];
  }

  bool Cancelled() const {
    return control_.cancel != nullptr && control_.cancel->load(std::memory_order_relaxed);
  }

  // Solves exact fold-ins for users that had steps only, as the rest of the progress.
  Status FinishUsers() {
    fraction_from_ = FractionDone();
    fraction_per_block_ = (1 - fraction_from_) / static_cast<double>(users_.block_count());
    blocks_done_ = 0;
    // The items have been rotated since their Gram was taken.
    items_.gram = FullGram(items_.vectors, threads_);
    return HalfIteration(&users_, &items_, true);
  }

  // Solves `side` against `fixed`, in the eigenbasis of the latter's Gram, where both end.
  // `fixed->gram` is that of before. The last half iteration is exact.
  Status HalfIteration(Side* side, Side* fixed, bool last) {
    // In the eigenbasis w0 G + l I is a diagonal, so applying and inverting it costs d, not d^2.
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(fixed->gram);
    // Largest first.
    const Eigen::VectorXf values = eigen.eigenvalues().reverse().cwiseMax(0.0).cast<float>();
    const auto stride = static_cast<Eigen::Index>(side->vectors.stride());
    const auto dim = static_cast<Eigen::Index>(params_.dim);
    RowMatrix basis = RowMatrix::Zero(stride, stride);
    basis.topLeftCorner(dim, dim) = eigen.eigenvectors().rowwise().reverse().cast<float>();
    // Half the bytes for the steps; the last half iteration gathers the rows in full (D24).
    const bool packs = !last && RowSolver::UsesPacked(params_.dim);
    if (packs) {
      packed_.Resize(fixed->vectors.rows(), fixed->vectors.stride());
    }
    Rotate(basis, &fixed->vectors, packs);
    // The rows to be solved as well: they are the warm start.
    Rotate(basis, &side->vectors, false);
    for (RowSolver& solver : solvers_) {
      solver.SetFixed(fixed->vectors, packs ? &packed_ : nullptr, {values.data(), params_.dim},
                      model_.solve);
    }
    ParallelFor(
        threads_, side->block_count(),
        [&](std::size_t block, std::uint32_t thread) {
          if (Cancelled()) {
            return;
          }
          SolveBlock(side, block, last ? kLastSteps : kSteps, &solvers_[thread]);
          blocks_done_.fetch_add(1, std::memory_order_relaxed);
        },
        [this] { Report(); });
    // Some blocks are not solved then; nobody gets these vectors.
    if (Cancelled()) {
      return Status::Unavailable("cancelled");
    }
    side->gram = FullGram(side->vectors, threads_);
    return Status::Ok();
  }

  void Rotate(const RowMatrix& basis, FactorTable* table, bool packs) {
    const auto stride = static_cast<Eigen::Index>(table->stride());
    const std::size_t blocks = (table->rows() + kRotateRows - 1) / kRotateRows;
    ParallelFor(threads_, blocks, [&](std::size_t block, std::uint32_t thread) {
      const std::size_t from = block * kRotateRows;
      const std::size_t count = std::min(kRotateRows, table->rows() - from);
      Eigen::Map<RowMatrix> rows(table->mutable_row(from), static_cast<Eigen::Index>(count),
                                 stride);
      rotated_[thread].noalias() = rows * basis;
      rows = rotated_[thread];
      for (std::size_t i = 0; packs && i < count; ++i) {
        packed_.Set(from + i, table->row(from + i), table->stride());
      }
    });
  }

  void SolveBlock(Side* side, std::size_t block, const SolveLimits& limits, RowSolver* solver) {
    BlockSums sums;
    for (std::size_t i = side->blocks[block]; i < side->blocks[block + 1]; ++i) {
      const std::uint32_t row = side->order[i];
      if (i + 1 < side->order.size()) {
        // The next row's vectors are on their way while this one is solved.
        solver->Prefetch(side->matrix.row_columns(side->order[i + 1]));
      }
      float* x = side->vectors.mutable_row(row);
      sums.loss +=
          solver->Solve(side->matrix.row_columns(row), side->matrix.row_weights(row), limits, x);
      const double ridge = static_cast<double>(model_.solve.reg) +
                           static_cast<double>(model_.solve.regn) *
                               static_cast<double>(RowLength(side->matrix, row));
      sums.penalty += ridge * static_cast<double>(simd::Dot(x, x, side->vectors.stride()));
    }
    side->sums[block] = sums;
  }

  double FractionDone() const {
    const auto done = static_cast<double>(blocks_done_.load(std::memory_order_relaxed));
    return fraction_from_ + done * fraction_per_block_;
  }

  void Report() {
    if (control_.progress && !Cancelled()) {
      progress_.fraction = std::min(FractionDone(), 1.0);
      control_.progress(progress_);
    }
  }

  const TrainingParams& params_;
  const TrainingControl& control_;
  TrainedModel& model_;
  const std::uint32_t threads_;
  Side users_;
  Side items_;
  std::vector<RowSolver> solvers_;  // one per thread
  std::vector<RowMatrix> rotated_;  // one per thread
  PackedTable packed_;              // of the fixed side
  TrainingProgress progress_;       // of the calling thread
  // The blocks of work since fraction_from_, and what each adds.
  double fraction_from_ = 0;
  double fraction_per_block_ = 0;
  std::atomic<std::size_t> blocks_done_{0};  // a count for display, so relaxed
};

// sum |w| (p - x.y)^2 over the pairs of the users in [begin, end).
double KnownLoss(const InteractionMatrix& by_user, std::size_t begin, std::size_t end,
                 const FactorTable& users, const FactorTable& items) {
  double sum = 0;
  AlignedVector<double> x(users.stride());
  for (std::size_t user = begin; user < end; ++user) {
    std::copy_n(users.row(user), users.stride(), x.begin());
    const auto columns = by_user.row_columns(user);
    const auto weights = by_user.row_weights(user);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const double miss =
          (weights[j] > 0 ? 1 : 0) - simd::WideDot(items.row(columns[j]), x.data(), users.stride());
      sum += std::abs(static_cast<double>(weights[j])) * miss * miss;
    }
  }
  return sum;
}

// sum over rows of (reg + regn n) |v|^2, where n = counts[row]
double Penalty(const std::vector<std::size_t>& counts, const FactorTable& vectors,
               const SolveParams& params) {
  double sum = 0;
  for (std::size_t row = 0; row < counts.size(); ++row) {
    const double ridge = static_cast<double>(params.reg) +
                         static_cast<double>(params.regn) * static_cast<double>(counts[row]);
    for (const float v : vectors.values(row)) {
      sum += ridge * v * v;
    }
  }
  return sum;
}

}  // namespace

float AutoUnobserved(const InteractionMatrix& matrix) {
  const double cells =
      static_cast<double>(matrix.rows()) * static_cast<double>(matrix.columns_count);
  const double density = cells > 0 ? static_cast<double>(matrix.pairs()) / cells : 0;
  return static_cast<float>(std::clamp(50 * density, 0.01, 3.0));
}

Result<TrainedModel> Train(const InteractionMatrix& by_user, const InteractionMatrix& by_item,
                           const TrainingParams& params, const TrainingControl& control) {
  if (params.dim == 0 || params.iterations == 0) {
    return Status::InvalidArgument("training needs at least one dimension and one iteration");
  }
  if (by_item.rows() != by_user.columns_count || by_item.columns_count != by_user.rows() ||
      by_item.pairs() != by_user.pairs()) {
    return Status::InvalidArgument("the two interaction matrices do not match");
  }
  for (const FactorTable* warm : {params.warm_users, params.warm_items}) {
    if (warm != nullptr && warm->dim() != params.dim) {
      return Status::InvalidArgument("the vectors to start from are of another dimension");
    }
  }
  TrainedModel model(params.dim);
  model.solve = params.solve;
  if (params.unobserved_auto) {
    model.solve.unobserved = AutoUnobserved(by_user);
  }
  RECO_RETURN_IF_ERROR(Training(by_user, by_item, params, control, &model).Run());
  model.objective = Objective(by_user, model.users, model.items, model.solve, params.threads);
  return model;
}

double Objective(const InteractionMatrix& by_user, const FactorTable& users,
                 const FactorTable& items, const SolveParams& params, std::uint32_t threads) {
  std::vector<double> losses((by_user.rows() + kLossRows - 1) / kLossRows);
  ParallelFor(threads, losses.size(), [&](std::size_t part, std::uint32_t /*thread*/) {
    const std::size_t from = part * kLossRows;
    losses[part] =
        KnownLoss(by_user, from, std::min(from + kLossRows, by_user.rows()), users, items);
  });
  double sum = 0;
  for (const double loss : losses) {
    sum += static_cast<double>(params.alpha) * loss;
  }
  std::vector<std::size_t> user_counts(by_user.rows());
  std::vector<std::size_t> item_counts(by_user.columns_count);
  for (std::size_t user = 0; user < by_user.rows(); ++user) {
    user_counts[user] = RowLength(by_user, user);
  }
  for (const std::uint32_t item : by_user.columns) {
    ++item_counts[item];
  }
  // The sum of all squared scores is the inner product of the two Grams.
  const Eigen::MatrixXd user_gram = FullGram(users, threads);
  const Eigen::MatrixXd item_gram = FullGram(items, threads);
  sum += static_cast<double>(params.unobserved) * user_gram.cwiseProduct(item_gram).sum();
  sum += Penalty(user_counts, users, params) + Penalty(item_counts, items, params);
  return sum;
}

}  // namespace reco::model
