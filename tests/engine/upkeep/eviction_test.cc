// Rows beyond the memory that they may take leave it, and come back as they were.
#include "engine/upkeep/eviction.h"

#include <cstddef>
#include <cstdint>
#include <random>
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

// A stream of events, one by one or many at once, with the checkpoints and evictions of a tight
// cache in between.
void Write(Shop& shop, std::uint64_t seed, bool many) {
  std::mt19937_64 random(seed);
  std::vector<Interaction> waiting;
  std::vector<std::string> ids;
  for (int i = 0; i < 3'000; ++i) {
    ids.push_back("u" + std::to_string(random() % 200));
    ids.push_back("i" + std::to_string(random() % 100));
  }
  for (std::size_t i = 0; i < ids.size(); i += 2) {
    shop.clock.AdvanceMs(1);
    Interaction event;
    event.user = ids[i];
    event.item = ids[i + 1];
    event.weight = 1.0 + static_cast<double>(random() % 3);
    event.time_ms = shop.clock.NowMs();
    waiting.push_back(event);
    if (many && waiting.size() < 100) {
      continue;
    }
    ASSERT_TRUE(shop.db->AddMany("shop", waiting).ok());
    waiting.clear();
    if (i % 500 == 0 || many) {
      ASSERT_TRUE(shop.db->Checkpoint().ok());
      DatabaseAccess::Maintain(*shop.db);
    }
  }
}

std::string Text(Shop& shop) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    const std::string user = "u" + std::to_string(i);
    const auto history = shop.db->History("shop", user, HistoryOptions{.count = 100});
    EXPECT_TRUE(history.ok());
    for (const HistoryEntry& entry : *history) {
      text += user + " " + entry.item + " " + std::to_string(entry.weight) + " " +
              std::to_string(entry.last_ms) + "\n";
    }
    for (const auto& id : shop.List(user)) {
      text += id + " ";
    }
  }
  const auto popular = shop.db->Popular("shop", PopularBy::kUsers, RankingOptions{.count = 100});
  EXPECT_TRUE(popular.ok());
  for (const auto& entry : popular->entries) {
    text += entry.id + " " + std::to_string(entry.score) + "\n";
  }
  return text;
}

// Without a model, and where it does not follow writes, nothing is solved, and a row that has left
// memory stays away; yet every answer is that of a cache which holds all.
TEST(Eviction, NoRowIsReadWhereNothingIsSolved) {
  Shop roomy(false);
  Shop tight(false);
  tight.options.row_cache_bytes = 20'000;
  tight.Reopen();
  CollectionOptions off;
  off.neighbours = Neighbours::kOff;  // rows of items are solved at moments of their own
  off.fold_in = FoldIn::kOff;
  for (Shop* shop : {&roomy, &tight}) {
    ASSERT_TRUE(*shop->db->Create("shop", off));
    Write(*shop, 5, shop == &tight);
  }
  EXPECT_GT(Figure(*tight.db, "row_cache_evictions"), 100U);
  EXPECT_EQ(Figure(*tight.db, "row_cache_misses"), 0U);
  EXPECT_EQ(Text(tight), Text(roomy));
  for (Shop* shop : {&roomy, &tight}) {
    DatabaseAccess::RunJob(*shop->db, "shop");
  }
  const std::uint64_t misses = Figure(*tight.db, "row_cache_misses");
  for (Shop* shop : {&roomy, &tight}) {
    Write(*shop, 6, shop == &tight);
  }
  EXPECT_EQ(Figure(*tight.db, "row_cache_misses"), misses);
  EXPECT_EQ(Text(tight), Text(roomy));
}

// What a batch reads of the disk in one pass is what memory would have held.
TEST(Eviction, ABatchReadsWhatMemoryWouldHold) {
  Shop kept(false);
  Shop read(false);
  read.options.row_cache_bytes = 20'000;
  for (Shop* shop : {&kept, &read}) {
    shop->Reopen();
    Write(*shop, 5, true);
    DatabaseAccess::RunJob(*shop->db, "shop");
    Write(*shop, 6, true);
  }
  EXPECT_GT(Figure(*read.db, "row_cache_misses"), Figure(*kept.db, "row_cache_misses") + 100U);
  EXPECT_EQ(Text(read), Text(kept));
  for (int i = 0; i < 100; ++i) {
    const std::string id = std::to_string(i);
    EXPECT_EQ(read.Vector(Side::kUser, "u" + id), kept.Vector(Side::kUser, "u" + id));
    EXPECT_EQ(read.Vector(Side::kItem, "i" + id), kept.Vector(Side::kItem, "i" + id));
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
