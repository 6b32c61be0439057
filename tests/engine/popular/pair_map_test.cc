#include "engine/popular/pair_map.h"

#include <cstdint>
#include <map>
#include <random>
#include <utility>

#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using Map = PairMap<int>;

TEST(PairMap, FindsAPairByBothOfItsNumbers) {
  Map map;
  const std::uint32_t slot = map.Add(1, 2);
  map[slot].value = 7;
  EXPECT_EQ(map.Find(1, 2), slot);
  EXPECT_EQ(map.Find(2, 1), Map::kNone);
  EXPECT_EQ(map.Find(1, 1), Map::kNone);
  EXPECT_EQ(map[slot].user, 1U);
  EXPECT_EQ(map[slot].item, 2U);
}

TEST(PairMap, DetachedSlotStaysUntilItIsFreed) {
  Map map;
  const std::uint32_t slot = map.Add(1, 2);
  map[slot].value = 7;
  map.Detach(slot);
  EXPECT_EQ(map.Find(1, 2), Map::kNone);
  EXPECT_EQ(map[slot].value, 7);
  EXPECT_FALSE(map[slot].attached);
  EXPECT_EQ(map.size(), 0U);
  EXPECT_EQ(map.detached(), 1U);
  EXPECT_NE(map.Add(1, 2), slot);  // the same pair anew
  map.Free(slot);
  EXPECT_EQ(map.detached(), 0U);
}

TEST(PairMap, FreedSlotIsUsedAgainWithAFreshValue) {
  Map map;
  const std::uint32_t slot = map.Add(1, 2);
  map[slot].value = 7;
  map.Detach(slot);
  map.Free(slot);
  EXPECT_EQ(map.Add(3, 4), slot);
  EXPECT_EQ(map[slot].value, 0);
  EXPECT_TRUE(map[slot].attached);
  EXPECT_EQ(map.end(), 1U);
}

TEST(PairMap, AgreesWithAMapUnderRandomChanges) {
  Map map;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> expected;
  std::mt19937 random(4);
  for (int step = 0; step < 20'000; ++step) {
    const std::pair name(random() % 40, random() % 40);
    const auto at = expected.find(name);
    if (at == expected.end()) {
      expected[name] = map.Add(name.first, name.second);
    } else if (random() % 2 == 0) {
      map.Detach(at->second);
      map.Free(at->second);
      expected.erase(at);
    }
    ASSERT_EQ(map.size(), expected.size());
  }
  for (std::uint32_t user = 0; user < 40; ++user) {
    for (std::uint32_t item = 0; item < 40; ++item) {
      const auto at = expected.find({user, item});
      EXPECT_EQ(map.Find(user, item), at == expected.end() ? Map::kNone : at->second);
    }
  }
  EXPECT_LE(map.end(), 1'600U);
}

}  // namespace
}  // namespace reco::engine
