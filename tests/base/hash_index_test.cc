#include "base/hash_index.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::UnorderedElementsAreArray;

// All handles of a full walk with `count` a call.
std::vector<std::uint32_t> Walk(const HashIndex& index, std::uint64_t count) {
  std::vector<std::uint32_t> handles;
  std::uint64_t cursor = 0;
  do {
    cursor = index.Scan(cursor, count, [&](std::uint32_t handle) { handles.push_back(handle); });
  } while (cursor != 0);
  return handles;
}

std::uint32_t FindExact(const HashIndex& index, std::uint32_t tag, std::uint32_t handle) {
  return index.Find(tag, [handle](std::uint32_t candidate) { return candidate == handle; });
}

TEST(HashIndex, EmptyFindsAndWalksNothing) {
  const HashIndex index;
  EXPECT_EQ(index.size(), 0U);
  EXPECT_EQ(FindExact(index, 7, 7), HashIndex::kNone);
  EXPECT_TRUE(Walk(index, 10).empty());
}

TEST(HashIndex, AgreesWithAMapUnderRandomInsertionsAndErasures) {
  HashIndex index;
  std::map<std::uint32_t, std::uint32_t> tags;  // by handle
  std::mt19937_64 random(1);
  for (std::uint32_t step = 0; step < 60'000; ++step) {
    // Grows, then shrinks.
    const bool insert = random() % 100 < (step < 40'000 ? 70U : 20U) || tags.empty();
    if (insert) {
      // A few leading bits dominate, so that segments split unevenly; many tags collide.
      const auto tag = static_cast<std::uint32_t>(random() % 4 == 0 ? random() : random() % 50'000);
      index.Insert(tag, step);
      tags[step] = tag;
    } else {
      auto victim = tags.lower_bound(static_cast<std::uint32_t>(random() % step));
      victim = victim == tags.end() ? tags.begin() : victim;
      index.Erase(victim->second, victim->first);
      EXPECT_EQ(FindExact(index, victim->second, victim->first), HashIndex::kNone);
      tags.erase(victim);
    }
    ASSERT_EQ(index.size(), tags.size());
  }
  for (const auto& [handle, tag] : tags) {
    ASSERT_EQ(FindExact(index, tag, handle), handle);
  }
  std::vector<std::uint32_t> expected;
  for (const auto& [handle, tag] : tags) {
    expected.push_back(handle);
  }
  EXPECT_THAT(Walk(index, 17), UnorderedElementsAreArray(expected));
}

TEST(HashIndex, WalksInTagOrder) {
  HashIndex index;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> by_tag;
  std::mt19937 random(2);
  for (std::uint32_t handle = 0; handle < 5'000; ++handle) {
    by_tag.emplace_back(random(), handle);
    index.Insert(by_tag.back().first, handle);
  }
  std::sort(by_tag.begin(), by_tag.end());
  std::vector<std::uint32_t> expected;
  for (const auto& [tag, handle] : by_tag) {
    expected.push_back(handle);
  }
  for (const std::uint64_t count : {0, 1, 10, 600, 100'000}) {
    EXPECT_THAT(Walk(index, count), ElementsAreArray(expected)) << count;
  }
}

TEST(HashIndex, HandlesOfOneTagAreVisitedTogether) {
  HashIndex index;
  for (std::uint32_t handle = 0; handle < 5; ++handle) {
    index.Insert(1'000, handle);
  }
  index.Insert(2'000, 5);
  std::vector<std::uint32_t> handles;
  const std::uint64_t cursor =
      index.Scan(0, 1, [&](std::uint32_t handle) { handles.push_back(handle); });
  EXPECT_THAT(handles, testing::UnorderedElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(cursor, 2'000U);
}

TEST(HashIndex, TheFirstAndTheLastTagAreWalked) {
  HashIndex index;
  index.Insert(0xffffffffU, 1);
  index.Insert(0, 0);
  EXPECT_THAT(Walk(index, 1), ElementsAre(0, 1));
}

TEST(HashIndex, AWalkSeesWhatStaysExactlyOnceWhileTheIndexChanges) {
  HashIndex index;
  std::mt19937 random(3);
  std::map<std::uint32_t, std::uint32_t> staying;
  for (std::uint32_t handle = 0; handle < 2'000; ++handle) {
    staying[handle] = random();
    index.Insert(staying[handle], handle);
  }
  std::map<std::uint32_t, int> seen;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> others;
  std::uint64_t cursor = 0;
  std::uint32_t next = 2'000;
  do {
    cursor = index.Scan(cursor, 40, [&](std::uint32_t handle) { ++seen[handle]; });
    for (int i = 0; i < 100; ++i) {
      others.emplace_back(random(), next++);
      index.Insert(others.back().first, others.back().second);
    }
    for (int i = 0; i < 50; ++i) {
      std::swap(others[random() % others.size()], others.back());
      index.Erase(others.back().first, others.back().second);
      others.pop_back();
    }
  } while (cursor != 0);
  for (const auto& [handle, tag] : staying) {
    ASSERT_EQ(seen[handle], 1);
  }
}

TEST(HashIndex, ChosenTagsThatCannotBeSplitStillWork) {
  HashIndex index;
  for (std::uint32_t handle = 0; handle < 3'000; ++handle) {
    index.Insert(0x12345678U, handle);
  }
  EXPECT_EQ(FindExact(index, 0x12345678U, 2'999), 2'999U);
  for (std::uint32_t handle = 0; handle < 3'000; ++handle) {
    index.Erase(0x12345678U, handle);
  }
  EXPECT_EQ(index.size(), 0U);
  EXPECT_EQ(FindExact(index, 0x12345678U, 0), HashIndex::kNone);
}

TEST(HashIndex, GivesMemoryBackAsHandlesGo) {
  HashIndex index;
  const std::size_t empty = index.memory_bytes();
  std::mt19937 random(5);
  std::vector<std::uint32_t> tags(100'000);
  for (std::uint32_t handle = 0; handle < tags.size(); ++handle) {
    tags[handle] = random();
    index.Insert(tags[handle], handle);
  }
  for (std::uint32_t handle = 1'000; handle < tags.size(); ++handle) {
    index.Erase(tags[handle], handle);
  }
  EXPECT_LE(index.memory_bytes(), 1'000U * 100);
  for (std::uint32_t handle = 0; handle < 1'000; ++handle) {
    ASSERT_EQ(FindExact(index, tags[handle], handle), handle);
  }
  EXPECT_EQ(Walk(index, 10).size(), 1'000U);
  for (std::uint32_t handle = 0; handle < 1'000; ++handle) {
    index.Erase(tags[handle], handle);
  }
  EXPECT_LE(index.memory_bytes(), empty + 64);
}

TEST(HashIndex, TakesAtMost24BytesAHandleWhenLarge) {
  HashIndex index;
  std::mt19937 random(4);
  for (std::uint32_t handle = 0; handle < 100'000; ++handle) {
    index.Insert(random(), handle);
  }
  EXPECT_GE(index.memory_bytes(), 100'000U * 8);
  EXPECT_LE(index.memory_bytes(), 100'000U * 24);
  index.Clear();
  EXPECT_LE(index.memory_bytes(), 1'000U);
  EXPECT_TRUE(Walk(index, 1).empty());
}

TEST(HashTag, EveryLengthByteAndSeedMatters) {
  std::set<std::uint32_t> tags;
  std::size_t names = 0;
  for (std::size_t length = 0; length <= 70; ++length) {
    const std::string name(length, '\0');
    tags.insert(HashTag(name, 1));
    tags.insert(HashTag(name, 2));
    names += 2;
    for (std::size_t at = 0; at < length; ++at) {
      std::string changed = name;
      changed[at] = 'x';
      tags.insert(HashTag(changed, 1));
      ++names;
    }
  }
  // 2,627 names: one chance collision is expected in 1,250 such sets.
  EXPECT_EQ(tags.size(), names);
}

TEST(HashTag, SpreadsCountedNamesEvenly) {
  std::vector<int> buckets(64);
  for (int i = 0; i < 64'000; ++i) {
    ++buckets[HashTag("user:" + std::to_string(i), kHashSeed) >> 26U];
  }
  // 1,000 expected in each, standard deviation 31.
  EXPECT_THAT(buckets, Each(testing::AllOf(testing::Gt(850), testing::Lt(1150))));
}

}  // namespace
}  // namespace reco
