#include "engine/state/attribute_table.h"

#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace reco::engine {
namespace {

std::uint64_t JsonBytes(const AttributeTable& table) {
  std::uint64_t bytes = 0;
  for (const auto& [ordinal, attributes] : table) {
    bytes += attributes.json.capacity();
  }
  return bytes;
}

TEST(AttributeTable, HoldsWhatWasPutLastAndKnowsItsSize) {
  AttributeTable table;
  std::map<std::uint32_t, std::string> expected;
  std::mt19937_64 random(11);
  const std::uint64_t none = table.memory_bytes();
  for (int i = 0; i < 5'000; ++i) {
    const auto ordinal = static_cast<std::uint32_t>(random() % 200);
    Attributes attributes = table.Take(ordinal);
    ASSERT_EQ(attributes.json, expected[ordinal]);
    attributes.json = std::string(random() % 3 == 0 ? 0 : random() % 500, 'x');
    expected[ordinal] = attributes.json;
    table.Put(ordinal, std::move(attributes));
    const Attributes* found = table.Find(ordinal);
    ASSERT_EQ(found == nullptr, expected[ordinal].empty());
    ASSERT_GE(table.memory_bytes(), none + JsonBytes(table));
  }
  for (const auto& [ordinal, json] : expected) {
    table.Take(ordinal);
  }
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(JsonBytes(table), 0U);
  const std::uint64_t left = table.memory_bytes();
  table.Put(7, {std::string(10'000, 'x'), false, 0});
  EXPECT_GE(table.memory_bytes(), left + 10'000);
  EXPECT_LT(table.memory_bytes(), left + 10'000 + 200);
}

TEST(AttributeTable, KeepsWhatIsHiddenOrExpiresWithoutJson) {
  AttributeTable table;
  table.Put(1, {"", true, 0});
  table.Put(2, {"", false, 5});
  table.Put(3, {});
  EXPECT_TRUE(table.Find(1)->hidden);
  EXPECT_TRUE(table.Find(2)->ExpiredAt(5));
  EXPECT_FALSE(table.Find(2)->ExpiredAt(4));
  EXPECT_EQ(table.Find(3), nullptr);
}

}  // namespace
}  // namespace reco::engine
