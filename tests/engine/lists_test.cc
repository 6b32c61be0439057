// Lists that are not personal, against the same lists made from the events by brute force, under
// random writes, restarts and as time goes on.
#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Shop;

using Scored = std::pair<std::string, double>;

std::vector<Scored> Entries(const Result<Ranking>& ranking) {
  EXPECT_TRUE(ranking.ok()) << ranking.status().ToString();
  std::vector<Scored> entries;
  for (const auto& entry : ranking->entries) {
    entries.emplace_back(entry.id, entry.score);
  }
  return entries;
}

std::vector<Scored> Entries(const Result<std::vector<AudienceEntry>>& audience) {
  EXPECT_TRUE(audience.ok()) << audience.status().ToString();
  std::vector<Scored> entries;
  for (const auto& entry : *audience) {
    entries.emplace_back(entry.user, entry.weight);
  }
  return entries;
}

// Best first, ties by id.
std::vector<Scored> Sorted(const std::map<std::string, double>& values) {
  std::vector<Scored> sorted(values.begin(), values.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Scored& a, const Scored& b) { return a.second > b.second; });
  return sorted;
}

std::vector<Scored> Page(const std::vector<Scored>& all, std::size_t offset, std::size_t count) {
  const std::size_t from = std::min(offset, all.size());
  const std::size_t to = std::min(all.size(), from + count);
  return {all.begin() + static_cast<std::ptrdiff_t>(from),
          all.begin() + static_cast<std::ptrdiff_t>(to)};
}

constexpr RankingOptions kAll{.count = kCountMax};

struct Lists : ::testing::Test {
  // An event of the past: its age at its arrival in ms.
  void Add(const std::string& user, const std::string& item, double weight = 1,
           std::int64_t age_ms = 0) {
    ASSERT_TRUE(shop.db->Add("shop", Event(user, item, weight, age_ms)).ok());
  }
  void Set(const std::string& user, const std::string& item, double weight,
           std::int64_t age_ms = 0) {
    ASSERT_TRUE(shop.db->SetPreference("shop", Event(user, item, weight, age_ms)).ok());
  }
  Interaction Event(const std::string& user, const std::string& item, double weight,
                    std::int64_t age_ms) const {
    Interaction event;
    event.user = user;
    event.item = item;
    event.weight = weight;
    event.time_ms = shop.clock.NowMs() - age_ms;
    return event;
  }
  void Remove(const std::string& user, const std::string& item) {
    const std::string_view items[] = {item};
    ASSERT_TRUE(shop.db->Remove("shop", user, items).ok());
  }
  void Hide(Side side, const std::string& id, bool hidden = true) {
    RecordUpdate update;
    update.hidden = hidden;
    ASSERT_TRUE(shop.db->SetRecord("shop", side, id, update).ok());
  }
  void Delete(Side side, const std::string& id) {
    ASSERT_TRUE(shop.db->DeleteRecord("shop", side, id).ok());
  }

  // What a process that is killed leaves behind: the folder as it is, without a last checkpoint.
  void Kill() {
    const std::string left = shop.options.path + "-left";
    std::error_code failed;
    do {  // again when RocksDB has deleted a file meanwhile
      std::filesystem::remove_all(left);
      std::filesystem::copy(shop.options.path, left, std::filesystem::copy_options::recursive,
                            failed);
    } while (failed);
    shop.db.reset();
    shop.options.path = left;
    shop.Reopen();
  }

  Shop shop{false};
};

TEST_F(Lists, ReadsOfAMissingCollectionAndOfAnUnknownItemAreEmpty) {
  EXPECT_THAT(Entries(shop.db->Latest("none", kAll)), IsEmpty());
  EXPECT_THAT(Entries(shop.db->ActiveUsers("none", kAll)), IsEmpty());
  EXPECT_THAT(Entries(shop.db->Audience("none", "lamp", {})), IsEmpty());
  Add("ann", "lamp");
  EXPECT_THAT(Entries(shop.db->Audience("shop", "desk", {})), IsEmpty());
}

TEST_F(Lists, AnItemIsAsOldAsItsFirstEventOrTheRecordThatCreatedIt) {
  const auto now = static_cast<double>(shop.clock.NowMs());
  Hide(Side::kItem, "record", false);
  shop.clock.AdvanceMs(10);
  Add("ann", "old", 1, 5'000);
  Add("ann", "new");
  Add("ann", "future", 1, -5'000);
  shop.clock.AdvanceMs(10);
  Add("bob", "new");                // not the first
  Add("bob", "record");             // known before
  Remove("ann", "future");          // it stays known
  Hide(Side::kItem, "new", false);  // changes no age
  const auto expected = ElementsAre(Scored("future", now + 10), Scored("new", now + 10),
                                    Scored("record", now), Scored("old", now + 10 - 5'000));
  EXPECT_THAT(Entries(shop.db->Latest("shop", kAll)), expected);
  shop.Reopen();
  EXPECT_THAT(Entries(shop.db->Latest("shop", kAll)), expected);
}

TEST_F(Lists, WhatIsHiddenExpiredOrDeletedIsInNoList) {
  for (const char* name : {"a", "b", "c", "d"}) {
    Add(std::string("user-") + name, "lamp");
    Add("user-a", std::string("item-") + name);
  }
  Hide(Side::kUser, "user-b");
  Hide(Side::kItem, "item-b");
  Delete(Side::kUser, "user-c");
  Delete(Side::kItem, "item-c");
  RecordUpdate update;
  update.expire_at_ms = shop.clock.NowMs() + 100;
  ASSERT_TRUE(shop.db->SetRecord("shop", Side::kUser, "user-d", update).ok());
  ASSERT_TRUE(shop.db->SetRecord("shop", Side::kItem, "item-d", update).ok());
  EXPECT_EQ(Entries(shop.db->Audience("shop", "lamp", {})).size(), 2U);
  shop.clock.AdvanceMs(100);
  EXPECT_THAT(Entries(shop.db->Audience("shop", "lamp", {})), ElementsAre(Scored("user-a", 1)));
  EXPECT_THAT(Entries(shop.db->ActiveUsers("shop", kAll)), ElementsAre(Scored("user-a", 4)));
  EXPECT_THAT(Entries(shop.db->Latest("shop", kAll)),
              ElementsAre(Scored("item-a", 1.7e12), Scored("lamp", 1.7e12)));
}

TEST_F(Lists, IncludeAndExcludeNameWhatIsRanked) {
  Add("ann", "lamp");
  Add("ann", "desk");
  Add("bob", "lamp");
  Add("cat", "lamp");
  const std::string_view included[] = {"ann", "cat", "nobody", "cat"};
  const std::string_view excluded[] = {"cat"};
  RankingOptions options;
  options.include = included;
  EXPECT_THAT(Entries(shop.db->ActiveUsers("shop", options)),
              ElementsAre(Scored("ann", 2), Scored("cat", 1)));
  options.exclude = excluded;
  EXPECT_THAT(Entries(shop.db->ActiveUsers("shop", options)), ElementsAre(Scored("ann", 2)));
}

TEST_F(Lists, AnAudienceOfAnyLengthComesInWholePages) {
  for (int user = 0; user < 500; ++user) {
    Add("u" + std::to_string(user), "lamp", user, (user % 7) * 10);
  }
  const auto all = Entries(shop.db->Audience("shop", "lamp", {.count = 1'000}));
  ASSERT_EQ(all.size(), 500U);
  std::vector<Scored> pages;
  for (std::size_t offset = 0; offset < 600; offset += 60) {
    for (const Scored& entry :
         Entries(shop.db->Audience("shop", "lamp", {.count = 60, .offset = offset}))) {
      pages.push_back(entry);
    }
  }
  EXPECT_EQ(pages, all);
}

TEST_F(Lists, AgreeWithBruteForceUnderRandomWritesAndRestarts) {
  struct PairOf {
    std::uint64_t events = 0;
    double weight = 0;
    std::int64_t last_ms = 0;
  };
  std::map<std::pair<std::string, std::string>, PairOf> pairs;
  std::map<std::string, double> known;
  std::mt19937 random(11);
  for (int step = 1; step <= 3'000; ++step) {
    shop.clock.AdvanceMs(random() % 50);
    const std::string user = "u" + std::to_string(random() % 30);
    const std::string item = "i" + std::to_string(random() % 40);
    const std::int64_t age_ms = random() % 400;
    const auto time_ms = shop.clock.NowMs() - age_ms;
    const double weight = static_cast<double>(random() % 9) - 3;
    const auto kind = random() % 100;
    PairOf& pair = pairs[{user, item}];
    if (kind < 70) {
      kind < 60 ? Add(user, item, weight, age_ms) : Set(user, item, weight, age_ms);
      pair = {pair.events + 1, kind < 60 ? pair.weight + weight : weight,
              std::max(pair.last_ms, time_ms)};
      const auto [at, added] = known.try_emplace(item, static_cast<double>(time_ms));
      at->second = std::min(at->second, static_cast<double>(time_ms));
    } else if (kind < 90) {
      Remove(user, item);
      pair = {};
    } else if (kind < 95) {
      Delete(Side::kUser, user);
      std::erase_if(pairs, [&](const auto& entry) { return entry.first.first == user; });
    } else {
      Delete(Side::kItem, item);
      std::erase_if(pairs, [&](const auto& entry) { return entry.first.second == item; });
      known.erase(item);
    }
    if (step % 500 == 0) {
      step % 1'000 == 0 ? shop.Reopen() : Kill();
    }
    if (step % 50 != 0) {
      continue;
    }
    std::map<std::string, double> activity;
    std::map<std::string, double> newest;
    std::map<std::string, double> weights;
    for (const auto& [name, stored] : pairs) {
      if (stored.events > 0) {
        activity[name.first] += static_cast<double>(stored.events);
      }
      if (stored.events > 0 && name.second == item) {
        newest[name.first] = static_cast<double>(stored.last_ms);
        weights[name.first] = stored.weight;
      }
    }
    std::vector<Scored> audience = Sorted(newest);
    for (Scored& entry : audience) {
      entry.second = weights[entry.first];
    }
    const std::size_t offset = random() % 10;
    const RankingOptions page{.count = 7, .offset = offset};
    ASSERT_EQ(Entries(shop.db->ActiveUsers("shop", page)), Page(Sorted(activity), offset, 7));
    ASSERT_EQ(Entries(shop.db->Latest("shop", page)), Page(Sorted(known), offset, 7));
    ASSERT_EQ(Entries(shop.db->Audience("shop", item, {.count = 7, .offset = offset})),
              Page(audience, offset, 7));
  }
}

}  // namespace
}  // namespace reco
