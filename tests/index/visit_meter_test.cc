#include "index/visit_meter.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace reco::index {
namespace {

TEST(VisitMeterTest, ComparesTheLastWindowWithTheFirst) {
  VisitMeter meter;
  const auto count = [&](std::size_t rows) {
    for (std::uint64_t i = 0; i < VisitMeter::kWindow; ++i) {
      meter.Count(rows, 1000);
    }
  };
  EXPECT_FALSE(meter.doubled());
  count(100);
  EXPECT_FALSE(meter.doubled());
  count(190);
  EXPECT_FALSE(meter.doubled());
  count(201);
  EXPECT_TRUE(meter.doubled());
  count(110);
  EXPECT_FALSE(meter.doubled());
  count(900);
  meter.Reset();
  EXPECT_FALSE(meter.doubled());
  count(500);
  EXPECT_FALSE(meter.doubled());
  meter.Count(5, 0);
}

}  // namespace
}  // namespace reco::index
