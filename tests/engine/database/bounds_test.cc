// Bounds of a database: what happens when one is reached.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;

TEST(Bounds, OneCollectionMoreThanAllowedIsRefused) {
  Shop shop;
  shop.options.collections_max = 2;
  shop.Reopen();
  ASSERT_TRUE(*shop.db->Create("a", CollectionOptions()));
  ASSERT_TRUE(*shop.db->Create("b", CollectionOptions()));
  EXPECT_EQ(shop.db->Create("c", CollectionOptions()).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(shop.Add("ann", "lamp").status().code(), StatusCode::kResourceExhausted);
  const std::string_view names[] = {"a"};
  ASSERT_TRUE(shop.db->Delete(0, names).ok());
  EXPECT_TRUE(*shop.db->Create("c", CollectionOptions()));
}

TEST(Bounds, BatchOfTooManyInteractionsIsRefused) {
  Shop shop;
  const std::vector<Interaction> batch(10'001, Interaction{.user = "ann", .item = "lamp"});
  EXPECT_EQ(shop.db->AddMany("shop", batch).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(shop.db->Kind("shop"), KeyKind::kNone);
}

TEST(Bounds, WeightsOfAPairSaturate) {
  Shop shop;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(shop.Add("ann", "lamp", kWeightMax).ok());
  }
  const std::string_view items[] = {"lamp"};
  EXPECT_EQ(*shop.db->Preferences("shop", "ann", items)->front(), kWeightMax);
}

}  // namespace
}  // namespace reco
