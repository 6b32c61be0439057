#include "engine/neighbours/session_scores.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/session_reference.h"

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kAmple = std::uint64_t{1} << 40U;
constexpr std::int64_t kDay = 86'400'000;

constexpr auto kOneUser = [](std::uint32_t /*item*/) { return 1U; };

TEST(SessionScores, OfOneSessionByHand) {
  Sessions sessions(kAmple);
  for (const std::uint32_t item : {4U, 5U, 6U, 7U}) {
    sessions.Add(1, item, 0);
  }
  const ProfileItem profile[] = {{6, 1}, {4, 0.5}};
  const auto users_of = [](std::uint32_t item) { return item == 7 ? 16U : 1U; };
  SessionScores scores;
  const auto parts = scores.Of(sessions, profile, 2, users_of);
  // a(s) = 1.5, |s|^-.25 = 4^-.25, places from j* = 6 at 2.
  const double base = 1.5 * std::pow(4, -0.25);
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].item, 4U);
  EXPECT_NEAR(parts[0].value, base * 0.95 * 0.95, 1e-12);
  EXPECT_NEAR(parts[1].value, base * 0.95, 1e-12);
  EXPECT_NEAR(parts[2].value, base, 1e-12);
  EXPECT_NEAR(parts[3].value, base * 0.95 * std::pow(16, -0.45), 1e-12);
  // The user's own sessions say nothing.
  EXPECT_THAT(scores.Of(sessions, profile, 1, users_of), IsEmpty());
  EXPECT_THAT(scores.Of(sessions, {}, 2, users_of), IsEmpty());
}

// 2,000 sessions of 200 users, and as many of the most popular items that more than 50 hold them.
testing::ReferenceSessions MakeStream(std::uint64_t seed, Sessions* sessions) {
  std::mt19937_64 random(seed);
  testing::ReferenceSessions stream;
  for (int s = 0; s < 2'000; ++s) {
    const auto user = static_cast<std::uint32_t>(random() % 200);
    const std::int64_t time_ms = 2 * kDay * s;
    const std::size_t length = 1 + random() % 12;
    for (std::size_t i = 0; i < length; ++i) {
      const auto item = static_cast<std::uint32_t>(random() % 300 * (random() % 300) / 300);
      testing::AddEvent(user, item, time_ms, &stream);
      sessions->Add(user, item, time_ms);
    }
  }
  return stream;
}

TEST(SessionScores, AreThoseOfTheDefinition) {
  const auto users_of = [](std::uint32_t item) { return 1 + item % 7; };
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Sessions sessions(kAmple);
    const testing::ReferenceSessions stream = MakeStream(seed, &sessions);
    SessionScores scores;
    std::mt19937_64 random(seed);
    for (int asked = 0; asked < 40; ++asked) {
      std::vector<ProfileItem> profile;
      std::vector<testing::ReferenceProfileItem> same;
      const std::size_t length = 1 + random() % 25;
      for (std::size_t i = 0; i < length; ++i) {
        // Twelve apart, so that none comes twice.
        profile.push_back(
            {static_cast<std::uint32_t>(i * 12 + random() % 12), 1.0 / static_cast<double>(1 + i)});
        same.push_back({profile.back().item, profile.back().weight});
      }
      const auto user = static_cast<std::uint32_t>(random() % 200);
      const auto expected = testing::SessionScoresOf(stream, same, user, users_of);
      const auto parts = scores.Of(sessions, profile, user, users_of);
      ASSERT_EQ(parts.size(), expected.size());
      ASSERT_GT(parts.size(), 10U);
      auto at = expected.begin();
      for (const ItemPart& part : parts) {
        ASSERT_EQ(part.item, at->first);
        ASSERT_NEAR(part.value, at->second, 1e-12 * std::max(1.0, at->second));
        ++at;
      }
      // What the items of the profile add is all of it.
      const std::uint32_t target = parts[parts.size() / 2].item;
      double sum = 0;
      for (const double share : scores.Shares(sessions, profile, user, target, users_of)) {
        sum += share;
      }
      EXPECT_NEAR(sum, expected.at(target), 1e-12 * std::max(1.0, sum));
    }
  }
}

TEST(SessionScores, AnItemThatNoSessionHoldsHasNoShares) {
  Sessions sessions(kAmple);
  sessions.Add(1, 4, 0);
  SessionScores scores;
  const ProfileItem profile[] = {{4, 1}};
  EXPECT_THAT(scores.Shares(sessions, profile, 2, 9, kOneUser), ElementsAre(0));
}

}  // namespace
}  // namespace reco::engine
