// What a call reads before it takes the collection's lock, while others write and checkpoints go
// by.
#include "engine/state/read_ahead.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/catalogue.h"

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Stored = std::vector<std::optional<format::Pair>>;

class ReadAheadTest : public ::testing::Test {
 protected:
  // Everything is on disk, and nothing of it in memory.
  void CheckpointAndEvict() {
    ASSERT_TRUE(catalogue_.collection->checkpointer().Checkpoint().ok());
    catalogue_.row_budget.limit_bytes = 0;
    WriteView view(catalogue_.shared());
    for (int i = 0; i < 3; ++i) {
      view.state().Evict(1'000);
    }
    ASSERT_EQ(view.state().users().rows.Find(0), nullptr);
    catalogue_.row_budget.limit_bytes = std::int64_t{1} << 30;
  }

  // Of user 0, and item 0.
  bool Prepare(ReadAhead* ahead, Stored* stored) {
    format::Event event;
    event.user = event.item = 0;
    WriteView view(catalogue_.shared());
    return view.state().PrepareAll({&event, 1}, ahead, stored);
  }
  Status Read(ReadAhead* ahead) { return ahead->Read(*catalogue_.storage.store, 1); }
  // A collection without a model, with one pair of weight 3 on disk, which is read.
  void ReadOnePair(ReadAhead* ahead) {
    catalogue_.Add("ann", "lamp", 3);
    CheckpointAndEvict();
    Stored stored;
    ASSERT_FALSE(Prepare(ahead, &stored));
    ASSERT_EQ(ahead->pairs.size(), 1U);
    ASSERT_TRUE(Read(ahead).ok());
    EXPECT_EQ(ahead->pairs[0].pair->weight, 3);
  }

  testing::Catalogue catalogue_;
};

TEST_F(ReadAheadTest, PairsAreAskedForWhereNothingIsSolved) {
  ReadAhead ahead;
  Stored stored;
  ReadOnePair(&ahead);
  EXPECT_THAT(ahead.rows, ElementsAre(IsEmpty(), IsEmpty()));
  ASSERT_TRUE(Prepare(&ahead, &stored));
  ASSERT_TRUE(stored[0].has_value());
  EXPECT_EQ(stored[0]->weight, 3);
}

TEST_F(ReadAheadTest, RowsAreAskedForWithAModel) {
  catalogue_.Fill(6, 6);
  catalogue_.Train();
  CheckpointAndEvict();
  ReadAhead ahead;
  Stored stored;
  ASSERT_FALSE(Prepare(&ahead, &stored));
  ASSERT_EQ(ahead.rows[0].size(), 1U);
  ASSERT_EQ(ahead.rows[1].size(), 1U);
  ASSERT_TRUE(Read(&ahead).ok());
  EXPECT_TRUE(Prepare(&ahead, &stored));
  ReadView view(catalogue_.shared());
  EXPECT_TRUE(view.state().users().rows.Find(0)->complete);
  EXPECT_TRUE(view.state().items().rows.Find(0)->complete);
}

TEST_F(ReadAheadTest, WhatWasWrittenInBetweenIsLaidOverIt) {
  ReadAhead ahead;
  Stored stored;
  ReadOnePair(&ahead);
  catalogue_.Add("ann", "lamp", 4);
  ASSERT_TRUE(Prepare(&ahead, &stored));
  EXPECT_EQ(stored[0]->weight, 7);
}

TEST_F(ReadAheadTest, ADurableCheckpointMakesItVoid) {
  ReadAhead ahead;
  Stored stored;
  ReadOnePair(&ahead);
  catalogue_.Add("ann", "lamp", 4);
  CheckpointAndEvict();
  ASSERT_FALSE(Prepare(&ahead, &stored)) << "what was read is out of date";
  ASSERT_TRUE(Read(&ahead).ok());
  ASSERT_TRUE(Prepare(&ahead, &stored));
  EXPECT_EQ(stored[0]->weight, 7);
}

TEST_F(ReadAheadTest, LongCallsReadInRounds) {
  std::vector<format::Event> events;
  constexpr std::uint32_t kItems = 40;
  for (std::uint32_t item = 0; item < kItems; ++item) {
    std::vector<Interaction> adds(RowTable::kInlinePairsMax);
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < adds.size(); ++i) {
      ids.push_back("u" + std::to_string(i));
    }
    const std::string id = "i" + std::to_string(item);
    for (std::size_t i = 0; i < adds.size(); ++i) {
      adds[i].user = ids[i];
      adds[i].item = id;
    }
    ASSERT_TRUE(writer::Add(catalogue_.shared(), adds, false).ok());
    events.emplace_back();
    events.back().user = 0;
    events.back().item = item;
  }
  catalogue_.Train();
  CheckpointAndEvict();
  ReadAhead ahead;
  Stored stored;
  int rounds = 0;
  while (true) {
    {
      WriteView view(catalogue_.shared());
      if (view.state().PrepareAll(events, &ahead, &stored)) {
        break;
      }
    }
    ++rounds;
    std::size_t pairs = 0;
    ASSERT_TRUE(Read(&ahead).ok());
    for (const auto& rows : ahead.rows) {
      for (const RowTable::StoredRow& row : rows) {
        pairs += row.pairs.size();
      }
    }
    EXPECT_LE(pairs, ReadAhead::kPairsMax + RowTable::kInlinePairsMax);
  }
  EXPECT_EQ(rounds, 2);
  EXPECT_TRUE(stored.back().has_value());
}

// Two writers, and a third that checkpoints and evicts as fast as it can: every event counts once.
TEST_F(ReadAheadTest, NothingIsLostAmongWritersAndCheckpoints) {
  catalogue_.Fill(60, 6);
  catalogue_.Train();
  CheckpointAndEvict();
  std::uint64_t before = 0;
  {
    ReadView view(catalogue_.shared());
    for (std::uint32_t user = 0; user < view.state().users().ids.end(); ++user) {
      before += view.state().users().entities[user].events;
    }
  }
  catalogue_.row_budget.limit_bytes = 0;
  constexpr std::uint64_t kMisses = 60;
  constexpr int kWritesMax = 50'000;
  std::atomic<std::uint64_t> writes = 0;
  std::atomic<int> writing = 2;
  const auto write = [&](int seed) {
    for (int i = 0; i < kWritesMax && catalogue_.row_budget.misses < kMisses; ++i) {
      const std::string user = "u" + std::to_string((i * 7 + seed) % 60);
      const std::string item = "i" + std::to_string((i * 5 + seed) % 6);
      Interaction interaction;
      interaction.user = user;
      interaction.item = item;
      EXPECT_TRUE(writer::Add(catalogue_.shared(), {&interaction, 1}, false).ok());
      ++writes;
    }
    --writing;
  };
  std::thread first(write, 0);
  std::thread second(write, 3);
  while (writing > 0) {
    ASSERT_TRUE(catalogue_.collection->checkpointer().Checkpoint().ok());
    WriteView view(catalogue_.shared());
    view.state().Evict(100);
    view.state().Evict(100);
  }
  first.join();
  second.join();
  ReadView view(catalogue_.shared());
  std::uint64_t events = 0;
  for (std::uint32_t user = 0; user < view.state().users().ids.end(); ++user) {
    const Entity& entity = view.state().users().entities[user];
    std::vector<RowPair> scratch;
    const auto row = view.state().users().rows.Read(user, &scratch);
    ASSERT_TRUE(row.ok());
    EXPECT_EQ(row->size(), entity.pairs);
    for (const RowPair& pair : *row) {
      events += pair.pair.count;
    }
  }
  EXPECT_EQ(events, before + writes);
  EXPECT_GE(catalogue_.row_budget.misses.load(), kMisses);
}

}  // namespace
}  // namespace reco::engine
