// The rules of the public operations, on one database with its real threads.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "reco/engine.h"

#include "format/keys.h"
#include "store/store.h"
#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;

TEST(Database, FirstEventCreatesCollectionUserAndItem) {
  Shop shop;
  EXPECT_EQ(shop.db->Kind("shop"), KeyKind::kNone);
  EXPECT_EQ(*shop.Add("ann", "lamp"), 1U);
  EXPECT_EQ(shop.db->Kind("shop"), KeyKind::kCollection);
  EXPECT_EQ(*shop.db->CountRecords("shop", Side::kUser), 1U);
  EXPECT_EQ(*shop.db->CountRecords("shop", Side::kItem), 1U);
}

// The next start would have to read it.
TEST(Database, ACleanCloseLeavesNoLongLog) {
  const auto log_bytes = [](const Shop& shop) {
    std::uintmax_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(shop.options.path)) {
      bytes += file.path().extension() == ".log" ? file.file_size() : 0;
    }
    return bytes;
  };
  Shop shop(false);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(shop.db->Set("k" + std::to_string(i), std::string(65'536, 'x'), {}).ok());
  }
  EXPECT_GT(log_bytes(shop), 8U << 20U);
  shop.db.reset();
  EXPECT_LT(log_bytes(shop), 1U << 20U);
  shop.Reopen();
  EXPECT_EQ(shop.db->Get("k199")->value_or("").size(), 65'536U);
}

TEST(Database, SequenceNumbersAscendByOne) {
  Shop shop;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    EXPECT_EQ(*shop.Add("ann", "item" + std::to_string(i % 3)), i);
  }
}

TEST(Database, WeightsAddUpAndSetReplaces) {
  Shop shop;
  const std::string_view items[] = {"lamp", "chair"};
  ASSERT_TRUE(shop.Add("ann", "lamp", 2).ok());
  ASSERT_TRUE(shop.Add("ann", "lamp", 0.5).ok());
  EXPECT_EQ(**shop.db->Preferences("shop", "ann", items)->begin(), 2.5);
  ASSERT_TRUE(shop.db->SetPreference("shop", {.user = "ann", .item = "lamp", .weight = -1}).ok());
  const auto preferences = *shop.db->Preferences("shop", "ann", items);
  EXPECT_EQ(*preferences[0], -1);
  EXPECT_FALSE(preferences[1].has_value());
}

TEST(Database, TypeGivesTheDefaultWeight) {
  Shop shop;
  CollectionOptions options;
  options.types = {{"view", 0.25}, {"purchase", 3}};
  ASSERT_TRUE(*shop.db->Create("shop", options));
  const std::string_view items[] = {"lamp"};
  ASSERT_TRUE(shop.db->Add("shop", {.user = "ann", .item = "lamp", .type = "view"}).ok());
  ASSERT_TRUE(shop.db->Add("shop", {.user = "ann", .item = "lamp", .type = "purchase"}).ok());
  EXPECT_EQ(*shop.db->Preferences("shop", "ann", items)->front(), 3.25);
  const auto unknown = shop.db->Add("shop", {.user = "ann", .item = "lamp", .type = "gaze"});
  EXPECT_EQ(unknown.status().code(), StatusCode::kInvalidArgument);
}

TEST(Database, TokenMakesARetryIdempotentAlsoAfterReopening) {
  Shop shop;
  const Interaction once{.user = "ann", .item = "lamp", .token = "t1"};
  EXPECT_EQ(*shop.db->Add("shop", once), 1U);
  ASSERT_TRUE(shop.Add("bob", "lamp").ok());
  EXPECT_EQ(*shop.db->Add("shop", once), 1U);
  shop.Reopen();
  EXPECT_EQ(*shop.db->Add("shop", once), 1U);
  EXPECT_EQ(shop.db->CollectionDetails("shop")->last_seq, 2U);
}

TEST(Database, OldestTokensAreForgottenBeyondTheWindow) {
  Shop shop;
  shop.options.idempotency_window = 2;
  shop.Reopen();
  for (const char* token : {"a", "b", "c"}) {
    ASSERT_TRUE(shop.db->Add("shop", {.user = "ann", .item = "lamp", .token = token}).ok());
  }
  EXPECT_EQ(*shop.db->Add("shop", {.user = "ann", .item = "lamp", .token = "c"}), 3U);
  EXPECT_EQ(*shop.db->Add("shop", {.user = "ann", .item = "lamp", .token = "a"}), 4U);
}

TEST(Database, BatchIsAllOrNothing) {
  Shop shop;
  const Interaction batch[] = {{.user = "ann", .item = "lamp"},
                               {.user = "ann", .item = "chair", .weight = 1e7}};
  EXPECT_EQ(shop.db->AddMany("shop", batch).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(*shop.db->CountRecords("shop", Side::kItem), 0U);
  const Interaction good[] = {{.user = "ann", .item = "lamp"},
                              {.user = "ann", .item = "lamp"},
                              {.user = "bob", .item = "chair"}};
  EXPECT_EQ(*shop.db->AddMany("shop", good), 3U);
  EXPECT_EQ(shop.db->CollectionDetails("shop")->interactions, 2U);
}

TEST(Database, BadInputChangesNothing) {
  Shop shop;
  ASSERT_TRUE(shop.Add("ann", "lamp").ok());
  const std::string long_id(kIdBytesMax + 1, 'x');
  const double infinity = std::numeric_limits<double>::infinity();
  const Interaction bad[] = {
      {.user = "", .item = "lamp"},
      {.user = "ann", .item = ""},
      {.user = long_id, .item = "lamp"},
      {.user = "ann", .item = "lamp", .weight = infinity},
      {.user = "ann", .item = "lamp", .weight = -infinity},
      {.user = "ann", .item = "lamp", .weight = std::numeric_limits<double>::quiet_NaN()},
      {.user = "ann", .item = "lamp", .weight = 1.1e6},
      {.user = "ann", .item = "lamp", .time_ms = -1},
  };
  for (const Interaction& interaction : bad) {
    EXPECT_EQ(shop.db->Add("shop", interaction).status().code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(shop.db->CollectionDetails("shop")->last_seq, 1U);
  EXPECT_EQ(*shop.db->CountRecords("shop", Side::kUser), 1U);
}

TEST(Database, RefusedFirstWriteCreatesNoCollection) {
  Shop shop;
  EXPECT_FALSE(shop.db->Add("shop", {.user = "ann", .item = "lamp", .type = "nosuch"}).ok());
  EXPECT_FALSE(shop.db->SetRecord("shop", Side::kItem, "lamp", {.attributes = "[1]"}).ok());
  EXPECT_EQ(shop.db->Kind("shop"), KeyKind::kNone);
}

TEST(Database, RemovalsAreCountedOutOfTheInteractions) {
  Shop shop;
  shop.Fill(200, 10, 10, 16);
  const std::uint64_t before = shop.db->CollectionDetails("shop")->interactions;
  const std::string item = shop.db->History("shop", "u1", {})->front().item;
  const std::string_view items[] = {item};
  ASSERT_EQ(*shop.db->Remove("shop", "u1", items), 1U);
  EXPECT_EQ(shop.db->CollectionDetails("shop")->interactions, before - 1);
  shop.Train();
}

TEST(Database, CollectionOperationsOnAStringAreWrongType) {
  Shop shop;
  ASSERT_TRUE(shop.db->Set("shop", "text").ok());
  EXPECT_EQ(shop.Add("ann", "lamp").status().code(), StatusCode::kWrongType);
  EXPECT_EQ(shop.db->TopK("shop", "ann", {}).status().code(), StatusCode::kWrongType);
  EXPECT_EQ(**shop.db->Get("shop"), "text");
}

TEST(Database, ReadsOfAMissingCollectionAreEmpty) {
  Shop shop;
  EXPECT_TRUE(shop.Rank("ann", {}).empty());
  EXPECT_TRUE(shop.db->History("shop", "ann", {})->empty());
  EXPECT_EQ(*shop.db->CountRecords("shop", Side::kUser), 0U);
  EXPECT_EQ(shop.db->CollectionDetails("shop").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(shop.db->Kind("shop"), KeyKind::kNone);
}

TEST(Database, UntrainedCollectionOffersWhatIsPopularAndUnseen) {
  Shop shop;
  for (const char* user : {"ann", "bob", "eve"}) {
    ASSERT_TRUE(shop.Add(user, "lamp").ok());
  }
  ASSERT_TRUE(shop.Add("bob", "chair").ok());
  const auto ranking = shop.Rank("ann", {});
  ASSERT_EQ(ranking.size(), 1U);
  EXPECT_EQ(ranking[0].id, "chair");
  EXPECT_EQ(ranking[0].source, Source::kPopular);
  EXPECT_EQ(shop.List("stranger"), (std::vector<std::string>{"lamp", "chair"}));
}

TEST(Database, SeenItemsAreLeftOutUnlessAskedFor) {
  Shop shop;
  shop.Fill(2'000, 50, 40, 1);
  shop.Train();
  const auto history = *shop.db->History("shop", "u1", {.count = 100});
  const std::vector<std::string> list = shop.List("u1", 100);
  for (const auto& entry : history) {
    EXPECT_EQ(std::count(list.begin(), list.end(), entry.item), 0) << entry.item;
  }
  EXPECT_EQ(list.size() + history.size(), 40U);
  EXPECT_EQ(shop.Rank("u1", {.count = 100, .with_seen = true}).size(), 40U);
}

TEST(Database, NextReadReflectsAWrite) {
  Shop shop;
  shop.Fill(2'000, 50, 40, 2);
  shop.Train();
  const std::vector<std::string> before = shop.List("u1");
  ASSERT_TRUE(shop.Add("u1", before[0]).ok());
  const std::vector<std::string> after = shop.List("u1");
  EXPECT_EQ(std::count(after.begin(), after.end(), before[0]), 0);
  EXPECT_NE(after, std::vector<std::string>(before.begin() + 1, before.end()));
}

TEST(Database, NewUserAndNewItemCountFromTheirFirstEvent) {
  Shop shop;
  shop.Fill(2'000, 50, 40, 3);
  shop.Train();
  ASSERT_TRUE(shop.Add("newcomer", "i5").ok());
  const auto ranking = shop.Rank("newcomer", {});
  EXPECT_EQ(ranking[0].source, Source::kFoldIn);
  EXPECT_GT(ranking[0].score, 0);
  ASSERT_TRUE(shop.Add("u1", "novelty").ok());
  const auto list = shop.List("u5", 40);
  EXPECT_EQ(std::count(list.begin(), list.end(), "novelty"), 1);
  EXPECT_GT(*shop.db->Score("shop", "u1", std::vector<std::string_view>{"novelty"})->front(), 0);
}

TEST(Database, RemovedPairIsOfferedAgain) {
  Shop shop;
  shop.Fill(2'000, 50, 40, 4);
  shop.Train();
  const std::string item = shop.db->History("shop", "u1", {})->front().item;
  const std::string_view items[] = {item, "unknown"};
  EXPECT_EQ(*shop.db->Remove("shop", "u1", items), 1U);
  const auto list = shop.List("u1", 40);
  EXPECT_EQ(std::count(list.begin(), list.end(), item), 1);
  EXPECT_EQ(*shop.db->Remove("shop", "u1", items), 0U);
}

TEST(Database, PagesOfOneStateHaveNoRepeatsOrHoles) {
  Shop shop;
  shop.Fill(2'000, 50, 60, 5);
  shop.Train();
  const std::vector<std::string> whole = shop.List("u2", 60);
  std::vector<std::string> pages;
  for (std::size_t offset = 0; offset < 60; offset += 7) {
    for (const auto& entry : shop.Rank("u2", {.count = 7, .offset = offset})) {
      pages.push_back(entry.id);
    }
  }
  EXPECT_EQ(pages, whole);
}

TEST(Database, IncludeExcludeAndHiddenLimitTheList) {
  Shop shop;
  shop.Fill(2'000, 50, 40, 6);
  shop.Train();
  const std::vector<std::string> list = shop.List("u3", 40);
  const std::vector<std::string_view> include = {list[7], list[2], "unknown"};
  RankingOptions options;
  options.include = include;
  const auto included = shop.Rank("u3", options);
  ASSERT_EQ(included.size(), 2U);
  EXPECT_EQ(included[0].id, list[2]);
  EXPECT_EQ(included[1].id, list[7]);
  const std::vector<std::string_view> exclude = {list[0]};
  EXPECT_EQ(shop.Rank("u3", {.count = 1, .exclude = exclude})[0].id, list[1]);
  ASSERT_TRUE(shop.db->SetRecord("shop", Side::kItem, list[0], {.hidden = true}).ok());
  EXPECT_EQ(shop.List("u3", 1).front(), list[1]);
  ASSERT_TRUE(
      shop.db->SetRecord("shop", Side::kItem, list[1], {.expire_at_ms = shop.clock.NowMs() + 10})
          .ok());
  EXPECT_EQ(shop.List("u3", 1).front(), list[1]);
  shop.clock.AdvanceMs(10);
  EXPECT_EQ(shop.List("u3", 1).front(), list[2]);
}

TEST(Database, SessionIgnoresTheOrderOfTheBasket) {
  Shop shop;
  shop.Fill(2'000, 50, 40, 7);
  shop.Train();
  const std::vector<std::string_view> basket = {"i1", "i5", "i9"};
  const std::vector<std::string_view> turned = {"i9", "i1", "i5"};
  const Ranking one = *shop.db->Session("shop", {.items = basket}, {});
  const Ranking two = *shop.db->Session("shop", {.items = turned}, {});
  const auto& first = one.entries;
  const auto& second = two.entries;
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].id, second[i].id);
    EXPECT_EQ(first[i].score, second[i].score);
  }
}

TEST(Database, HistoryIsNewestFirstAndCanGoBackInTime) {
  Shop shop;
  ASSERT_TRUE(shop.Add("ann", "first").ok());
  shop.clock.AdvanceMs(1'000);
  const std::int64_t then = shop.clock.NowMs() - 1;
  ASSERT_TRUE(shop.Add("ann", "second").ok());
  shop.clock.AdvanceMs(1'000);
  ASSERT_TRUE(shop.Add("ann", "first", 4).ok());
  const auto now = *shop.db->History("shop", "ann", {});
  ASSERT_EQ(now.size(), 2U);
  EXPECT_EQ(now[0].item, "first");
  EXPECT_EQ(now[0].weight, 5);
  const auto past = *shop.db->History("shop", "ann", {.as_of_ms = then});
  ASSERT_EQ(past.size(), 1U);
  EXPECT_EQ(past[0].weight, 1);
  EXPECT_EQ(shop.db->History("shop", "ann", {.count = 1, .offset = 1})->front().item, "second");
  EXPECT_EQ(shop.db->History("shop", "ann", {.since_ms = shop.clock.NowMs()})->size(), 1U);
}

TEST(Database, DeletedUserLeavesNothingBehind) {
  Shop shop;
  shop.Fill(500, 20, 20, 8);
  shop.Train();
  ASSERT_TRUE(*shop.db->DeleteRecord("shop", Side::kUser, "u1"));
  EXPECT_FALSE(*shop.db->DeleteRecord("shop", Side::kUser, "u1"));
  EXPECT_FALSE(shop.db->GetRecord("shop", Side::kUser, "u1")->has_value());
  EXPECT_TRUE(shop.db->History("shop", "u1", {})->empty());
  EXPECT_EQ(*shop.db->CountRecords("shop", Side::kUser), 19U);
  ASSERT_TRUE(shop.Add("u1", "i3").ok());  // the same id is a new user
  EXPECT_EQ(shop.db->History("shop", "u1", {})->size(), 1U);
  shop.Reopen();
  EXPECT_EQ(shop.db->History("shop", "u1", {})->size(), 1U);
  EXPECT_EQ(*shop.db->CountRecords("shop", Side::kUser), 20U);
}

TEST(Database, DeletedItemIsNeverOffered) {
  Shop shop;
  shop.Fill(500, 20, 20, 9);
  shop.Train();
  const std::string best = shop.List("u1", 1).front();
  ASSERT_TRUE(*shop.db->DeleteRecord("shop", Side::kItem, best));
  const auto list = shop.List("u1", 20);
  EXPECT_EQ(std::count(list.begin(), list.end(), best), 0);
}

TEST(Database, RetrainOfNothingFailsAndSaysSo) {
  Shop shop;
  EXPECT_EQ(shop.db->Retrain("shop", {}).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(*shop.db->Create("shop", CollectionOptions()));
  const auto job = shop.db->Retrain("shop", {});
  const auto done = shop.db->WaitJob(*job, 0);
  EXPECT_EQ(done->state, JobState::kFailed);
  EXPECT_NE(done->error.find("no interactions"), std::string::npos);
}

TEST(Database, TrainingTwiceGivesTheSameModel) {
  Shop shop;
  shop.Fill(2'000, 50, 40, 10);
  shop.Train();
  const std::vector<float> first = shop.Vector(Side::kUser, "u1");
  shop.Train();
  EXPECT_EQ(shop.Vector(Side::kUser, "u1"), first);
  const auto models = *shop.db->Models("shop");
  ASSERT_EQ(models.size(), 2U);
  EXPECT_TRUE(models[1].active);
  EXPECT_FALSE(models[0].active);
}

TEST(Database, WritesDuringATrainingAreInTheNewModel) {
  Shop shop;
  shop.Fill(4'000, 200, 100, 11);
  const std::vector<std::pair<std::string, std::string>> long_training = {{"iterations", "200"}};
  const auto job = *shop.db->Retrain("shop", long_training);
  int written = 0;
  while (shop.db->Job(job)->state != JobState::kDone) {
    ASSERT_NE(shop.db->Job(job)->state, JobState::kFailed) << shop.db->Job(job)->error;
    ASSERT_TRUE(
        shop.Add("late" + std::to_string(written % 50), "i" + std::to_string(written % 7)).ok());
    ++written;
  }
  ASSERT_GT(written, 0);
  const auto ranking = shop.Rank("late0", {});
  ASSERT_FALSE(ranking.empty());
  EXPECT_NE(ranking[0].source, Source::kPopular);
  shop.db.reset();
  const auto report = Database::Verify(shop.options);
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_TRUE(report->problems.empty()) << report->problems.front();
}

TEST(Database, CancelledTrainingLeavesTheOldModel) {
  Shop shop;
  shop.Fill(2'000, 50, 40, 12);
  shop.Train();
  const std::vector<float> before = shop.Vector(Side::kItem, "i1");
  const std::vector<std::pair<std::string, std::string>> endless = {{"iterations", "1000"},
                                                                    {"seed", "7"}};
  const auto job = *shop.db->Retrain("shop", endless);
  EXPECT_EQ(shop.db->Retrain("shop", {}).status().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(shop.db->CancelJob(job).ok());
  EXPECT_EQ(shop.db->WaitJob(job, 0)->state, JobState::kCancelled);
  EXPECT_EQ(shop.Vector(Side::kItem, "i1"), before);
  shop.Train();
}

TEST(Database, EvaluationReportsModelAndBaselines) {
  Shop shop;
  shop.Fill(3'000, 60, 40, 13);
  const auto job = shop.db->Evaluate("shop", {.at = {5}});
  ASSERT_TRUE(job.ok()) << job.status().ToString();
  const auto done = *shop.db->WaitJob(*job, 0);
  ASSERT_EQ(done.state, JobState::kDone) << done.error;
  for (const char* name : {"users", "model.recall@5", "popularity.recall@5.ci", "cosine.ndcg@5"}) {
    EXPECT_TRUE(std::any_of(done.result.begin(), done.result.end(), [&](const auto& value) {
      return value.first == name;
    })) << name;
  }
  EXPECT_FALSE(shop.db->CollectionDetails("shop")->quality.empty());
}

TEST(Database, FixedParameterIsRefusedWithBothValues) {
  Shop shop;
  CollectionOptions options;
  options.dim = 16;
  EXPECT_TRUE(*shop.db->Create("shop", options));
  EXPECT_FALSE(*shop.db->Create("shop", options));
  options.dim = 32;
  const Status status = shop.db->Create("shop", options).status();
  EXPECT_NE(status.message().find("16"), std::string_view::npos);
  EXPECT_NE(status.message().find("32"), std::string_view::npos);
}

TEST(Database, RetrainEveryStartsATraining) {
  Shop shop(false);
  CollectionOptions options;
  options.retrain_every = 100;
  ASSERT_TRUE(*shop.db->Create("shop", options));
  shop.Fill(99, 10, 10, 14);
  shop.clock.AdvanceMs(2'000);
  engine::DatabaseAccess::Maintain(*shop.db);
  EXPECT_TRUE(shop.db->Jobs().empty());
  ASSERT_TRUE(shop.Add("u1", "i1").ok());
  shop.clock.AdvanceMs(2'000);
  engine::DatabaseAccess::Maintain(*shop.db);
  EXPECT_EQ(shop.db->Jobs().size(), 1U);
}

TEST(Database, SecondOpenOfAFolderIsRefused) {
  Shop shop;
  const auto second = Database::Open(shop.options);
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
}

// A checkpoint of a quiet folder is in tables after a minute, so that a crash leaves little to
// replay.
TEST(Database, AMinuteAfterACheckpointACrashKeepsIt) {
  Shop shop(/*background_threads=*/false);
  ASSERT_TRUE(shop.Add("ann", "lamp").ok());
  const auto after_crash = [&](const std::string& name) {
    Options options = shop.options;
    options.path = shop.folder.path() + name;
    std::filesystem::copy(shop.options.path, options.path,
                          std::filesystem::copy_options::recursive);
    const auto opened = Database::Open(options);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return opened.ok() ? (*opened)->CollectionDetails("shop")->checkpoint_seq : 0;
  };
  const auto maintain_after = [&](std::int64_t ms) {
    shop.clock.AdvanceMs(ms);
    engine::DatabaseAccess::Maintain(*shop.db);
  };
  maintain_after(1'000);
  ASSERT_TRUE(shop.db->Checkpoint().ok());
  maintain_after(1'000);
  EXPECT_EQ(after_crash("/at-once"), 0U);
  maintain_after(60'000);
  EXPECT_EQ(after_crash("/later"), 1U);
}

TEST(Database, DeletedCollectionIsGoneAndItsKeyFree) {
  Shop shop;
  shop.Fill(500, 20, 20, 15);
  shop.Train();
  ASSERT_TRUE(shop.db->Checkpoint().ok());
  const std::string_view names[] = {"shop"};
  EXPECT_EQ(*shop.db->Delete(0, names), 1U);
  EXPECT_TRUE(shop.List("u1").empty());
  EXPECT_EQ(*shop.Add("ann", "lamp"), 1U);
  shop.Reopen();
  EXPECT_EQ(shop.db->CollectionDetails("shop")->interactions, 1U);
}

TEST(Database, ExpiredCollectionIsMadeAnewUnderItsKey) {
  Shop shop(/*background_threads=*/false);  // nobody takes the expired key away before
  CollectionOptions old_options;
  old_options.dim = 4;
  ASSERT_TRUE(*shop.db->Create("shop", old_options));
  ASSERT_TRUE(shop.Add("ann", "lamp").ok());
  ASSERT_TRUE(shop.db->Checkpoint().ok());
  ASSERT_TRUE(*shop.db->ExpireAt("shop", shop.clock.NowMs() + 10, ExpireCondition::kAlways));
  shop.clock.AdvanceMs(20);
  CollectionOptions options;
  options.dim = 8;
  ASSERT_TRUE(*shop.db->Create("shop", options));
  for (int opened = 0; opened < 2; ++opened) {
    const auto details = shop.db->CollectionDetails("shop");
    ASSERT_TRUE(details.ok());
    EXPECT_EQ(details->dim, 8U);
    EXPECT_EQ(details->users + details->items + details->last_seq, 0U);
    shop.Reopen();
  }
  EXPECT_EQ(*shop.Add("bob", "chair"), 1U);
  EXPECT_EQ(shop.List("eve"), std::vector<std::string>{"chair"});
}

// A number that was not given out has no rows. Here it has some that cannot be loaded, so whoever
// reads them answers that they are damaged.
TEST(Database, CreatingACollectionReadsNothingOfTheFolder) {
  Shop shop;
  shop.db.reset();
  store::StoreOptions store_options;
  store_options.path = shop.options.path;
  {
    auto folder = store::Store::Open(store_options);
    ASSERT_TRUE(folder.ok()) << folder.status().ToString();
    store::Batch batch;
    for (const std::uint32_t cid : {1U, 2U}) {
      batch.Put(store::Family::kDefault, format::CheckpointKey(cid), "no record");
      batch.Put(store::Family::kUsers, format::RecordKey(cid, 0), "no record");
      batch.Put(store::Family::kItems, format::RecordKey(cid, 0), "no record");
      batch.Put(store::Family::kTokens, format::TokenKey(cid, "token"), "no record");
      batch.Put(store::Family::kEvents, format::EventKey(cid, 7), "no record");
    }
    ASSERT_TRUE((*folder)->Write(batch, true).ok());
  }
  shop.Open();
  ASSERT_TRUE(shop.status.ok()) << shop.status.ToString();
  const auto created = shop.db->Create("made", {});
  EXPECT_TRUE(created.ok()) << created.status().ToString();
  const auto added = shop.Add("ann", "lamp");
  ASSERT_TRUE(added.ok()) << added.status().ToString();
  EXPECT_EQ(*added, 1U);
  EXPECT_EQ(shop.db->CollectionDetails("shop")->users, 1U);
}

// A training that is at work writes vectors and a checkpoint behind the deletion of the rows.
TEST(Database, NothingIsLeftOfACollectionThatIsDeletedUnderATraining) {
  Shop shop;
  for (int round = 0; round < 3; ++round) {
    shop.Fill(400, 20, 20, 3);
    const auto job = shop.db->Retrain("shop", {});
    ASSERT_TRUE(job.ok());
    while (round > 0 && shop.db->Job(*job)->state == JobState::kQueued) {
    }
    const std::string_view names[] = {"shop"};
    ASSERT_EQ(*shop.db->Delete(0, names), 1U);
    ASSERT_TRUE(shop.db->WaitJob(*job, 0).ok());
  }
  shop.db.reset();
  store::StoreOptions store_options;
  store_options.path = shop.options.path;
  const auto folder = store::Store::Open(store_options);
  ASSERT_TRUE(folder.ok());
  for (const store::Family family :
       {store::Family::kEvents, store::Family::kUsers, store::Family::kItems,
        store::Family::kByUser, store::Family::kByItem, store::Family::kVectors,
        store::Family::kModels}) {
    EXPECT_FALSE((*folder)->Scan(family, "")->Valid()) << store::FamilyName(family);
  }
}

TEST(Database, MemoryLimitRefusesWritesThatGrow) {
  Shop shop;
  ASSERT_TRUE(shop.Add("ann", "lamp").ok());
  shop.db->SetMemoryLimit(1);
  while (shop.db->memory_used_bytes() == 0) {
    shop.clock.AdvanceMs(200);
  }
  EXPECT_EQ(shop.Add("ann", "chair").status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(shop.db->Set("text", "x").status().code(), StatusCode::kResourceExhausted);
  const std::string_view items[] = {"lamp"};
  EXPECT_EQ(*shop.db->Remove("shop", "ann", items), 1U);  // giving memory back is always allowed
}

// Rows of collections go as ranges of their numbers, between which those of other databases lie.
TEST(Database, FlushingADatabaseLeavesTheCollectionsOfOthers) {
  Shop shop(false);
  const std::vector<std::pair<std::string, std::uint32_t>> keys = {
      {"a", 0}, {"b", 0}, {"c", 1}, {"d", 0}, {"e", 0}, {"f", 1}, {"g", 0}};
  for (const auto& [name, db] : keys) {
    ASSERT_TRUE(shop.db->Add(KeyRef(name, db), {.user = "ann", .item = name}).ok());
  }
  ASSERT_TRUE(shop.db->Checkpoint().ok());
  ASSERT_TRUE(shop.db->Flush(0).ok());
  for (int opened = 0; opened < 2; ++opened) {
    for (const auto& [name, db] : keys) {
      EXPECT_EQ(shop.db->Exists(KeyRef(name, db)), db == 1) << name;
      EXPECT_EQ(*shop.db->CountRecords(KeyRef(name, db), Side::kItem), db) << name;
    }
    shop.Reopen();
  }
  EXPECT_EQ((*shop.db->History(KeyRef("f", 1), "ann", {}))[0].item, "f");
  shop.db.reset();
  const auto report = Database::Verify(shop.options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->problems, std::vector<std::string>());
  EXPECT_EQ(report->events, 2U);
}

// That takes long; whoever deletes does not wait for it.
TEST(Database, DeletedCollectionsAreFreedByUpkeep) {
  Shop shop(false);
  const auto cached = [&] {
    for (const InfoField& field : shop.db->Info()) {
      if (field.name == "row_cache_bytes") {
        return field.value;
      }
    }
    return std::string("none");
  };
  ASSERT_TRUE(shop.Add("ann", "lamp").ok());
  const std::string before = cached();
  EXPECT_NE(before, "0");
  ASSERT_TRUE(shop.db->Flush(std::nullopt).ok());
  EXPECT_FALSE(shop.db->Exists("shop"));
  EXPECT_EQ(cached(), before);
  engine::DatabaseAccess::Maintain(*shop.db);
  EXPECT_EQ(cached(), "0");
}

}  // namespace
}  // namespace reco
