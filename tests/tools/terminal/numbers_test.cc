#include "tools/terminal/numbers.h"

#include <gtest/gtest.h>

namespace reco::terminal {
namespace {

TEST(Numbers, ReadLikeText) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(-1234567), "-1,234,567");
  EXPECT_EQ(FormatCount(-123), "-123");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes(5e15), "4547.5 TiB");
  EXPECT_EQ(FormatDuration(0.00085), "850 us");
  EXPECT_EQ(FormatDuration(0.0032), "3.2 ms");
  EXPECT_EQ(FormatDuration(4.1), "4.1 s");
  EXPECT_EQ(FormatDuration(0.0009997), "1.0 ms");
  EXPECT_EQ(FormatDuration(0.99997), "1.0 s");
  EXPECT_EQ(FormatDuration(59.97), "1 min 00 s");
  EXPECT_EQ(FormatDuration(125), "2 min 05 s");
  EXPECT_EQ(FormatDuration(11'520), "3 h 12 min");
  EXPECT_EQ(FormatRate(12.34), "12.3/s");
  EXPECT_EQ(FormatRate(84'200.4), "84,200/s");
}

}  // namespace
}  // namespace reco::terminal
