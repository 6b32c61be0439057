#include "engine/neighbours/ridge_rows.h"

#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Row = std::vector<ItemWeight>;

TEST(RidgeRows, KeepsARowAndWhereItsItemsAre) {
  RidgeRows rows;
  rows.Replace(5, Row{{1, 0.5F}, {7, -0.25F}});
  rows.Replace(3, Row{{7, 2}});
  EXPECT_THAT(rows.row(5), ElementsAre(ItemWeight{1, 0.5F}, ItemWeight{7, -0.25F}));
  EXPECT_THAT(rows.rows_with(7), ElementsAre(ItemWeight{3, 2}, ItemWeight{5, -0.25F}));
  EXPECT_THAT(rows.rows_with(5), IsEmpty());
  EXPECT_EQ(rows.WeightOf(5, 7), -0.25F);
  EXPECT_EQ(rows.WeightOf(5, 6), 0);
  EXPECT_EQ(rows.WeightOf(6, 5), 0);
  EXPECT_EQ(rows.rows(), 2);
  EXPECT_EQ(rows.weights(), 3);
}

TEST(RidgeRows, ReplacedByNoneARowIsGone) {
  RidgeRows rows;
  rows.Replace(5, Row{{1, 0.5F}});
  rows.Replace(5, {});
  rows.Replace(6, {});
  EXPECT_THAT(rows.row(5), IsEmpty());
  EXPECT_THAT(rows.rows_with(1), IsEmpty());
  EXPECT_EQ(rows.memory_bytes(), 0);
}

TEST(RidgeRows, AnErasedItemIsInNoRow) {
  RidgeRows rows;
  rows.Replace(5, Row{{1, 0.5F}, {7, 1}});
  rows.Replace(3, Row{{7, 2}});
  rows.Replace(7, Row{{1, 4}});
  rows.Erase(7);
  EXPECT_THAT(rows.row(5), ElementsAre(ItemWeight{1, 0.5F}));
  EXPECT_THAT(rows.row(3), IsEmpty());
  EXPECT_THAT(rows.row(7), IsEmpty());
  EXPECT_THAT(rows.rows_with(7), IsEmpty());
  EXPECT_THAT(rows.rows_with(1), ElementsAre(ItemWeight{5, 0.5F}));
  EXPECT_EQ(rows.rows(), 1);
  EXPECT_EQ(rows.weights(), 1);
}

TEST(RidgeRows, BothDirectionsAgreeWhateverIsReplaced) {
  constexpr std::uint32_t kItems = 80;
  std::mt19937 random(1);
  RidgeRows rows;
  std::map<std::uint32_t, std::map<std::uint32_t, float>> expected;
  for (int step = 0; step < 3'000; ++step) {
    const std::uint32_t item = random() % kItems;
    if (random() % 20 == 0) {
      rows.Erase(item);
      expected.erase(item);
      for (auto& [other, weights] : expected) {
        weights.erase(item);
      }
      continue;
    }
    std::map<std::uint32_t, float> weights;
    for (std::uint32_t i = 0; i < random() % 12; ++i) {
      weights[random() % kItems] = static_cast<float>(random() % 100) - 50;
    }
    Row row;
    for (const auto& [other, weight] : weights) {
      row.push_back({other, weight});
    }
    rows.Replace(item, row);
    expected[item] = weights;
  }
  std::uint64_t count = 0;
  std::uint64_t weights = 0;
  for (std::uint32_t item = 0; item < kItems; ++item) {
    Row row;
    Row with;
    for (std::uint32_t other = 0; other < kItems; ++other) {
      if (expected[item].contains(other)) {
        row.push_back({other, expected[item][other]});
      }
      if (expected[other].contains(item)) {
        with.push_back({other, expected[other][item]});
      }
    }
    EXPECT_THAT(rows.row(item), ::testing::ElementsAreArray(row));
    EXPECT_THAT(rows.rows_with(item), ::testing::ElementsAreArray(with));
    count += row.empty() ? 0 : 1;
    weights += row.size();
  }
  EXPECT_EQ(rows.rows(), count);
  EXPECT_EQ(rows.weights(), weights);
}

}  // namespace
}  // namespace reco::engine
