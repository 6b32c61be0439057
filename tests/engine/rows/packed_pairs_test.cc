// Packed pairs against an ordered map of the same pairs.
#include "engine/rows/packed_pairs.h"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using Reference = std::map<std::uint32_t, format::Pair>;

std::vector<RowPair> Contents(const PackedPairs& pairs) {
  std::vector<RowPair> contents;
  pairs.AppendTo(&contents);
  return contents;
}

std::vector<RowPair> Contents(const Reference& pairs) {
  std::vector<RowPair> contents;
  for (const auto& [other, pair] : pairs) {
    contents.push_back({other, pair});
  }
  return contents;
}

constexpr std::int64_t kTime = 1'700'000'000'123;

TEST(PackedPairs, BringBackEveryFieldAtItsEnds) {
  constexpr auto kHigh = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLow = std::numeric_limits<std::int64_t>::min();
  Reference reference;
  std::uint32_t other = 0;
  for (const float weight : {1.0F, 0.0F, -1.0F, 1e6F, 1e-30F}) {
    for (const std::uint32_t count : {1U, 2U, 0xffffffffU}) {
      for (const std::uint16_t type : {0, 3, 0xffff}) {
        for (const std::int64_t last : {std::int64_t{0}, kTime, (std::int64_t{1} << 48) - 1,
                                        std::int64_t{1} << 48, kHigh, std::int64_t{-1}, kLow}) {
          for (const std::int64_t first : {last, std::int64_t{0}, kHigh}) {
            reference[other] = {weight, count, first, last, type};
            other = other * 5 / 4 + 1;  // distances of one to four bytes
          }
        }
      }
    }
    other += 1U << 25U;
  }
  reference[0xffffffff] = {.weight = 2, .count = 1};
  PackedPairs pairs;
  pairs.Assign(Contents(reference));
  EXPECT_EQ(Contents(pairs), Contents(reference));
  EXPECT_EQ(pairs.size(), reference.size());
  for (const auto& [key, pair] : reference) {
    ASSERT_EQ(pairs.Find(key), pair);
  }
}

TEST(PackedPairs, FollowRandomChanges) {
  std::mt19937 random(5);
  Reference reference;
  PackedPairs pairs;
  for (int step = 0; step < 20'000; ++step) {
    // Some near each other, some far apart.
    const std::uint32_t other = random() % 2 == 0 ? random() % 50 : random() % 1'000 * 70'001;
    if (random() % 5 < 3) {
      const std::int64_t last = kTime + static_cast<std::int64_t>(random() % 1'000'000);
      const bool more = random() % 3 == 0;
      const format::Pair pair = {
          .weight = random() % 2 == 0 ? 1.0F : static_cast<float>(random() % 100) / 7,
          .count = more ? static_cast<std::uint32_t>(2 + random() % 5) : 1U,
          .first_ms = more ? last - static_cast<std::int64_t>(random() % 1'000) : last,
          .last_ms = last,
          .last_type = static_cast<std::uint16_t>(random() % 4 == 0 ? random() % 3 : 0xffff)};
      pairs.Put(other, pair);
      reference[other] = pair;
    } else {
      ASSERT_EQ(pairs.Erase(other), reference.erase(other) == 1);
    }
    ASSERT_EQ(pairs.size(), reference.size());
    const auto found = reference.find(other);
    ASSERT_EQ(pairs.Find(other),
              found != reference.end() ? std::optional(found->second) : std::nullopt);
    if (step % 50 == 0) {
      ASSERT_EQ(Contents(pairs), Contents(reference));
    }
    if (step % 5'000 == 4'999) {
      pairs.Clear();
      reference.clear();
      ASSERT_TRUE(pairs.empty());
      ASSERT_EQ(pairs.memory_bytes(), 0U);
    }
  }
}

TEST(PackedPairs, AReaderGoesOnBehindWhatItSkips) {
  PackedPairs pairs;
  for (const std::uint32_t other : {3U, 7U, 900U, 70'000U}) {
    pairs.Put(other, {.weight = static_cast<float>(other), .count = 1});
  }
  PackedPairs::Reader reader(pairs);
  RowPair pair;
  reader.SkipTo(7);
  ASSERT_TRUE(reader.Next(&pair));
  EXPECT_EQ(pair.other, 7U);
  reader.SkipTo(8);
  ASSERT_TRUE(reader.Next(&pair));
  EXPECT_EQ(pair.other, 900U);
  EXPECT_EQ(pair.pair.weight, 900.0F);
  reader.SkipTo(70'001);
  EXPECT_FALSE(reader.Next(&pair));
}

TEST(PackedPairs, TakeLittleRoom) {
  PackedPairs pairs;
  for (std::uint32_t i = 0; i < 10; ++i) {
    pairs.Put(10'000 * i, {.weight = 2.5F, .count = 1, .first_ms = kTime, .last_ms = kTime});
  }
  EXPECT_LE(pairs.memory_bytes(), 150U);
}

}  // namespace
}  // namespace reco::engine
