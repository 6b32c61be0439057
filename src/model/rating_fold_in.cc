// RatingFoldIn: Cholesky in float64 of the d + 1 normal equations, or of the n x n dual when the
// row is shorter than that.
#include "model/rating_fold_in.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "model/aligned_vector.h"
#include "model/factor_table.h"
#include "model/simd.h"

namespace reco::model {
namespace {

using simd::kWideLanes;
using simd::Load;
using simd::Store;
using simd::Wide;

// Pairs that one pass of the matrix build takes in: 36 KB at d = 64, within the L2 cache.
constexpr std::size_t kBlock = 64;
// Row lengths are multiples of this many doubles.
constexpr std::size_t kWidthUnit = 8;
static_assert(kWidthUnit % kWideLanes == 0);

std::size_t WidthFor(std::size_t columns) {
  return (columns + kWidthUnit - 1) / kWidthUnit * kWidthUnit;
}

std::size_t FirstVector(std::size_t column) {
  return column / kWideLanes * kWideLanes;
}

// Sum of the lanes, by halving. A template, so that only the branch for the lanes there are counts.
template <typename V>
double Sum(V v) {
  constexpr std::size_t kLanes = sizeof(V) / sizeof(double);
  if constexpr (kLanes == 2) {
    return v[0] + v[1];
  } else {
    return Sum(simd::AddHalves(v, std::make_index_sequence<kLanes / 2>()));
  }
}

// Adds the products of 4 rows of the result by `Vectors` vectors, which stay in registers.
template <std::size_t Vectors>
void AddTile(const double* rows, std::size_t count, std::size_t width, std::size_t i, std::size_t k,
             double* matrix) {
  Wide sums[4][Vectors] = {};
  for (std::size_t j = 0; j < count; ++j) {
    const double* row = rows + j * width;
    for (std::size_t v = 0; v < Vectors; ++v) {
      const Wide right = Load(row + k + v * kWideLanes);
      for (std::size_t r = 0; r < 4; ++r) {
        sums[r][v] += row[i + r] * right;
      }
    }
  }
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t v = 0; v < Vectors; ++v) {
      double* out = matrix + (i + r) * width + k + v * kWideLanes;
      Store(out, Load(out) + sums[r][v]);
    }
  }
}

// matrix += sum of row' row over `count` rows of `width`, for the first `unknowns` rows of the
// result and the columns from their diagonal on; what is left of it is left undefined but finite.
void AddProducts(const double* rows, std::size_t count, std::size_t width, std::size_t unknowns,
                 double* matrix) {
  for (std::size_t i = 0; i < unknowns; i += 4) {
    std::size_t k = FirstVector(i);
    for (; k + 3 * kWideLanes <= width; k += 3 * kWideLanes) {
      AddTile<3>(rows, count, width, i, k, matrix);
    }
    if (k + 2 * kWideLanes <= width) {
      AddTile<2>(rows, count, width, i, k, matrix);
    } else if (k < width) {
      AddTile<1>(rows, count, width, i, k, matrix);
    }
  }
}

// A symmetric system of `unknowns` rows of `width`: the upper triangle, and the right side in
// column `unknowns`.
struct System {
  double* matrix = nullptr;
  std::size_t unknowns = 0;
  std::size_t width = 0;

  double& at(std::size_t i, std::size_t k) const { return matrix[i * width + k]; }
  // A = U'U, row by row; the right side becomes U'^-1 b. False when A is not positive definite.
  bool Factor() const;
  // x = U^-1 b after Factor; `x` has `width` entries, those past the unknowns are set to zero.
  void Substitute(double* x) const;
};

bool System::Factor() const {
  for (std::size_t i = 0; i < unknowns; ++i) {
    double* pivot_row = matrix + i * width;
    if (!(pivot_row[i] > 0)) {
      return false;
    }
    const double scale = 1 / std::sqrt(pivot_row[i]);
    for (std::size_t k = FirstVector(i); k < width; k += kWideLanes) {
      Store(pivot_row + k, scale * Load(pivot_row + k));
    }
    for (std::size_t r = i + 1; r < unknowns; ++r) {
      const double share = pivot_row[r];
      double* row = matrix + r * width;
      for (std::size_t k = FirstVector(r); k < width; k += kWideLanes) {
        Store(row + k, Load(row + k) - share * Load(pivot_row + k));
      }
    }
  }
  return true;
}

void System::Substitute(double* x) const {
  std::fill_n(x, width, 0.0);
  for (std::size_t i = unknowns; i-- > 0;) {
    Wide sum = {};
    for (std::size_t k = FirstVector(i); k < width; k += kWideLanes) {
      sum += Load(matrix + i * width + k) * Load(x + k);
    }
    x[i] = (at(i, unknowns) - Sum(sum)) / at(i, i);
  }
}

}  // namespace

struct RatingFoldIn::Scratch {
  explicit Scratch(std::uint32_t dimension)
      : dim(dimension),
        stride(StrideFor(dimension + kRatingExtras)),
        width(WidthFor(dimension + kRatingExtras)),
        matrix(width * width),
        rows(std::max<std::size_t>(kBlock, dimension + 1) * width),
        solution(width) {}

  double Target(const RatingTerms& terms, const RatedNeighbor& neighbor) const;
  void Widen(const float* factor, double last, double* row) const;
  void AddPrimal(const RatingTerms& terms, std::span<const RatedNeighbor> neighbors);
  System FinishPrimal(const RatingTerms& terms, std::uint64_t pairs, double help);
  System BuildPrimal(const RatingTerms& terms, std::span<const RatedNeighbor> neighbors,
                     double help);
  void TakePrimal(const RatingTerms& terms, bool solved, float* x) const;
  System BuildDual(const RatingTerms& terms, std::span<const RatedNeighbor> neighbors, double help);
  template <typename Build>
  bool SolveWith(const Build& build);

  const std::uint32_t dim;
  const std::size_t stride;
  const std::size_t width;
  AlignedVector<double> matrix;
  AlignedVector<double> rows;
  AlignedVector<double> solution;
  AlignedVector<double> sums;  // `matrix` of a row that comes in pieces, before the ridge
};

// t = r - mean - b_partner.
double RatingFoldIn::Scratch::Target(const RatingTerms& terms,
                                     const RatedNeighbor& neighbor) const {
  // The partner keeps its bias where this side has its constant.
  const float bias = neighbor.factor[RatingConstantAt(terms.side, dim)];
  return static_cast<double>(neighbor.rating) - terms.mean - static_cast<double>(bias);
}

// row = [y, 1, last, 0 ...] of `width`.
void RatingFoldIn::Scratch::Widen(const float* factor, double last, double* row) const {
  for (std::size_t k = 0; k < width; k += kWideLanes) {
    Store(row + k, simd::LoadWide(factor + k));
  }
  row[dim] = 1;
  row[dim + 1] = last;
}

// A = sum z z' + l I with sum z t beside it: both out of the products of the rows [z, t].
void RatingFoldIn::Scratch::AddPrimal(const RatingTerms& terms,
                                      std::span<const RatedNeighbor> neighbors) {
  for (std::size_t from = 0; from < neighbors.size(); from += kBlock) {
    const std::size_t count = std::min(kBlock, neighbors.size() - from);
    for (std::size_t j = 0; j < count; ++j) {
      const RatedNeighbor& neighbor = neighbors[from + j];
      Widen(neighbor.factor, Target(terms, neighbor), rows.data() + j * width);
    }
    AddProducts(rows.data(), count, width, dim + std::size_t{1}, matrix.data());
  }
}

System RatingFoldIn::Scratch::FinishPrimal(const RatingTerms& terms, std::uint64_t pairs,
                                           double help) {
  const System system = {matrix.data(), dim + std::size_t{1}, width};
  const double ridge =
      static_cast<double>(terms.reg) + static_cast<double>(terms.regn) * static_cast<double>(pairs);
  double largest = 0;
  for (std::size_t i = 0; i < system.unknowns; ++i) {
    largest = std::max(largest, system.at(i, i));
  }
  for (std::size_t i = 0; i < system.unknowns; ++i) {
    system.at(i, i) += ridge + help * largest;
  }
  return system;
}

System RatingFoldIn::Scratch::BuildPrimal(const RatingTerms& terms,
                                          std::span<const RatedNeighbor> neighbors, double help) {
  std::fill(matrix.begin(), matrix.end(), 0.0);
  AddPrimal(terms, neighbors);
  return FinishPrimal(terms, neighbors.size(), help);
}

// The solution of the primal system as an augmented row, whose other entries are zero already.
void RatingFoldIn::Scratch::TakePrimal(const RatingTerms& terms, bool solved, float* x) const {
  for (std::size_t k = 0; solved && k < dim; ++k) {
    x[k] = static_cast<float>(solution[k]);
  }
  x[RatingBiasAt(terms.side, dim)] = solved ? static_cast<float>(solution[dim]) : 0;
}

// K = Z Z' + l I with t beside it; `rows` has Z', so that [x; b] = rows K^-1 t.
System RatingFoldIn::Scratch::BuildDual(const RatingTerms& terms,
                                        std::span<const RatedNeighbor> neighbors, double help) {
  const std::size_t n = neighbors.size();
  const System system = {matrix.data(), n, WidthFor(n + 1)};
  std::fill_n(rows.data(), (dim + std::size_t{1}) * system.width, 0.0);
  for (std::size_t j = 0; j < n; ++j) {
    const float* factor = neighbors[j].factor;
    for (std::size_t k = 0; k < dim; ++k) {
      rows[k * system.width + j] = factor[k];
    }
    rows[dim * system.width + j] = 1;
  }
  std::fill_n(matrix.data(), system.width * system.width, 0.0);
  AddProducts(rows.data(), dim + std::size_t{1}, system.width, n, matrix.data());
  const double ridge =
      static_cast<double>(terms.reg) + static_cast<double>(terms.regn) * static_cast<double>(n);
  double largest = 0;
  for (std::size_t j = 0; j < n; ++j) {
    largest = std::max(largest, system.at(j, j));
  }
  for (std::size_t j = 0; j < n; ++j) {
    system.at(j, j) += ridge + help * largest;
    system.at(j, n) = Target(terms, neighbors[j]);
  }
  return system;
}

// Solves the system that build(help) makes, into `solution`. Sums that rounding has left just short
// of positive definite are helped by a little ridge. False when nothing helps.
template <typename Build>
bool RatingFoldIn::Scratch::SolveWith(const Build& build) {
  for (const double help : {0.0, 1e-12, 1e-6, 1e-2}) {
    const System system = build(help);
    if (system.Factor()) {
      system.Substitute(solution.data());
      return true;
    }
  }
  return false;
}

RatingFoldIn::RatingFoldIn(std::uint32_t dim) : scratch_(std::make_unique<Scratch>(dim)) {}
RatingFoldIn::~RatingFoldIn() = default;

void RatingFoldIn::Solve(const RatingTerms& terms, std::span<const RatedNeighbor> neighbors,
                         float* x) {
  Scratch& s = *scratch_;
  std::fill_n(x, s.stride, 0.0F);
  if (neighbors.empty()) {
    return;
  }
  const std::uint32_t bias_at = RatingBiasAt(terms.side, s.dim);
  bool solved = false;
  if (neighbors.size() > s.dim) {
    solved = s.SolveWith([&](double help) { return s.BuildPrimal(terms, neighbors, help); });
    s.TakePrimal(terms, solved, x);
  } else {
    solved = s.SolveWith([&](double help) { return s.BuildDual(terms, neighbors, help); });
    const std::size_t width = WidthFor(neighbors.size() + 1);
    for (std::size_t k = 0; solved && k <= s.dim; ++k) {
      Wide sum = {};
      for (std::size_t j = 0; j < width; j += kWideLanes) {
        sum += Load(s.rows.data() + k * width + j) * Load(s.solution.data() + j);
      }
      x[k < s.dim ? k : bias_at] = static_cast<float>(Sum(sum));
    }
  }
  if (!std::all_of(x, x + s.stride, [](float v) { return std::isfinite(v); })) {
    std::fill_n(x, s.stride, 0.0F);
  }
  x[RatingConstantAt(terms.side, s.dim)] = 1;
}

void RatingFoldIn::Start() {
  Scratch& s = *scratch_;
  s.sums.assign(s.matrix.size(), 0.0);
}

void RatingFoldIn::Add(const RatingTerms& terms, std::span<const RatedNeighbor> neighbors) {
  Scratch& s = *scratch_;
  s.matrix.swap(s.sums);
  s.AddPrimal(terms, neighbors);
  s.matrix.swap(s.sums);
}

void RatingFoldIn::Finish(const RatingTerms& terms, std::uint64_t pairs, float* x) {
  Scratch& s = *scratch_;
  std::fill_n(x, s.stride, 0.0F);
  if (pairs == 0) {
    return;
  }
  const bool solved = s.SolveWith([&](double help) {
    std::copy(s.sums.begin(), s.sums.end(), s.matrix.begin());
    return s.FinishPrimal(terms, pairs, help);
  });
  s.TakePrimal(terms, solved, x);
  if (!std::all_of(x, x + s.stride, [](float v) { return std::isfinite(v); })) {
    std::fill_n(x, s.stride, 0.0F);
  }
  x[RatingConstantAt(terms.side, s.dim)] = 1;
}

void RatingFoldIn::Shares(const RatingTerms& terms, std::span<const RatedNeighbor> neighbors,
                          const float* target, std::span<double> shares) {
  Scratch& s = *scratch_;
  std::fill(shares.begin(), shares.end(), 0.0);
  const bool solved = s.SolveWith([&](double help) {
    const System system = s.BuildPrimal(terms, neighbors, help);
    for (std::size_t k = 0; k < s.dim; ++k) {
      system.at(k, s.dim + 1) = target[k];
    }
    system.at(s.dim, s.dim + 1) = 1;
    return system;
  });
  if (!solved) {
    return;
  }
  for (std::size_t j = 0; j < neighbors.size(); ++j) {
    s.Widen(neighbors[j].factor, 0, s.rows.data());
    Wide sum = {};
    for (std::size_t k = 0; k < s.width; k += kWideLanes) {
      sum += Load(s.rows.data() + k) * Load(s.solution.data() + k);
    }
    shares[j] = s.Target(terms, neighbors[j]) * Sum(sum);
  }
}

double PredictRating(double mean, const float* user, const float* item, std::uint32_t dim) {
  double sum = mean + static_cast<double>(user[RatingBiasAt(RatingSide::kUser, dim)]) +
               static_cast<double>(item[RatingBiasAt(RatingSide::kItem, dim)]);
  for (std::uint32_t k = 0; k < dim; ++k) {
    sum += static_cast<double>(user[k]) * static_cast<double>(item[k]);
  }
  return sum;
}

}  // namespace reco::model
