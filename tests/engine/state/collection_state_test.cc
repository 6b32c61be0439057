// The state as events and checkpoints leave it, fed without a log.
#include "engine/state/collection_state.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/catalogue.h"
#include "testing/freeze.h"

namespace reco::engine {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kNowMs = 1'700'000'000'000;

class CollectionStateTest : public ::testing::Test {
 protected:
  CollectionStateTest() : view_(catalogue_.shared()) {}

  CollectionState& state() { return view_.state(); }
  Entity& user() { return state().users().entities.Make(0); }
  Entity& item() { return state().items().entities.Make(0); }

  // User and item 0 are registered by the first event that names them.
  format::Event Event(format::EventKind kind, double weight = 1, std::int64_t time_ms = kNowMs) {
    if (state().users().ids.end() == 0) {
      state().Register(Side::kUser, "ann");
      state().Register(Side::kItem, "lamp");
    }
    format::Event event;
    event.kind = kind;
    event.user = 0;
    event.item = 0;
    event.weight = weight;
    event.time_ms = time_ms;
    event.arrival_ms = kNowMs;
    return event;
  }
  void Apply(const format::Event& event) {
    const auto stored = state().Prepare(event);
    ASSERT_TRUE(stored.ok());
    state().Apply(state().last_seq() + 1, event, *stored);
  }
  void Apply(format::EventKind kind, double weight = 1, std::int64_t time_ms = kNowMs) {
    Apply(Event(kind, weight, time_ms));
  }

  testing::Catalogue catalogue_;
  WriteView view_;
};

TEST_F(CollectionStateTest, CountsOfBothSidesFollowAPair) {
  Apply(format::EventKind::kInteraction, 2, kNowMs - 50);
  Apply(format::EventKind::kInteraction, 3, kNowMs - 90);
  for (const Entity* entity : {&user(), &item()}) {
    EXPECT_EQ(entity->pairs, 1U);
    EXPECT_EQ(entity->events, 2U);
    EXPECT_EQ(entity->weight, 5);
    EXPECT_EQ(entity->squares, 25);
    EXPECT_EQ(entity->first_ms, kNowMs - 90);
    EXPECT_EQ(entity->last_ms, kNowMs - 50);
    EXPECT_EQ(entity->known_ms, kNowMs - 90);
    EXPECT_EQ(entity->last_seq, 2U);
  }
  EXPECT_EQ(state().interactions(), 1U);
  EXPECT_EQ(state().LookUpPair(0, 0)->value().weight, 5);
}

TEST_F(CollectionStateTest, SetReplacesAndRemoveTakesEverythingBack) {
  Apply(format::EventKind::kInteraction, 2);
  Apply(format::EventKind::kSet, -4);
  EXPECT_EQ(user().weight, -4);
  EXPECT_EQ(item().squares, 16);
  EXPECT_EQ(item().weight, -4);
  EXPECT_EQ(state().popularity().by(PopularBy::kWeight).value(0), 0);  // nobody likes it
  Apply(format::EventKind::kRemove);
  for (const Entity* entity : {&user(), &item()}) {
    EXPECT_EQ(entity->pairs, 0U);
    EXPECT_EQ(entity->events, 0U);
    EXPECT_EQ(entity->weight, 0);
    EXPECT_EQ(entity->squares, 0);
  }
  EXPECT_EQ(state().interactions(), 0U);
  EXPECT_EQ(*state().LookUpPair(0, 0), std::nullopt);
  EXPECT_EQ(state().active_users().value(0), 0);
}

TEST_F(CollectionStateTest, RemovalOfWhatIsNotThereChangesNothingButTheNumber) {
  Apply(format::EventKind::kRemove);
  EXPECT_EQ(state().last_seq(), 1U);
  EXPECT_EQ(user().last_seq, 0U);
  EXPECT_THAT(testing::Freeze(state()).pairs, IsEmpty());
}

TEST_F(CollectionStateTest, AnEventFromTheFutureMakesNothingNewerThanItsArrival) {
  Apply(format::EventKind::kInteraction, 1, kNowMs + 5'000);
  EXPECT_EQ(state().newest_ms(), kNowMs);
  EXPECT_EQ(item().known_ms, kNowMs);
  EXPECT_EQ(item().last_ms, kNowMs);
}

TEST_F(CollectionStateTest, LikesAreThePairsAboveZeroAndTheirEvents) {
  const auto liked = [&] { return state().items().liked[0]; };
  Apply(format::EventKind::kInteraction, -1);
  EXPECT_EQ(liked(), (format::Liked{0, 0}));
  Apply(format::EventKind::kInteraction, 3);
  EXPECT_EQ(liked(), (format::Liked{1, 2}));
  EXPECT_EQ(testing::Freeze(state()).entities[1].record.liked, (format::Liked{1, 2}));
  Apply(format::EventKind::kInteraction, 1);
  EXPECT_EQ(liked(), (format::Liked{1, 3}));
  Apply(format::EventKind::kSet, 0);
  EXPECT_EQ(liked(), (format::Liked{0, 0}));
  Apply(format::EventKind::kSet, 1);
  Apply(format::EventKind::kRemove);
  EXPECT_EQ(liked(), (format::Liked{0, 0}));
}

TEST_F(CollectionStateTest, ARecordChangesWhatItNamesAndKeepsTheRest) {
  format::Event event = Event(format::EventKind::kItemRecord);
  event.user = format::kNoOrdinal;
  event.has_text = true;
  event.text = R"({"price": 3})";
  event.expire_at_ms = 77;
  Apply(event);
  event.has_text = false;
  event.text = "";
  event.expire_at_ms = -1;
  event.hidden = 1;
  Apply(event);
  const Attributes* attributes = state().items().attributes.Find(0);
  ASSERT_NE(attributes, nullptr);
  EXPECT_EQ(attributes->json, R"({"price": 3})");
  EXPECT_EQ(attributes->expire_at_ms, 77);
  EXPECT_TRUE(attributes->hidden);
}

TEST_F(CollectionStateTest, ADeletedItemLeavesNoPairAndNoPlaceInARanking) {
  Apply(format::EventKind::kInteraction, 2);
  format::Event event = Event(format::EventKind::kItemDelete);
  event.user = format::kNoOrdinal;
  Apply(event);
  EXPECT_EQ(user().pairs, 0U);
  EXPECT_EQ(state().interactions(), 0U);
  EXPECT_EQ(state().items().ids.Find("lamp"), std::nullopt);
  EXPECT_EQ(state().popularity().by(PopularBy::kUsers).value(0), 0);
  EXPECT_EQ(state().latest_items().value(0), 0);
  EXPECT_EQ(state().active_users().value(0), 0);
}

TEST_F(CollectionStateTest, FreezeTakesEachChangeOnceAndTheNextOnlyWhatIsNewer) {
  Apply(format::EventKind::kInteraction, 2);
  Apply(format::EventKind::kInteraction, 3);
  EXPECT_EQ(state().unfrozen_events(), 2U);
  const FrozenRows first = testing::Freeze(state());
  EXPECT_EQ(first.checkpoint.seq, 2U);
  EXPECT_EQ(first.checkpoint.users, 1U);
  EXPECT_EQ(first.checkpoint.interactions, 1U);
  ASSERT_EQ(first.entities.size(), 2U);
  EXPECT_EQ(first.entities[0].record.weight, 5);
  EXPECT_EQ(first.entities[0].record.squares, std::nullopt);  // of items only
  EXPECT_EQ(first.entities[1].record.squares, 25);
  ASSERT_EQ(first.pairs.size(), 1U);
  EXPECT_EQ(first.pairs[0].pair->weight, 5);
  EXPECT_THAT(first.vectors, IsEmpty());  // there is no model
  EXPECT_FALSE(state().dirty());

  Apply(format::EventKind::kRemove);
  const FrozenRows second = testing::Freeze(state());
  EXPECT_EQ(second.generation, first.generation + 1);
  ASSERT_EQ(second.pairs.size(), 1U);
  EXPECT_EQ(second.pairs[0].pair, std::nullopt);
  EXPECT_THAT(testing::Freeze(state()).entities, IsEmpty());
}

TEST_F(CollectionStateTest, AFrozenDeletionSaysThatTheRowsGo) {
  format::Event event = Event(format::EventKind::kUserDelete);
  event.item = format::kNoOrdinal;
  Apply(event);
  const FrozenRows frozen = testing::Freeze(state());
  ASSERT_EQ(frozen.entities.size(), 1U);
  EXPECT_EQ(frozen.entities[0].side, Side::kUser);
  EXPECT_FALSE(frozen.entities[0].live);
}

TEST_F(CollectionStateTest, OfTheDeletedNothingIsLeftOnceThatIsDurable) {
  Apply(format::EventKind::kInteraction);
  format::Event event = Event(format::EventKind::kUserDelete);
  event.item = format::kNoOrdinal;
  Apply(event);
  EXPECT_FALSE(state().ForgetErased());
  EXPECT_NE(state().users().entities.Find(0), nullptr);  // the checkpoint will ask for it
  const FrozenRows frozen = testing::Freeze(state());
  EXPECT_FALSE(state().ForgetErased());
  EXPECT_NE(state().users().rows.Find(0), nullptr);  // not on disk yet
  state().SetDurable(frozen.generation);
  EXPECT_FALSE(state().ForgetErased());
  EXPECT_EQ(state().users().entities.Find(0), nullptr);
  EXPECT_EQ(state().users().rows.Find(0), nullptr);
  EXPECT_NE(state().items().entities.Find(0), nullptr);
  EXPECT_EQ(state().Register(Side::kUser, "ann"), 1U);  // I10
}

TEST_F(CollectionStateTest, RowsAreFreeToGoOnceTheirGenerationIsDurable) {
  Apply(format::EventKind::kInteraction);
  catalogue_.row_budget.limit_bytes = 0;
  const FrozenRows frozen = testing::Freeze(state());
  state().Evict(100);
  state().Evict(100);
  EXPECT_NE(state().users().rows.Find(0), nullptr);
  state().SetDurable(frozen.generation);
  state().Evict(100);
  EXPECT_EQ(state().users().rows.Find(0), nullptr);
  EXPECT_EQ(state().items().rows.Find(0), nullptr);
}

TEST_F(CollectionStateTest, WhatNoEventStandsForMakesItDirtyUntilTheNextFreeze) {
  EXPECT_FALSE(state().dirty());
  state().MarkDirtyOutsideLog();
  EXPECT_TRUE(state().dirty());
  EXPECT_EQ(state().unfrozen_events(), 0U);
  testing::Freeze(state());
  EXPECT_FALSE(state().dirty());
}

TEST_F(CollectionStateTest, TouchedRowsAreCollectedWhileThatIsOn) {
  Apply(format::EventKind::kInteraction);
  EXPECT_THAT(state().users().touched, IsEmpty());
  state().CollectTouched(true);
  Apply(format::EventKind::kInteraction);
  EXPECT_THAT(state().users().touched, UnorderedElementsAre(0U));
  EXPECT_THAT(state().items().touched, UnorderedElementsAre(0U));
  state().CollectTouched(false);
  Apply(format::EventKind::kInteraction);
  EXPECT_THAT(state().items().touched, IsEmpty());
}

// Events that were applied between Prepare and Apply count.
TEST_F(CollectionStateTest, MemoryGoesBeforeWhatPrepareFound) {
  const format::Event event = Event(format::EventKind::kInteraction, 2);
  const auto stored = state().Prepare(event);
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(*stored, std::nullopt);
  Apply(event);
  state().Apply(state().last_seq() + 1, event, *stored);
  EXPECT_EQ(state().LookUpPair(0, 0)->value().weight, 4);
}

}  // namespace
}  // namespace reco::engine
