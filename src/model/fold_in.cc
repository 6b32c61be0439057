// FoldInSolver: conjugate gradients in float32 with a checked result, and float64 Cholesky for the
// systems that float32 cannot carry.
#include "model/fold_in.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "base/check.h"
#include "model/conjugate_gradient.h"
#include "model/factor_table.h"
#include "model/row_kernels.h"
#include "model/simd.h"

namespace reco::model {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Conjugate gradients stop at this estimated relative error ...
constexpr float kErrorGoal = 2e-5F;
// ... which the exact residual must confirm up to this, when the system is badly conditioned.
constexpr double kErrorLimit = 5e-5;
// |r| / l bounds the error whatever G is, as A >= l I; it must be within this.
constexpr float kHardLimit = 1e-4F;
// Ratio of the pairs' share of A to the rest, above which a float32 result is checked in float64.
constexpr float kStiff = 1000;
constexpr int kStepsMax = 48;
// Rows up to this many pairs per dimension are applied as a list, longer ones as a matrix: a pass
// costs 2.5 ns a pair at d = 64, building the matrix 50 ns.
constexpr std::size_t kGatheredPerDim = 16;
// Neighbours that one rank update of the float64 matrix takes in.
constexpr std::size_t kWideBlock = 64;
// Neighbours that one pass of the float32 matrix build takes in: 64 KB of rows at d = 64.
constexpr std::size_t kDenseBlock = 256;

bool AllFinite(const float* x, std::size_t count) {
  return std::all_of(x, x + count, [](float v) { return std::isfinite(v); });
}

void MirrorUpper(float* matrix, std::size_t stride) {
  for (std::size_t i = 0; i < stride; ++i) {
    for (std::size_t k = i + 1; k < stride; ++k) {
      matrix[k * stride + i] = matrix[i * stride + k];
    }
  }
}

}  // namespace

struct FoldInSolver::Scratch {
  explicit Scratch(std::uint32_t dimension)
      : dim(dimension),
        stride(StrideFor(dimension)),
        vectors(std::size_t{8} * stride),
        wide_x(stride),
        wide_residual(stride),
        wide(dim, dim),
        wide_rows(dim, static_cast<Eigen::Index>(kWideBlock)),
        wide_vector(dim) {}

  float* vector(std::size_t i) { return vectors.data() + i * stride; }
  float* right() { return vector(0); }
  float* inverse_diagonal() { return vector(1); }
  float* inverse_floor() { return vector(2); }
  float* pair_diagonal() { return vector(3); }
  float* gram_times() { return vector(7); }
  CgWorkspace workspace() { return {vector(4), vector(5), vector(6)}; }

  bool Gather(const SolveParams& params, std::span<const Neighbor> neighbors);
  void AddPrior(const Gram& gram, const SolveParams& params, float ridge, const float* prior);
  void BuildDense();
  float Precondition(const Gram& gram, const SolveParams& params, float ridge);
  template <std::size_t kVecs>
  bool SolveGathered(const Gram& gram, const SolveParams& params, float ridge, float* x);
  bool SolveDense(const Gram& gram, const SolveParams& params, float ridge, float* x);

  void StartResidual(const Gram& gram, const SolveParams& params, float ridge, const float* x,
                     const float* prior);
  void AddGatheredResidual();
  void AddLongResidual(const Information& information);
  bool Confirmed(const float* x) const;

  void StartWide(const Gram& gram, const SolveParams& params, float ridge);
  Eigen::VectorXd WidePrior(const float* prior) const;
  void AddGatheredWide();
  bool FactorWide();
  void SolveWide(float* x);

  const std::uint32_t dim;
  const std::size_t stride;
  AlignedVector<float> vectors;
  AlignedVector<float> matrix;        // stride x stride, allocated by the first long row
  std::vector<const float*> rows;     // y_j
  std::vector<float> confidence;      // c_j
  std::vector<float> pull;            // c_j p_j
  std::vector<std::uint32_t> places;  // 0, 1, ... for the kernels
  AlignedVector<double> wide_x;
  AlignedVector<double> wide_residual;
  RowMatrix wide;
  Eigen::MatrixXd wide_rows;
  Eigen::VectorXd wide_vector;
};

// Takes the neighbours apart and sums the right side. Returns false when that is zero, and so is x.
bool FoldInSolver::Scratch::Gather(const SolveParams& params, std::span<const Neighbor> neighbors) {
  // Padded for the kernels by pairs that weigh nothing.
  const std::size_t count =
      (neighbors.size() + kernels::kTogether - 1) / kernels::kTogether * kernels::kTogether;
  rows.assign(count, neighbors.empty() ? nullptr : neighbors.front().factor);
  confidence.assign(count, 0.0F);
  pull.assign(count, 0.0F);
  for (std::size_t j = places.size(); j < count; ++j) {
    places.push_back(static_cast<std::uint32_t>(j));
  }
  for (std::size_t j = 0; j < neighbors.size(); ++j) {
    kernels::Prefetch(neighbors[j].factor, stride * sizeof(float));
    const float weight = neighbors[j].weight;
    rows[j] = neighbors[j].factor;
    confidence[j] = params.alpha * std::abs(weight);
    pull[j] = weight > 0 ? confidence[j] : 0;
  }
  std::fill_n(right(), stride, 0.0F);
  simd::AddGathered(rows.data(), pull.data(), count, right(), stride);
  return std::any_of(right(), right() + dim, [](float b) { return b != 0; });
}

// right += (w0 G + l I) prior.
void FoldInSolver::Scratch::AddPrior(const Gram& gram, const SolveParams& params, float ridge,
                                     const float* prior) {
  simd::SymmetricTimes(gram.values32(), prior, gram_times(), stride);
  for (std::size_t k = 0; k < stride; ++k) {
    right()[k] += params.unobserved * gram_times()[k] + ridge * prior[k];
  }
}

// matrix = sum c y y' of the gathered rows.
void FoldInSolver::Scratch::BuildDense() {
  matrix.assign(stride * stride, 0.0F);
  for (std::size_t from = 0; from < rows.size(); from += kDenseBlock) {
    const std::size_t count = std::min(kDenseBlock, rows.size() - from);
    kernels::AddOuterProducts<kernels::Part::kUpper>(rows.data() + from, confidence.data() + from,
                                                     count, matrix.data(), stride);
  }
  MirrorUpper(matrix.data(), stride);
}

// Fills the two inverse diagonals from pair_diagonal(), the diagonal of sum c y y'. Returns the
// trace of that sum in units of the rest of A: a bound on how badly float32 is conditioned.
float FoldInSolver::Scratch::Precondition(const Gram& gram, const SolveParams& params,
                                          float ridge) {
  float stiffness = 0;
  for (std::size_t k = 0; k < dim; ++k) {
    const float floor = params.unobserved * gram.values32()[k * stride + k] + ridge;
    const float own = pair_diagonal()[k];
    inverse_floor()[k] = 1 / floor;
    inverse_diagonal()[k] = 1 / (floor + own);
    stiffness += own / floor;
  }
  return stiffness;
}

// Solves by conjugate gradients with A applied as w0 G p + l p + sum c (y'p) y.
template <std::size_t kVecs>
bool FoldInSolver::Scratch::SolveGathered(const Gram& gram, const SolveParams& params, float ridge,
                                          float* x) {
  const kernels::GatheredPairs pairs = {.rows = places.data(),
                                        .confidence = confidence.data(),
                                        .count = rows.size(),
                                        .vecs = stride / simd::kLanes};
  float* shared = gram_times();
  const auto times = [&](const float* p, float* out) {
    simd::SymmetricTimes(gram.values32(), p, shared, stride);
    kernels::Times<kVecs>(kernels::ListedRows(rows.data()), pairs, p, out);
    for (std::size_t k = 0; k < stride; k += simd::kLanes) {
      simd::Store(out + k, simd::Load(out + k) + params.unobserved * simd::Load(shared + k) +
                               ridge * simd::Load(p + k));
    }
  };
  const CgSystem system = {right(), inverse_diagonal(), inverse_floor(), stride};
  return SolveCg(times, system, {kStepsMax, kErrorGoal, kHardLimit * ridge}, workspace(), x);
}

// Solves by conjugate gradients with A = matrix, completed here by w0 G + l I.
bool FoldInSolver::Scratch::SolveDense(const Gram& gram, const SolveParams& params, float ridge,
                                       float* x) {
  for (std::size_t k = 0; k < stride * stride; k += simd::kLanes) {
    simd::Store(matrix.data() + k, simd::Load(matrix.data() + k) +
                                       params.unobserved * simd::Load(gram.values32() + k));
  }
  for (std::size_t k = 0; k < dim; ++k) {
    matrix[k * stride + k] += ridge;
  }
  const auto times = [&](const float* p, float* out) {
    simd::SymmetricTimes(matrix.data(), p, out, stride);
  };
  const CgSystem system = {right(), inverse_diagonal(), inverse_floor(), stride};
  return SolveCg(times, system, {kStepsMax, kErrorGoal, kHardLimit * ridge}, workspace(), x);
}

// wide_residual = (w0 G + l I) (prior - x) in float64; the pairs' share is added by the next two.
void FoldInSolver::Scratch::StartResidual(const Gram& gram, const SolveParams& params, float ridge,
                                          const float* x, const float* prior) {
  for (std::size_t k = 0; k < stride; ++k) {
    wide_x[k] = static_cast<double>(x[k]) - (prior != nullptr ? static_cast<double>(prior[k]) : 0);
  }
  std::fill(wide_residual.begin(), wide_residual.end(), 0.0);
  for (std::size_t i = 0; i < dim; ++i) {
    const double scale = -static_cast<double>(params.unobserved) * wide_x[i];
    const double* row = gram.values() + i * stride;
    for (std::size_t k = 0; k < stride; ++k) {
      wide_residual[k] += scale * row[k];
    }
    wide_residual[i] -= static_cast<double>(ridge) * wide_x[i];
  }
  std::copy_n(x, stride, wide_x.begin());
}

void FoldInSolver::Scratch::AddGatheredResidual() {
  for (std::size_t j = 0; j < rows.size(); ++j) {
    const double score = simd::WideDot(rows[j], wide_x.data(), stride);
    simd::WideAxpy(pull[j] - confidence[j] * score, rows[j], wide_residual.data(), stride);
  }
}

void FoldInSolver::Scratch::AddLongResidual(const Information& information) {
  for (std::size_t i = 0; i < dim; ++i) {
    wide_residual[i] += information.right_side()[i];
    simd::WideAxpy(-wide_x[i], information.matrix() + i * stride, wide_residual.data(), stride);
  }
}

// Returns true iff the residual in float64 puts the error of x within the limit (I13).
bool FoldInSolver::Scratch::Confirmed(const float* x) const {
  const float* floor = vectors.data() + 2 * stride;
  double error = 0;
  double size = 0;
  for (std::size_t k = 0; k < dim; ++k) {
    const double e = wide_residual[k] * floor[k];
    error += e * e;
    size += static_cast<double>(x[k]) * x[k];
  }
  return error <= kErrorLimit * kErrorLimit * size;
}

// wide = w0 G + l I.
void FoldInSolver::Scratch::StartWide(const Gram& gram, const SolveParams& params, float ridge) {
  for (std::uint32_t i = 0; i < dim; ++i) {
    for (std::uint32_t k = 0; k < dim; ++k) {
      wide(i, k) = static_cast<double>(params.unobserved) * gram.values()[i * stride + k];
    }
    wide(i, i) += ridge;
  }
}

// Returns (w0 G + l I) prior, when `wide` holds no more than that; 0 without a prior.
Eigen::VectorXd FoldInSolver::Scratch::WidePrior(const float* prior) const {
  return prior == nullptr ? Eigen::VectorXd(Eigen::VectorXd::Zero(dim))
                          : wide * Eigen::Map<const Eigen::VectorXf>(prior, dim).cast<double>();
}

// wide += sum c y y' in its lower triangle.
void FoldInSolver::Scratch::AddGatheredWide() {
  for (std::size_t from = 0; from < rows.size(); from += kWideBlock) {
    const std::size_t count = std::min(kWideBlock, rows.size() - from);
    for (std::size_t j = 0; j < count; ++j) {
      const double scale = std::sqrt(static_cast<double>(confidence[from + j]));
      const auto column = static_cast<Eigen::Index>(j);
      wide_rows.col(column) =
          Eigen::Map<const Eigen::VectorXf>(rows[from + j], dim).cast<double>() * scale;
    }
    wide.selfadjointView<Eigen::Lower>().rankUpdate(
        wide_rows.leftCols(static_cast<Eigen::Index>(count)));
  }
}

// Replaces the lower triangle of `wide` by its Cholesky factor. Sums that rounding has left just
// short of positive definite are helped by a little ridge. Returns false when nothing helps.
bool FoldInSolver::Scratch::FactorWide() {
  using Matrix = Eigen::Ref<RowMatrix>;
  // The factorisation works in place: the strict upper triangle and `wide_vector` keep the copy.
  wide.triangularView<Eigen::StrictlyUpper>() = wide.transpose();
  wide_vector = wide.diagonal();
  const double largest = wide_vector.cwiseAbs().maxCoeff();
  double help = 0;
  for (const double share : {1e-12, 1e-6, 1e-2}) {
    const Eigen::LLT<Matrix, Eigen::Lower> factor(wide);
    if (factor.info() == Eigen::Success) {
      return true;
    }
    help = share * largest;
    wide.triangularView<Eigen::StrictlyLower>() = wide.transpose();
    wide.diagonal() = wide_vector.array() + help;
  }
  return false;
}

// x = L'^-1 L^-1 wide_vector after FactorWide.
void FoldInSolver::Scratch::SolveWide(float* x) {
  wide.triangularView<Eigen::Lower>().solveInPlace(wide_vector);
  wide.triangularView<Eigen::Lower>().adjoint().solveInPlace(wide_vector);
  for (std::uint32_t k = 0; k < dim; ++k) {
    x[k] = static_cast<float>(wide_vector[k]);
  }
  std::fill(x + dim, x + stride, 0.0F);
  if (!AllFinite(x, dim)) {
    std::fill_n(x, stride, 0.0F);
  }
}

FoldInSolver::FoldInSolver(std::uint32_t dim) : scratch_(std::make_unique<Scratch>(dim)) {}
FoldInSolver::~FoldInSolver() = default;

void FoldInSolver::Solve(const Gram& gram, const SolveParams& params,
                         std::span<const Neighbor> neighbors, float* x, const float* prior) {
  Scratch& s = *scratch_;
  if (prior != nullptr && neighbors.empty()) {
    std::copy_n(prior, s.stride, x);
    return;
  }
  if (!s.Gather(params, neighbors) && prior == nullptr) {
    std::fill_n(x, s.stride, 0.0F);
    return;
  }
  const float ridge = params.reg + params.regn * static_cast<float>(neighbors.size());
  if (prior != nullptr) {
    s.AddPrior(gram, params, ridge, prior);
  }
  // Short rows are applied pair by pair, long ones as one matrix: see kGatheredPerDim.
  bool solved = false;
  float stiffness = 0;
  if (neighbors.size() <= kGatheredPerDim * s.dim) {
    std::fill_n(s.pair_diagonal(), s.stride, 0.0F);
    simd::AddGatheredSquares(s.rows.data(), s.confidence.data(), s.rows.size(), s.pair_diagonal(),
                             s.stride);
    stiffness = s.Precondition(gram, params, ridge);
    switch (s.stride / simd::kLanes) {
      case 4:
        solved = s.SolveGathered<4>(gram, params, ridge, x);
        break;
      case 8:
        solved = s.SolveGathered<8>(gram, params, ridge, x);
        break;
      default:
        solved = s.SolveGathered<0>(gram, params, ridge, x);
    }
  } else {
    s.BuildDense();
    for (std::size_t k = 0; k < s.dim; ++k) {
      s.pair_diagonal()[k] = s.matrix[k * s.stride + k];
    }
    stiffness = s.Precondition(gram, params, ridge);
    solved = s.SolveDense(gram, params, ridge, x);
  }
  // Where pairs dwarf the rest of A, float32's own residual cannot be trusted.
  if (solved && !(stiffness < kStiff)) {
    s.StartResidual(gram, params, ridge, x, prior);
    s.AddGatheredResidual();
    solved = s.Confirmed(x);
  }
  if (solved) {
    RECO_DCHECK(AllFinite(x, s.dim), "I13");
    return;
  }
  // Not solved, or not to be trusted: float64 Cholesky.
  s.StartWide(gram, params, ridge);
  const Eigen::VectorXd right = s.WidePrior(prior);
  s.AddGatheredWide();
  if (!s.FactorWide()) {
    std::fill_n(x, s.stride, 0.0F);
    return;
  }
  s.wide_vector = right;
  for (std::size_t j = 0; j < s.rows.size(); ++j) {
    s.wide_vector += static_cast<double>(s.pull[j]) *
                     Eigen::Map<const Eigen::VectorXf>(s.rows[j], s.dim).cast<double>();
  }
  s.SolveWide(x);
}

void FoldInSolver::SolveLong(const Gram& gram, const SolveParams& params,
                             const Information& information, std::uint64_t pairs, float* x,
                             const float* prior) {
  Scratch& s = *scratch_;
  if (prior != nullptr && pairs == 0) {
    std::copy_n(prior, s.stride, x);
    return;
  }
  const float* b = information.right_side();
  // A zero right side has the zero solution, whatever the matrix; rounding must not say otherwise.
  const bool empty = pairs == 0 || std::all_of(b, b + s.dim, [](float v) { return v == 0; });
  if (empty && prior == nullptr) {
    std::fill_n(x, s.stride, 0.0F);
    return;
  }
  const float ridge = params.reg + params.regn * static_cast<float>(pairs);
  std::copy_n(b, s.stride, s.right());
  if (prior != nullptr) {
    s.AddPrior(gram, params, ridge, prior);
  }
  s.matrix.assign(information.matrix(), information.matrix() + s.stride * s.stride);
  for (std::size_t k = 0; k < s.dim; ++k) {
    s.pair_diagonal()[k] = s.matrix[k * s.stride + k];
  }
  const float stiffness = s.Precondition(gram, params, ridge);
  bool solved = s.SolveDense(gram, params, ridge, x);
  if (solved && !(stiffness < kStiff)) {
    s.StartResidual(gram, params, ridge, x, prior);
    s.AddLongResidual(information);
    solved = s.Confirmed(x);
  }
  if (solved) {
    RECO_DCHECK(AllFinite(x, s.dim), "I13");
    return;
  }
  s.StartWide(gram, params, ridge);
  const Eigen::VectorXd right = s.WidePrior(prior);
  for (std::uint32_t i = 0; i < s.dim; ++i) {
    s.wide.row(i) +=
        Eigen::Map<const Eigen::RowVectorXf>(information.matrix() + i * s.stride, s.dim)
            .cast<double>();
  }
  if (!s.FactorWide()) {
    std::fill_n(x, s.stride, 0.0F);
    return;
  }
  s.wide_vector = right + Eigen::Map<const Eigen::VectorXf>(b, s.dim).cast<double>();
  s.SolveWide(x);
}

void FoldInSolver::Shares(const Gram& gram, const SolveParams& params,
                          std::span<const Neighbor> neighbors, const float* target,
                          std::span<double> shares) {
  Scratch& s = *scratch_;
  std::fill(shares.begin(), shares.end(), 0.0);
  if (!s.Gather(params, neighbors)) {
    return;
  }
  s.StartWide(gram, params, params.reg + params.regn * static_cast<float>(neighbors.size()));
  s.AddGatheredWide();
  if (!s.FactorWide()) {
    return;
  }
  s.wide_vector = Eigen::Map<const Eigen::VectorXf>(target, s.dim).cast<double>();
  s.wide.triangularView<Eigen::Lower>().solveInPlace(s.wide_vector);
  s.wide.triangularView<Eigen::Lower>().adjoint().solveInPlace(s.wide_vector);
  for (std::size_t j = 0; j < neighbors.size(); ++j) {
    const Eigen::Map<const Eigen::VectorXf> row(s.rows[j], s.dim);
    shares[j] = static_cast<double>(s.pull[j]) * row.cast<double>().dot(s.wide_vector);
  }
}

float Dot(const float* a, const float* b, std::uint32_t stride) {
  return simd::Dot(a, b, stride);
}

}  // namespace reco::model
