// RowSolver: one row of a training half iteration, in the eigenbasis of the fixed side's Gram,
// where w0 G + l I is diagonal. Internal to the trainer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/aligned_vector.h"
#include "model/factor_table.h"
#include "model/fold_in.h"

namespace reco::model {

// Owns scratch; confined to one thread. Results depend on the arguments alone.
class RowSolver {
 public:
  explicit RowSolver(std::uint32_t dim);

  // The fixed side for the following calls to Solve: its vectors, in the eigenbasis, and the
  // eigenvalues (dim). Both must outlive the calls.
  void SetFixed(const FactorTable& fixed, std::span<const float> eigenvalues,
                const SolveParams& params);

  // `x`: the warm start on entry, the solution on return; always finite. `steps` of conjugate
  // gradients at most; rows of up to kExactPairs pairs are solved exactly whatever `steps`.
  void Solve(std::span<const std::uint32_t> columns, std::span<const float> weights, int steps,
             float* x);

 private:
  static constexpr std::size_t kExactPairs = 8;

  // x = M^-1 Y' (C^-1 + Y M^-1 Y')^-1 p (Woodbury). False when float32 does not carry it.
  bool SolveExact(float* x);

  std::uint32_t dim_;
  std::size_t stride_;
  const FactorTable* fixed_ = nullptr;
  std::span<const float> eigenvalues_;
  SolveParams params_;
  AlignedVector<float> diagonal_;  // M = w0 L + l
  AlignedVector<float> inverse_;   // M^-1
  AlignedVector<float> right_;
  AlignedVector<float> work_;
  AlignedVector<float> scaled_;  // kExactPairs rows of M^-1 y
  // Pairs of non-zero confidence.
  std::vector<const float*> rows_;
  std::vector<float> confidence_;
  std::vector<float> pull_;
};

}  // namespace reco::model
