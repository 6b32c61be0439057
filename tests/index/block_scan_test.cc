#include "index/block_scan.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
// As in the sources under test.
#define HWY_COMPILE_ALL_ATTAINABLE
#define HWY_WANT_AVX3_DL
#include <hwy/targets.h>

#include "index/brute_force.h"
#include "index/quantizer.h"
#include "index/score.h"

namespace reco::index {
namespace {

using testing::FillRow;
using testing::Shape;

// One block with its float32 rows.
class CodedBlock {
 public:
  CodedBlock(std::uint32_t dim, Shape shape, std::uint64_t seed)
      : items_(dim),
        codes_(kBlockRows * items_.stride() + 64),
        scale_(kBlockRows),
        error_(kBlockRows),
        norm_(kBlockRows) {
    std::mt19937_64 random(seed);
    items_.Grow(kBlockRows);
    query_.resize(items_.stride());
    FillRow(shape, dim, random, query_.data());
    for (std::size_t i = 0; i < kBlockRows; ++i) {
      FillRow(shape, dim, random, items_.mutable_row(i));
    }
    Encode();
  }

  void Encode() {
    for (std::size_t i = 0; i < kBlockRows; ++i) {
      const RowCode code = EncodeRow(items_.row(i), items_.stride(),
                                     AlignedCodes() + CodeOffset(i, items_.stride()));
      ASSERT_TRUE(code.finite);
      scale_[i] = code.scale;
      error_[i] = code.error;
      norm_[i] = code.norm;
    }
    query_code_ = EncodeQuery(query_.data(), items_.stride());
  }

  CodeBlock view() { return {AlignedCodes(), scale_.data(), error_.data(), norm_.data()}; }
  ScanRequest Request(Metric metric, float threshold) const {
    return {&query_code_, items_.stride(), metric, threshold};
  }
  const model::FactorTable& items() const { return items_; }
  const float* query() const { return query_.data(); }
  const QueryCode& query_code() const { return query_code_; }

 private:
  std::uint8_t* AlignedCodes() {
    void* start = codes_.data();
    std::size_t space = codes_.size();
    return static_cast<std::uint8_t*>(std::align(64, codes_.size() - 64, start, space));
  }

  model::FactorTable items_;
  std::vector<float> query_;
  std::vector<std::uint8_t> codes_;
  std::vector<float> scale_, error_, norm_;
  QueryCode query_code_;
};

// Runs `body` with Highway held to each instruction set that this processor has, then frees it.
template <typename Body>
void ForEachTarget(Body body) {
  const std::int64_t supported = hwy::SupportedTargets();
  for (std::int64_t rest = supported; rest != 0; rest &= rest - 1) {
    const std::int64_t target = rest & -rest;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    body(std::string(hwy::TargetName(target)));
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

struct ScanCase {
  std::uint32_t dim;
  Shape shape;
  Metric metric;
};

std::vector<ScanCase> ScanCases() {
  std::vector<ScanCase> cases;
  for (const std::uint32_t dim : {1U, 3U, 16U, 17U, 64U, 100U, 512U, 1000U}) {
    for (const Shape shape : {Shape::kGaussian, Shape::kTrained, Shape::kTied, Shape::kExtreme}) {
      for (const Metric metric : {Metric::kInnerProduct, Metric::kCosine}) {
        cases.push_back({dim, shape, metric});
      }
    }
  }
  return cases;
}

class BlockScanTest : public ::testing::TestWithParam<ScanCase> {};

// The same rows with the same bounds up to the rounding of the last operations.
void ExpectLike(const Selection& expected, const Selection& got, const std::string& what) {
  ASSERT_EQ(got.count, expected.count) << what;
  for (std::size_t i = 0; i < got.count; ++i) {
    ASSERT_EQ(got.rows[i], expected.rows[i]) << what;
    if (std::isfinite(expected.upper[i])) {
      ASSERT_NEAR(got.upper[i], expected.upper[i], 1e-5F * std::fabs(expected.upper[i]) + 1e-6F)
          << what << " row " << got.rows[i];
    } else {
      ASSERT_EQ(std::isnan(got.upper[i]), std::isnan(expected.upper[i])) << what;
    }
  }
}

TEST_P(BlockScanTest, AllImplementationsAgreeWithPlainLoops) {
  const ScanCase& param = GetParam();
  CodedBlock block(param.dim, param.shape, 21);
  const ScanRequest all = block.Request(param.metric, -std::numeric_limits<float>::infinity());
  Selection expected;
  SelectRowsReference(block.view(), all, &expected);
  ASSERT_EQ(expected.count, kBlockRows);
  Selection got;
  ForEachTarget([&](const std::string& target) {
    SelectRowsHighway(block.view(), all, &got);
    ExpectLike(expected, got, target);
  });
  if (VnniSupported()) {
    SelectRowsVnni(block.view(), all, &got);
    ExpectLike(expected, got, "vnni");
  }
  SelectRows(block.view(), all, &got);
  ExpectLike(expected, got, "chosen");
}

TEST_P(BlockScanTest, ThresholdKeepsExactlyTheRowsNotBelowIt) {
  const ScanCase& param = GetParam();
  CodedBlock block(param.dim, param.shape, 22);
  const auto check = [&](auto select, const std::string& what) {
    Selection all;
    select(block.view(), block.Request(param.metric, -std::numeric_limits<float>::infinity()),
           &all);
    ASSERT_EQ(all.count, kBlockRows);
    for (const std::size_t pivot : {0U, 100U, 255U}) {
      const float threshold = all.upper[pivot];
      if (std::isnan(threshold)) {
        continue;
      }
      Selection some;
      select(block.view(), block.Request(param.metric, threshold), &some);
      std::size_t next = 0;
      for (std::size_t i = 0; i < kBlockRows; ++i) {
        if (!(all.upper[i] < threshold)) {
          ASSERT_LT(next, some.count) << what;
          ASSERT_EQ(some.rows[next], i) << what;
          ++next;
        }
      }
      ASSERT_EQ(next, some.count) << what;
    }
  };
  check(SelectRowsReference, "reference");
  ForEachTarget([&](const std::string& target) { check(SelectRowsHighway, target); });
  if (VnniSupported()) {
    check(SelectRowsVnni, "vnni");
  }
}

TEST_P(BlockScanTest, NoScoreIsAboveItsBound) {
  const ScanCase& param = GetParam();
  for (std::uint64_t seed = 30; seed < 33; ++seed) {
    CodedBlock block(param.dim, param.shape, seed);
    const ScanRequest all = block.Request(param.metric, -std::numeric_limits<float>::infinity());
    ForEachTarget([&](const std::string& target) {
      block.Encode();
      Selection got;
      SelectRowsHighway(block.view(), all, &got);
      for (std::size_t i = 0; i < kBlockRows; ++i) {
        const auto score =
            ScoreRow(param.metric, block.query(), block.items().row(i), block.items().stride());
        if (score) {
          ASSERT_FALSE(got.upper[i] < ThresholdFor(block.query_code(), *score))
              << target << " row " << i << " score " << *score;
        }
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(DimsShapesMetrics, BlockScanTest, ::testing::ValuesIn(ScanCases()),
                         [](const auto& test) {
                           return "dim" + std::to_string(test.param.dim) + "shape" +
                                  std::to_string(static_cast<int>(test.param.shape)) + "metric" +
                                  std::to_string(static_cast<int>(test.param.metric));
                         });

TEST(QuantizerTest, ErrorAndNormHoldTheRealOnesFromAboveAndClosely) {
  for (const std::uint32_t dim : {1U, 17U, 64U, 512U}) {
    for (const Shape shape : {Shape::kGaussian, Shape::kTrained, Shape::kTied, Shape::kExtreme}) {
      model::FactorTable items(dim);
      items.Grow(1);
      std::mt19937_64 random(dim);
      std::vector<std::uint8_t> codes(kTileRows * items.stride());
      for (int round = 0; round < 50; ++round) {
        float* row = items.mutable_row(0);
        FillRow(shape, dim, random, row);
        const RowCode code = EncodeRow(row, items.stride(), codes.data());
        double squares = 0;
        double rest_squares = 0;
        for (std::size_t i = 0; i < items.stride(); ++i) {
          const int byte = codes[i / kChunk * kTileRows * kChunk + i % kChunk];
          const double rest = row[i] - static_cast<double>(code.scale) * (byte - 128);
          squares += static_cast<double>(row[i]) * row[i];
          rest_squares += rest * rest;
        }
        EXPECT_GE(code.norm, std::sqrt(squares));
        // Past float32 both sides are infinity.
        EXPECT_LE(code.norm, static_cast<float>(std::sqrt(squares) * 1.001 + 1e-44));
        EXPECT_GE(code.error, std::sqrt(rest_squares));
        EXPECT_LE(code.error,
                  static_cast<float>(std::sqrt(rest_squares) * 1.001 + code.norm * 1e-6 + 1e-44));
      }
    }
  }
}

TEST(QuantizerTest, OrdinaryRowsAreCodedWithinAHundredthOfTheirNorm) {
  model::FactorTable items(64);
  items.Grow(1);
  std::mt19937_64 random(1);
  std::vector<std::uint8_t> codes(kTileRows * items.stride());
  for (int round = 0; round < 100; ++round) {
    FillRow(Shape::kGaussian, 64, random, items.mutable_row(0));
    const RowCode code = EncodeRow(items.row(0), items.stride(), codes.data());
    EXPECT_LT(code.error, 0.012F * code.norm);
  }
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
