#include "engine/neighbours/item_sums.h"

#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::vector<std::pair<std::uint32_t, double>> TakenOff(ItemSums& sums) {
  std::vector<std::pair<std::uint32_t, double>> all;
  sums.TakeOff([&all](std::uint32_t item, double sum) { all.emplace_back(item, sum); });
  return all;
}

TEST(ItemSums, AreTakenOffByItemOnce) {
  ItemSums sums;
  sums.Add(70'000, 1);
  sums.Add(3, 2);
  sums.Add(70'000, 0.5);
  EXPECT_THAT(TakenOff(sums), ElementsAre(Pair(3, 2), Pair(70'000, 1.5)));
  EXPECT_THAT(TakenOff(sums), IsEmpty());
}

TEST(ItemSums, ASumOfZeroIsOne) {
  ItemSums sums;
  sums.Add(3, 1);
  sums.Add(3, -1);
  sums.Add(3, 0);
  EXPECT_THAT(TakenOff(sums), ElementsAre(Pair(3, 0)));
}

TEST(ItemSums, AreThoseOfAMap) {
  std::mt19937 random(1);
  ItemSums sums;
  for (int round = 0; round < 50; ++round) {
    std::map<std::uint32_t, double> expected;
    for (std::uint32_t i = 0; i < random() % 500; ++i) {
      const std::uint32_t item = random() % (1 + random() % 20'000);
      const double value = static_cast<double>(random() % 9) - 4;
      sums.Add(item, value);
      expected[item] += value;
    }
    EXPECT_THAT(TakenOff(sums), ::testing::ElementsAreArray(expected));
  }
}

}  // namespace
}  // namespace reco::engine
