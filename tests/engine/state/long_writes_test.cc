// Writes that give the lock back in the middle (D51): what readers see meanwhile, who is kept out,
// and that the outcome is that of one piece.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/lists/counted.h"
#include "engine/lists/explain.h"
#include "engine/upkeep/long_rows.h"
#include "testing/catalogue.h"
#include "testing/shop.h"

namespace reco::engine {
namespace {

CollectionOptions Small() {
  CollectionOptions options;
  options.neighbours = Neighbours::kOff;  // scores are those of the vectors
  options.dim = 8;
  options.iterations = 2;
  return options;
}

// `count` users with one new pair each, over all items that Fill made.
struct Call {
  explicit Call(std::size_t count, std::size_t items) {
    for (std::size_t i = 0; i < count; ++i) {
      ids.push_back("n" + std::to_string(i));
      ids.push_back("i" + std::to_string(i * 7 % items));
    }
    for (std::size_t i = 0; i < count; ++i) {
      interactions.push_back({.user = ids[2 * i], .item = ids[2 * i + 1]});
    }
  }
  std::vector<std::string> ids;
  std::vector<Interaction> interactions;
};

std::vector<format::Event> Events(CollectionState& state, const Call& call) {
  std::vector<format::Event> events;
  for (const Interaction& interaction : call.interactions) {
    format::Event event;
    event.kind = format::EventKind::kInteraction;
    event.weight = 1;
    event.user = state.Register(Side::kUser, interaction.user);
    event.item = *state.items().ids.Find(interaction.item);
    events.push_back(event);
  }
  return events;
}

std::vector<float> Vectors(const CollectionState& state) {
  std::vector<float> all;
  for (const Side which : {Side::kUser, Side::kItem}) {
    for (std::uint32_t i = 0; i < state.side(which).ids.end(); ++i) {
      const auto vector = state.side(which).factors->values(i);
      all.insert(all.end(), vector.begin(), vector.end());
    }
    const double* gram = state.side(which).gram.values();
    all.insert(all.end(), gram, gram + state.side(which).gram.stride());
  }
  return all;
}

TEST(LongWrites, PairsOfACallAreSeenAsAWholeAndItsVectorsFollow) {
  testing::Catalogue catalogue(Small());
  testing::Catalogue in_one(Small());
  const Call call(200, 12);
  for (testing::Catalogue* each : {&catalogue, &in_one}) {
    each->Fill(9, 12);
    each->Train();
  }
  std::size_t parts = 1;
  {
    WriteView view(catalogue.shared());
    const std::vector<format::Event> events = Events(view.state(), call);
    const std::vector<std::optional<format::Pair>> stored(events.size());
    const std::uint64_t first = view.state().last_seq() + 1;
    view.state().BeginAll(first, events, stored);
    EXPECT_TRUE(view.state().unfinished());
    EXPECT_EQ(view.state().last_seq(), first + 199);
    for (const format::Event& event : events) {
      EXPECT_TRUE(view.state().LookUpPair(event.user, event.item)->has_value());
    }
    for (; view.state().Continue(); ++parts) {
    }
    EXPECT_FALSE(view.state().unfinished());
  }
  EXPECT_EQ(parts, 4U + 1);  // 64 users each, then the 12 items
  WriteView one(in_one.shared());
  const std::vector<format::Event> events = Events(one.state(), call);
  one.state().ApplyAll(one.state().last_seq() + 1, events,
                       std::vector<std::optional<format::Pair>>(events.size()));
  EXPECT_EQ(Vectors(ReadView(catalogue.shared()).state()), Vectors(one.state()));
}

// A database that is opened again replays the call from its log.
TEST(LongWrites, AReplayGivesTheSameBits) {
  testing::Shop straight;
  testing::Shop restarted;
  CollectionOptions options = Small();
  options.dim = 64;  // no row is so long that the background solves it
  const Call call(2'000, 20);
  for (testing::Shop* shop : {&straight, &restarted}) {
    ASSERT_TRUE(*shop->db->Create("shop", options));
    shop->Fill(300, 30, 20, 1);
    shop->Train();
    ASSERT_TRUE(shop->db->Checkpoint().ok());
    ASSERT_EQ(*shop->db->AddMany("shop", call.interactions), 2'300U);
    ASSERT_TRUE(shop->Add("n7", "i3").ok());
  }
  restarted.Reopen();
  for (const Interaction& interaction : call.interactions) {
    ASSERT_EQ(straight.Vector(Side::kUser, std::string(interaction.user)),
              restarted.Vector(Side::kUser, std::string(interaction.user)));
    ASSERT_EQ(straight.Vector(Side::kItem, std::string(interaction.item)),
              restarted.Vector(Side::kItem, std::string(interaction.item)));
  }
}

TEST(LongWrites, ABadInteractionAtTheEndOfALongCallChangesNothing) {
  testing::Catalogue catalogue;
  Call call(1'000, 10);
  call.interactions.back().weight = 1e9;
  EXPECT_EQ(writer::Add(catalogue.shared(), call.interactions, false).status().code(),
            StatusCode::kInvalidArgument);
  ReadView view(catalogue.shared());
  EXPECT_EQ(view.state().last_seq(), 0U);
  EXPECT_EQ(view.state().users().ids.end(), 0U);
}

TEST(LongWrites, TokensOfALongCallCountOnce) {
  testing::Catalogue catalogue;
  Call call(1'000, 10);
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < 1'000; ++i) {
    tokens.push_back("t" + std::to_string(i % 900));
  }
  for (std::size_t i = 0; i < 1'000; ++i) {
    call.interactions[i].token = tokens[i];
  }
  EXPECT_EQ(*writer::Add(catalogue.shared(), call.interactions, false), 100U);
  EXPECT_EQ(*writer::Add(catalogue.shared(), call.interactions, false), 100U);
  ReadView view(catalogue.shared());
  EXPECT_EQ(view.state().last_seq(), 900U);
  EXPECT_EQ(view.state().users().ids.end(), 900U);
}

class DeletionInParts : public ::testing::Test {
 protected:
  static constexpr int kUsers = 1'100;  // three parts

  DeletionInParts() : catalogue_(Small()) {
    for (int user = 0; user < kUsers; ++user) {
      catalogue_.Add("u" + std::to_string(user), "hit");
      catalogue_.Add("u" + std::to_string(user), "i" + std::to_string(user % 5));
    }
    catalogue_.Train();
  }
  void BeginDelete(WriteView& view) {
    const SideState& items = view.state().items();
    const std::uint32_t hit = *items.ids.Find("hit");
    std::vector<RowPair> scratch;
    const auto pairs = *items.rows.Read(hit, &scratch);
    view.state().BeginDelete(view.state().last_seq() + 1, Side::kItem, hit,
                             {pairs.begin(), pairs.end()});
  }
  std::vector<std::string> Popular(std::size_t count) {
    RankingOptions options;
    options.count = count;
    std::vector<std::string> ids;
    const auto popular = lists::Popular(catalogue_.shared(), PopularBy::kUsers, options);
    EXPECT_TRUE(popular.ok());
    for (const Ranking::Entry& entry : popular->entries) {
      ids.push_back(entry.id);
    }
    return ids;
  }

  testing::Catalogue catalogue_;
};

TEST_F(DeletionInParts, VanishesAtOnce) {
  EXPECT_EQ(Popular(1), std::vector<std::string>{"hit"});
  {
    WriteView view(catalogue_.shared());
    BeginDelete(view);
    EXPECT_TRUE(view.state().Continue());
    EXPECT_TRUE(view.state().unfinished());
    // The last user has not lost its pair yet.
    EXPECT_EQ(view.state().users().entities[kUsers - 1].pairs, 2U);
    EXPECT_EQ(view.state().users().entities[0].pairs, 1U);
  }
  EXPECT_EQ(Popular(5).size(), 5U);
  EXPECT_EQ(std::ranges::count(Popular(5), std::string("hit")), 0);
  const auto explained =
      lists::Explain(catalogue_.shared(), "u" + std::to_string(kUsers - 1), "i1", 10, {});
  ASSERT_TRUE(explained.ok());
  ASSERT_EQ(explained->shares.size(), 1U);
  EXPECT_EQ(explained->shares[0].item, "i" + std::to_string((kUsers - 1) % 5));
}

TEST_F(DeletionInParts, EndsWithAllCountersAndGrams) {
  int parts = 1;
  {
    WriteView view(catalogue_.shared());
    for (BeginDelete(view); view.state().Continue(); ++parts) {
    }
  }
  EXPECT_EQ(parts, 3);
  while (*upkeep::BuildPendingRows(catalogue_.shared())) {
  }
  // Nobody likes it any more: it takes no place in the list.
  EXPECT_EQ(Popular(1).size(), 1U);
  EXPECT_EQ(Popular(5).size(), 5U);
  ReadView view(catalogue_.shared());
  EXPECT_EQ(view.state().interactions(), static_cast<std::uint64_t>(kUsers));
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    ASSERT_EQ(view.state().users().entities[user].pairs, 1U);
  }
  for (const Side which : {Side::kUser, Side::kItem}) {
    const SideState& side = view.state().side(which);
    EXPECT_LE(side.gram.RelativeDistance(model::GramOf(*side.factors)), 1e-9);
  }
}

TEST_F(DeletionInParts, KeepsUpkeepFromRowsThatAreHalfChanged) {
  {
    WriteView view(catalogue_.shared());
    BeginDelete(view);
    EXPECT_TRUE(view.state().Continue());
  }
  EXPECT_FALSE(*upkeep::BuildPendingRows(catalogue_.shared()));
  EXPECT_FALSE(ReadView(catalogue_.shared()).state().users().pending.empty());
}

TEST(LongWrites, KeepOthersOutAndTellThemToComeLater) {
  testing::Catalogue catalogue;
  catalogue.options.checkpoint_events = 1;
  catalogue.Add("u", "i");
  const persist::Checkpointer& checkpointer = catalogue.collection->checkpointer();
  EXPECT_TRUE(checkpointer.Due(false));
  EXPECT_FALSE(catalogue.shared().HoldsUpWrites());
  std::atomic<bool> ended = false;
  std::thread other;
  {
    const LongWrite announced(catalogue.shared());
    EXPECT_TRUE(catalogue.shared().HoldsUpWrites());
    EXPECT_FALSE(checkpointer.Due(false));
    TurnLock turn(catalogue.shared().turns().writes);
    other = std::thread([&] {
      catalogue.Add("v", "i");
      EXPECT_TRUE(ended);
    });
    // Readers are not kept out.
    EXPECT_EQ(ReadView(catalogue.shared()).state().last_seq(), 1U);
    ended = true;
  }
  other.join();
  EXPECT_FALSE(catalogue.shared().HoldsUpWrites());
  EXPECT_EQ(ReadView(catalogue.shared()).state().last_seq(), 2U);
}

}  // namespace
}  // namespace reco::engine
