#include "tools/benchmark/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "tools/benchmark/workload.h"

namespace reco::benchmark {
namespace {

TEST(Histogram, EmptyHasNoValues) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.Quantile(0.5), 0U);
  EXPECT_EQ(histogram.Mean(), 0);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 0; value < Histogram::kLinear; ++value) {
    histogram.Record(value);
  }
  EXPECT_EQ(histogram.Quantile(0), 0U);
  EXPECT_EQ(histogram.Quantile(0.5), 127U);
  EXPECT_EQ(histogram.Quantile(1), 255U);
  EXPECT_DOUBLE_EQ(histogram.Mean(), 127.5);
}

// A lone value below a larger one reads as the end of its bucket.
TEST(Histogram, EveryValueIsWithinTheErrorBound) {
  for (int bits = 0; bits < 63; ++bits) {
    for (const double factor : {1.0, 1.0001, 1.2, 1.5, 1.77, 1.9999}) {
      const auto value = static_cast<std::uint64_t>(std::ldexp(factor, bits));
      Histogram histogram;
      histogram.Record(value);
      histogram.Record(std::numeric_limits<std::uint64_t>::max());
      const std::uint64_t read = histogram.Quantile(0.5);
      EXPECT_GE(read, value);
      EXPECT_LE(static_cast<double>(read - value),
                Histogram::kRelativeError * static_cast<double>(value))
          << value;
    }
  }
}

TEST(Histogram, BucketsMeetWithoutGaps) {
  for (std::uint64_t value = 1; value < 70'000; ++value) {
    Histogram histogram;
    histogram.Record(value - 1);
    histogram.Record(value);
    const std::uint64_t low = histogram.Quantile(0.5);
    EXPECT_GE(low, value - 1);
    EXPECT_LE(low, value) << "capped by the largest value";
  }
}

TEST(Histogram, QuantilesOfManyValuesMatchSorting) {
  Random random(7);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    const auto value = static_cast<std::uint64_t>(std::exp(random.Unit() * 20));
    values.push_back(value);
    histogram.Record(value);
  }
  std::sort(values.begin(), values.end());
  for (const double quantile : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(quantile * 100'000.0));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto read = static_cast<double>(histogram.Quantile(quantile));
    EXPECT_GE(read, exact) << quantile;
    EXPECT_LE(read, exact * (1 + Histogram::kRelativeError)) << quantile;
  }
  EXPECT_EQ(histogram.max(), values.back());
}

TEST(Histogram, MergeAddsUp) {
  Histogram a;
  Histogram b;
  a.Record(10, 3);
  b.Record(1000, 2);
  b.Record(5, 0);
  a.Merge(b);
  EXPECT_EQ(a.count(), 5U);
  EXPECT_EQ(a.max(), 1000U);
  EXPECT_DOUBLE_EQ(a.Mean(), 406);
  EXPECT_EQ(a.Quantile(0.6), 10U);
  EXPECT_EQ(a.Quantile(0.61), 1000U);
}

}  // namespace
}  // namespace reco::benchmark
