#include "engine/neighbours/neighbour_tables.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "format/event.h"
#include "format/solved_rows.h"

namespace reco::engine {
namespace {

using format::Event;
using format::EventKind;

constexpr std::uint64_t kBytes = 64U << 20U;
constexpr std::uint32_t kUsers = 30;
constexpr std::uint32_t kItems = 60;

Event PairEvent(std::uint32_t user, std::uint32_t item, double weight, std::int64_t time_ms) {
  Event event;
  event.user = user;
  event.item = item;
  event.weight = weight;
  event.time_ms = event.arrival_ms = time_ms;
  return event;
}

Event Deletion(Side side, std::uint32_t ordinal) {
  Event event;
  event.kind = side == Side::kUser ? EventKind::kUserDelete : EventKind::kItemDelete;
  (side == Side::kUser ? event.user : event.item) = ordinal;
  return event;
}

std::vector<Event> Stream(int events, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Event> stream;
  std::int64_t now_ms = 1'000;
  for (int i = 0; i < events; ++i) {
    now_ms += static_cast<std::int64_t>(random() % 4'000'000);
    stream.push_back(PairEvent(static_cast<std::uint32_t>(random() % kUsers),
                               static_cast<std::uint32_t>(random() % kItems),
                               random() % 20 == 0 ? -1 : 1, now_ms));
  }
  return stream;
}

std::vector<std::vector<std::uint32_t>> SessionsOf(const NeighbourTables& tables) {
  std::vector<std::vector<std::uint32_t>> all;
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    for (const Sessions::Session& session : tables.sessions().OfUser(user)) {
      all.emplace_back(session.items.begin(), session.items.end());
    }
  }
  return all;
}

// Everything that a list is made from, but for the numbers of sessions, of which only the order
// matters.
void ExpectAlike(const NeighbourTables& a, const NeighbourTables& b) {
  EXPECT_EQ(SessionsOf(a), SessionsOf(b));
  EXPECT_EQ(a.pairs().pairs(), b.pairs().pairs());
  for (std::uint32_t item = 0; item < kItems; ++item) {
    EXPECT_EQ(a.pairs().places(item), b.pairs().places(item)) << item;
    for (std::uint32_t other = 0; other < kItems; ++other) {
      EXPECT_EQ(a.pairs().row(item).Of(other), b.pairs().row(item).Of(other));
    }
    std::vector<std::vector<std::uint32_t>> newest[2];
    for (const NeighbourTables* of : {&a, &b}) {
      of->sessions().VisitNewest(item, 50, Sessions::kNobody, [&](const Sessions::Session& one) {
        newest[of == &b ? 1 : 0].emplace_back(one.items.begin(), one.items.end());
      });
    }
    EXPECT_EQ(newest[0], newest[1]);
  }
  EXPECT_EQ(a.memory_bytes() - a.queue().memory_bytes(),
            b.memory_bytes() - b.queue().memory_bytes());
}

TEST(NeighbourTables, AreThoseThatNeverSawADeletedUser) {
  NeighbourTables with(kBytes);
  NeighbourTables without(kBytes);
  for (const Event& event : Stream(4'000, 3)) {
    with.Follow(event);
    if (event.user != 7) {
      without.Follow(event);
    }
  }
  with.Follow(Deletion(Side::kUser, 7));
  ExpectAlike(with, without);
}

TEST(NeighbourTables, HoldNothingOfADeletedItem) {
  NeighbourTables with(kBytes);
  NeighbourTables in_steps(kBytes);
  for (const Event& event : Stream(4'000, 4)) {
    with.Follow(event);
    in_steps.Follow(event);
  }
  with.Follow(Deletion(Side::kItem, 5));
  int steps = 1;
  while (in_steps.ForgetSome(Side::kItem, 5)) {
    ++steps;
  }
  EXPECT_GT(steps, 1);
  ExpectAlike(with, in_steps);
  EXPECT_EQ(with.pairs().places(5), 0U);
  EXPECT_EQ(with.pairs().row(5).size(), 0U);
  for (const auto& session : SessionsOf(with)) {
    EXPECT_EQ(std::count(session.begin(), session.end(), 5U), 0);
  }
}

TEST(NeighbourTables, RowsAreSetByTheEventsThatSolvedThem) {
  NeighbourTables tables(kBytes);
  for (int i = 0; i < 4; ++i) {
    tables.Follow(PairEvent(static_cast<std::uint32_t>(i), 3, 1, i));
  }
  EXPECT_EQ(tables.queue().size(), 1U);
  const std::vector<ItemWeight> row = {{1, 0.5F}, {2, -0.25F}};
  std::string text;
  format::AppendSolvedRow(3, row, &text);
  Event solved;
  solved.kind = EventKind::kSolvedRows;
  solved.text = text;
  tables.Follow(solved);
  EXPECT_EQ(tables.queue().size(), 0U);
  ASSERT_EQ(tables.rows().row(3).size(), 2U);
  EXPECT_EQ(tables.rows().WeightOf(3, 2), -0.25F);
  tables.Follow(Deletion(Side::kItem, 2));
  EXPECT_EQ(tables.rows().row(3).size(), 1U);
  tables.Follow(Deletion(Side::kItem, 3));
  EXPECT_EQ(tables.rows().weights(), 0U);
}

TEST(NeighbourTables, BeyondTheBoundItemsWithoutARowGetNone) {
  NeighbourTables tables(4'000);
  std::uint32_t item = 0;
  std::vector<ItemWeight> row(10);
  for (std::uint32_t i = 0; i < row.size(); ++i) {
    row[i] = {i, 1};
  }
  for (; tables.HasRoomFor(item) && item < 100; ++item) {
    std::string text;
    format::AppendSolvedRow(item, row, &text);
    Event solved;
    solved.kind = EventKind::kSolvedRows;
    solved.text = text;
    tables.Follow(solved);
  }
  EXPECT_GT(item, 1U);
  EXPECT_LT(item, 20U);
  EXPECT_TRUE(tables.HasRoomFor(0));  // it has one
}

}  // namespace
}  // namespace reco::engine
