// What a reader waits for before it tells what it has read: the changes of the keys and collections
// that it looked at.
#include "engine/database/key_tickets.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "reco/engine.h"

#include "testing/shop.h"

namespace reco {
namespace {

using engine::KeyTickets;

constexpr WriteOptions kDeferred{.defer_commit = true};

TEST(KeyTickets, KeysHaveTheTicketsOfTheirChanges) {
  KeyTickets tickets;
  EXPECT_EQ(tickets.Of("a"), 0U);
  tickets.Changed("a", 3);
  tickets.Changed(KeyRef("a", 1), 4);
  EXPECT_EQ(tickets.Of("a"), 3U);
  EXPECT_EQ(tickets.Of(KeyRef("a", 1)), 4U);
  EXPECT_EQ(tickets.Of("b"), 0U);
  EXPECT_EQ(tickets.OfAll(), 4U);
  tickets.AllChanged(5);
  EXPECT_EQ(tickets.Of("b"), 5U);
  tickets.Clear();
  EXPECT_EQ(tickets.OfAll(), 0U);
}

// One key in some thousands waits for another's change, none too little.
TEST(KeyTickets, FewKeysShareATicketAndNoneGoesBack) {
  KeyTickets tickets;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    tickets.Changed("k" + std::to_string(i), i);
  }
  int shared = 0;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    EXPECT_GE(tickets.Of("k" + std::to_string(i)), i);
  }
  for (int i = 0; i < 1'000; ++i) {
    shared += tickets.Of("other" + std::to_string(i)) != 0 ? 1 : 0;
  }
  EXPECT_LT(shared, 100);
}

class SeenTest : public ::testing::Test {
 protected:
  SeenTest() { Database::TakeSeen(); }
  // True iff what the thread has been told since it was last asked is committed.
  bool TellsOnlyWhatIsCommitted() {
    return Database::TakeSeen() <= db().CommittedUpTo(db().generation());
  }
  void Commit() {
    EXPECT_TRUE(db().Commit(db().generation()).ok());
    EXPECT_TRUE(TellsOnlyWhatIsCommitted());
  }
  Database& db() { return *shop_.db; }

  testing::Shop shop_{false};
};

TEST_F(SeenTest, AReaderOfOneKeyDoesNotWaitForAnother) {
  ASSERT_TRUE(db().Set("quiet", "1").ok());
  ASSERT_TRUE(db().Set("busy", "1", {}, kDeferred).ok());
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  EXPECT_EQ(**db().Get("quiet"), "1");
  EXPECT_FALSE(db().Exists("none"));
  EXPECT_TRUE(TellsOnlyWhatIsCommitted());
  EXPECT_EQ(**db().Get("busy"), "1");
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  Commit();
  EXPECT_EQ(**db().Get("busy"), "1");
  EXPECT_TRUE(TellsOnlyWhatIsCommitted());
}

// That there is no such key is news as well.
TEST_F(SeenTest, WhatIsGoneIsWaitedForToo) {
  const std::string_view names[] = {"deleted", "expired", "renamed", "flushed", "kept"};
  for (const std::string_view name : names) {
    ASSERT_TRUE(db().Set(name, "1").ok());
  }
  ASSERT_TRUE(db().Delete(0, {names, 1}, kDeferred).ok());
  ASSERT_TRUE(db().ExpireAt("expired", 1, ExpireCondition::kAlways, kDeferred).ok());
  ASSERT_TRUE(db().Rename("renamed", "new", kDeferred).ok());
  Database::TakeSeen();
  for (const std::string_view name : {"deleted", "expired", "renamed", "new"}) {
    EXPECT_EQ(db().Exists(name), name == "new");
    EXPECT_FALSE(TellsOnlyWhatIsCommitted()) << name;
  }
  EXPECT_TRUE(db().Exists("kept"));
  EXPECT_TRUE(TellsOnlyWhatIsCommitted());
  Commit();
  ASSERT_TRUE(db().Flush(0, kDeferred).ok());
  Database::TakeSeen();
  EXPECT_FALSE(db().Exists("flushed"));
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  Commit();
}

// That there was nothing to change was read of a change.
TEST_F(SeenTest, WritesThatChangeNothingWaitAsReadsDo) {
  const std::string_view gone[] = {"gone"};
  for (const std::string_view name : {"gone", "kept", "timeless"}) {
    ASSERT_TRUE(db().Set(name, "1", {.expire_at_ms = 9'000'000'000'000}).ok());
  }
  ASSERT_TRUE(db().Delete(0, gone, kDeferred).ok());
  ASSERT_TRUE(*db().Persist("timeless", kDeferred));
  ASSERT_TRUE(db().Set("lock", "a", {}, kDeferred).ok());
  ASSERT_TRUE(*db().Create("shop", {}, kDeferred));
  Database::TakeSeen();
  EXPECT_FALSE(
      db().Set("lock", "b", {.condition = SetOptions::Condition::kIfAbsent}, kDeferred)->written);
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  EXPECT_FALSE(db().Set("shop", "b", {.get = true}, kDeferred).ok());
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  EXPECT_EQ(*db().Delete(0, gone, kDeferred), 0U);
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  EXPECT_FALSE(*db().ExpireAt("gone", 1, ExpireCondition::kAlways, kDeferred));
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  EXPECT_FALSE(*db().Persist("timeless", kDeferred));
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  EXPECT_FALSE(db().Rename("gone", "new", kDeferred).ok());
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  EXPECT_FALSE(*db().Persist("none", kDeferred));
  EXPECT_TRUE(TellsOnlyWhatIsCommitted());
}

TEST_F(SeenTest, WalksOverTheKeysWaitForAllOfThem) {
  ASSERT_TRUE(db().Set("k", "1", {}, kDeferred).ok());
  Database::TakeSeen();
  EXPECT_EQ(db().Size(1), 0U);
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  EXPECT_EQ(db().Keys(0, "*").size(), 1U);
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  EXPECT_EQ(db().Scan(0, 0, 10, "*", KeyKind::kNone).names.size(), 1U);
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  Commit();
}

TEST_F(SeenTest, AReaderOfOneCollectionDoesNotWaitForAnother) {
  ASSERT_TRUE(db().Add("still", {.user = "ann", .item = "lamp"}).ok());
  ASSERT_TRUE(db().Add("shop", {.user = "ann", .item = "lamp"}).ok());
  // Building the window commits what it reads from the log.
  ASSERT_TRUE(db().PopularWithin("shop", 60, PopularBy::kUsers, {}).ok());
  ASSERT_TRUE(db().Add("shop", {.user = "ann", .item = "chair"}, kDeferred).ok());
  Database::TakeSeen();
  EXPECT_EQ(*db().CountRecords("still", Side::kItem), 1U);
  EXPECT_TRUE(db().Popular("still", PopularBy::kUsers, {}).ok());
  EXPECT_TRUE(TellsOnlyWhatIsCommitted());
  EXPECT_EQ(*db().CountRecords("shop", Side::kItem), 2U);
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  EXPECT_TRUE(db().PopularWithin("shop", 60, PopularBy::kUsers, {}).ok());
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
}

TEST_F(SeenTest, ANewCollectionItsSettingsAndItsJobsAreWaitedFor) {
  ASSERT_TRUE(*db().Create("shop", {}, kDeferred));
  Database::TakeSeen();
  EXPECT_EQ(db().Kind("shop"), KeyKind::kCollection);
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  Commit();
  const std::pair<std::string, std::string> parameters[] = {{"reg", "3"}};
  ASSERT_TRUE(db().SetConfig("shop", parameters, kDeferred).ok());
  Database::TakeSeen();
  EXPECT_TRUE(db().GetConfig("shop", "reg").ok());
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  Commit();
  engine::DatabaseAccess::RunJob(db(), "shop");  // fails: there is nothing to train on
  Database::TakeSeen();
  EXPECT_EQ(db().Jobs().size(), 1U);
  EXPECT_FALSE(TellsOnlyWhatIsCommitted());
  Commit();
}

TEST_F(SeenTest, NothingOfAnotherGenerationIsCommitted) {
  ASSERT_TRUE(db().Set("k", "1").ok());
  EXPECT_GT(db().CommittedUpTo(db().generation()), 0U);
  EXPECT_EQ(db().CommittedUpTo(db().generation() + 1), 0U);
}

}  // namespace
}  // namespace reco
