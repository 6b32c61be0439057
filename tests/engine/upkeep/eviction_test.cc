// Rows beyond the memory that they may take leave it, and come back as they were.
#include "engine/upkeep/eviction.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

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

// A cache too small for the rows must change nothing but the speed.
TEST(Eviction, EvictedRowsComeBackAsTheyWere) {
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
TEST(Eviction, RowsStayWithinTheirBudget) {
  constexpr std::uint64_t kBudget = 30'000;
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

}  // namespace
}  // namespace reco
