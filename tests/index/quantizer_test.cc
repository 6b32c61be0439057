#include "index/quantizer.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "index/brute_force.h"

namespace reco::index {
namespace {

using testing::FillRow;
using testing::Shape;

TEST(QuantizerTest, ErrorAndNormHoldTheRealOnesFromAboveAndClosely) {
  for (const std::uint32_t dim : {1U, 17U, 64U, 512U}) {
    for (const Shape shape : {Shape::kGaussian, Shape::kTrained, Shape::kTied, Shape::kExtreme}) {
      model::FactorTable items(dim);
      items.Grow(1);
      std::mt19937_64 random(dim);
      std::vector<std::uint8_t> codes(kTileRows * items.stride());
      std::vector<std::uint8_t> finer(items.stride() / 2);
      for (int round = 0; round < 50; ++round) {
        float* row = items.mutable_row(0);
        FillRow(shape, dim, random, row);
        const RowCode code = EncodeRow(row, items.stride(), codes.data(), finer.data());
        double squares = 0;
        double rest_squares = 0;
        double finer_squares = 0;
        for (std::size_t i = 0; i < items.stride(); ++i) {
          const double level = CodeAt(codes.data(), i) - 7.5;
          const double rest = row[i] - static_cast<double>(code.step) * level;
          squares += static_cast<double>(row[i]) * row[i];
          rest_squares += rest * rest;
          const std::uint8_t both = finer[i / 8 * 4 + i % 4];
          const double finer_level = (i % 8 < 4 ? both & 0xF : both >> 4) - 7.5;
          const double left = rest - static_cast<double>(code.step) / 16 * finer_level;
          finer_squares += left * left;
        }
        EXPECT_GE(code.norm, std::sqrt(squares));
        // Past float32 both sides are infinity.
        EXPECT_LE(code.norm, static_cast<float>(std::sqrt(squares) * 1.001 + 1e-44));
        EXPECT_GE(code.error, std::sqrt(rest_squares));
        EXPECT_GE(code.finer_error, std::sqrt(finer_squares));
        EXPECT_LE(code.error,
                  static_cast<float>(std::sqrt(rest_squares) * 1.009 + code.norm * 1e-6 + 1e-40));
      }
    }
  }
}

TEST(QuantizerTest, OrdinaryRowsAreCodedWithinASeventhOfTheirNorm) {
  model::FactorTable items(64);
  items.Grow(1);
  std::mt19937_64 random(1);
  std::vector<std::uint8_t> codes(kTileRows * items.stride());
  std::vector<std::uint8_t> finer(items.stride() / 2);
  for (int round = 0; round < 100; ++round) {
    FillRow(Shape::kGaussian, 64, random, items.mutable_row(0));
    const RowCode code = EncodeRow(items.row(0), items.stride(), codes.data(), finer.data());
    EXPECT_LT(code.error, 0.15F * code.norm);
    EXPECT_LT(code.finer_error, 0.01F * code.norm);
  }
}

TEST(QuantizerTest, HalvesOfFloatsAreNeverBelow) {
  std::mt19937 random(2);
  for (int i = 0; i < 100000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()) & 0x7FFFFFFFU);
    if (std::isfinite(value)) {
      const float half = RoundUpToHalf(value);
      ASSERT_GE(half, value);
      ASSERT_EQ(std::bit_cast<std::uint32_t>(half) & 0xFFFFU, 0U);
      ASSERT_LE(half, value * 1.0079F + 1e-40F);
    }
  }
  const RowCode free{0, -std::numeric_limits<float>::infinity(), 0, 1, true};
  EXPECT_EQ(StepOf(PackHead(free)), 0.0F);
  EXPECT_EQ(ErrorOf(PackHead(free)), free.error);
}

TEST(QuantizerTest, ThresholdIsNeverAboveTheScore) {
  std::vector<float> query(16, 0.0F);
  for (const float largest : {1e-45F, 1e-30F, 0.3F, 1.0F, 7.0F, 1e30F, 3e38F}) {
    query[5] = largest;
    const QueryCode code = EncodeQuery(query.data(), 16);
    for (const float score : {-3e38F, -1.1F, -1e-40F, 0.0F, 1e-45F, 0.7F, 3.4e38F}) {
      EXPECT_LE(std::ldexp(static_cast<double>(ThresholdFor(code, score)), code.shift),
                static_cast<double>(score))
          << largest << " " << score;
    }
  }
}

}  // namespace
}  // namespace reco::index
