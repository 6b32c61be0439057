#include "base/sparse_table.h"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

using Entries = std::vector<std::pair<std::uint32_t, int>>;

Entries Between(const SparseTable<int>& table, std::uint32_t begin, std::uint32_t end) {
  Entries entries;
  table.ForEach(begin, end,
                [&](std::uint32_t number, int value) { entries.emplace_back(number, value); });
  return entries;
}

TEST(SparseTable, WhatWasNeverMadeReadsAsTheDefault) {
  SparseTable<int> table;
  EXPECT_EQ(table[0], 0);
  EXPECT_EQ(table[0xffffffffU], 0);
  EXPECT_EQ(table.Find(7), nullptr);
  EXPECT_EQ(table.end(), 0U);
  EXPECT_EQ(table.memory_bytes(), 0U);
  table.Erase(7);
  table.Make(7);
  ASSERT_NE(table.Find(7), nullptr);
  EXPECT_EQ(*table.Find(7), 0);
  EXPECT_EQ(table.Find(6), nullptr);
  EXPECT_GT(table.end(), 7U);
}

TEST(SparseTable, MakeReturnsWhatIsThere) {
  SparseTable<int> table;
  table.Make(40) = 4;
  table.Make(40) += 1;
  EXPECT_EQ(table[40], 5);
  table.Erase(40);
  EXPECT_EQ(table.Make(40), 0);
}

TEST(SparseTable, VisitsARangeInOrder) {
  SparseTable<int> table;
  for (const std::uint32_t number : {64U, 3U, 31U, 32U, 100U}) {
    table.Make(number) = static_cast<int>(number) + 1;
  }
  EXPECT_THAT(Between(table, 0, table.end()),
              ElementsAre(Pair(3, 4), Pair(31, 32), Pair(32, 33), Pair(64, 65), Pair(100, 101)));
  EXPECT_THAT(Between(table, 31, 64), ElementsAre(Pair(31, 32), Pair(32, 33)));
  EXPECT_THAT(Between(table, 4, 31), IsEmpty());
  EXPECT_THAT(Between(table, 1'000, 2'000), IsEmpty());
  table.ForEach(0, 32, [](std::uint32_t, int& value) { value = 0; });
  EXPECT_THAT(Between(table, 0, 40), ElementsAre(Pair(3, 0), Pair(31, 0), Pair(32, 33)));
}

TEST(SparseTable, AgreesWithAMapUnderRandomChanges) {
  SparseTable<std::unique_ptr<int>> table;
  std::map<std::uint32_t, int> expected;
  std::mt19937 random(1);
  for (int step = 0; step < 50'000; ++step) {
    const auto number = static_cast<std::uint32_t>(random() % 300);
    // Fills up, then empties.
    if (random() % 100 < (step < 30'000 ? 60U : 30U)) {
      table.Make(number) = std::make_unique<int>(step);
      expected[number] = step;
    } else {
      table.Erase(number);
      expected.erase(number);
    }
    const auto probe = static_cast<std::uint32_t>(random() % 300);
    const auto found = expected.find(probe);
    ASSERT_EQ(table[probe] != nullptr, found != expected.end());
    if (found != expected.end()) {
      ASSERT_EQ(*table[probe], found->second);
    }
  }
  std::map<std::uint32_t, int> all;
  table.ForEach(0, table.end(), [&](std::uint32_t number, const std::unique_ptr<int>& value) {
    all[number] = *value;
  });
  EXPECT_EQ(all, expected);
}

TEST(SparseTable, AnUnusedNumberTakesHalfAByte) {
  constexpr std::uint32_t kNumbers = 100'000;
  SparseTable<std::uint64_t> table;
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    table.Make(number) = number;
  }
  const std::size_t full = table.memory_bytes();
  EXPECT_GE(full, kNumbers * sizeof(std::uint64_t));
  EXPECT_LE(full, kNumbers * (sizeof(std::uint64_t) + 1));
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    if (number % 2 == 0) {
      table.Erase(number);
    }
  }
  EXPECT_LE(table.memory_bytes(), kNumbers * (sizeof(std::uint64_t) / 2 + 1));
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    table.Erase(number);
  }
  EXPECT_LE(table.memory_bytes(), kNumbers);
  table.Clear();
  EXPECT_EQ(table.memory_bytes(), 0U);
}

}  // namespace
}  // namespace reco
