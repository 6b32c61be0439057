#include "engine/neighbours/sessions.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/session_reference.h"

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Items = std::vector<std::uint32_t>;

constexpr std::uint64_t kAmple = std::uint64_t{1} << 40U;
constexpr std::int64_t kDay = 86'400'000;

std::vector<Items> OfUser(const Sessions& sessions, std::uint32_t user) {
  std::vector<Items> all;
  for (const Sessions::Session& session : sessions.OfUser(user)) {
    all.emplace_back(session.items.begin(), session.items.end());
  }
  return all;
}

// The newest sessions that hold the item.
std::vector<Items> Newest(const Sessions& sessions, std::uint32_t item, std::size_t count,
                          std::uint32_t user = Sessions::kNobody) {
  std::vector<Items> all;
  sessions.VisitNewest(item, count, user, [&](const Sessions::Session& session) {
    all.emplace_back(session.items.begin(), session.items.end());
  });
  return all;
}

TEST(Sessions, EndWithAGapOfMoreThanADay) {
  Sessions sessions(kAmple);
  sessions.Add(1, 10, 0);
  sessions.Add(1, 11, kDay);
  sessions.Add(1, 12, 2 * kDay);  // a day behind the one before
  sessions.Add(1, 13, 3 * kDay + 1);
  sessions.Add(1, 14, 3 * kDay - 5);  // late, but of the same sitting
  sessions.Add(1, 15, 2 * kDay);      // more than a day before the newest
  EXPECT_THAT(OfUser(sessions, 1), ElementsAre(Items{10, 11, 12}, Items{13, 14}, Items{15}));
  EXPECT_THAT(OfUser(sessions, 2), IsEmpty());
}

TEST(Sessions, AreCutAtFiftyItems) {
  Sessions sessions(kAmple);
  for (std::uint32_t item = 0; item < 51; ++item) {
    sessions.Add(1, item, item);
  }
  ASSERT_EQ(sessions.sessions(), 2U);
  EXPECT_EQ(OfUser(sessions, 1)[0].size(), 50U);
  EXPECT_EQ(OfUser(sessions, 1)[1], Items{50});
  EXPECT_EQ(sessions.items(), 51U);
}

TEST(Sessions, AnItemStandsAtItsFirstPlaceInEachSession) {
  Sessions sessions(kAmple);
  for (const std::uint32_t item : {10U, 11U, 10U}) {
    sessions.Add(1, item, 5);
  }
  sessions.Add(1, 11, 5 * kDay);
  sessions.Add(1, 10, 5 * kDay);
  EXPECT_THAT(OfUser(sessions, 1), ElementsAre(Items{10, 11}, Items{11, 10}));
}

TEST(Sessions, OfAnItemAreTheNewestToBeginWithoutTheUsersOwn) {
  Sessions sessions(kAmple);
  for (std::uint32_t user = 1; user <= 4; ++user) {
    sessions.Add(user, user, 0);
  }
  // In another order than the sessions began in.
  for (const std::uint32_t user : {3U, 1U, 4U, 2U}) {
    sessions.Add(user, 9, 1);
  }
  EXPECT_THAT(Newest(sessions, 9, 3), ElementsAre(Items{4, 9}, Items{3, 9}, Items{2, 9}));
  EXPECT_THAT(Newest(sessions, 9, 3, 3), ElementsAre(Items{4, 9}, Items{2, 9}, Items{1, 9}));
  EXPECT_THAT(Newest(sessions, 8, 3), IsEmpty());
}

TEST(Sessions, TheOldestGoWhenMemoryIsShort) {
  Sessions one(kAmple);
  one.Add(1, 10, 0);
  one.Add(1, 11, 0);
  const std::uint64_t bytes = one.memory_bytes();
  Sessions sessions(3 * bytes);
  for (std::uint32_t user = 1; user <= 100; ++user) {
    sessions.Add(user, 10, 0);
    sessions.Add(user, 11, 0);
    EXPECT_LE(sessions.memory_bytes(), 3 * bytes);
  }
  EXPECT_EQ(sessions.sessions(), 3U);
  EXPECT_EQ(sessions.let_go(), 97U);
  EXPECT_THAT(OfUser(sessions, 97), IsEmpty());
  EXPECT_THAT(Newest(sessions, 10, 50), ElementsAre(Items{10, 11}, Items{10, 11}, Items{10, 11}));
  // What is gone takes nothing any more, and the user of it begins anew.
  sessions.RemoveUser(1);
  sessions.Add(1, 10, 0);
  EXPECT_THAT(OfUser(sessions, 1), ElementsAre(Items{10}));
}

// The sessions of a stream, looked through from end to end.
class Reference {
 public:
  void Add(std::uint32_t user, std::uint32_t item, std::int64_t time_ms) {
    testing::AddEvent(user, item, time_ms, &all_);
  }
  void Remove(std::uint32_t user, std::uint32_t item) {
    for (testing::ReferenceSession& one : all_) {
      if (one.user == user) {
        std::erase(one.items, item);
      }
    }
  }
  void RemoveUser(std::uint32_t user) {
    std::erase_if(all_, [&](const auto& one) { return one.user == user; });
  }
  void RemoveItem(std::uint32_t item) {
    for (testing::ReferenceSession& one : all_) {
      std::erase(one.items, item);
    }
  }
  std::vector<Items> OfUser(std::uint32_t user) const {
    std::vector<Items> found;
    for (const testing::ReferenceSession& one : all_) {
      if (one.user == user && !one.items.empty()) {
        found.push_back(one.items);
      }
    }
    return found;
  }
  std::vector<Items> Newest(std::uint32_t item, std::size_t count, std::uint32_t user) const {
    std::vector<Items> found;
    for (auto one = all_.rbegin(); one != all_.rend() && found.size() < count; ++one) {
      if (one->user != user && one->Holds(item)) {
        found.push_back(one->items);
      }
    }
    return found;
  }

 private:
  testing::ReferenceSessions all_;
};

TEST(Sessions, AreThoseOfALookThroughEverything) {
  constexpr std::uint32_t kUsers = 12;
  constexpr std::uint32_t kItems = 80;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint32_t end) {
      return static_cast<std::uint32_t>(random() % end);
    };
    Sessions sessions(kAmple);
    Reference reference;
    std::int64_t now_ms = 0;
    for (int step = 0; step < 3'000; ++step) {
      now_ms += below(20) == 0 ? 2 * kDay : below(5'000'000);
      const std::uint32_t user = below(kUsers);
      const std::uint32_t item = below(kItems);
      if (const std::uint32_t what = below(100); what < 90) {
        const std::int64_t time_ms = now_ms - (below(10) == 0 ? kDay + 1 : 0);
        sessions.Add(user, item, time_ms);
        reference.Add(user, item, time_ms);
      } else if (what < 97) {
        sessions.Remove(user, item);
        reference.Remove(user, item);
      } else if (what < 99) {
        sessions.RemoveUser(user);
        reference.RemoveUser(user);
      } else {
        sessions.RemoveItem(item);
        reference.RemoveItem(item);
      }
    }
    for (std::uint32_t user = 0; user < kUsers; ++user) {
      ASSERT_EQ(OfUser(sessions, user), reference.OfUser(user)) << seed;
    }
    for (std::uint32_t item = 0; item < kItems; ++item) {
      ASSERT_EQ(Newest(sessions, item, 50, 3), reference.Newest(item, 50, 3)) << seed;
    }
  }
}

TEST(Sessions, AfterADeletionAreThoseOfWhoNeverSawTheUser) {
  std::mt19937_64 random(7);
  Sessions sessions(kAmple);
  Sessions without(kAmple);
  for (std::int64_t step = 0; step < 20'000; ++step) {
    const auto user = static_cast<std::uint32_t>(random() % 40);
    const auto item = static_cast<std::uint32_t>(random() % 30);
    const std::int64_t time_ms = step * 3'000'000;
    sessions.Add(user, item, time_ms);
    if (user != 5) {
      without.Add(user, item, time_ms);
    }
  }
  EXPECT_NE(sessions.items(), without.items());
  sessions.RemoveUser(5);
  EXPECT_EQ(sessions.items(), without.items());
  EXPECT_EQ(sessions.sessions(), without.sessions());
  EXPECT_EQ(sessions.memory_bytes(), without.memory_bytes());
  for (std::uint32_t item = 0; item < 30; ++item) {
    EXPECT_EQ(Newest(sessions, item, 50), Newest(without, item, 50));
  }
}

}  // namespace
}  // namespace reco::engine
