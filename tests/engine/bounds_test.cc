// Bounds of a database: what happens when one is reached.
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

std::uint64_t Figure(const Database& db, const std::string& name) {
  for (const InfoField& field : db.Info()) {
    if (field.name == name) {
      return std::stoull(field.value);
    }
  }
  ADD_FAILURE() << "no figure " << name;
  return 0;
}

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

// A cache too small for the rows must change nothing but the speed.
TEST(Bounds, EvictedRowsComeBackAsTheyWere) {
  Shop roomy(false);
  Shop tight(false);
  tight.options.row_cache_bytes = 20'000;
  tight.Reopen();
  for (Shop* shop : {&roomy, &tight}) {
    shop->Fill(2'000, 100, 100, 21);
    DatabaseAccess::RunJob(*shop->db, "shop");
    for (std::uint64_t part = 0; part < 5; ++part) {
      shop->Fill(200, 100, 100, 30 + part);
      ASSERT_TRUE(shop->db->Checkpoint().ok());  // clean rows are free to go
    }
  }
  EXPECT_GT(Figure(*tight.db, "row_cache_evictions"), 100U);
  EXPECT_EQ(Figure(*roomy.db, "row_cache_evictions"), 0U);
  EXPECT_LT(Figure(*tight.db, "row_cache_bytes"), Figure(*roomy.db, "row_cache_bytes"));
  for (int i = 0; i < 100; ++i) {
    const std::string user = "u" + std::to_string(i);
    EXPECT_EQ(tight.Vector(Side::kUser, user), roomy.Vector(Side::kUser, user)) << user;
    EXPECT_EQ(tight.List(user), roomy.List(user)) << user;
  }
}

// Neither many interactions at once nor a checkpoint that unpins rows with no write behind it leave
// the cache above its bound.
TEST(Bounds, RowsStayWithinTheirBudget) {
  constexpr std::uint64_t kBudget = 60'000;
  Shop shop(false);
  shop.options.row_cache_bytes = kBudget;
  shop.Reopen();
  ASSERT_TRUE(*shop.db->Create("shop", CollectionOptions()));
  const auto add = [&](int round) {
    std::vector<std::string> users;
    users.reserve(100);
    for (int i = 0; i < 100; ++i) {
      users.push_back("u" + std::to_string((round * 31 + i * 7) % 500));
    }
    std::vector<Interaction> many(users.size());
    for (std::size_t i = 0; i < many.size(); ++i) {
      many[i].user = users[i];
      many[i].item = users[users.size() - 1 - i];
    }
    ASSERT_TRUE(shop.db->AddMany("shop", many).ok());
  };
  for (int round = 0; round < 40; ++round) {
    add(round);
    ASSERT_TRUE(shop.db->Checkpoint().ok());
  }
  EXPECT_GT(Figure(*shop.db, "row_cache_bytes"), kBudget);  // the last rows were pinned till now
  for (int round = 0; round < 30; ++round) {
    DatabaseAccess::Maintain(*shop.db);
  }
  EXPECT_LE(Figure(*shop.db, "row_cache_bytes"), kBudget);
}

// A row too long to read within a write is summed up in the background.
TEST(Bounds, LongColdRowIsRebuiltBehindTheWrite) {
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
