#include "engine/neighbours/solve_queue.h"

#include <cstdint>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using ::testing::Optional;

void NoteEvents(SolveQueue& queue, std::uint32_t item, int count, std::int64_t now_ms = 0) {
  for (int i = 0; i < count; ++i) {
    queue.NoteEvent(item, now_ms);
  }
}

TEST(SolveQueue, AnItemWaitsFromItsFourthEventOn) {
  SolveQueue queue(10);
  NoteEvents(queue, 5, 3);
  EXPECT_EQ(queue.size(), 0);
  NoteEvents(queue, 5, 1);
  EXPECT_EQ(queue.size(), 1);
  EXPECT_THAT(queue.Pop(), Optional(5));
  EXPECT_EQ(queue.Pop(), std::nullopt);
  NoteEvents(queue, 5, 3);
  EXPECT_EQ(queue.size(), 0);
  NoteEvents(queue, 5, 1);
  EXPECT_EQ(queue.size(), 1);
}

TEST(SolveQueue, WhoCameFirstGoesFirstAndOnlyOnce) {
  SolveQueue queue(10);
  EXPECT_TRUE(queue.Push(5, 0));
  EXPECT_TRUE(queue.Push(3, 0));
  NoteEvents(queue, 5, 20);
  EXPECT_TRUE(queue.Push(5, 0));
  EXPECT_EQ(queue.size(), 2);
  EXPECT_THAT(queue.Pop(), Optional(5));
  EXPECT_THAT(queue.Pop(), Optional(3));
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(SolveQueue, WhileItIsFullAnItemsNextEventTriesAgain) {
  SolveQueue queue(1);
  EXPECT_TRUE(queue.Push(1, 0));
  EXPECT_FALSE(queue.Push(2, 0));
  NoteEvents(queue, 2, 5);
  EXPECT_EQ(queue.size(), 1);
  EXPECT_THAT(queue.Pop(), Optional(1));
  EXPECT_EQ(queue.size(), 0);
  NoteEvents(queue, 2, 1);
  EXPECT_THAT(queue.Pop(), Optional(2));
}

TEST(SolveQueue, TellsForHowLongTheFirstHasWaited) {
  SolveQueue queue(10);
  EXPECT_EQ(queue.OldestAgeMs(1'000), 0);
  queue.Push(1, 100);
  queue.Push(2, 400);
  NoteEvents(queue, 1, 4, 600);
  EXPECT_EQ(queue.OldestAgeMs(1'000), 900);
  EXPECT_EQ(queue.OldestAgeMs(50), 0);  // the clock went back
  queue.Pop();
  EXPECT_EQ(queue.OldestAgeMs(1'000), 600);
}

TEST(SolveQueue, AForgottenItemWaitsNoMore) {
  SolveQueue queue(10);
  queue.Push(1, 0);
  queue.Push(2, 0);
  queue.Push(3, 0);
  NoteEvents(queue, 4, 3);
  queue.Forget(2);
  queue.Forget(4);
  queue.Forget(99);
  NoteEvents(queue, 4, 3);
  EXPECT_EQ(queue.size(), 2);
  EXPECT_THAT(queue.Pop(), Optional(1));
  EXPECT_THAT(queue.Pop(), Optional(3));
  EXPECT_EQ(queue.taken(), 2);
}

TEST(SolveQueue, CountsWhoIsTakenAfterTheEighthEvent) {
  SolveQueue queue(10);
  NoteEvents(queue, 1, 8);
  NoteEvents(queue, 2, 9);
  queue.Pop();
  EXPECT_EQ(queue.taken_late(), 0);
  queue.Pop();
  EXPECT_EQ(queue.taken_late(), 1);
  EXPECT_EQ(queue.taken(), 2);
}

}  // namespace
}  // namespace reco::engine
