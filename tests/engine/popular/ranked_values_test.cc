#include "engine/popular/ranked_values.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kAcceptAll = [](std::uint32_t) { return true; };
constexpr auto kByOrdinal = [](std::uint32_t a, std::uint32_t b) { return a < b; };
// An order that has nothing to do with the ordinals' own.
constexpr auto kScrambled = [](std::uint32_t a, std::uint32_t b) {
  return a * 2'654'435'761U < b * 2'654'435'761U;
};

TEST(RankedValues, HighestComeFirstAndNegativeOnesAreRanked) {
  RankedValues values;
  values.Set(7, -1);
  values.Set(300, 2.5);
  values.Set(1, 0);
  EXPECT_THAT(values.Top({10, 0, kAcceptAll, kByOrdinal}),
              ElementsAre(RankedValue{300, 2.5}, RankedValue{1, 0}, RankedValue{7, -1}));
  EXPECT_EQ(values.value(300), 2.5);
}

TEST(RankedValues, UnrankedHasNoValueAndNoPlace) {
  RankedValues values;
  values.Set(3, 5);
  values.Set(4, 4);
  values.Unrank(3);
  values.Unrank(100'000);  // never known
  EXPECT_EQ(values.value(3), 0);
  EXPECT_EQ(values.value(2), 0);
  EXPECT_EQ(values.value(100'000), 0);
  EXPECT_THAT(values.Top({10, 0, kAcceptAll, kByOrdinal}), ElementsAre(RankedValue{4, 4}));
}

TEST(RankedValues, OnlyThoseAmongAreRanked) {
  RankedValues values;
  for (std::uint32_t ordinal = 0; ordinal < 1'000; ++ordinal) {
    values.Set(ordinal, ordinal);
  }
  const std::vector<std::uint32_t> among = {5, 700, 40, 5'000};
  EXPECT_THAT(values.Top({2, 0, kAcceptAll, kByOrdinal, among}),
              ElementsAre(RankedValue{700, 700}, RankedValue{40, 40}));
  EXPECT_THAT(values.Top({2, 0, kAcceptAll, kByOrdinal, std::vector<std::uint32_t>()}), IsEmpty());
}

TEST(RankedValues, ScalingKeepsTheOrderAndTheUnranked) {
  RankedValues values;
  values.Set(3, -2);
  values.Set(300, 8);
  values.Set(301, 4);
  values.Unrank(300);
  values.Scale(0.25);
  EXPECT_THAT(values.Top({10, 0, kAcceptAll, kByOrdinal}),
              ElementsAre(RankedValue{301, 1}, RankedValue{3, -0.5}));
}

TEST(RankedValues, PagesAreThoseOfASortUnderRandomChanges) {
  RankedValues values;
  std::map<std::uint32_t, double> expected;
  std::mt19937 random(9);
  for (int step = 0; step < 6'000; ++step) {
    const std::uint32_t ordinal = random() % 2'000;
    if (random() % 4 == 0) {
      values.Unrank(ordinal);
      expected.erase(ordinal);
    } else {
      expected[ordinal] = static_cast<double>(random() % 50) - 25;  // ties abound
      values.Set(ordinal, expected[ordinal]);
    }
    if (step % 100 != 0) {
      continue;
    }
    std::vector<RankedValue> sorted;
    for (const auto& [known, value] : expected) {
      if (known % 3 != 0) {
        sorted.push_back({known, value});
      }
    }
    std::sort(sorted.begin(), sorted.end(), [](const RankedValue& a, const RankedValue& b) {
      return a.value != b.value ? a.value > b.value : kScrambled(a.ordinal, b.ordinal);
    });
    const std::size_t offset = std::min<std::size_t>(random() % 40, sorted.size());
    const std::size_t count = std::min<std::size_t>(random() % 200, sorted.size() - offset);
    const auto accept = [](std::uint32_t known) { return known % 3 != 0; };
    const auto begin = sorted.begin() + static_cast<std::ptrdiff_t>(offset);
    ASSERT_EQ(values.Top({count, offset, accept, kScrambled}),
              std::vector<RankedValue>(begin, begin + static_cast<std::ptrdiff_t>(count)))
        << step;
  }
}

}  // namespace
}  // namespace reco::engine
