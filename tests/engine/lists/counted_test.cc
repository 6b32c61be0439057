// Lists that are not personal, against the same lists made from the events by brute force, under
// random writes, restarts and as time goes on.
#include "engine/lists/counted.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/records.h"
#include "store/store.h"
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

// The files below `folder` by name, and the bytes of each.
std::map<std::string, std::uintmax_t> Files(const std::string& folder) {
  std::map<std::string, std::uintmax_t> files;
  std::error_code gone;  // between the listing and the question of its size
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file(gone)) {
      files[entry.path().lexically_relative(folder).string()] = entry.file_size(gone);
    }
  }
  return files;
}

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
    std::map<std::string, std::uintmax_t> before;
    do {  // again when RocksDB has written or deleted a file meanwhile: a copy takes time, a kill
          // not
      before = Files(shop.options.path);
      std::filesystem::remove_all(left);
      std::filesystem::copy(shop.options.path, left, std::filesystem::copy_options::recursive,
                            failed);
    } while (failed || before != Files(shop.options.path) || before != Files(left));
    shop.db.reset();
    shop.options.path = left;
    shop.Reopen();
  }

  Shop shop{false};
};

// cos of the sum of the unit rows of `items` with each other item that shares a user with it.
std::map<std::string, double> Cosines(
    const std::map<std::pair<std::string, std::string>, double>& weights,
    const std::set<std::string>& items) {
  std::map<std::string, double> squares;
  for (const auto& [name, weight] : weights) {
    squares[name.second] += weight * weight;
  }
  std::map<std::string, double> query;
  for (const auto& [name, weight] : weights) {
    if (items.contains(name.second)) {
      query[name.first] += squares[name.second] > 0 ? weight / std::sqrt(squares[name.second]) : 0;
    }
  }
  double length = 0;
  for (const auto& [user, weight] : query) {
    length += weight * weight;
  }
  length = std::sqrt(length);
  std::map<std::string, double> cosines;
  for (const auto& [name, weight] : weights) {
    if (query.contains(name.first) && !items.contains(name.second) && length > 0 &&
        squares[name.second] > 0) {
      cosines[name.second] +=
          query[name.first] * weight / (length * std::sqrt(squares[name.second]));
    }
  }
  return cosines;
}

void ExpectNear(const std::vector<Scored>& found, const std::map<std::string, double>& expected,
                double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_TRUE(expected.contains(found[i].first)) << found[i].first;
    ASSERT_NEAR(found[i].second, expected.at(found[i].first), tolerance) << found[i].first;
    ASSERT_TRUE(i == 0 || found[i - 1].second >= found[i].second);
  }
}

TEST_F(Lists, ReadsOfAMissingCollectionAndOfAnUnknownItemAreEmpty) {
  EXPECT_THAT(Entries(shop.db->Latest("none", kAll)), IsEmpty());
  EXPECT_THAT(Entries(shop.db->ActiveUsers("none", kAll)), IsEmpty());
  EXPECT_THAT(Entries(shop.db->Audience("none", "lamp", {})), IsEmpty());
  Add("ann", "lamp");
  EXPECT_THAT(Entries(shop.db->Audience("shop", "desk", {})), IsEmpty());
  EXPECT_THAT(Entries(shop.db->PopularWithin("none", 60, PopularBy::kUsers, kAll)), IsEmpty());
  EXPECT_THAT(Entries(shop.db->Trending("none", 60, kAll)), IsEmpty());
  const std::string_view unknown[] = {"desk"};
  for (const char* key : {"none", "shop"}) {
    EXPECT_THAT(Entries(shop.db->Similar(key, unknown, SimilarityBasis::kCooccurrence, kAll)),
                IsEmpty());
  }
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

TEST_F(Lists, AWindowAndAHalfLifeOutOfRangeAreRefused) {
  Add("ann", "lamp");
  for (const std::int64_t seconds : {std::int64_t{0}, kRecentSecondsMax + 1}) {
    EXPECT_EQ(shop.db->PopularWithin("shop", seconds, PopularBy::kUsers, kAll).status().code(),
              StatusCode::kInvalidArgument);
    EXPECT_EQ(shop.db->Trending("shop", seconds, kAll).status().code(),
              StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(Entries(shop.db->PopularWithin("shop", kRecentSecondsMax, PopularBy::kUsers, kAll)),
            std::vector<Scored>({{"lamp", 1}}));
}

TEST_F(Lists, AWindowOfAllTimeIsThePopularList) {
  std::mt19937 random(3);
  for (int step = 0; step < 500; ++step) {
    shop.clock.AdvanceMs(1'000);
    const std::string user = "u" + std::to_string(random() % 20);
    const std::string item = "i" + std::to_string(random() % 20);
    const auto kind = random() % 10;
    kind < 7 ? Add(user, item, 0.5) : (kind < 9 ? Set(user, item, 2) : Remove(user, item));
    for (const PopularBy by : {PopularBy::kUsers, PopularBy::kWeight, PopularBy::kEvents}) {
      ASSERT_EQ(Entries(shop.db->PopularWithin("shop", kRecentSecondsMax, by, kAll)),
                Entries(shop.db->Popular("shop", by, kAll)));
    }
  }
}

TEST_F(Lists, ListsBuiltLateOrAfterARestartAreThoseKeptFromTheStart) {
  constexpr std::int64_t kWindowS = 30;
  constexpr std::int64_t kHalfLifeS = 20;
  std::mt19937 random(8);
  const auto window = [&](std::int64_t seconds) {
    return Entries(shop.db->PopularWithin("shop", seconds, PopularBy::kEvents, kAll));
  };
  const auto trending = [&](std::int64_t seconds) {
    return Entries(shop.db->Trending("shop", seconds, kAll));
  };
  Add("u0", "i0");
  window(kWindowS);
  trending(kHalfLifeS);
  for (int step = 1; step <= 1'500; ++step) {
    shop.clock.AdvanceMs(random() % 200);
    const std::string user = "u" + std::to_string(random() % 30);
    const std::string item = "i" + std::to_string(random() % 30);
    const auto kind = random() % 100;
    if (kind < 80) {
      Add(user, item, 1, static_cast<std::int64_t>(random() % 20'000) - 3'000);
    } else if (kind < 92) {
      Remove(user, item);
    } else {
      Delete(kind < 96 ? Side::kUser : Side::kItem, kind < 96 ? user : item);
    }
    if (step % 300 != 0) {
      continue;
    }
    const auto kept_window = window(kWindowS);
    const auto kept_trending = trending(kHalfLifeS);
    ASSERT_FALSE(kept_window.empty());
    for (std::int64_t other = 1; other <= 4; ++other) {  // drives it out of memory
      window(1'000 + other);
      trending(1'000 + other);
    }
    ASSERT_EQ(window(kWindowS), kept_window);
    const auto built = trending(kHalfLifeS);
    ASSERT_NO_FATAL_FAILURE(ExpectNear(
        built, std::map<std::string, double>(kept_trending.begin(), kept_trending.end()), 1e-12));
    step % 600 == 0 ? shop.Reopen() : Kill();
    ASSERT_EQ(window(kWindowS), kept_window);
    ASSERT_EQ(trending(kHalfLifeS), built);
  }
}

TEST_F(Lists, MemoryOfWindowsIsAccountedFor) {
  for (int i = 0; i < 2'000; ++i) {
    Add("u" + std::to_string(i), "lamp");
  }
  const auto bytes = [&] {
    const auto details = shop.db->CollectionDetails("shop");
    for (const auto& [name, value] : details->memory_bytes) {
      if (name == "recent-lists") {
        return value;
      }
    }
    return std::uint64_t{0};
  };
  EXPECT_EQ(bytes(), 0U);
  ASSERT_TRUE(shop.db->PopularWithin("shop", 60, PopularBy::kUsers, kAll).ok());
  EXPECT_GT(bytes(), 2'000 * 48U);
}

TEST_F(Lists, ItemsOfTheSameUsersAreSimilarByCooccurrence) {
  Add("ann", "lamp", 1);
  Add("ann", "desk", 2);
  Add("bob", "lamp", 2);
  Add("bob", "desk", 4);
  Add("bob", "sofa", -1);
  Add("cat", "vase", 1);
  const std::string_view lamp[] = {"lamp", "nothing", "lamp"};
  const auto found = Entries(shop.db->Similar("shop", lamp, SimilarityBasis::kCooccurrence, kAll));
  ASSERT_EQ(found.size(), 2U) << "vase shares no user";
  EXPECT_EQ(found[0].first, "desk");
  EXPECT_NEAR(found[0].second, 1, 1e-12);
  EXPECT_EQ(found[1].first, "sofa");
  EXPECT_NEAR(found[1].second, -2 / std::sqrt(5), 1e-12);
  Hide(Side::kItem, "desk");
  EXPECT_EQ(Entries(shop.db->Similar("shop", lamp, SimilarityBasis::kCooccurrence, kAll)).size(),
            1U);
}

TEST_F(Lists, CosinesAgreeWithBruteForceUnderRandomWritesAndRestarts) {
  std::map<std::pair<std::string, std::string>, double> weights;
  std::mt19937 random(21);
  for (int step = 1; step <= 2'000; ++step) {
    const std::string user = "u" + std::to_string(random() % 25);
    const std::string item = "i" + std::to_string(random() % 40);
    const double weight = static_cast<double>(random() % 9) - 2;
    const auto kind = random() % 100;
    if (kind < 80) {
      kind < 60 ? Add(user, item, weight) : Set(user, item, weight);
      double& stored = weights[{user, item}];
      stored = kind < 60 ? stored + weight : weight;
    } else if (kind < 97) {
      Remove(user, item);
      weights.erase({user, item});
    } else {
      Delete(kind < 99 ? Side::kUser : Side::kItem, kind < 99 ? user : item);
      std::erase_if(weights, [&](const auto& entry) {
        return kind < 99 ? entry.first.first == user : entry.first.second == item;
      });
    }
    if (step % 400 == 0) {
      step % 800 == 0 ? shop.Reopen() : Kill();
    }
    if (step % 40 != 0) {
      continue;
    }
    for (const std::size_t given : {1U, 3U}) {
      std::set<std::string> items;
      while (items.size() < given) {
        items.insert("i" + std::to_string(random() % 40));
      }
      const std::vector<std::string_view> names(items.begin(), items.end());
      ASSERT_NO_FATAL_FAILURE(
          ExpectNear(Entries(shop.db->Similar("shop", names, SimilarityBasis::kCooccurrence, kAll)),
                     Cosines(weights, items), 1e-9));
    }
  }
}

// 1,050 users with 1,000 pairs each are more than a query reads.
TEST_F(Lists, BeyondAMillionPairsCosinesComeFromASampleThatIsAlwaysTheSame) {
  shop.options.checkpoint_events = 1'000'000;  // nobody writes one here
  shop.Reopen();
  constexpr int kUsers = 1'050;
  constexpr int kItems = 999;
  std::vector<std::string> items;
  for (int item = 0; item < kItems; ++item) {
    items.push_back("i" + std::to_string(item));
  }
  for (int user = 0; user < kUsers; ++user) {
    const std::string name = "u" + std::to_string(user);
    std::vector<Interaction> events;
    for (const std::string& item : items) {
      events.push_back({.user = name, .item = item});
    }
    events.push_back({.user = name, .item = user % 2 == 0 ? "half" : "other"});
    ASSERT_TRUE(shop.db->AddMany("shop", events).ok());
  }
  const std::string_view given[] = {"i0"};
  const auto similar = [&] {
    return Entries(shop.db->Similar("shop", given, SimilarityBasis::kCooccurrence, kAll));
  };
  const auto found = similar();
  ASSERT_EQ(found.size(), static_cast<std::size_t>(kItems) + 1);
  EXPECT_NEAR(found.front().second, 1, 1e-12) << "all users are alike, so scaling is exact";
  EXPECT_NE(found.back().second, std::sqrt(0.5)) << "not all users were read";
  EXPECT_NEAR(found.back().second, std::sqrt(0.5), 0.03);
  EXPECT_EQ(similar(), found);
}

TEST_F(Lists, RecordsOfAnOlderVersionAreFilledIn) {
  Add("ann", "lamp", 3, 5'000);
  Add("ann", "desk", 2);
  Add("bob", "desk", 1);
  Add("bob", "desk", 1);
  Add("cat", "lamp", -1);
  const std::string_view lamp[] = {"lamp"};
  const auto popular = [&](PopularBy by) { return Entries(shop.db->Popular("shop", by, kAll)); };
  EXPECT_THAT(popular(PopularBy::kUsers), ElementsAre(Scored("desk", 2), Scored("lamp", 1)));
  EXPECT_THAT(popular(PopularBy::kEvents), ElementsAre(Scored("desk", 3), Scored("lamp", 1)));
  const auto similar =
      Entries(shop.db->Similar("shop", lamp, SimilarityBasis::kCooccurrence, kAll));
  const auto latest = Entries(shop.db->Latest("shop", kAll));
  ASSERT_EQ(similar.size(), 1U);
  shop.db.reset();
  {
    store::StoreOptions options;
    options.path = shop.options.path;
    auto store = store::Store::Open(options);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store::Batch batch;
    int items = 0;
    const auto rows = (*store)->Scan(store::Family::kItems, "");
    for (; rows->Valid(); rows->Next(), ++items) {
      auto record = format::DecodeEntity(rows->value());
      ASSERT_TRUE(record.ok() && record->squares && record->known_ms && record->liked);
      record->squares.reset();
      record->known_ms.reset();
      record->liked.reset();
      batch.Put(store::Family::kItems, rows->key(), format::EncodeEntity(*record));
    }
    ASSERT_EQ(items, 2);
    ASSERT_TRUE((*store)->Write(batch, true).ok());
  }
  for (int opened = 0; opened < 2; ++opened) {  // from the old records, then from the new ones
    shop.Reopen();
    EXPECT_EQ(Entries(shop.db->Similar("shop", lamp, SimilarityBasis::kCooccurrence, kAll)),
              similar);
    EXPECT_EQ(Entries(shop.db->Latest("shop", kAll)), latest);
    EXPECT_THAT(popular(PopularBy::kUsers), ElementsAre(Scored("desk", 2), Scored("lamp", 1)));
    EXPECT_THAT(popular(PopularBy::kEvents), ElementsAre(Scored("desk", 3), Scored("lamp", 1)));
  }
}

// By users, and by the events of those who like it; a weight is the sum of all.
TEST_F(Lists, WhatNobodyLikesIsNotPopular) {
  Add("ann", "bad", -1);
  Add("bob", "bad", -1);
  Add("ann", "zero", 0.3);
  Add("ann", "zero", -0.1);
  Add("ann", "zero", -0.2);
  Add("ann", "good", 1);
  Add("ann", "good", 1);
  Add("bob", "good", -0.5);
  const auto expect = [&] {
    for (const bool window : {false, true}) {
      const auto list = [&](PopularBy by) {
        return Entries(window ? shop.db->PopularWithin("shop", 60, by, kAll)
                              : shop.db->Popular("shop", by, kAll));
      };
      EXPECT_THAT(list(PopularBy::kUsers), ElementsAre(Scored("good", 1)));
      EXPECT_THAT(list(PopularBy::kEvents), ElementsAre(Scored("good", 2)));
      EXPECT_THAT(list(PopularBy::kWeight), ElementsAre(Scored("good", 1.5)));
    }
    EXPECT_THAT(Entries(shop.db->Trending("shop", 60, kAll)), ElementsAre(Scored("good", 1.5)));
    // The fallback of those whom nobody knows.
    EXPECT_THAT(Entries(shop.db->TopK("shop", "nobody", kAll)), ElementsAre(Scored("good", 1)));
    // What was disliked is known all the same.
    EXPECT_EQ(Entries(shop.db->Latest("shop", kAll)).size(), 3U);
    EXPECT_EQ(Entries(shop.db->ActiveUsers("shop", kAll)).size(), 2U);
  };
  expect();
  shop.Reopen();
  expect();
  Kill();
  expect();
  // A like that is taken back, and a dislike that is made good.
  Set("ann", "good", -1);
  Set("bob", "bad", 2);
  EXPECT_THAT(Entries(shop.db->Popular("shop", PopularBy::kUsers, kAll)),
              ElementsAre(Scored("bad", 1)));
  EXPECT_THAT(Entries(shop.db->Popular("shop", PopularBy::kEvents, kAll)),
              ElementsAre(Scored("bad", 2)));
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
