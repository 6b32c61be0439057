// RowSolver: one row of a training half iteration, in the eigenbasis of the fixed side's Gram,
// where w0 G + l I is diagonal. Internal to the trainer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "model/aligned_vector.h"
#include "model/factor_table.h"
#include "model/fold_in.h"
#include "model/packed_table.h"
#include "model/row_kernels.h"

namespace reco::model {

// When to end conjugate gradients: after so many steps, or at this estimated relative error.
struct SolveLimits {
  int steps = 0;
  float error = 0;
};

// Owns scratch; confined to one thread. Results depend on the arguments alone.
class RowSolver {
 public:
  explicit RowSolver(std::uint32_t dim);

  // Sets the fixed side for the following calls to Solve: its vectors (FactorTable::Allocate), in
  // the eigenbasis, and the eigenvalues (dim). `packed`: a copy of the vectors to work with
  // instead, where only steps are wanted, or null. All must outlive the calls.
  void SetFixed(const FactorTable& fixed, const PackedTable* packed,
                std::span<const float> eigenvalues, const SolveParams& params);
  // Returns true iff a packed copy of vectors of this dimension is of use.
  static bool UsesPacked(std::uint32_t dim);

  // Solves a row. `x`: the warm start on entry, the solution on return; always finite. Rows of up
  // to kExactPairs pairs are solved exactly whatever `limits`. Returns the row's part of the
  // objective, sum c (p - x.y)^2 + x' M x with M = w0 L + l, to float32 rounding.
  double Solve(std::span<const std::uint32_t> columns, std::span<const float> weights,
               const SolveLimits& limits, float* x);

  // Asks for the vectors that the first pairs of a later call will need.
  void Prefetch(std::span<const std::uint32_t> columns) const;

 private:
  static constexpr std::size_t kExactPairs = 8;

  // Gathers the pairs of non-zero confidence and pads them.
  void Gather(std::span<const std::uint32_t> columns, std::span<const float> weights);
  // Sets x = M^-1 Y' (C^-1 + Y M^-1 Y')^-1 p (Woodbury). Returns false when float32 does not carry
  // it.
  bool SolveExact(float* x, double* loss);
  // Takes steps of conjugate gradients (Hestenes, Stiefel 1952) preconditioned by M, from x or from
  // zero, whichever is better. Returns the row's part of the objective.
  template <std::size_t kVecs, typename Rows>
  double SolveSteps(const Rows& table, const SolveLimits& limits, float* x);
  // Sets the residual at x and the first direction, and *energy = r' M^-1 r. Returns the row's part
  // of the objective at x.
  template <std::size_t kVecs, typename Rows>
  double StartSteps(const Rows& table, const kernels::GatheredPairs& pairs, const float* x,
                    float* energy);
  // Sums after a step: x' x, |M^-1 r|^2, r' r, r' M^-1 r.
  struct Moved {
    float squares = 0;
    float errors = 0;
    float residuals = 0;
    float energy = 0;
  };
  template <std::size_t kVecs>
  // Moves x along the direction by `length`; the residual follows.
  Moved Move(float length, float* x);
  // Calls SolveSteps for the width of the rows.
  template <std::size_t... kVecs>
  double SolveWidth(std::size_t vecs, std::index_sequence<kVecs...> widths,
                    const SolveLimits& limits, float* x);

  std::uint32_t dim_;
  std::size_t stride_;
  const float* fixed_ = nullptr;  // its rows
  const PackedTable* packed_ = nullptr;
  std::span<const float> eigenvalues_;
  SolveParams params_;
  AlignedVector<float> diagonal_;  // M = w0 L + l
  AlignedVector<float> inverse_;   // M^-1
  AlignedVector<float> work_;      // residual, direction and product
  AlignedVector<float> plain_;     // the vectors of an exact row
  AlignedVector<float> scaled_;    // and M^-1 times these
  // Pairs of non-zero confidence, padded.
  std::size_t count_ = 0;
  double known_ = 0;  // sum c p^2, the objective's part at x = 0
  std::vector<std::uint32_t> rows_;
  std::vector<float> confidence_;
  std::vector<float> target_;
};

}  // namespace reco::model
