#include "model/conjugate_gradient.h"

#include <cstdint>
#include <random>

#include <gtest/gtest.h>

#include "model/aligned_vector.h"
#include "model/reference.h"

namespace reco::model::testing {
namespace {

constexpr std::size_t kStride = 32;
constexpr std::uint32_t kDim = 20;

// A symmetric positive definite system with its float64 solution.
struct System {
  System() : matrix(kStride * kStride), right(kStride), inverse(kStride), floor(kStride) {
    std::mt19937 random(4);
    Eigen::MatrixXd factor(kDim, kDim);
    for (std::uint32_t i = 0; i < kDim; ++i) {
      for (std::uint32_t k = 0; k < kDim; ++k) {
        factor(i, k) = static_cast<double>(random() % 100) / 50 - 1;
      }
    }
    const Eigen::MatrixXd a =
        factor * factor.transpose() / 5 + Eigen::MatrixXd::Identity(kDim, kDim);
    Eigen::VectorXd b(kDim);
    for (std::uint32_t i = 0; i < kDim; ++i) {
      b[i] = static_cast<double>(random() % 100) / 10 - 5;
      right[i] = static_cast<float>(b[i]);
      inverse[i] = static_cast<float>(1 / a(i, i));
      floor[i] = 1;  // the smallest eigenvalue is at least 1
      for (std::uint32_t k = 0; k < kDim; ++k) {
        matrix[i * kStride + k] = static_cast<float>(a(i, k));
      }
    }
    solution = a.ldlt().solve(b);
  }

  bool Solve(const CgLimits& limits, float* x) {
    AlignedVector<float> work(3 * kStride);
    times_called = 0;
    return SolveCg(
        [&](const float* p, float* out) {
          ++times_called;
          simd::SymmetricTimes(matrix.data(), p, out, kStride);
        },
        {right.data(), inverse.data(), floor.data(), kStride}, limits,
        {work.data(), work.data() + kStride, work.data() + 2 * kStride}, x);
  }
  double Error(const float* x) const {
    return (Widen(x, kDim) - solution).norm() / solution.norm();
  }

  AlignedVector<float> matrix;
  AlignedVector<float> right;
  AlignedVector<float> inverse;
  AlignedVector<float> floor;
  Eigen::VectorXd solution;
  int times_called = 0;
};

TEST(SolveCg, EndsWithinTheErrorThatItIsToldOf) {
  System system;
  for (const float error : {1e-1F, 1e-2F, 1e-4F}) {
    AlignedVector<float> x(kStride);
    EXPECT_TRUE(system.Solve({200, error, 1e9F}, x.data()));
    EXPECT_LE(system.Error(x.data()), error * 1.01) << error;
    for (std::size_t i = kDim; i < kStride; ++i) {
      EXPECT_EQ(x[i], 0) << "padding";
    }
  }
}

TEST(SolveCg, TooFewStepsAreSaid) {
  System system;
  AlignedVector<float> x(kStride);
  EXPECT_FALSE(system.Solve({2, 1e-5F, 1e9F}, x.data()));
  EXPECT_EQ(system.times_called, 3);  // the residual, and a product a step
  EXPECT_LT(system.Error(x.data()), 1);
}

TEST(SolveCg, AGoodWarmStartTakesFewerSteps) {
  System system;
  AlignedVector<float> cold(kStride);
  ASSERT_TRUE(system.Solve({200, 1e-3F, 1e9F}, cold.data()));
  const int steps = system.times_called;
  AlignedVector<float> warm(kStride);
  for (std::uint32_t i = 0; i < kDim; ++i) {
    warm[i] = static_cast<float>(system.solution[i] * 1.01);
  }
  ASSERT_TRUE(system.Solve({200, 1e-3F, 1e9F}, warm.data()));
  EXPECT_LT(system.times_called, steps);
}

TEST(SolveCg, AWarmStartWorseThanZeroIsDropped) {
  System system;
  AlignedVector<float> cold(kStride);
  AlignedVector<float> far(kStride);
  std::fill_n(far.begin(), kDim, -1e4F);
  system.Solve({5, 1e-9F, 1e9F}, cold.data());
  system.Solve({5, 1e-9F, 1e9F}, far.data());
  EXPECT_EQ(far, cold);
}

TEST(SolveCg, NothingOnTheRightSideIsSolvedByZero) {
  System system;
  std::fill(system.right.begin(), system.right.end(), 0.0F);
  AlignedVector<float> x(kStride);
  EXPECT_TRUE(system.Solve({10, 1e-4F, 1e-4F}, x.data()));
  EXPECT_EQ(x, AlignedVector<float>(kStride));
}

}  // namespace
}  // namespace reco::model::testing
