#include "format/event_effect.h"

#include <string>

#include <gtest/gtest.h>

namespace reco::format {
namespace {

std::string Told(EventKind kind) {
  Event event;
  event.kind = kind;
  event.user = 3;
  event.item = 5;
  const auto side = [](Side which) { return which == Side::kUser ? "user " : "item "; };
  return MatchEffect(
      event,
      [](const PairAdded& pair) {
        return "pair " + std::to_string(pair.user) + " " + std::to_string(pair.item);
      },
      [](const PairRemoved& pair) {
        return "no pair " + std::to_string(pair.user) + " " + std::to_string(pair.item);
      },
      [&](const RecordSet& set) { return side(set.side) + std::to_string(set.ordinal); },
      [&](const Deleted& gone) {
        return std::string("no ") + side(gone.side) + std::to_string(gone.ordinal);
      },
      [](const RowsSolved&) { return std::string("rows"); },
      [](const NoEffect&) { return std::string("nothing"); });
}

TEST(EventEffect, EachKindHasOne) {
  EXPECT_EQ(Told(EventKind::kInteraction), "pair 3 5");
  EXPECT_EQ(Told(EventKind::kSet), "pair 3 5");
  EXPECT_EQ(Told(EventKind::kInteractionAsSaid), "pair 3 5");
  EXPECT_EQ(Told(EventKind::kSetAsSaid), "pair 3 5");
  EXPECT_EQ(Told(EventKind::kRemove), "no pair 3 5");
  EXPECT_EQ(Told(EventKind::kUserRecord), "user 3");
  EXPECT_EQ(Told(EventKind::kItemRecord), "item 5");
  EXPECT_EQ(Told(EventKind::kUserDelete), "no user 3");
  EXPECT_EQ(Told(EventKind::kItemDelete), "no item 5");
  EXPECT_EQ(Told(EventKind::kParameters), "nothing");
  EXPECT_EQ(Told(EventKind::kSolvedRows), "rows");
}

}  // namespace
}  // namespace reco::format
