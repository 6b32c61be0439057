#include "engine/state/event_times.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco::engine {
namespace {

using ::testing::ElementsAre;

// With `times` distinct times, each noted twice.
EventTimes Noted(std::int64_t times) {
  EventTimes noted;
  for (int round = 0; round < 2; ++round) {
    for (std::int64_t time_ms = times; time_ms > 0; --time_ms) {
      noted.Note(time_ms);
    }
  }
  return noted;
}

TEST(EventTimes, AreUsableFromMoreThanAHundredDistinctOnesOn) {
  for (const auto& [times, usable] : {std::pair(100, false), {101, true}, {1'000, true}}) {
    EventTimes noted = Noted(times);
    noted.CountUser(/*single=*/false, 1);
    EXPECT_EQ(noted.usable(), usable) << times;
  }
  EXPECT_EQ(Noted(1'000).times_ms().size(), EventTimes::kToldApart);
  EXPECT_THAT(Noted(3).times_ms(), ElementsAre(1, 2, 3));
}

TEST(EventTimes, AreUsableWhileFewerThan99PercentOfTheUsersHaveASingleOne) {
  EventTimes times = Noted(200);
  EXPECT_FALSE(times.usable());  // nobody
  for (int user = 0; user < 98; ++user) {
    times.CountUser(/*single=*/true, 1);
  }
  times.CountUser(/*single=*/false, 1);
  times.CountUser(/*single=*/false, 1);
  EXPECT_TRUE(times.usable());  // 98 of 100
  times.CountUser(/*single=*/false, -1);
  times.CountUser(/*single=*/true, 1);
  EXPECT_FALSE(times.usable());  // 99 of 100
}

// Users u0 .. with `events` of different items each, `gap_ms` apart.
void Fill(testing::Shop& shop, int users, int events, std::int64_t gap_ms) {
  for (int user = 0; user < users; ++user) {
    for (int event = 0; event < events; ++event) {
      Interaction interaction;
      const std::string user_id = "u" + std::to_string(user);
      const std::string item_id = "i" + std::to_string(event);
      interaction.user = user_id;
      interaction.item = item_id;
      interaction.time_ms = 1'600'000'000'000 + user * 1'000 + event * gap_ms;
      ASSERT_TRUE(shop.db->Add("shop", interaction).ok());
    }
  }
}

bool Usable(const testing::Shop& shop) {
  return (*shop.db->CollectionDetails("shop")).times_usable;
}

TEST(EventTimes, OfACollectionAreTheSameAfterARestart) {
  testing::Shop shop;
  // More distinct times than users have first and last ones.
  Fill(shop, 2, 60, 7);
  EXPECT_TRUE(Usable(shop));
  shop.Reopen();
  EXPECT_TRUE(Usable(shop));
  ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kUser, "u0").ok());
  EXPECT_TRUE(Usable(shop));
  ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kUser, "u1").ok());
  EXPECT_FALSE(Usable(shop));
}

TEST(EventTimes, OfUsersWithOneTimeEachSayNothing) {
  testing::Shop shop;
  Fill(shop, 200, 3, 0);
  EXPECT_FALSE(Usable(shop));
  Fill(shop, 3, 2, 5);
  EXPECT_TRUE(Usable(shop));  // 3 of 200
  for (const char* user : {"u0", "u1"}) {
    const std::string_view items[] = {"i0", "i1", "i2"};
    ASSERT_TRUE(shop.db->Remove("shop", user, items).ok());
  }
  EXPECT_FALSE(Usable(shop));  // 1 of 198
  shop.Reopen();
  EXPECT_FALSE(Usable(shop));
}

}  // namespace
}  // namespace reco::engine
