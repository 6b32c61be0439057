#include "model/row_solver.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "model/packed_table.h"
#include "model/reference.h"

namespace reco::model::testing {
namespace {

// A fixed side with eigenvalues of its own: any positive diagonal will do for w0 G.
struct Fixed {
  explicit Fixed(std::uint32_t dim) : table(RandomTable(dim, 400, 0.3, 3)), gram(dim) {
    std::vector<double> values(std::size_t{gram.stride()} * gram.stride());
    for (std::uint32_t k = 0; k < dim; ++k) {
      eigenvalues.push_back(100.0F / static_cast<float>(1 + k));
      values[std::size_t{k} * (gram.stride() + 1)] = eigenvalues[k];
    }
    gram.Assign(values);
    packed.Resize(table.rows(), table.stride());
    for (std::size_t i = 0; i < table.rows(); ++i) {
      packed.Set(i, table.row(i), table.stride());
    }
  }

  FactorTable table;
  PackedTable packed;
  Gram gram;
  std::vector<float> eigenvalues;
};

struct Row {
  std::vector<std::uint32_t> columns;
  std::vector<float> weights;
  std::vector<Neighbor> neighbors;
};

Row MakeRow(const Fixed& fixed, std::uint32_t length) {
  Row row;
  for (std::uint32_t j = 0; j < length; ++j) {
    row.columns.push_back(j * 6);
    row.weights.push_back(j % 5 == 4 ? -1.5F : (j % 7 == 2 ? 0 : 2.0F));
    row.neighbors.push_back({fixed.table.row(row.columns[j]), row.weights[j]});
  }
  return row;
}

// sum c (p - x.y)^2 + x' (w0 G + l) x = x' A x - 2 b' x + sum c p^2
double ReferenceLoss(const Fixed& fixed, const SolveParams& params, const Row& row,
                     const float* x) {
  const Eigen::VectorXd at = Widen(x, fixed.table.dim());
  double loss = 0;
  for (std::uint32_t k = 0; k < fixed.table.dim(); ++k) {
    const double ridge = static_cast<double>(params.reg) +
                         static_cast<double>(params.regn) * static_cast<double>(row.columns.size());
    loss += (static_cast<double>(params.unobserved) * fixed.eigenvalues[k] + ridge) * at[k] * at[k];
  }
  for (const Neighbor& n : row.neighbors) {
    const double miss = (n.weight > 0 ? 1 : 0) - at.dot(Widen(n.factor, fixed.table.dim()));
    loss +=
        static_cast<double>(params.alpha) * std::abs(static_cast<double>(n.weight)) * miss * miss;
  }
  return loss;
}

constexpr SolveParams kRowParams = {.alpha = 3, .reg = 0.2F, .regn = 0.01F, .unobserved = 0.7F};

TEST(RowSolver, AgreesWithTheClosedFormForEveryLength) {
  for (const std::uint32_t dim : {5U, 32U, 48U, 150U}) {
    const Fixed fixed(dim);
    RowSolver solver(dim);
    solver.SetFixed(fixed.table, nullptr, fixed.eigenvalues, kRowParams);
    AlignedVector<float> x(fixed.table.stride());
    for (std::uint32_t n = 1; n < 60; ++n) {
      const Row row = MakeRow(fixed, n);
      const double loss = solver.Solve(row.columns, row.weights, {50, 2e-5F}, x.data());
      EXPECT_LE(RelativeError(x.data(), ReferenceSolution(fixed.gram, kRowParams, row.neighbors)),
                1e-4)
          << dim << " " << n;
      const double expected = ReferenceLoss(fixed, kRowParams, row, x.data());
      EXPECT_NEAR(loss, expected, 1e-5 * expected) << dim << " " << n;
    }
  }
}

TEST(RowSolver, FewStepsOfPackedRowsComeCloseAndGiveTheirLoss) {
  for (const std::uint32_t dim : {5U, 32U, 48U, 128U}) {
    if (!RowSolver::UsesPacked(dim)) {
      continue;  // the vectors of this build are too narrow
    }
    const Fixed fixed(dim);
    RowSolver solver(dim);
    solver.SetFixed(fixed.table, &fixed.packed, fixed.eigenvalues, kRowParams);
    for (std::uint32_t n = 1; n < 60; ++n) {
      const Row row = MakeRow(fixed, n);
      AlignedVector<float> x(fixed.table.stride());
      for (int start = 0; start < 2; ++start) {
        const double loss = solver.Solve(row.columns, row.weights, {3, 1e-4F}, x.data());
        const double expected = ReferenceLoss(fixed, kRowParams, row, x.data());
        EXPECT_NEAR(loss, expected, 2e-3 * expected) << dim << " " << n;
      }
      EXPECT_LE(RelativeError(x.data(), ReferenceSolution(fixed.gram, kRowParams, row.neighbors)),
                0.02)
          << dim << " " << n;
    }
  }
}

TEST(RowSolver, StartsFromZeroWhereTheWarmStartIsWorse) {
  const Fixed fixed(32);
  RowSolver solver(32);
  solver.SetFixed(fixed.table, nullptr, fixed.eigenvalues, kRowParams);
  const Row row = MakeRow(fixed, 20);
  AlignedVector<float> cold(32);
  AlignedVector<float> far(32, 1e4F);
  EXPECT_EQ(solver.Solve(row.columns, row.weights, {3, 1e-4F}, cold.data()),
            solver.Solve(row.columns, row.weights, {3, 1e-4F}, far.data()));
  EXPECT_EQ(cold, far);
}

}  // namespace
}  // namespace reco::model::testing
