// The vector arithmetic against plain loops in float64, for every width of rows.
#include "model/simd.h"

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "model/aligned_vector.h"

namespace reco::model::simd {
namespace {

constexpr std::size_t kStrides[] = {16, 32, 48, 64, 80, 112, 128, 144, 272};

template <typename T>
AlignedVector<T> Draw(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  AlignedVector<T> values(size);
  for (T& value : values) {
    value = static_cast<T>(random() % 1'000) / 500 - 1;
  }
  return values;
}

TEST(Simd, SumAddsAllLanes) {
  AlignedVector<float> lanes(kLanes);
  float expected = 0;
  for (std::size_t i = 0; i < kLanes; ++i) {
    lanes[i] = static_cast<float>(1U << i);  // each lane its own bit
    expected += lanes[i];
  }
  EXPECT_EQ(Sum(Load(lanes.data())), expected);
}

TEST(Simd, ProductsAndSumsAreThoseOfPlainLoops) {
  for (const std::size_t stride : kStrides) {
    const auto a = Draw<float>(stride, 1);
    const auto b = Draw<float>(stride, 2);
    const auto wide = Draw<double>(stride, 3);
    double dot = 0;
    double wide_dot = 0;
    auto moved = b;
    auto wide_moved = wide;
    Axpy(0.5F, a.data(), moved.data(), stride);
    WideAxpy(0.5, a.data(), wide_moved.data(), stride);
    for (std::size_t i = 0; i < stride; ++i) {
      dot += static_cast<double>(a[i]) * static_cast<double>(b[i]);
      wide_dot += static_cast<double>(a[i]) * wide[i];
      EXPECT_NEAR(moved[i], b[i] + 0.5F * a[i], 1e-6);
      EXPECT_NEAR(wide_moved[i], wide[i] + 0.5 * static_cast<double>(a[i]), 1e-12);
    }
    EXPECT_NEAR(Dot(a.data(), b.data(), stride), dot, 1e-4) << stride;
    EXPECT_NEAR(WideDot(a.data(), wide.data(), stride), wide_dot, 1e-10) << stride;
  }
}

TEST(Simd, SymmetricTimesIsTheMatrixTimesTheVector) {
  for (const std::size_t stride : kStrides) {
    auto matrix = Draw<float>(stride * stride, 4);
    for (std::size_t i = 0; i < stride; ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        matrix[i * stride + k] = matrix[k * stride + i];
      }
    }
    const auto p = Draw<float>(stride, 5);
    AlignedVector<float> out(stride, 9.0F);
    SymmetricTimes(matrix.data(), p.data(), out.data(), stride);
    for (std::size_t i = 0; i < stride; ++i) {
      double expected = 0;
      for (std::size_t k = 0; k < stride; ++k) {
        expected += static_cast<double>(matrix[i * stride + k]) * static_cast<double>(p[k]);
      }
      ASSERT_NEAR(out[i], expected, 1e-4) << stride << " " << i;
    }
  }
}

TEST(Simd, GatheredRowsAreAddedToWhatIsThere) {
  constexpr std::size_t kStride = 48;
  const auto table = Draw<float>(20 * kStride, 6);
  const auto scale = Draw<float>(20, 7);
  for (const std::size_t count : {0U, 1U, 3U, 4U, 5U, 8U, 11U}) {
    std::vector<const float*> rows;
    for (std::size_t j = 0; j < count; ++j) {
      rows.push_back(table.data() + (19 - j) * kStride);
    }
    AlignedVector<float> sum(kStride, 2.0F);
    AlignedVector<float> squares(kStride, 2.0F);
    AddGathered(rows.data(), scale.data(), count, sum.data(), kStride);
    AddGatheredSquares(rows.data(), scale.data(), count, squares.data(), kStride);
    for (std::size_t i = 0; i < kStride; ++i) {
      double expected = 2;
      double expected_squares = 2;
      for (std::size_t j = 0; j < count; ++j) {
        const auto value = static_cast<double>(rows[j][i]);
        expected += static_cast<double>(scale[j]) * value;
        expected_squares += static_cast<double>(scale[j]) * value * value;
      }
      EXPECT_NEAR(sum[i], expected, 1e-5) << count;
      EXPECT_NEAR(squares[i], expected_squares, 1e-5) << count;
    }
  }
}

}  // namespace
}  // namespace reco::model::simd
