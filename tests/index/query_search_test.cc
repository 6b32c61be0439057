// The list of a search; searches as a whole are in item_index_test.cc and stepped_search_test.cc.
#include "index/query_search.h"

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::index {
namespace {

using ::testing::ElementsAre;

constexpr auto kAcceptAll = [](std::uint32_t) { return true; };
constexpr auto kAscending = [](std::uint32_t a, std::uint32_t b) { return a < b; };

class BestListTest : public ::testing::Test {
 protected:
  std::vector<std::uint32_t> Ordinals() {
    std::vector<std::uint32_t> ordinals;
    for (const Candidate& entry : out_) {
      ordinals.push_back(entry.ordinal);
    }
    return ordinals;
  }

  SearchRequest request_{nullptr, 3, Metric::kInnerProduct, kAcceptAll, kAscending};
  std::vector<Candidate> out_;
};

TEST_F(BestListTest, KeepsTheBestAndOfEqualScoresThoseInOrder) {
  BestList best(request_, 3, &out_);
  EXPECT_FALSE(best.full());
  EXPECT_EQ(best.worst(), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(best.Offer({5, 1}));
  EXPECT_TRUE(best.Offer({2, 3}));
  EXPECT_TRUE(best.Offer({9, 1}));
  EXPECT_TRUE(best.full());
  EXPECT_EQ(best.worst(), 1);
  EXPECT_TRUE(best.Offer({7, 1}));   // before 9
  EXPECT_FALSE(best.Offer({8, 1}));  // behind 7
  EXPECT_FALSE(best.Offer({1, 0.5F}));
  best.Sort();
  EXPECT_THAT(Ordinals(), ElementsAre(2, 5, 7));
}

TEST_F(BestListTest, AcceptIsAskedOnlyForWhatWouldEnter) {
  int asked = 0;
  const auto accept = [&](std::uint32_t ordinal) {
    ++asked;
    return ordinal != 4;
  };
  const SearchRequest request{nullptr, 1, Metric::kInnerProduct, accept, kAscending};
  BestList best(request, 1, &out_);
  EXPECT_TRUE(best.Offer({1, 2}));
  EXPECT_FALSE(best.Offer({2, 1}));
  EXPECT_FALSE(best.Offer({4, 9}));
  EXPECT_EQ(asked, 2);
}

// Short lists are looked through, longer ones keep a set of their members.
TEST_F(BestListTest, RepeatsAreTakenOnce) {
  for (const std::size_t capacity : {10U, 100U}) {
    BestList best(request_, capacity, &out_);
    best.ExpectRepeats();
    std::mt19937 random(3);
    std::map<std::uint32_t, float> expected;
    for (int i = 0; i < 2'000; ++i) {
      const auto ordinal = static_cast<std::uint32_t>(random() % 300);
      const auto score = static_cast<float>(ordinal * 7919 % 300);
      best.Offer({ordinal, score});
      expected[ordinal] = score;
    }
    best.Sort();
    ASSERT_EQ(out_.size(), capacity);
    for (std::size_t i = 0; i < capacity; ++i) {
      EXPECT_EQ(out_[i].score, static_cast<float>(299 - i));
    }
  }
}

class SettleTest : public BestListTest {
 protected:
  // Offers scores 10, 9, 8 ... to a list of four for the best three.
  bool Settle(const std::map<std::uint32_t, std::optional<float>>& changed, std::uint32_t offered) {
    BestList best(request_, 4, &out_);
    for (std::uint32_t i = 0; i < offered; ++i) {
      best.Offer({i, 10 - static_cast<float>(i)});
    }
    const bool done = best.Settle(3, [&](std::uint32_t ordinal) {
      const auto at = changed.find(ordinal);
      return at != changed.end() ? at->second : std::optional(10 - static_cast<float>(ordinal));
    });
    best.Sort();
    return done;
  }
};

TEST_F(SettleTest, ScoresAreThoseOfNow) {
  EXPECT_TRUE(Settle({{3, 20.0F}}, 4));
  EXPECT_THAT(Ordinals(), ElementsAre(3, 0, 1, 2));
}

TEST_F(SettleTest, WhatIsGoneLeavesAndAListThatWasNotFullMissesNothing) {
  EXPECT_TRUE(Settle({{1, std::nullopt}}, 3));
  EXPECT_THAT(Ordinals(), ElementsAre(0, 2));
}

TEST_F(SettleTest, AFullListThatLostMayMissWhatItTurnedDown) {
  // 7 was the worst: something of up to that score may have been turned down.
  EXPECT_FALSE(Settle({{1, std::nullopt}}, 6));
  EXPECT_FALSE(Settle({{1, 6.5F}}, 6));
  // Three are above it all the same.
  EXPECT_TRUE(Settle({{1, 7.5F}}, 6));
  EXPECT_TRUE(Settle({{3, 1.0F}}, 6));
}

TEST_F(BestListTest, ReopenedItTakesOffersAgain) {
  BestList best(request_, 2, &out_);
  best.ExpectRepeats();
  best.Offer({1, 1});
  best.Offer({2, 2});
  best.Sort();
  best.Reopen();
  EXPECT_FALSE(best.Offer({2, 5}));  // a member
  EXPECT_TRUE(best.Offer({3, 3}));
  best.Sort();
  EXPECT_THAT(Ordinals(), ElementsAre(3, 2));
}

}  // namespace
}  // namespace reco::index
