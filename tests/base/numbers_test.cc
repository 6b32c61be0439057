#include "base/numbers.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace reco {
namespace {

std::string TextOf(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

TEST(Numbers, AFloat32IsShownByItsShortestText) {
  EXPECT_EQ(TextOf(Shown(0.1F)), "0.1");
  EXPECT_EQ(TextOf(Shown(-0.3F)), "-0.3");
  EXPECT_EQ(TextOf(Shown(1234.5678F)), "1234.5677");
  EXPECT_EQ(TextOf(Shown(3e-38F)), "3e-38");
  EXPECT_EQ(Shown(16'777'217.0F), 16'777'216.0);
  EXPECT_TRUE(std::isnan(Shown(std::nanf(""))));
  EXPECT_EQ(Shown(std::numeric_limits<float>::infinity()), HUGE_VAL);
}

TEST(Numbers, WhatIsShownReadsBackAsTheSameFloat32) {
  std::mt19937 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value)) {
      ASSERT_EQ(static_cast<float>(Shown(value)), value);
    }
  }
}

TEST(Numbers, ASumThatIsNoFloat32StaysAsItIs) {
  EXPECT_EQ(ShownSum(0.1), 0.1);
  EXPECT_EQ(ShownSum(static_cast<double>(0.1F)), 0.1);
  EXPECT_EQ(ShownSum(static_cast<double>(0.1F) + 1), static_cast<double>(0.1F) + 1);
}

TEST(Numbers, ASumThatCancelsIsZero) {
  EXPECT_EQ(CancellingSum(static_cast<double>(static_cast<float>(0.3F - 0.1)), -0.2), 0);
  EXPECT_EQ(CancellingSum(1, -1 + 1e-7), 0);
  EXPECT_EQ(CancellingSum(1, -1 + 1e-5), 1 + (-1 + 1e-5));
  EXPECT_EQ(CancellingSum(0, 1e-30), 1e-30);
  EXPECT_EQ(CancellingSum(2, 3), 5);
}

}  // namespace
}  // namespace reco
