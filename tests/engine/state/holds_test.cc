// No holder of a collection's lock does more in one hold than its bound. Each test drives one
// holder beyond a step, and expects a full step as the most that it did: one that is doubled fails
// here, or stops the program.
#include "engine/state/holds.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/training/catch_up.h"
#include "engine/training/train.h"
#include "testing/catalogue.h"
#include "testing/shop.h"

namespace reco::engine {
namespace {

TEST(HoldTimes, CountsHoldsByTheirLength) {
  HoldTimes times;
  times.Add(Holder::kRead, 999);
  times.Add(Holder::kRead, 1'000);
  times.Add(Holder::kRead, 5'000);
  times.Add(Holder::kWrite, 60'000'000'000);
  times.Add(Holder::kWrite, -1);  // a clock of two processors
  const HoldTimes::Totals reads = times.Of(Holder::kRead);
  EXPECT_EQ(reads.holds, 3U);
  EXPECT_EQ(reads.ns, 6'999U);
  EXPECT_EQ(reads.longest_ns, 5'000U);
  EXPECT_EQ(reads.buckets[0], 1U);
  EXPECT_EQ(reads.buckets[1], 1U);
  EXPECT_EQ(reads.buckets[3], 1U);
  EXPECT_EQ(times.Of(Holder::kWrite).buckets.front(), 1U);
  EXPECT_EQ(times.Of(Holder::kWrite).buckets.back(), 1U);
  EXPECT_EQ(times.Of(Holder::kCopy).holds, 0U);
}

TEST(HoldTimes, AreOfTheDatabase) {
  testing::Shop shop(false);
  ASSERT_TRUE(shop.Add("ann", "lamp").ok());
  ASSERT_TRUE(shop.db->Checkpoint().ok());
  const HoldTimes& times = DatabaseAccess::Holds(*shop.db);
  for (const Holder holder : {Holder::kOpen, Holder::kWrite, Holder::kCheckpoint, Holder::kCopy}) {
    EXPECT_GT(times.Of(holder).holds, 0U) << BoundOf(holder).name;
  }
  bool shown = false;
  for (const InfoField& field : shop.db->Info()) {
    shown = shown || (field.section == "holds" && field.name == "hold_copy" &&
                      field.value.starts_with("holds=1,usec="));
  }
  EXPECT_TRUE(shown);
}

#ifdef RECO_DCHECKS

class HoldsTest : public ::testing::Test {
 protected:
  HoldsTest() : shop_(false) {
    CollectionOptions options;
    options.dim = 4;
    options.iterations = 1;
    EXPECT_TRUE(*shop_.db->Create("shop", options));
  }

  // User i and item i for each i below `count`, by one event; or each with `item`.
  void AddPairs(std::size_t count, const std::string& item = "") {
    std::vector<std::string> ids(count);
    std::vector<Interaction> events(count);
    for (std::size_t i = 0; i < count; ++i) {
      ids[i] = std::to_string(i);
      events[i].user = ids[i];
      events[i].item = item.empty() ? ids[i] : item;
    }
    ASSERT_TRUE(shop_.db->AddMany("shop", events).ok());
  }
  void Train() { DatabaseAccess::RunJob(*shop_.db, "shop"); }
  void Checkpoint() { ASSERT_TRUE(shop_.db->Checkpoint().ok()); }
  void Maintain() { DatabaseAccess::Maintain(*shop_.db); }
  std::uint64_t Most(Holder holder, Work kind) const {
    return DatabaseAccess::Holds(*shop_.db).Most(holder, kind);
  }

  testing::Shop shop_;
};

TEST_F(HoldsTest, ACheckpointNamesAndCopiesTheGrams) {
  AddPairs(10);
  Train();
  AddPairs(2);
  Checkpoint();
  EXPECT_EQ(Most(Holder::kCheckpoint, Work::kMatrices), 2U);
}

TEST_F(HoldsTest, ACheckpointCopies64Rows) {
  AddPairs(200);
  Checkpoint();
  EXPECT_EQ(Most(Holder::kCopy, Work::kRows), 64U);
}

TEST_F(HoldsTest, TheDeletedAreForgotten1000AHold) {
  AddPairs(1'100);
  for (int i = 0; i < 1'100; ++i) {
    ASSERT_TRUE(*shop_.db->DeleteRecord("shop", Side::kUser, std::to_string(i)));
  }
  Checkpoint();
  EXPECT_EQ(Most(Holder::kForget, Work::kEntries), 1'000U);
}

TEST_F(HoldsTest, ALongCallSolves64RowsAHold) {
  AddPairs(1'000);
  Train();
  AddPairs(1'000);
  EXPECT_EQ(Most(Holder::kWriteStep, Work::kSolves), 64U);
  EXPECT_EQ(Most(Holder::kWrite, Work::kSolves), 0U);
}

TEST_F(HoldsTest, ADeletionTakes512PairsAHold) {
  AddPairs(1'100, "hit");
  AddPairs(10);
  Train();
  ASSERT_TRUE(*shop_.db->DeleteRecord("shop", Side::kItem, "hit"));
  EXPECT_EQ(Most(Holder::kWriteStep, Work::kEntries), 512U);
  EXPECT_EQ(Most(Holder::kWrite, Work::kEntries), 0U);
}

TEST_F(HoldsTest, EvictionLooksAt1024Rows) {
  AddPairs(2'000);
  shop_.options.row_cache_bytes = 1;
  shop_.Reopen();
  Train();  // rows of items are kept to solve by
  AddPairs(2'000);
  Checkpoint();
  Maintain();
  EXPECT_EQ(Most(Holder::kEvict, Work::kEntries), 1'024U);
}

TEST_F(HoldsTest, ALongRowIsSummed1024PairsAHold) {
  AddPairs(4'000, "hit");
  AddPairs(10);
  Train();
  shop_.Reopen();
  ASSERT_TRUE(shop_.Add("newcomer", "hit").ok());
  Checkpoint();
  Maintain();
  EXPECT_EQ(Most(Holder::kLongRow, Work::kPairs), 1'024U);
  EXPECT_EQ(Most(Holder::kLongRow, Work::kSolves), 1U);
}

TEST_F(HoldsTest, ATrainingLooksAt1024IdsAndCopies64Vectors) {
  AddPairs(1'500);
  const std::pair<std::string, std::string> warm[] = {{"warm-start", "yes"}};
  ASSERT_TRUE(shop_.db->SetConfig("shop", warm).ok());
  Train();
  EXPECT_EQ(Most(Holder::kTrain, Work::kEntries), 1'024U);
  EXPECT_EQ(Most(Holder::kTrain, Work::kRows), 64U);
}

TEST_F(HoldsTest, SumsOfTheReplacedModelAreDropped1000RowsAHold) {
  AddPairs(800);
  Train();
  EXPECT_EQ(Most(Holder::kReplaced, Work::kEntries), 1'000U);
}

TEST_F(HoldsTest, TheIndexIsSorted256RowsAHold) {
  AddPairs(1'000);
  Train();
  // Short vectors grow past the long ones in front of them.
  std::vector<Interaction> events(200);
  for (int round = 0; round < 200 && DatabaseAccess::IndexResorts(*shop_.db, "shop") == 0;
       ++round) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < events.size(); ++i) {
      ids.push_back(std::to_string((i * 5 + static_cast<std::size_t>(round)) % 1'000));
    }
    for (std::size_t i = 0; i < events.size(); ++i) {
      events[i].user = ids[(i + 7) % ids.size()];
      events[i].item = ids[i];
      events[i].weight = 50;
    }
    ASSERT_TRUE(shop_.db->AddMany("shop", events).ok());
    Maintain();
  }
  EXPECT_GT(DatabaseAccess::IndexResorts(*shop_.db, "shop"), 0U);
  EXPECT_EQ(Most(Holder::kIndex, Work::kRows), 256U);
  EXPECT_EQ(Most(Holder::kIndex, Work::kEntries), 1'000U);
}

using ApproximateHoldsTest = HoldsTest;

TEST_F(ApproximateHoldsTest, TheGraphTakes64RowsAndNotes512) {
  shop_.approximate_items_min = 100;
  shop_.Reopen();
  AddPairs(1'000);
  Train();
  RankingOptions options;
  options.approximate_ef = 64;
  ASSERT_TRUE(shop_.db->TopK("shop", "1", options).ok());
  Maintain();
  EXPECT_EQ(Most(Holder::kGraph, Work::kRows), 64U);
  EXPECT_EQ(Most(Holder::kGraph, Work::kEntries), 512U);
}

// By hand, since what writes bring in between is theirs to say.
TEST(Holds, ATrainingIsCaughtUpWithRowByRowAndTheSwapSolves16) {
  CollectionOptions options;
  options.dim = 4;
  options.iterations = 1;
  testing::Catalogue catalogue(options);
  catalogue.Fill(6, 9);
  training::TrainingRun run;
  run.parameters = catalogue.collection->options();
  RunningJob job = catalogue.jobs.Create(JobKind::kRetrain, "catalogue");
  job.Begin();
  ASSERT_TRUE(training::Begin(catalogue.collection->checkpointer(), run).ok());
  ASSERT_TRUE(training::LoadInteractions(catalogue.shared(), run, job).ok());
  ASSERT_TRUE(training::Train(catalogue.shared(), run, job).ok());
  static_cast<void>(job.Finish({}));
  catalogue.Fill(60, 9);
  const auto nothing = [](Side, std::span<const std::uint32_t>) { return Status::Ok(); };
  ASSERT_TRUE(training::CatchUp(catalogue.shared(), run, nothing).ok());
  EXPECT_EQ(catalogue.holds.Most(Holder::kCatchUp, Work::kRows), 1U);
  catalogue.Fill(60, 9);
  {
    WriteView view(catalogue.shared(), Holder::kSwap);
    ASSERT_TRUE(training::SolveLastRows(view, run).ok());
  }
  EXPECT_EQ(catalogue.holds.Most(Holder::kSwap, Work::kSolves), 16U);
}

using HoldsDeathTest = HoldsTest;

TEST_F(HoldsDeathTest, WhoDoesMoreThanItsBoundStopsTheProgram) {
  testing::Catalogue catalogue;
  EXPECT_DEATH(
      {
        ReadView view(catalogue.shared(), Holder::kCopy);
        CountWork(Work::kRows, 65);
      },
      "one hold by 'copy' did 65");
}

#endif

}  // namespace
}  // namespace reco::engine
