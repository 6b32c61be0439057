// Preconditioned conjugate gradients (Hestenes, Stiefel 1952) in float32 for one row's system,
// shared by the live fold-in and the trainer. Internal to the model layer.
#pragma once

#include <cstddef>

#include "model/simd.h"

namespace reco::model {

// All arrays have `stride` floats with zero padding; the caller owns them.
struct CgWorkspace {
  float* residual = nullptr;
  float* direction = nullptr;
  float* product = nullptr;
};

struct CgSystem {
  const float* right_side = nullptr;
  const float* inverse_diagonal = nullptr;  // the preconditioner; padding zero
  // Inverse of a diagonal that bounds A from below, approximately: |inverse_floor r| estimates the
  // error. Padding zero.
  const float* inverse_floor = nullptr;
  std::size_t stride = 0;
};

struct CgLimits {
  int steps = 0;
  float error = 0;     // stop when the estimated |error| <= error |x| ...
  float residual = 0;  // ... and |r| <= residual |x|
};

// Solves A x = b from the warm start in `x`, or from zero when that is the better start. `times(p,
// out)` sets out = A p. Returns false when the limits were not met within `steps`; `x` then holds
// the best found, finite or not.
template <typename Times>
bool SolveCg(const Times& times, const CgSystem& system, const CgLimits& limits,
             const CgWorkspace& work, float* x) {
  using simd::kLanes;
  using simd::Load;
  using simd::Store;
  using simd::Sum;
  using simd::Vec;
  const std::size_t stride = system.stride;
  times(x, work.product);
  Vec warm = {};
  Vec cold = {};
  for (std::size_t k = 0; k < stride; k += kLanes) {
    const Vec b = Load(system.right_side + k);
    const Vec scale = Load(system.inverse_diagonal + k);
    const Vec r = b - Load(work.product + k);
    Store(work.residual + k, r);
    Store(work.direction + k, scale * r);
    warm += (scale * r) * r;
    cold += (scale * b) * b;
  }
  float energy = Sum(warm);  // r' D^-1 r
  if (!(energy < Sum(cold))) {
    energy = Sum(cold);
    for (std::size_t k = 0; k < stride; k += kLanes) {
      const Vec b = Load(system.right_side + k);
      Store(x + k, Vec{});
      Store(work.residual + k, b);
      Store(work.direction + k, Load(system.inverse_diagonal + k) * b);
    }
  }
  for (int step = 0; step < limits.steps; ++step) {
    times(work.direction, work.product);
    Vec curvature = {};
    for (std::size_t k = 0; k < stride; k += kLanes) {
      curvature += Load(work.direction + k) * Load(work.product + k);
    }
    const float bend = Sum(curvature);
    if (!(bend > 0)) {
      return energy == 0;
    }
    const float length = energy / bend;
    Vec squares = {};
    Vec errors = {};
    Vec residuals = {};
    Vec energies = {};
    for (std::size_t k = 0; k < stride; k += kLanes) {
      const Vec moved = Load(x + k) + length * Load(work.direction + k);
      const Vec r = Load(work.residual + k) - length * Load(work.product + k);
      const Vec error = Load(system.inverse_floor + k) * r;
      Store(x + k, moved);
      Store(work.residual + k, r);
      squares += moved * moved;
      errors += error * error;
      residuals += r * r;
      energies += (Load(system.inverse_diagonal + k) * r) * r;
    }
    const float size = Sum(squares);
    if (Sum(errors) <= limits.error * limits.error * size &&
        Sum(residuals) <= limits.residual * limits.residual * size) {
      return true;
    }
    const float next = Sum(energies);
    const float turn = next / energy;
    energy = next;
    for (std::size_t k = 0; k < stride; k += kLanes) {
      Store(work.direction + k, Load(system.inverse_diagonal + k) * Load(work.residual + k) +
                                    turn * Load(work.direction + k));
    }
  }
  return false;
}

}  // namespace reco::model
