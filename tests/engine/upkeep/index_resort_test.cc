// The item index behind a collection: re-sorted in the background, exact all the while.
#include "engine/upkeep/index_resort.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco {
namespace {

using engine::DatabaseAccess;
using testing::Shop;

void FillShop(Shop& shop) {
  CollectionOptions options;
  options.dim = 8;
  options.unobserved = 1;
  options.iterations = 2;
  ASSERT_TRUE(*shop.db->Create("shop", options));
  shop.Fill(2'000, 50, 300, 1);
}

// A list is what sorting the scores of all items that the user has not seen gives.
void ExpectExactLists(const Shop& shop, int items) {
  std::vector<std::string> ids;
  ids.reserve(static_cast<std::size_t>(items));
  for (int i = 0; i < items; ++i) {
    ids.push_back("i" + std::to_string(i));
  }
  const std::vector<std::string_view> names(ids.begin(), ids.end());
  for (int u = 0; u < 50; u += 7) {
    const std::string user = "u" + std::to_string(u);
    const auto scores = *shop.db->Score("shop", user, names);
    std::set<std::string> seen;
    const auto history = *shop.db->History("shop", user, {.count = 100'000});
    for (const HistoryEntry& entry : history) {
      seen.insert(entry.item);
    }
    std::vector<double> expected;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (scores[i] && !seen.contains(ids[i])) {
        expected.push_back(*scores[i]);
      }
    }
    std::sort(expected.rbegin(), expected.rend());
    const auto got = shop.Rank(user, {.count = 30});
    ASSERT_EQ(got.size(), std::min<std::size_t>(30, expected.size())) << user;
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_FALSE(seen.contains(got[i].id)) << user;
      ASSERT_NEAR(got[i].score, expected[i], 1e-6) << user << " rank " << i;
    }
  }
}

TEST(IndexTest, ManyNewItemsAreSortedInByMaintenanceInSteps) {
  Shop shop(false);
  FillShop(shop);
  DatabaseAccess::RunJob(*shop.db, "shop");
  EXPECT_EQ(DatabaseAccess::IndexResorts(*shop.db, "shop"), 0U);
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 20; ++i) {
      const int item = 300 + round * 20 + i;
      ASSERT_TRUE(shop.Add("u" + std::to_string(item % 50), "i" + std::to_string(item)).ok());
      ASSERT_TRUE(shop.Add("u" + std::to_string(item % 13), "i" + std::to_string(item)).ok());
    }
    DatabaseAccess::Maintain(*shop.db);
    ExpectExactLists(shop, 900);
  }
  // 600 new ones beside 300: due at every third of what there is.
  EXPECT_GE(DatabaseAccess::IndexResorts(*shop.db, "shop"), 2U);
  EXPECT_LE(DatabaseAccess::IndexResorts(*shop.db, "shop"), 10U);
}

TEST(IndexTest, ResortsBesideWritesSearchesAndTrainingsLoseNothing) {
  Shop shop;
  FillShop(shop);
  shop.Train();
  std::atomic<bool> stop = false;
  std::atomic<int> items = 300;
  std::vector<std::thread> threads;
  threads.reserve(2);
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      for (int i = reader; !stop; ++i) {
        const auto list = shop.db->TopK("shop", "u" + std::to_string(i % 50), {.count = 10});
        ASSERT_TRUE(list.ok());
        ASSERT_EQ(list->entries.size(), 10U);
      }
    });
  }
  for (int step = 0;
       DatabaseAccess::IndexResorts(*shop.db, "shop") < 3 && step < 200'000 && !HasFailure();
       ++step) {
    const std::string user = "u" + std::to_string(step % 50);
    const std::string item = "i" + std::to_string(step % 3 == 0 ? items++ : step * 31 % items);
    ASSERT_TRUE(shop.Add(user, item).ok());
    if (step % 11 == 0) {
      ASSERT_TRUE(
          shop.db->DeleteRecord("shop", Side::kItem, "i" + std::to_string(step * 17 % items)).ok());
    }
    if (step == 400) {
      shop.Train();
    }
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_GE(DatabaseAccess::IndexResorts(*shop.db, "shop"), 3U);
  ExpectExactLists(shop, items);
}

// A list that is right whatever the writers do meanwhile: no item twice, best first, and what the
// filter and the rules leave. Items that are deleted come back with other attributes.
void ExpectSoundLists(const Shop& shop, const std::string& user) {
  const auto ranking = shop.db->TopK(
      "shop", user, {.count = 200, .with_attributes = true, .filter = ".kind == \"good\""});
  ASSERT_TRUE(ranking.ok()) << ranking.status().ToString();
  std::set<std::string> ids;
  double last = std::numeric_limits<double>::infinity();
  for (const auto& entry : ranking->entries) {
    EXPECT_TRUE(ids.insert(entry.id).second) << entry.id;
    EXPECT_LE(entry.score, last);
    EXPECT_NE(entry.attributes.find("good"), std::string::npos) << entry.id;
    last = entry.score;
  }
}

TEST(IndexTest, ListsInStepsStaySoundBesideWritesRulesAndTrainings) {
  Shop shop;
  shop.scan_step_rows = 1;  // every block is a step
  shop.Reopen();
  constexpr int kItems = 3'000;
  CollectionOptions options;
  options.dim = 8;
  options.iterations = 1;
  ASSERT_TRUE(*shop.db->Create("shop", options));
  shop.Fill(9'000, 50, kItems, 1);
  const auto set_kind = [&](int item, const char* kind) {
    const std::string id = "i" + std::to_string(item);
    const std::string json = R"({"kind":")" + std::string(kind) + R"("})";
    EXPECT_TRUE(shop.db->SetRecord("shop", Side::kItem, id, {.attributes = json}).ok());
  };
  for (int i = 0; i < kItems; i += 2) {
    set_kind(i, i % 4 == 0 ? "good" : "bad");
  }
  shop.Train();
  ASSERT_TRUE(
      shop.db->SetRule("shop", {"lift", ".kind == \"good\"", Rule::Action::kBoost, 2, 0, 0}).ok());
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      const int item = i * 7 % kItems;
      EXPECT_TRUE(shop.Add("u" + std::to_string(i % 50), "i" + std::to_string(item)).ok());
      if (i % 5 == 0) {
        EXPECT_TRUE(shop.db->DeleteRecord("shop", Side::kItem, "i" + std::to_string(item)).ok());
      }
      set_kind(item, i % 3 == 0 ? "good" : "bad");
    }
  });
  std::thread trainer([&] {
    for (int i = 0; i < 3; ++i) {
      shop.Train();
    }
    stop = true;
  });
  const auto read = [&](int first) {
    for (int i = first; !stop; ++i) {
      ExpectSoundLists(shop, "u" + std::to_string(i % 50));
    }
  };
  std::thread reader([&] { read(25); });
  read(0);
  reader.join();
  trainer.join();
  writer.join();
  ASSERT_TRUE(*shop.db->DeleteRule("shop", "lift"));
  // A vector that the background solves between two reads would tell them apart.
  while (shop.db->CollectionDetails("shop")->rows_pending > 0) {
    std::this_thread::yield();
  }
  ExpectExactLists(shop, kItems);
}

}  // namespace
}  // namespace reco
