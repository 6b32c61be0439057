#include "engine/popular/recent_lists.h"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/popular/recent_events.h"

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using testing::kAll;
using testing::kStart;
using Kind = RecentListName::Kind;

void Build(RecentLists* lists, const RecentListName& name, std::int64_t now_ms) {
  lists->Begin();
  ASSERT_TRUE(lists->End(name, lists->Make(name), now_ms).ok());
}

TEST(RecentLists, WhatIsWrittenWhileAListIsBuiltIsInIt) {
  RecentLists lists(Feedback::kImplicit);
  const RecentListName name{Kind::kWindow, 60};
  lists.Add({1, 6, 1, kStart, kStart, false});  // nobody listens
  lists.Begin();
  auto list = lists.Make(name);
  for (std::uint32_t user = 0; user < 3'000; ++user) {
    lists.Add({user, 7, 1, kStart, kStart, false});
  }
  lists.Remove(5, 7);
  ASSERT_TRUE(lists.End(name, std::move(list), kStart).ok());
  lists.Add({1, 8, 1, kStart, kStart, false});
  const auto top = lists.Top(name, PopularBy::kUsers, kStart, kAll);
  ASSERT_TRUE(top && top->ok());
  EXPECT_THAT(**top, ElementsAre(RankedValue{7, 2'999}, RankedValue{8, 1}));
}

TEST(RecentLists, TheOneUnusedForTheLongestOfItsKindGivesWay) {
  RecentLists lists(Feedback::kImplicit);
  Build(&lists, {Kind::kHalfLife, 1}, kStart);
  for (std::int64_t seconds = 1; seconds <= 4; ++seconds) {
    Build(&lists, {Kind::kWindow, seconds}, kStart + seconds);
  }
  ASSERT_TRUE(lists.Top({Kind::kWindow, 1}, PopularBy::kUsers, kStart + 10, kAll));
  Build(&lists, {Kind::kWindow, 5}, kStart + 11);
  EXPECT_TRUE(lists.Has({Kind::kHalfLife, 1}));
  EXPECT_TRUE(lists.Has({Kind::kWindow, 1}));
  EXPECT_FALSE(lists.Has({Kind::kWindow, 2}));
  EXPECT_TRUE(lists.Has({Kind::kWindow, 3}));
}

TEST(RecentLists, AWriteDropsWhatNobodyReads) {
  RecentLists lists(Feedback::kImplicit);
  Build(&lists, {Kind::kWindow, 60}, kStart);
  const std::int64_t soon = kStart + RecentLists::kIdleMs;
  lists.Add({1, 7, 1, soon, soon, false});
  EXPECT_TRUE(lists.Has({Kind::kWindow, 60}));
  lists.Add({1, 7, 1, soon + 1, soon + 1, false});
  EXPECT_FALSE(lists.Has({Kind::kWindow, 60}));
  EXPECT_EQ(lists.memory_bytes(), 0U);
}

TEST(RecentLists, AListIsBuiltAnewWhenTheClockWasSetBack) {
  constexpr std::int64_t kDay = 86'400'000;
  for (const Kind kind : {Kind::kWindow, Kind::kHalfLife}) {
    const RecentListName name{kind, 60};
    const auto has_list = [&name](RecentLists& lists, std::int64_t now_ms) {
      return lists.Top(name, PopularBy::kUsers, now_ms, kAll).has_value();
    };
    // A write whose clock was ahead has made the list forget all before.
    RecentLists written(Feedback::kImplicit);
    Build(&written, name, kStart);
    written.Add({1, 7, 1, kStart + 10 * kDay, kStart + 10 * kDay, false});
    EXPECT_FALSE(has_list(written, kStart + 1));
    Build(&written, name, kStart + 1);
    EXPECT_TRUE(has_list(written, kStart + 2));
    // And so has a read.
    RecentLists read(Feedback::kImplicit);
    Build(&read, name, kStart);
    EXPECT_TRUE(has_list(read, kStart + 10 * kDay));
    EXPECT_FALSE(has_list(read, kStart));
    // Readers whose clocks differ a little share a list.
    Build(&read, name, kStart);
    EXPECT_TRUE(has_list(read, kStart + 1'000));
    EXPECT_TRUE(has_list(read, kStart));
    // A list built by a clock that is behind is built anew when that is right again.
    RecentLists behind(Feedback::kImplicit);
    behind.Begin();
    auto list = behind.Make(name);
    list->Advance(kStart - 10 * kDay);
    list->Add({1, 7, 1, kStart, kStart, false});
    ASSERT_TRUE(behind.End(name, std::move(list), kStart - 10 * kDay).ok());
    EXPECT_TRUE(has_list(behind, kStart - 10 * kDay));
    EXPECT_EQ(has_list(behind, kStart), kind == Kind::kWindow) << "a window tells them apart";
    // A write whose clock was behind changes nothing.
    read.Add({1, 7, 1, 5, 5, false});
    EXPECT_TRUE(has_list(read, kStart + 1'000));
  }
}

TEST(RecentLists, AReadFromLaterThanNowDoesNotKeepAList) {
  RecentLists lists(Feedback::kImplicit);
  Build(&lists, {Kind::kWindow, 60}, kStart + 1'000'000'000);  // the clock was ahead
  lists.Add({1, 7, 1, kStart, kStart, false});
  const std::int64_t later = kStart + RecentLists::kIdleMs + 2'000;
  lists.Add({1, 7, 1, later, later, false});
  EXPECT_FALSE(lists.Has({Kind::kWindow, 60}));
}

TEST(RecentLists, AListAboveItsBoundIsRefusedForAWhile) {
  RecentLists lists(Feedback::kImplicit);
  const RecentListName name{Kind::kWindow, 3'600};
  Build(&lists, name, kStart);
  for (std::uint32_t i = 0; i <= RecentLists::kEventsMax; ++i) {
    lists.Add({i, i % 100, 1, kStart, kStart, false});
  }
  const auto refused = lists.Top(name, PopularBy::kUsers, kStart + 1, kAll);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status().code(), StatusCode::kResourceExhausted);
  EXPECT_NE(refused->status().message().find("shorter WINDOW"), std::string::npos);
  EXPECT_FALSE(lists.Top(name, PopularBy::kUsers, kStart + RecentLists::kRefusedMs, kAll));
}

TEST(RecentLists, TooManyWritesWhileBuildingAreSaid) {
  RecentLists lists(Feedback::kImplicit);
  const RecentListName name{Kind::kHalfLife, 60};
  lists.Begin();
  for (std::uint32_t i = 0; i < 1'000'001; ++i) {
    lists.Remove(1, i % 10);
  }
  EXPECT_EQ(lists.End(name, lists.Make(name), kStart).code(), StatusCode::kResourceExhausted);
  EXPECT_FALSE(lists.Has(name));
  EXPECT_EQ(lists.memory_bytes(), 0U);
}

}  // namespace
}  // namespace reco::engine
