#include "engine/neighbours/pair_counts.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/neighbours/sessions.h"

namespace reco::engine {
namespace {

using Items = std::vector<std::uint32_t>;
// Counts by pair in both directions, and places by item.
struct Contents {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> pairs;
  std::map<std::uint32_t, std::uint32_t> places;
  bool operator==(const Contents&) const = default;
};

constexpr std::uint32_t kItemsEnd = 10'000;

Contents ContentsOf(const PairCounts& counts) {
  Contents contents;
  for (std::uint32_t item = 0; item < kItemsEnd; ++item) {
    counts.row(item).ForEach([&](std::uint32_t other, std::uint32_t count) {
      contents.pairs[{item, other}] = count;
      EXPECT_EQ(counts.row(item).Of(other), count);
    });
    if (counts.places(item) > 0) {
      contents.places[item] = counts.places(item);
    }
  }
  EXPECT_EQ(counts.pairs() * 2, contents.pairs.size());
  return contents;
}

// The definition, pair by pair.
Contents Recount(const std::vector<Items>& histories) {
  Contents contents;
  for (const Items& items : histories) {
    for (std::size_t a = 0; a < items.size(); ++a) {
      ++contents.places[items[a]];
      for (std::size_t b = 0; b < items.size(); ++b) {
        const std::size_t distance = a > b ? a - b : b - a;
        if (items[a] != items[b] && distance <= 20) {
          const double share = std::pow(0.95, static_cast<double>(distance) - 1);
          contents.pairs[{items[a], items[b]}] +=
              static_cast<std::uint32_t>(std::lround(256 * share));
        }
      }
    }
  }
  return contents;
}

std::vector<Items> HistoriesOf(const Sessions& sessions, std::uint32_t users) {
  std::vector<Items> histories(users);
  for (std::uint32_t user = 0; user < users; ++user) {
    for (const Sessions::Session& session : sessions.OfUser(user)) {
      histories[user].insert(histories[user].end(), session.items.begin(), session.items.end());
    }
  }
  return histories;
}

TEST(PairCounts, APlaceCountsWithThoseBeforeItByDistance) {
  PairCounts counts;
  counts.PutIn(7, {}, {});
  counts.PutIn(8, Items{7}, {});
  counts.PutIn(9, Items{8, 7}, {});
  EXPECT_EQ(counts.row(7).Of(8), 256);
  EXPECT_EQ(counts.row(8).Of(9), 256);
  EXPECT_EQ(counts.row(7).Of(9), 243);
  EXPECT_EQ(counts.row(9).Of(7), 243);
  EXPECT_EQ(counts.row(9).Of(9), 0);
  EXPECT_EQ(counts.places(9), 1);
  EXPECT_EQ(counts.places(10), 0);
  EXPECT_EQ(counts.pairs(), 3);
}

TEST(PairCounts, NothingCountsBeyondTheWindow) {
  PairCounts counts;
  Items before;
  for (std::uint32_t item = 1; item <= 30; ++item) {
    before.push_back(item);
  }
  counts.PutIn(0, before, {});
  EXPECT_EQ(counts.row(0).Of(20), std::lround(256 * std::pow(0.95, 19)));
  EXPECT_EQ(counts.row(0).Of(21), 0);
}

TEST(PairCounts, EqualItemsAreNoPair) {
  PairCounts counts;
  counts.PutIn(7, Items{8, 7}, {});
  EXPECT_EQ(counts.row(7).size(), 1);
}

TEST(PairCounts, AHistoryClosesWhereAPlaceIsTakenOut) {
  PairCounts counts;
  counts.PutIn(1, {}, {});
  counts.PutIn(2, Items{1}, {});
  counts.PutIn(3, Items{2, 1}, {});
  counts.TakeOut(2, Items{1}, Items{3});
  EXPECT_EQ(ContentsOf(counts), Recount({{1, 3}}));
  counts.PutIn(2, Items{1}, Items{3});
  EXPECT_EQ(ContentsOf(counts), Recount({{1, 2, 3}}));
}

TEST(PairCounts, PlacesMayComeAndGoAnywhere) {
  std::mt19937 random(5);
  PairCounts counts;
  Items history;
  for (int step = 0; step < 3'000; ++step) {
    const bool put_in = history.empty() || random() % 100 < (step < 2'000 ? 55 : 30);
    const std::size_t place = random() % (history.size() + (put_in ? 1 : 0));
    const Items before(history.rend() - static_cast<std::ptrdiff_t>(place), history.rend());
    const auto at = history.begin() + static_cast<std::ptrdiff_t>(place);
    if (put_in) {
      const std::uint32_t item = random() % 60;
      counts.PutIn(item, before, Items(at, history.end()));
      history.insert(at, item);
    } else {
      counts.TakeOut(*at, before, Items(at + 1, history.end()));
      history.erase(at);
    }
    if (step % 100 == 0) {
      ASSERT_EQ(ContentsOf(counts), Recount({history})) << step;
    }
  }
}

// Rows grow and shrink past many sizes, and find every counter at each.
TEST(PairCounts, ALongRowIsWhatWasPutIn) {
  std::mt19937 random(6);
  PairCounts counts;
  Items others;
  for (std::uint32_t other = 1; other < 3'000; ++other) {
    others.push_back(other * 3);
  }
  std::shuffle(others.begin(), others.end(), random);
  for (const std::uint32_t other : others) {
    counts.PutIn(0, Items{other}, {});
  }
  EXPECT_EQ(counts.row(0).size(), others.size());
  const std::uint64_t full = counts.memory_bytes();
  std::shuffle(others.begin(), others.end(), random);
  while (!others.empty()) {
    EXPECT_EQ(counts.row(0).Of(others.back()), 256);
    counts.TakeOut(0, Items{others.back()}, {});
    EXPECT_EQ(counts.row(0).Of(others.back()), 0);
    others.pop_back();
    EXPECT_EQ(counts.row(0).size(), others.size());
  }
  EXPECT_GT(full, 0);
  EXPECT_EQ(counts.memory_bytes(), 0);
  EXPECT_EQ(ContentsOf(counts), Contents());
}

TEST(PairCounts, ACounterIsOverfullAboveHalfOfWhatItHolds) {
  PairCounts counts;
  const Items before(20, 1);
  std::uint64_t units = 0;
  while (units <= 1ULL << 31U) {
    EXPECT_FALSE(counts.overfull());
    counts.PutIn(0, before, {});
    units = counts.row(0).Of(1);
  }
  EXPECT_TRUE(counts.overfull());
  counts.TakeOut(0, before, {});
  EXPECT_FALSE(counts.overfull());
}

TEST(PairCounts, SessionsGoWhileACounterIsOverfull) {
  PairCounts counts;
  const Items before(20, 1);
  while (!counts.overfull()) {
    counts.PutIn(0, before, {});
  }
  counts.TakeOut(0, before, {});
  Sessions sessions(1'000'000, &counts);
  std::int64_t time_ms = 0;
  for (int i = 0; i < 1'000; ++i, time_ms += 2 * Sessions::kGapMs) {
    sessions.Add(3, i % 2 == 0 ? 0 : 1, time_ms);
    EXPECT_FALSE(counts.overfull());
  }
  EXPECT_GT(sessions.let_go(), 0);
}

// What the sessions hold in the end is all that counts, whatever was added, removed and let go.
TEST(PairCounts, AreThoseOfTheKeptSessionsRecounted) {
  constexpr std::uint32_t kUsers = 12;
  constexpr std::uint32_t kItems = 90;
  std::uint64_t let_go = 0;
  for (const std::uint64_t bytes_max : {std::uint64_t{60'000}, std::uint64_t{10'000'000}}) {
    std::mt19937 random(7);
    PairCounts counts;
    Sessions sessions(bytes_max, &counts);
    std::int64_t time_ms = 0;
    for (int step = 0; step < 6'000; ++step) {
      const std::uint32_t user = random() % kUsers;
      // The lower ones are the more popular.
      const std::uint32_t item = random() % (1 + random() % kItems);
      const std::uint32_t what = random() % 1'000;
      if (what < 950) {
        time_ms += random() % (Sessions::kGapMs / 300);
        const std::int64_t late_ms = what < 10 ? 3 * Sessions::kGapMs : 0;
        sessions.Add(user, item, time_ms - late_ms);
        ASSERT_LE(sessions.memory_bytes(), bytes_max);
      } else if (what < 990) {
        sessions.Remove(user, item);
      } else if (what < 995) {
        sessions.RemoveItem(item);
      } else {
        sessions.RemoveUser(user);
      }
      if (step % 50 == 0) {
        ASSERT_EQ(ContentsOf(counts), Recount(HistoriesOf(sessions, kUsers))) << step;
      }
    }
    let_go += sessions.let_go();
    for (std::uint32_t user = 0; user < kUsers; ++user) {
      sessions.RemoveUser(user);
    }
    EXPECT_EQ(ContentsOf(counts), Contents());
    EXPECT_EQ(sessions.memory_bytes(), 0);
  }
  EXPECT_GT(let_go, 0);
}

}  // namespace
}  // namespace reco::engine
