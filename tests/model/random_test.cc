#include "model/random.h"

#include <cstdint>
#include <set>

#include <gtest/gtest.h>

namespace reco::model {
namespace {

// The first numbers of the published implementation (Vigna, splitmix64.c), by which others follow.
TEST(SplitMix64, GivesThePublishedNumbers) {
  SplitMix64 random(1234567);
  for (const std::uint64_t expected :
       {6457827717110365317U, 3203168211198807973U, 9817491932198370423U, 4593380528125082431U,
        16408922859458223821U}) {
    EXPECT_EQ(random.Next(), expected);
  }
}

TEST(SplitMix64, UniformIsAboveZeroUpToOneAndEven) {
  SplitMix64 random(9);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double value = random.Uniform();
    ASSERT_GT(value, 0);
    ASSERT_LE(value, 1);
    sum += value;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
}

TEST(StreamSeed, DiffersByStreamAndBySeed) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (std::uint64_t number = 0; number < 30; ++number) {
      seeds.insert(StreamSeed(seed, number));
    }
  }
  EXPECT_EQ(seeds.size(), 900U);
  EXPECT_EQ(StreamSeed(3, 4), StreamSeed(3, 4));
}

}  // namespace
}  // namespace reco::model
