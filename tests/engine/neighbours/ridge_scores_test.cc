#include "engine/neighbours/ridge_scores.h"

#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

using Row = std::vector<ItemWeight>;
using Profile = std::vector<ProfileItem>;

auto Part(std::uint32_t item, double value) {
  return ::testing::AllOf(Field(&ItemPart::item, item), Field(&ItemPart::value, DoubleEq(value)));
}

TEST(RidgeScores, SumTheWeightsOfTheProfileInEachRow) {
  RidgeRows rows;
  rows.Replace(5, Row{{1, 0.5F}, {7, -0.25F}});
  rows.Replace(3, Row{{7, 2}});
  rows.Replace(4, Row{{8, 2}});
  RidgeScores scores;
  const Profile profile = {{7, 1}, {1, 0.125}, {9, 1}};
  EXPECT_THAT(scores.Of(rows, profile), ElementsAre(Part(3, 2), Part(5, -0.1875)));
  EXPECT_THAT(RidgeShares(rows, profile, 5), ElementsAre(-0.25, 0.0625, 0));
  EXPECT_THAT(scores.Of(rows, {}), IsEmpty());
  EXPECT_THAT(scores.Of(rows, Profile{{9, 1}}), IsEmpty());
}

TEST(RidgeScores, AnItemWhoseWeightsCancelIsThere) {
  RidgeRows rows;
  rows.Replace(5, Row{{1, 0.5F}, {7, -0.5F}});
  RidgeScores scores;
  EXPECT_THAT(scores.Of(rows, Profile{{1, 1}, {7, 1}}), ElementsAre(Part(5, 0)));
}

TEST(RidgeScores, SharesAddUpToTheSameBits) {
  std::mt19937 random(1);
  RidgeRows rows;
  for (std::uint32_t item = 0; item < 300; ++item) {
    Row row;
    for (std::uint32_t other = random() % 8; other < 300; other += 1 + random() % 12) {
      row.push_back({other, static_cast<float>(random() % 1'000) / 700 - 0.5F});
    }
    rows.Replace(item, row);
  }
  RidgeScores scores;
  for (int round = 0; round < 20; ++round) {
    Profile profile;
    for (std::uint32_t item = random() % 20; item < 300; item += 1 + random() % 20) {
      profile.push_back({item, 1 / (1 + static_cast<double>(random() % 100))});
    }
    const std::vector<ItemPart> parts = scores.Of(rows, profile);
    EXPECT_GT(parts.size(), 100);
    for (const ItemPart& part : parts) {
      const std::vector<double> shares = RidgeShares(rows, profile, part.item);
      EXPECT_EQ(part.value, std::accumulate(shares.begin(), shares.end(), 0.0));
    }
  }
}

}  // namespace
}  // namespace reco::engine
