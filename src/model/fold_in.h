// Fold-in: the vector of one row (a user or an item) given the vectors of the other side.
//
//   A x = b,   A = w0 G + l I + sum c y y',   b = sum c p y,   l = reg + regn n
//
// with c = alpha |w| and p = 1 for w > 0, else 0 (Hu, Koren, Volinsky 2008; w0 after Rendle et al.
// 2022). G = Y'Y is kept live by the caller through Gram. Pure functions over views.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "model/aligned_vector.h"

namespace reco::model {

class FactorTable;

// One known pair of the row: the partner's padded vector (length stride, lives in a FactorTable)
// and the signed weight of the pair.
struct Neighbor {
  const float* factor = nullptr;
  float weight = 0;
};

// The parameters that a solve needs. All finite; alpha, reg, unobserved > 0.
struct SolveParams {
  float alpha = 1;
  float reg = 0.1F;
  float regn = 0.05F;
  float unobserved = 1;  // w0
};

// G = sum over all rows of v v' of one side (I8), in float64 with a float32 mirror for the solver.
// Thread-compatible.
class Gram {
 public:
  explicit Gram(std::uint32_t dim);

  std::uint32_t dim() const { return dim_; }
  std::uint32_t stride() const { return stride_; }
  // Adds new new' - old old'. Rows are padded to stride. About 1 us at d = 64.
  void Update(const float* old_row, const float* new_row);
  // Does so for several rows in one pass, a third of the time for each: Defer() takes a copy of the
  // rows, and Settle() adds what was deferred. Until then all below is as before the first.
  void Defer(const float* old_row, const float* new_row);
  void Settle();
  // stride x stride, row-major, symmetric, padding zero.
  const double* values() const { return values_.data(); }
  const float* values32() const { return values32_.data(); }
  // Replaces the values; `values` has stride x stride entries.
  void Assign(std::span<const double> values);
  // Returns |this - other| / |other| in the Frobenius norm; 0 when both are zero.
  double RelativeDistance(const Gram& other) const;

 private:
  // Settles four rows from i and a vector of columns from k.
  void SettleTile(std::size_t i, std::size_t k);

  std::uint32_t dim_;
  std::uint32_t stride_;
  AlignedVector<double> values_;
  AlignedVector<float> values32_;
  AlignedVector<double> deferred_;  // rows, the old before the new of each change
};

// Returns the Gram of all rows; O(n d^2), about 0.5 us a row at d = 64.
Gram GramOf(const FactorTable& rows);

// The running sums of a long row: S = sum c y y' and b = sum c p y, so that one event costs one
// rank-one update whatever the row's length (recursive least squares in information form; D4 says
// what they drift by and when they are renewed).
// Thread-compatible.
class Information {
 public:
  explicit Information(std::uint32_t dim);
  // Replaces a pair's weight: adds the share of `new_weight`, takes that of `old_weight`, both with
  // the partner's vector as it is now. 0 stands for no pair.
  void Replace(const float* factor, float alpha, float old_weight, float new_weight);
  // Does so for many pairs, a third of the time for each; the sums are the same up to rounding.
  struct Change {
    const float* factor = nullptr;
    float old_weight = 0;
    float new_weight = 0;
  };
  void ReplaceAll(std::span<const Change> changes, float alpha);
  void Clear();
  std::size_t memory_bytes() const;
  // stride x stride, symmetric up to rounding.
  const float* matrix() const { return matrix_.data(); }
  const float* right_side() const { return right_.data(); }  // stride
 private:
  std::uint32_t stride_;
  AlignedVector<float> matrix_;
  AlignedVector<float> right_;
};

// Solves rows. Owns scratch memory, so one solver serves one thread at a time. Deterministic: the
// same inputs in the same order give the same bits on the same machine.
//
// Relative error against the float64 solution: <= 1e-4 in the median, <= 1e-3 always (I13), for any
// finite weights up to 1e6; results are always finite.
class FoldInSolver {
 public:
  explicit FoldInSolver(std::uint32_t dim);
  ~FoldInSolver();
  FoldInSolver(const FoldInSolver&) = delete;
  FoldInSolver& operator=(const FoldInSolver&) = delete;

  // Solves a row from its pairs. `x` (stride floats): the last solution on entry, as a warm start,
  // and the solution on return. `prior`: a padded vector that x is drawn to in place of 0, or null.
  // It adds (w0 G + l I) prior to b, so that x - prior solves A z = sum c (p - y'prior) y. No
  // neighbours: x = prior, or 0.
  void Solve(const Gram& gram, const SolveParams& params, std::span<const Neighbor> neighbors,
             float* x, const float* prior = nullptr);
  // Solves a row from its running sums. `pairs`: n of the regulariser. No pairs: x = prior, or 0.
  void SolveLong(const Gram& gram, const SolveParams& params, const Information& information,
                 std::uint64_t pairs, float* x, const float* prior = nullptr);
  // Sets shares[j] = c_j p_j y_j' A^-1 target: what neighbour j contributes to the score of
  // `target` (padded vector) under the solution of Solve. float64 Cholesky, O(n d^2 + d^3).
  void Shares(const Gram& gram, const SolveParams& params, std::span<const Neighbor> neighbors,
              const float* target, std::span<double> shares);

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

// Returns the inner product of two padded rows.
float Dot(const float* a, const float* b, std::uint32_t stride);

}  // namespace reco::model
