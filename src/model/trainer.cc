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

// Steps a row gets per iteration; more cost time and gain nothing.
constexpr int kSteps = 3;
// Steps of the last half iteration, which ends as an exact fold-in.
constexpr int kLastSteps = 50;
// A block of rows that one thread solves at a time: this many pairs or rows.
constexpr std::size_t kBlockPairs = 4096;
constexpr std::size_t kBlockRows = 256;
// Rows rotated at a time; divides FactorTable::kChunkRows, so a block is contiguous.
constexpr std::size_t kRotateRows = 256;
// A Gram is the sum, in this order, of this many parts: whatever the threads, the same bits.
constexpr std::size_t kGramParts = 32;
// Rows that one rank update of a Gram takes in.
constexpr std::size_t kGramRows = 64;

// Fills `row` from N(0, 0.01 / dim) by the Box-Muller transform. Each row has its own stream.
void FillNormal(std::uint64_t seed, std::uint64_t number, std::uint32_t dim, float* row) {
  SplitMix64 random(StreamSeed(seed, number));
  const double deviation = 0.1 / std::sqrt(static_cast<double>(dim));
  for (std::uint32_t k = 0; k < dim; k += 2) {
    const double length = deviation * std::sqrt(-2 * std::log(random.Uniform()));
    const double angle = 2 * std::numbers::pi * random.Uniform();
    row[k] = static_cast<float>(length * std::cos(angle));
    if (k + 1 < dim) {
      row[k + 1] = static_cast<float>(length * std::sin(angle));
    }
  }
}

// One side of the model while it is trained.
struct Side {
  Side(const InteractionMatrix& side_matrix, FactorTable& side_vectors)
      : matrix(side_matrix), vectors(side_vectors) {}

  const InteractionMatrix& matrix;
  FactorTable& vectors;
  Eigen::MatrixXd gram;
  std::vector<std::uint32_t> order;  // rows with pairs, longest first
  std::vector<std::size_t> blocks;   // starts in `order`, and its size at the end
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
  std::stable_sort(side->order.begin(), side->order.end(), [&](std::uint32_t a, std::uint32_t b) {
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
}

// The lower triangle of sum v v' over the rows [begin, end), in float64.
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
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint32_t i = 0; i < params_.iterations; ++i) {
      iteration_ = i;
      RECO_RETURN_IF_ERROR(HalfIteration(&items_, &users_, kSteps));
      const bool last = i + 1 == params_.iterations;
      RECO_RETURN_IF_ERROR(HalfIteration(&users_, &items_, last ? kLastSteps : kSteps));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    model_.seconds_per_iteration = took.count() / params_.iterations;
    AssignGram(users_.gram, &model_.user_gram);
    AssignGram(FullGram(items_.vectors, threads_), &model_.item_gram);
    return Status::Ok();
  }

 private:
  void Start() {
    users_.vectors.Grow(users_.matrix.rows());
    items_.vectors.Grow(items_.matrix.rows());
    OrderRows(&users_);
    OrderRows(&items_);
    ParallelFor(threads_, users_.blocks.size() - 1, [this](std::size_t block, std::uint32_t) {
      for (std::size_t i = users_.blocks[block]; i < users_.blocks[block + 1]; ++i) {
        const std::uint32_t row = users_.order[i];
        FillNormal(params_.seed, row, params_.dim, users_.vectors.mutable_row(row));
      }
    });
    users_.gram = FullGram(users_.vectors, threads_);
    blocks_total_ = static_cast<double>(params_.iterations) *
                    static_cast<double>(users_.blocks.size() + items_.blocks.size() - 2);
  }

  bool Cancelled() const {
    return control_.cancel != nullptr && control_.cancel->load(std::memory_order_relaxed);
  }

  // Solves `side` against `fixed`, in the eigenbasis of the latter's Gram, where both end.
  Status HalfIteration(Side* side, Side* fixed, int steps) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(fixed->gram);
    // Largest first.
    const Eigen::VectorXf values = eigen.eigenvalues().reverse().cwiseMax(0.0).cast<float>();
    const auto stride = static_cast<Eigen::Index>(side->vectors.stride());
    const auto dim = static_cast<Eigen::Index>(params_.dim);
    RowMatrix basis = RowMatrix::Zero(stride, stride);
    basis.topLeftCorner(dim, dim) = eigen.eigenvectors().rowwise().reverse().cast<float>();
    Rotate(basis, &fixed->vectors);
    Rotate(basis, &side->vectors);
    for (RowSolver& solver : solvers_) {
      solver.SetFixed(fixed->vectors, {values.data(), params_.dim}, model_.solve);
    }
    ParallelFor(threads_, side->blocks.size() - 1, [&](std::size_t block, std::uint32_t thread) {
      if (Cancelled()) {
        return;
      }
      SolveBlock(side, block, steps, &solvers_[thread]);
      Report(thread);
    });
    if (Cancelled()) {
      return Status::Unavailable("cancelled");
    }
    side->gram = FullGram(side->vectors, threads_);
    return Status::Ok();
  }

  void Rotate(const RowMatrix& basis, FactorTable* table) {
    const auto stride = static_cast<Eigen::Index>(table->stride());
    const std::size_t blocks = (table->rows() + kRotateRows - 1) / kRotateRows;
    ParallelFor(threads_, blocks, [&](std::size_t block, std::uint32_t thread) {
      const std::size_t from = block * kRotateRows;
      const std::size_t count = std::min(kRotateRows, table->rows() - from);
      Eigen::Map<RowMatrix> rows(table->mutable_row(from), static_cast<Eigen::Index>(count),
                                 stride);
      rotated_[thread].noalias() = rows * basis;
      rows = rotated_[thread];
    });
  }

  void SolveBlock(Side* side, std::size_t block, int steps, RowSolver* solver) {
    for (std::size_t i = side->blocks[block]; i < side->blocks[block + 1]; ++i) {
      const std::uint32_t row = side->order[i];
      solver->Solve(side->matrix.row_columns(row), side->matrix.row_weights(row), steps,
                    side->vectors.mutable_row(row));
    }
  }

  void Report(std::uint32_t thread) {
    const std::size_t done = blocks_done_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (thread == 0 && control_.progress) {
      control_.progress(
          {iteration_, params_.iterations, static_cast<double>(done) / blocks_total_});
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
  std::uint32_t iteration_ = 0;
  double blocks_total_ = 0;
  std::atomic<std::size_t> blocks_done_{0};  // a count for display, so relaxed
};

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
  TrainedModel model(params.dim);
  model.solve = params.solve;
  if (params.unobserved_auto) {
    model.solve.unobserved = AutoUnobserved(by_user);
  }
  RECO_RETURN_IF_ERROR(Training(by_user, by_item, params, control, &model).Run());
  model.objective = Objective(by_user, model.users, model.items, model.solve);
  return model;
}

double Objective(const InteractionMatrix& by_user, const FactorTable& users,
                 const FactorTable& items, const SolveParams& params) {
  double sum = 0;
  std::vector<std::size_t> user_counts(by_user.rows());
  std::vector<std::size_t> item_counts(by_user.columns_count);
  AlignedVector<double> x(users.stride());
  for (std::size_t user = 0; user < by_user.rows(); ++user) {
    std::copy_n(users.row(user), users.stride(), x.begin());
    const auto columns = by_user.row_columns(user);
    const auto weights = by_user.row_weights(user);
    user_counts[user] = columns.size();
    for (std::size_t j = 0; j < columns.size(); ++j) {
      ++item_counts[columns[j]];
      const double confidence = static_cast<double>(params.alpha) * std::abs(weights[j]);
      const double miss =
          (weights[j] > 0 ? 1 : 0) - simd::WideDot(items.row(columns[j]), x.data(), users.stride());
      sum += confidence * miss * miss;
    }
  }
  // The sum of all squared scores is the inner product of the two Grams.
  const Eigen::MatrixXd user_gram = FullGram(users, 1);
  const Eigen::MatrixXd item_gram = FullGram(items, 1);
  sum += static_cast<double>(params.unobserved) * user_gram.cwiseProduct(item_gram).sum();
  sum += Penalty(user_counts, users, params) + Penalty(item_counts, items, params);
  return sum;
}

}  // namespace reco::model
