#include "engine/popular/popularity.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using PopularItem = RankedValue;

struct PopularityQuery {
  PopularBy by = PopularBy::kUsers;
  std::size_t count = 10;
  std::size_t offset = 0;
  FunctionRef<bool(std::uint32_t)> accept;
  FunctionRef<bool(std::uint32_t, std::uint32_t)> before;

  PageQuery page() const { return {count, offset, accept, before}; }
};

std::vector<PopularItem> Top(const Popularity& popularity, const PopularityQuery& query) {
  return popularity.by(query.by).Top(query.page());
}

std::vector<PopularItem> TopOf(const Popularity& popularity,
                               const std::vector<std::uint32_t>& candidates,
                               const PopularityQuery& query) {
  PageQuery page = query.page();
  page.among = candidates;
  return popularity.by(query.by).Top(page);
}

struct Counts {
  std::uint64_t users = 0;
  double weight = 0;
  std::uint64_t events = 0;
};

double ValueOf(const Counts& counts, PopularBy by) {
  switch (by) {
    case PopularBy::kUsers:
      return static_cast<double>(counts.users);
    case PopularBy::kWeight:
      return counts.weight;
    case PopularBy::kEvents:
      return static_cast<double>(counts.events);
  }
  return 0;
}

// The order of ids is not that of ordinals.
std::uint32_t IdOf(std::uint32_t item) {
  return item * 2'654'435'761U;
}

constexpr auto kAcceptAll = [](std::uint32_t) { return true; };
constexpr auto kBefore = [](std::uint32_t a, std::uint32_t b) { return IdOf(a) < IdOf(b); };
constexpr auto kByOrdinal = [](std::uint32_t a, std::uint32_t b) { return a < b; };

PopularityQuery Query(PopularBy by, std::size_t count, std::size_t offset = 0) {
  return {.by = by, .count = count, .offset = offset, .accept = kAcceptAll, .before = kByOrdinal};
}

// Sorts everything.
template <typename Accept>
std::vector<PopularItem> Reference(const std::map<std::uint32_t, Counts>& all, PopularBy by,
                                   std::size_t count, std::size_t offset, Accept accept) {
  std::vector<PopularItem> ranked;
  for (const auto& [item, counts] : all) {
    if (counts.users > 0 && accept(item)) {
      ranked.push_back({item, ValueOf(counts, by)});
    }
  }
  std::sort(ranked.begin(), ranked.end(), [](const PopularItem& a, const PopularItem& b) {
    return a.value != b.value ? a.value > b.value : kBefore(a.ordinal, b.ordinal);
  });
  ranked.erase(ranked.begin(),
               ranked.begin() + static_cast<std::ptrdiff_t>(std::min(offset, ranked.size())));
  ranked.resize(std::min(count, ranked.size()));
  return ranked;
}

TEST(Popularity, EmptyHasNoRanking) {
  const Popularity popularity;
  EXPECT_THAT(Top(popularity, Query(PopularBy::kUsers, 10)), IsEmpty());
  EXPECT_THAT(TopOf(popularity, std::vector<std::uint32_t>{1, 2}, Query(PopularBy::kUsers, 10)),
              IsEmpty());
  EXPECT_EQ(popularity.by(PopularBy::kEvents).value(3), 0);
}

TEST(Popularity, EachMeasureHasItsOwnOrder) {
  Popularity popularity;
  popularity.Update(0, 3, 1.0, 20);
  popularity.Update(1, 2, 5.0, 10);
  popularity.Update(2, 1, 2.5, 30);
  EXPECT_THAT(Top(popularity, Query(PopularBy::kUsers, 10)),
              ElementsAre(PopularItem{0, 3}, PopularItem{1, 2}, PopularItem{2, 1}));
  EXPECT_THAT(Top(popularity, Query(PopularBy::kWeight, 10)),
              ElementsAre(PopularItem{1, 5}, PopularItem{2, 2.5}, PopularItem{0, 1}));
  EXPECT_THAT(Top(popularity, Query(PopularBy::kEvents, 10)),
              ElementsAre(PopularItem{2, 30}, PopularItem{0, 20}, PopularItem{1, 10}));
  EXPECT_EQ(popularity.by(PopularBy::kWeight).value(2), 2.5);
}

TEST(Popularity, AnItemWithoutUsersIsNotRanked) {
  Popularity popularity;
  popularity.Update(0, 1, -4.0, 2);
  popularity.Update(1, 0, 0.0, 9);
  EXPECT_THAT(Top(popularity, Query(PopularBy::kWeight, 10)), ElementsAre(PopularItem{0, -4}));
  EXPECT_THAT(Top(popularity, Query(PopularBy::kEvents, 10)), ElementsAre(PopularItem{0, 2}));
  EXPECT_EQ(popularity.by(PopularBy::kEvents).value(1), 0);
  popularity.Update(0, 0, 0.0, 2);
  EXPECT_THAT(Top(popularity, Query(PopularBy::kUsers, 10)), IsEmpty());
}

TEST(Popularity, EqualValuesAreOrderedByTheGivenOrder) {
  Popularity popularity;
  for (std::uint32_t item = 0; item < 1'000; ++item) {
    popularity.Update(item, 7, 1, 1);
  }
  PopularityQuery query = Query(PopularBy::kUsers, 3, 2);
  const auto backwards = [](std::uint32_t a, std::uint32_t b) { return a > b; };
  query.before = backwards;
  EXPECT_THAT(Top(popularity, query),
              ElementsAre(PopularItem{997, 7}, PopularItem{996, 7}, PopularItem{995, 7}));
}

TEST(Popularity, PagesBehindTheEndAndOfNothingAreEmpty) {
  Popularity popularity;
  popularity.Update(4, 1, 1, 1);
  EXPECT_THAT(Top(popularity, Query(PopularBy::kUsers, 10, 1)), IsEmpty());
  EXPECT_THAT(Top(popularity, Query(PopularBy::kUsers, 0)), IsEmpty());
  EXPECT_THAT(Top(popularity, Query(PopularBy::kUsers, ~std::size_t{0}, ~std::size_t{0})),
              IsEmpty());
}

TEST(Popularity, AFallFromTheTopIsSeen) {
  Popularity popularity;
  for (std::uint32_t item = 0; item < 1'000; ++item) {
    popularity.Update(item, item + 1, 1, 1);
  }
  popularity.Update(999, 1, 1, 1);
  EXPECT_THAT(Top(popularity, Query(PopularBy::kUsers, 2)),
              ElementsAre(PopularItem{998, 999}, PopularItem{997, 998}));
}

TEST(Popularity, ClearForgetsAll) {
  Popularity popularity;
  popularity.Update(300, 1, 1, 1);
  EXPECT_GT(popularity.memory_bytes(), 3 * sizeof(double));
  popularity.Clear();
  EXPECT_THAT(Top(popularity, Query(PopularBy::kUsers, 10)), IsEmpty());
  EXPECT_EQ(popularity.memory_bytes(), 0U);
}

TEST(Popularity, AsksOnlyForItemsThatAreGoodEnough) {
  Popularity popularity;
  for (std::uint32_t item = 0; item < 100'000; ++item) {
    popularity.Update(item, item + 1, 1, 1);
  }
  std::size_t asked = 0;
  const auto accept = [&asked](std::uint32_t) {
    ++asked;
    return true;
  };
  PopularityQuery query = Query(PopularBy::kUsers, 10);
  query.accept = accept;
  Top(popularity, query);
  EXPECT_LE(asked, 1'000U);
}

TEST(Popularity, AgreesWithASortUnderRandomUpdates) {
  Popularity popularity;
  std::map<std::uint32_t, Counts> all;
  std::mt19937 random(6);
  constexpr std::uint32_t kItems = 3'000;
  constexpr PopularBy kMeasures[] = {PopularBy::kUsers, PopularBy::kWeight, PopularBy::kEvents};
  for (int step = 0; step < 30'000; ++step) {
    // Squared, so that some items are much more popular; small numbers, so that ties abound.
    const auto item =
        static_cast<std::uint32_t>(std::uint64_t{random() % kItems} * (random() % kItems) / kItems);
    Counts& counts = all[item];
    if (random() % 10 == 0) {
      counts = {};
    } else if (random() % 5 == 0 && counts.users > 0) {
      --counts.users;
      counts.weight -= 0.5;
    } else {
      ++counts.users;
      counts.events += random() % 3;
      counts.weight += static_cast<double>(random() % 7) - 2;
    }
    popularity.Update(item, counts.users, counts.weight, counts.events);
    if (step % 300 != 0) {
      continue;
    }
    const std::size_t count = random() % (step % 900 == 0 ? 2'000 : 30);
    const std::size_t offset = random() % 3 == 0 ? random() % 500 : 0;
    const std::uint32_t modulus = 1 + random() % 4;
    const auto accept = [modulus](std::uint32_t i) { return i % modulus == 0; };
    const PopularBy by = kMeasures[random() % 3];
    const PopularityQuery query{
        .by = by, .count = count, .offset = offset, .accept = accept, .before = kBefore};
    ASSERT_EQ(Top(popularity, query), Reference(all, by, count, offset, accept)) << step;

    std::vector<std::uint32_t> candidates;
    for (std::uint32_t i = 0; i < kItems + 500; i += 1 + random() % 5) {
      candidates.push_back(i);
    }
    const auto among = [&](std::uint32_t i) {
      return accept(i) && std::binary_search(candidates.begin(), candidates.end(), i);
    };
    ASSERT_EQ(TopOf(popularity, candidates, query), Reference(all, by, count, offset, among))
        << step;
  }
}

}  // namespace
}  // namespace reco::engine
