#include "engine/upkeep/long_rows.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/rows/row_table.h"
#include "testing/shop.h"

namespace reco {
namespace {

using engine::DatabaseAccess;
using testing::Shop;

// A row too long to read within a write is summed up in the background.
TEST(LongRows, LongColdRowIsRebuiltBehindTheWrite) {
  constexpr int kFans = static_cast<int>(engine::RowTable::kInlinePairsMax) + 200;
  Shop shop(false);
  CollectionOptions options;
  options.dim = 4;
  options.iterations = 40;  // converged, so that one event more moves little
  ASSERT_TRUE(*shop.db->Create("shop", options));
  for (int i = 0; i < kFans; ++i) {
    ASSERT_TRUE(shop.Add("u" + std::to_string(i), "hit").ok());
    ASSERT_TRUE(shop.Add("u" + std::to_string(i), "i" + std::to_string(i % 7)).ok());
  }
  DatabaseAccess::RunJob(*shop.db, "shop");
  ASSERT_EQ(shop.db->CollectionDetails("shop")->model_id, 1U);
  shop.Reopen();
  const std::vector<float> before = shop.Vector(Side::kItem, "hit");
  ASSERT_TRUE(shop.Add("newcomer", "hit").ok());
  EXPECT_EQ(shop.Vector(Side::kItem, "hit"), before);
  EXPECT_EQ(shop.db->CollectionDetails("shop")->rows_pending, 1U);
  DatabaseAccess::Maintain(*shop.db);
  EXPECT_EQ(shop.db->CollectionDetails("shop")->rows_pending, 0U);
  const std::vector<float> after = shop.Vector(Side::kItem, "hit");
  EXPECT_NE(after, before);
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_NEAR(after[i], before[i], 0.05 * std::abs(before[i]) + 0.02);
  }
  ASSERT_TRUE(shop.Add("another", "hit").ok());  // hot now: solved at once
  EXPECT_EQ(shop.db->CollectionDetails("shop")->rows_pending, 0U);
  EXPECT_NE(shop.Vector(Side::kItem, "hit"), after);
}

}  // namespace
}  // namespace reco
