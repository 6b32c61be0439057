// The cache of one side's rows, over a store whose rows the tests write themselves.
#include "engine/rows/row_table.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "engine/state/holds.h"
#include "format/keys.h"
#include "testing/temp_dir.h"

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint32_t kCid = 1;

format::Pair Weighing(float weight) {
  return {.weight = weight, .count = 1};
}

class RowTableTest : public ::testing::Test {
 protected:
  RowTableTest() {
    store::StoreOptions store_options;
    store_options.path = folder_ / "db";
    storage_.store = std::move(store::Store::Open(store_options)).value();
    budget_.limit_bytes = std::int64_t{1} << 30;
    table_ = std::make_unique<RowTable>(context_, kCid, Side::kUser);
  }

  // On disk, as a checkpoint would write it.
  void Store(std::uint32_t owner, std::uint32_t other, float weight) {
    std::string value;
    format::EncodePair(Weighing(weight), &value);
    store::Batch batch;
    batch.Put(store::Family::kByUser, format::PairKey(kCid, owner, other), value);
    ASSERT_TRUE(storage_.store->Write(batch, false).ok());
  }

  std::vector<std::pair<std::uint32_t, float>> Read(std::uint32_t owner) {
    std::vector<RowPair> scratch;
    const auto row = table_->Read(owner, &scratch);
    EXPECT_TRUE(row.ok());
    std::vector<std::pair<std::uint32_t, float>> pairs;
    for (const RowPair& pair : *row) {
      pairs.emplace_back(pair.other, pair.pair.weight);
    }
    return pairs;
  }
  Knowledge Lookup(std::uint32_t owner, std::uint32_t other) {
    format::Pair pair;
    return table_->Lookup(owner, other, &pair);
  }

  testing::TempDir folder_;
  Options options_;
  ManualClock clock_{1'700'000'000'000};
  Storage storage_;
  RowBudget budget_;
  MemoryBudget memory_;
  HoldTimes holds_;
  CollectionContext context_{storage_, options_, clock_, budget_, memory_, holds_, 64, 500'000};
  std::unique_ptr<RowTable> table_;
};

TEST_F(RowTableTest, RowInMemoryIsLaidOverTheDisk) {
  Store(0, 2, 20);
  Store(0, 4, 40);
  Store(0, 6, 60);
  table_->Put(0, 4, Weighing(41), 1, false);
  table_->Put(0, 5, Weighing(50), 1, false);
  table_->Erase(0, 6, 1);
  EXPECT_THAT(Read(0),
              ElementsAre(std::pair(2U, 20.0F), std::pair(4U, 41.0F), std::pair(5U, 50.0F)));
  EXPECT_EQ(Lookup(0, 4), Knowledge::kPresent);
  EXPECT_EQ(Lookup(0, 6), Knowledge::kAbsent);
  EXPECT_EQ(Lookup(0, 2), Knowledge::kUnknown);  // on disk only
  ASSERT_TRUE(table_->Load(0, 3).ok());
  EXPECT_EQ(Lookup(0, 2), Knowledge::kPresent);
  EXPECT_EQ(Lookup(0, 7), Knowledge::kAbsent);
  EXPECT_EQ(Read(0).size(), 3U);
}

TEST_F(RowTableTest, FirstPairOfAnOwnerMakesTheRowComplete) {
  table_->Put(3, 1, Weighing(1), 1, true);
  EXPECT_EQ(Lookup(3, 2), Knowledge::kAbsent);
  table_->Put(4, 1, Weighing(1), 1, false);
  EXPECT_EQ(Lookup(4, 2), Knowledge::kUnknown);
}

TEST_F(RowTableTest, UnknownRowIsReadAsItIsStored) {
  Store(1, 9, 90);
  Store(2, 9, 99);  // of another owner
  EXPECT_THAT(Read(1), ElementsAre(std::pair(9U, 90.0F)));
  EXPECT_THAT(Read(0), IsEmpty());
  EXPECT_EQ(table_->Find(1), nullptr);  // reading keeps nothing
  EXPECT_EQ(budget_.misses.load(), 2U);
}

TEST_F(RowTableTest, WhatIsDurableGoesWithTheNextChange) {
  Store(0, 2, 20);
  table_->Put(0, 4, Weighing(40), 1, false);
  Store(0, 4, 40);  // the checkpoint of generation 1
  table_->set_durable_generation(1);
  table_->Put(0, 6, Weighing(60), 2, false);
  ASSERT_EQ(table_->Find(0)->newer->pairs.size(), 1U);
  EXPECT_EQ(table_->Find(0)->newer->pairs[0].other, 6U);
  EXPECT_THAT(Read(0),
              ElementsAre(std::pair(2U, 20.0F), std::pair(4U, 40.0F), std::pair(6U, 60.0F)));
}

TEST_F(RowTableTest, RowIsEvictedOnceItIsDurableAndUnusedSinceTheLastLook) {
  table_->Put(0, 4, Weighing(40), 1, true);
  budget_.limit_bytes = 0;
  table_->Evict(30);
  table_->Evict(30);
  ASSERT_NE(table_->Find(0), nullptr) << "it is pinned";
  Store(0, 4, 40);
  table_->set_durable_generation(1);
  table_->Find(0)->used = true;
  table_->Evict(32);
  ASSERT_NE(table_->Find(0), nullptr) << "it was just used";
  table_->Evict(32);
  EXPECT_EQ(table_->Find(0), nullptr);
  EXPECT_EQ(budget_.evictions.load(), 1U);
  EXPECT_LE(table_->memory_bytes(), 16U) << "the page of its slot";
  EXPECT_EQ(budget_.used_bytes.load(), 0);
  EXPECT_THAT(Read(0), ElementsAre(std::pair(4U, 40.0F)));
}

TEST_F(RowTableTest, RowsStayWithinAKeptBudgetAndWhileTheyAreBuilt) {
  table_->Put(0, 4, Weighing(40), 1, true);
  table_->set_durable_generation(1);
  table_->Evict(30);
  EXPECT_NE(table_->Find(0), nullptr);
  budget_.limit_bytes = 0;
  table_->Find(0)->EnsureSums(1).building = true;
  table_->Evict(10);
  table_->Evict(10);
  EXPECT_NE(table_->Find(0), nullptr);
}

TEST_F(RowTableTest, ARowThatIsNeverAtRestDoesNotCollectWhatIsDurable) {
  table_->Put(0, 1, Weighing(1), 1, false);
  for (std::uint32_t generation = 2; generation < 100; ++generation) {
    table_->Put(0, generation, Weighing(1), generation, false);
    table_->set_durable_generation(generation - 1);
    table_->Put(0, 1'000 + generation, Weighing(1), generation, false);
    ASSERT_LE(table_->Find(0)->newer->pairs.size(), 3U);
    ASSERT_EQ(Lookup(0, generation), Knowledge::kPresent);
  }
}

TEST_F(RowTableTest, ARowOfMorePairsThanAreKeptLeavesThoseOnDiskThere) {
  for (std::uint32_t other = 0; other <= RowTable::kInlinePairsMax; ++other) {
    table_->Put(0, 2 * other, Weighing(1), 1, other == 0);
  }
  table_->set_durable_generation(1);
  table_->Put(0, 7, Weighing(7), 2, false);
  const Row* row = table_->Find(0);
  EXPECT_FALSE(row->complete);
  ASSERT_EQ(row->newer->pairs.size(), 1U);
  EXPECT_EQ(Lookup(0, 2), Knowledge::kUnknown);
  EXPECT_EQ(Lookup(0, 7), Knowledge::kPresent);
}

TEST_F(RowTableTest, ARowThatGrowsTooLongKeepsWhatTheDiskLacks) {
  Store(0, 1, 10);
  Store(0, 3, 30);
  ASSERT_TRUE(table_->Load(0, 2).ok());
  table_->Erase(0, 1, 1);
  for (std::uint32_t i = 0; i <= RowTable::kInlinePairsMax; ++i) {
    table_->Put(0, 10 + i, Weighing(1), 1, false);
  }
  ASSERT_FALSE(table_->Find(0)->complete);
  EXPECT_EQ(Lookup(0, 1), Knowledge::kAbsent);  // the disk still has it
  const auto row = Read(0);
  ASSERT_EQ(row.size(), RowTable::kInlinePairsMax + 2);
  EXPECT_EQ(row[0], std::pair(3U, 30.0F));
  EXPECT_EQ(row[1], std::pair(10U, 1.0F));
}

TEST_F(RowTableTest, ARemovedPairIsStillAbsentWhenTheRowIsLoadedAndGrowsTooLong) {
  Store(0, 1, 10);
  table_->Erase(0, 1, 1);
  ASSERT_TRUE(table_->Load(0, 1).ok());
  for (std::uint32_t i = 0; i <= RowTable::kInlinePairsMax + 1; ++i) {
    table_->Put(0, 10 + i, Weighing(1), 1, false);
  }
  ASSERT_FALSE(table_->Find(0)->complete);
  EXPECT_EQ(Read(0).front(), std::pair(10U, 1.0F));
  // Added again, it is no longer removed.
  table_->Put(0, 1, Weighing(11), 1, false);
  EXPECT_EQ(Read(0).front(), std::pair(1U, 11.0F));
}

TEST_F(RowTableTest, ManyRowsAreReadAsOneByOne) {
  Store(1, 4, 40);
  Store(1, 9, 90);
  Store(2, 4, 41);  // is not asked for
  Store(3, 5, 50);
  Store(5, 5, 55);
  table_->Put(3, 6, Weighing(60), 1, false);  // not on disk yet
  table_->Erase(3, 5, 1);
  table_->Put(4, 1, Weighing(10), 1, true);  // all of it here
  EXPECT_FALSE(table_->LoadFromMemory(1, 2));
  EXPECT_FALSE(table_->LoadFromMemory(3, 1));
  EXPECT_TRUE(table_->LoadFromMemory(4, 1));
  EXPECT_TRUE(table_->LoadFromMemory(6, 0));  // nothing is stored
  std::vector<RowTable::StoredRow> rows = {{1, {}}, {3, {}}, {4, {}}, {5, {}}};
  ASSERT_TRUE(RowTable::ReadStored(*storage_.store, kCid, Side::kUser, rows).ok());
  for (const RowTable::StoredRow& row : rows) {
    table_->Complete(row.owner, row.pairs);  // 4 is what it was: the disk has less of it
    EXPECT_TRUE(table_->LoadFromMemory(row.owner, 2));
  }
  EXPECT_EQ(table_->Find(2), nullptr);
  EXPECT_THAT(Read(1), ElementsAre(std::pair(4U, 40.0F), std::pair(9U, 90.0F)));
  EXPECT_THAT(Read(3), ElementsAre(std::pair(6U, 60.0F)));
  EXPECT_THAT(Read(4), ElementsAre(std::pair(1U, 10.0F)));
  EXPECT_THAT(Read(5), ElementsAre(std::pair(5U, 55.0F)));
  EXPECT_THAT(Read(6), IsEmpty());
  EXPECT_EQ(budget_.misses.load(), 3U);
}

TEST_F(RowTableTest, AllPairsOfARowAreErasedAtOnce) {
  Store(0, 1, 10);
  ASSERT_TRUE(table_->Load(0, 1).ok());
  table_->Put(0, 2, Weighing(20), 1, false);
  table_->EraseAll(0, 1);
  EXPECT_THAT(Read(0), IsEmpty());
  EXPECT_EQ(Lookup(0, 1), Knowledge::kAbsent);
  budget_.limit_bytes = 0;
  table_->Evict(10);
  table_->Evict(10);
  EXPECT_NE(table_->Find(0), nullptr) << "the disk has them still";
}

TEST_F(RowTableTest, CopyLaidOverASnapshotIsTheRowOfItsTime) {
  Store(0, 2, 20);
  table_->Put(0, 4, Weighing(40), 1, false);
  table_->Erase(0, 2, 1);
  const RowCopy copy(*table_->Find(0));
  const auto snapshot = storage_.store->TakeSnapshot();
  Store(0, 8, 80);
  std::vector<RowPair> row;
  ASSERT_TRUE(
      RowTable::ReadSnapshot(*storage_.store, snapshot.get(), {kCid, Side::kUser, 0}, copy, &row)
          .ok());
  ASSERT_EQ(row.size(), 1U);
  EXPECT_EQ(row[0].other, 4U);
}

TEST_F(RowTableTest, TakesFromTheBudgetAndGivesItBack) {
  table_->Put(0, 4, Weighing(40), 1, true);
  EXPECT_GT(budget_.used_bytes.load(), 0);
  EXPECT_LE(static_cast<std::uint64_t>(budget_.used_bytes.load()), table_->memory_bytes());
  table_.reset();
  EXPECT_EQ(budget_.used_bytes.load(), 0);
}

TEST(RowPairs, AreFoundByTheirPartner) {
  const std::vector<RowPair> pairs = {{2, Weighing(20)}, {5, Weighing(50)}};
  EXPECT_EQ(LowerBound(pairs, 3), 1U);
  EXPECT_EQ(LowerBound(pairs, 6), 2U);
}

}  // namespace
}  // namespace reco::engine
