#include "engine/state/dictionary.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reco/types.h"

namespace reco::engine {
namespace {

using testing::ElementsAre;
using testing::Pair;

using Entries = std::vector<std::pair<std::uint32_t, std::string>>;

Entries ScanAll(const Dictionary& dictionary, std::uint64_t count) {
  Entries entries;
  std::uint64_t cursor = 0;
  do {
    cursor = dictionary.Scan(cursor, count, [&](std::uint32_t ordinal, std::string_view id) {
      entries.emplace_back(ordinal, id);
    });
  } while (cursor != 0);
  return entries;
}

TEST(Dictionary, OrdinalsAreDenseInTheOrderOfAdding) {
  Dictionary dictionary;
  EXPECT_EQ(dictionary.Find("ann"), std::nullopt);
  EXPECT_EQ(dictionary.Add("ann"), 0U);
  EXPECT_EQ(dictionary.Add("bob"), 1U);
  EXPECT_EQ(dictionary.Find("ann"), 0U);
  EXPECT_EQ(dictionary.Find("bob"), 1U);
  EXPECT_EQ(dictionary.id(1), "bob");
  EXPECT_EQ(dictionary.size(), 2U);
  EXPECT_EQ(dictionary.end(), 2U);
}

TEST(Dictionary, UnknownOrdinalsHaveNoId) {
  Dictionary dictionary;
  EXPECT_EQ(dictionary.id(0), "");
  EXPECT_EQ(dictionary.id(0xffffffffU), "");
}

TEST(Dictionary, IdsAreAnyBytes) {
  Dictionary dictionary;
  const std::string zeros(3, '\0');
  const std::string longest(kIdBytesMax, '\xff');
  dictionary.Add(zeros);
  dictionary.Add(std::string(2, '\0'));
  dictionary.Add(longest);
  EXPECT_EQ(dictionary.Find(zeros), 0U);
  EXPECT_EQ(dictionary.Find(longest), 2U);
  EXPECT_EQ(dictionary.id(2), longest);
}

TEST(Dictionary, AnErasedOrdinalIsNotReused) {
  Dictionary dictionary;
  dictionary.Add("ann");
  dictionary.Add("bob");
  dictionary.Erase(0);
  EXPECT_EQ(dictionary.id(0), "");
  EXPECT_EQ(dictionary.Find("ann"), std::nullopt);
  EXPECT_EQ(dictionary.size(), 1U);
  EXPECT_EQ(dictionary.Add("ann"), 2U);
  EXPECT_EQ(dictionary.Find("ann"), 2U);
  EXPECT_EQ(dictionary.end(), 3U);
}

TEST(Dictionary, AnErasedIdLeavesNoBytesBehind) {
  Dictionary dictionary;
  dictionary.Add("ann");
  const std::string_view view = dictionary.id(0);
  dictionary.Erase(0);
  // The arena still owns the place.
  EXPECT_EQ(view, std::string_view("\0\0\0", 3));
}

TEST(Dictionary, RestoresInAnyOrderWithHoles) {
  Dictionary dictionary;
  EXPECT_TRUE(dictionary.Restore(2'000, "late"));
  EXPECT_TRUE(dictionary.Restore(5, "early"));
  dictionary.Reserve(3'000);
  EXPECT_EQ(dictionary.id(5), "early");
  EXPECT_EQ(dictionary.id(6), "");
  EXPECT_EQ(dictionary.size(), 2U);
  EXPECT_EQ(dictionary.Add("new"), 3'000U);
  dictionary.Reserve(10);
  EXPECT_EQ(dictionary.end(), 3'001U);
}

TEST(Dictionary, ContradictingRowsAreRefused) {
  Dictionary dictionary;
  ASSERT_TRUE(dictionary.Restore(1, "ann"));
  EXPECT_FALSE(dictionary.Restore(1, "bob"));
  EXPECT_FALSE(dictionary.Restore(2, "ann"));
  EXPECT_FALSE(dictionary.Restore(3, ""));
  EXPECT_FALSE(dictionary.Restore(3, std::string(kIdBytesMax + 1, 'x')));
  EXPECT_FALSE(dictionary.Restore(Dictionary::kOrdinalsMax, "carl"));
  EXPECT_EQ(dictionary.size(), 1U);
  EXPECT_EQ(dictionary.end(), 2U);
  EXPECT_EQ(dictionary.id(1), "ann");
}

TEST(Dictionary, BeforeComparesBytesUnsigned) {
  Dictionary dictionary;
  dictionary.Add("b");
  dictionary.Add("a");
  dictionary.Add("\xc3\xa9");
  dictionary.Add("aa");
  EXPECT_TRUE(dictionary.Before(1, 0));
  EXPECT_FALSE(dictionary.Before(0, 1));
  EXPECT_TRUE(dictionary.Before(0, 2));
  EXPECT_TRUE(dictionary.Before(1, 3));
  EXPECT_FALSE(dictionary.Before(0, 0));
}

TEST(Dictionary, ScansLiveIdsByOrdinal) {
  Dictionary dictionary;
  for (const char* id : {"a", "b", "c", "d"}) {
    dictionary.Add(id);
  }
  dictionary.Erase(1);
  for (const std::uint64_t count : {0, 1, 2, 3, 100}) {
    EXPECT_THAT(ScanAll(dictionary, count), ElementsAre(Pair(0, "a"), Pair(2, "c"), Pair(3, "d")))
        << count;
  }
  const auto ignore = [](std::uint32_t, std::string_view) {};
  EXPECT_EQ(dictionary.Scan(0, 2, ignore), 2U);
  EXPECT_EQ(dictionary.Scan(2, 2, ignore), 0U);
  EXPECT_EQ(dictionary.Scan(0, ~0ULL, ignore), 0U);
  EXPECT_EQ(dictionary.Scan(~0ULL, 10, ignore), 0U);
}

TEST(Dictionary, AgreesWithAMapUnderRandomChanges) {
  Dictionary dictionary;
  std::map<std::string, std::uint32_t> ordinals;
  std::vector<std::string> ids;  // by ordinal, empty when erased
  std::mt19937 random(5);
  for (int step = 0; step < 40'000; ++step) {
    // Few distinct ids, so that they are erased and added again.
    const std::string id = std::string(random() % 40, 'x') + std::to_string(random() % 500);
    const auto known = ordinals.find(id);
    const std::string_view fetched[] = {id, "never added"};
    dictionary.Prefetch(fetched);  // changes nothing
    ASSERT_EQ(dictionary.Find(id),
              known == ordinals.end() ? std::nullopt : std::optional(known->second));
    if (known == ordinals.end()) {
      ordinals[id] = dictionary.Add(id);
      ASSERT_EQ(ordinals[id], ids.size());
      ids.push_back(id);
    } else if (random() % 2 == 0) {
      ids[known->second].clear();
      dictionary.Erase(known->second);
      ordinals.erase(known);
    }
  }
  ASSERT_EQ(dictionary.size(), ordinals.size());
  Entries expected;
  for (std::uint32_t ordinal = 0; ordinal < ids.size(); ++ordinal) {
    ASSERT_EQ(dictionary.id(ordinal), ids[ordinal]);
    if (!ids[ordinal].empty()) {
      expected.emplace_back(ordinal, ids[ordinal]);
    }
  }
  EXPECT_EQ(ScanAll(dictionary, 100), expected);
}

TEST(Dictionary, ViewsStayValidWhileOthersCome) {
  Dictionary dictionary;
  dictionary.Add("first");
  const std::string_view first = dictionary.id(0);
  for (int i = 0; i < 10'000; ++i) {
    dictionary.Add("id" + std::to_string(i));
  }
  EXPECT_EQ(first, "first");
  EXPECT_EQ(dictionary.id(0).data(), first.data());
}

TEST(Dictionary, IdsStayWhileMostOfTheOthersGo) {
  Dictionary dictionary;
  constexpr std::uint32_t kIds = 20'000;
  const auto name = [](std::uint32_t i) {
    // Zeros as well, which are what an erased id leaves.
    return i % 100 == 7 ? std::string(i / 100 + 1, '\0') : "user-" + std::to_string(i);
  };
  for (std::uint32_t i = 0; i < kIds; ++i) {
    dictionary.Add(name(i));
  }
  const auto stays = [](std::uint32_t i) { return i % 10 == 7; };
  for (std::uint32_t i = 0; i < kIds; ++i) {
    if (!stays(i)) {
      dictionary.Erase(i);
    }
  }
  for (std::uint32_t i = 0; i < kIds; ++i) {
    ASSERT_EQ(dictionary.id(i), stays(i) ? name(i) : "") << i;
    ASSERT_EQ(dictionary.Find(name(i)), stays(i) ? std::optional(i) : std::nullopt) << i;
  }
}

TEST(Dictionary, AHoleTakesAByte) {
  constexpr std::uint32_t kIds = 200'000;
  Dictionary dictionary;
  for (std::uint32_t i = 0; i < kIds; ++i) {
    dictionary.Add("user-" + std::to_string(i));
  }
  const std::size_t full = dictionary.memory_bytes();
  std::mt19937 random(6);
  std::vector<std::uint32_t> order(kIds);
  std::iota(order.begin(), order.end(), 0U);
  std::shuffle(order.begin(), order.end(), random);
  for (std::uint32_t i = 0; i < kIds / 2; ++i) {
    dictionary.Erase(order[i]);
  }
  // Blocks of which half is left, and an index that is half as full.
  EXPECT_LE(dictionary.memory_bytes(), full * 9 / 10);
  for (std::uint32_t i = kIds / 2; i < kIds; ++i) {
    dictionary.Erase(order[i]);
  }
  EXPECT_LE(dictionary.memory_bytes(), kIds + 20'000U);
}

TEST(Dictionary, AccountsForItsMemory) {
  Dictionary dictionary;
  EXPECT_LE(dictionary.memory_bytes(), 1'000U);
  constexpr std::size_t kIds = 50'000;
  std::size_t id_bytes = 0;
  for (std::size_t i = 0; i < kIds; ++i) {
    const std::string id = "user-" + std::to_string(1'000'000 + i);
    id_bytes += id.size();
    dictionary.Add(id);
  }
  EXPECT_GE(dictionary.memory_bytes(), id_bytes + kIds * (2 + 8 + 8));
  EXPECT_LE(dictionary.memory_bytes(), id_bytes + kIds * (2 + 8 + 24) + 128 * 1024);
}

}  // namespace
}  // namespace reco::engine
