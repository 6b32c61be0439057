#include "index/block_scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <random>
#include <span>
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
        codes_(kBlockRows * items_.stride() / 2 + 64),
        refinements_(kBlockRows * (items_.stride() / 2 + sizeof(Refinement))),
        heads_(kBlockRows),
        norm_(kBlockRows) {
    std::mt19937_64 random(seed);
    items_.Grow(kBlockRows);
    for (std::vector<float>& query : queries_) {
      query.resize(items_.stride());
      FillRow(shape, dim, random, query.data());
    }
    for (std::size_t i = 0; i < kBlockRows; ++i) {
      FillRow(shape, dim, random, items_.mutable_row(i));
    }
    Encode();
  }

  void Encode() {
    for (std::size_t i = 0; i < kBlockRows; ++i) {
      const RowCode code =
          EncodeRow(items_.row(i), items_.stride(), AlignedCodes() + CodeOffset(i, items_.stride()),
                    reinterpret_cast<std::uint8_t*>(refinement(i) + 1));
      *refinement(i) = {static_cast<std::uint32_t>(i), code.finer_error};
      ASSERT_TRUE(code.finite);
      heads_[i] = PackHead(code);
      norm_[i] = code.norm;
    }
    for (std::size_t q = 0; q < kQueries; ++q) {
      query_codes_[q] = EncodeQuery(queries_[q].data(), items_.stride());
    }
  }

  // With `ahead` the kernels ask for memory so far on, whatever lies there.
  CodeBlock view(std::size_t ahead = 0) {
    const float bound = *std::max_element(norm_.begin(), norm_.end());
    return {AlignedCodes(), heads_.data(), norm_.data(), bound, ahead};
  }
  ScanRequest Request(Metric metric, float threshold, std::size_t query = 0) const {
    return {&query_codes_[query], items_.stride(), metric, threshold};
  }
  const model::FactorTable& items() const { return items_; }
  const float* query() const { return queries_[0].data(); }
  const QueryCode& query_code() const { return query_codes_[0]; }
  Refinement* refinement(std::size_t row) {
    const std::size_t bytes = items_.stride() / 2 + sizeof(Refinement);
    return reinterpret_cast<Refinement*>(&refinements_[row * bytes]);
  }
  CoarseRow Coarse(std::size_t row, std::int32_t dot) const {
    return {dot, StepOf(heads_[row]), norm_[row]};
  }
  static constexpr std::size_t kQueries = 15;  // 8 + 4 + 3: every width of the kernels

 private:
  std::uint8_t* AlignedCodes() {
    void* start = codes_.data();
    std::size_t space = codes_.size();
    return static_cast<std::uint8_t*>(std::align(64, codes_.size() - 64, start, space));
  }

  model::FactorTable items_;
  std::array<std::vector<float>, kQueries> queries_;
  std::vector<std::uint8_t> codes_;
  std::vector<std::uint8_t> refinements_;
  std::vector<std::uint32_t> heads_;
  std::vector<float> norm_;
  std::array<QueryCode, kQueries> query_codes_;
};

using Select = void (*)(const CodeBlock&, std::span<const BlockQuery>);

void SelectOne(Select select, const CodeBlock& block, const ScanRequest& request, Selection* out) {
  const BlockQuery query{&request, out};
  select(block, {&query, 1});
}

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
    ASSERT_EQ(got.dot[i], expected.dot[i]) << what;
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
  SelectOne(SelectRowsReference, block.view(), all, &expected);
  ASSERT_EQ(expected.count, kBlockRows);
  Selection got;
  ForEachTarget([&](const std::string& target) {
    SelectOne(SelectRowsHighway, block.view(), all, &got);
    ExpectLike(expected, got, target);
  });
  if (VnniSupported()) {
    for (const std::size_t ahead : {0U, 4096U}) {
      SelectOne(SelectRowsVnni, block.view(ahead), all, &got);
      ExpectLike(expected, got, "vnni, ahead " + std::to_string(ahead));
    }
  }
  SelectRows(block.view(), all, &got);
  ExpectLike(expected, got, "chosen");
}

TEST_P(BlockScanTest, ThresholdKeepsExactlyTheRowsNotBelowIt) {
  const ScanCase& param = GetParam();
  CodedBlock block(param.dim, param.shape, 22);
  const auto check = [&](Select select, const std::string& what) {
    Selection all;
    SelectOne(select, block.view(),
              block.Request(param.metric, -std::numeric_limits<float>::infinity()), &all);
    ASSERT_EQ(all.count, kBlockRows);
    for (const std::size_t pivot : {0U, 100U, 255U}) {
      const float threshold = all.upper[pivot];
      if (std::isnan(threshold)) {
        continue;
      }
      Selection some;
      SelectOne(select, block.view(), block.Request(param.metric, threshold), &some);
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

TEST_P(BlockScanTest, QueriesOfABatchAreSelectedForAsIfAlone) {
  const ScanCase& param = GetParam();
  CodedBlock block(param.dim, param.shape, 23);
  std::vector<ScanRequest> requests;
  std::vector<Selection> expected(CodedBlock::kQueries);
  for (std::size_t q = 0; q < CodedBlock::kQueries; ++q) {
    const ScanRequest all = block.Request(param.metric, -std::numeric_limits<float>::infinity(), q);
    SelectOne(SelectRowsReference, block.view(), all, &expected[q]);
    requests.push_back(all);
  }
  const auto check = [&](Select select, const std::string& what) {
    for (std::size_t count = 0; count <= CodedBlock::kQueries; ++count) {
      std::vector<Selection> got(count);
      std::vector<BlockQuery> queries;
      for (std::size_t q = 0; q < count; ++q) {
        got[q].count = 7;
        queries.push_back({&requests[q], &got[q]});
      }
      select(block.view(count % 2 * 4096), queries);
      for (std::size_t q = 0; q < count; ++q) {
        ExpectLike(expected[q], got[q], what + " query " + std::to_string(q));
      }
    }
  };
  ForEachTarget([&](const std::string& target) { check(SelectRowsHighway, target); });
  if (VnniSupported()) {
    check(SelectRowsVnni, "vnni");
  }
  check(SelectRowsReference, "reference");
}

// What a run has covered stands in its output; a build for x86-64 must have reached these.
TEST(TargetsTest, EveryInstructionSetOfThisProcessorIsReached) {
  std::vector<std::string> reached;
  ForEachTarget([&](const std::string& target) { reached.push_back(target); });
  if (VnniSupported()) {
    reached.emplace_back("VNNI");
  }
  for (const std::string& target : reached) {
    std::printf("target %s\n", target.c_str());
  }
#if defined(__x86_64__)
  std::vector<std::string> required = {"SSSE3", "SSE4"};
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
    required.emplace_back("AVX2");
  }
  if (__builtin_cpu_supports("avx512bw") != 0) {
    required.emplace_back("AVX3");
  }
  for (const std::string& target : required) {
    EXPECT_TRUE(std::find(reached.begin(), reached.end(), target) != reached.end()) << target;
  }
#endif
}

TEST_P(BlockScanTest, NoScoreIsAboveItsBound) {
  const ScanCase& param = GetParam();
  for (std::uint64_t seed = 30; seed < 33; ++seed) {
    CodedBlock block(param.dim, param.shape, seed);
    const ScanRequest all = block.Request(param.metric, -std::numeric_limits<float>::infinity());
    ForEachTarget([&](const std::string& target) {
      block.Encode();
      Selection got;
      SelectOne(SelectRowsHighway, block.view(), all, &got);
      for (std::size_t i = 0; i < kBlockRows; ++i) {
        const auto score =
            ScoreRow(param.metric, block.query(), block.items().row(i), block.items().stride());
        if (score) {
          ASSERT_FALSE(got.upper[i] < ThresholdFor(block.query_code(), *score))
              << target << " row " << i << " score " << *score;
          const float refined = RefinedBound(block.query_code(), param.metric,
                                             block.Coarse(i, got.dot[i]), *block.refinement(i));
          ASSERT_FALSE(refined < ThresholdFor(block.query_code(), *score))
              << target << " refined row " << i << " score " << *score;
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

}  // namespace
}  // namespace reco::index
