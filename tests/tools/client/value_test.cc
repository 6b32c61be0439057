#include "tools/client/value.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace reco::client {
namespace {

using Kind = Value::Kind;

Value Bulk(const std::string& text) {
  return {Kind::kBulk, 0, text, {}};
}
Value Integer(std::int64_t number) {
  return {Kind::kInteger, number, {}, {}};
}
Value List(std::vector<Value> elements) {
  return {Kind::kArray, 0, {}, std::move(elements)};
}

TEST(Value, FindsNamesAndNotTheirValues) {
  const Value map = List({Bulk("a"), Bulk("b"), Bulk("b"), Integer(2), Bulk("cut off")});
  ASSERT_NE(map.Find("a"), nullptr);
  EXPECT_EQ(map.Find("a")->text, "b");
  EXPECT_EQ(map.Find("b")->integer, 2);
  EXPECT_EQ(map.Find("c"), nullptr);
  EXPECT_EQ(map.Find("cut off"), nullptr);
  EXPECT_EQ(Bulk("a").Find("a"), nullptr);
}

TEST(Value, ScalarsHaveATextAndMayBeNumbers) {
  EXPECT_EQ(Integer(-12).ToText(), "-12");
  EXPECT_EQ(Bulk("x").ToText(), "x");
  EXPECT_EQ(Value().ToText(), "");
  EXPECT_EQ(List({Bulk("x")}).ToText(), "");
  EXPECT_EQ(Integer(-12).ToDouble(), -12);
  EXPECT_EQ(Bulk("2.5").ToDouble(), 2.5);
  for (const char* text : {"", "x", "2.5x", " 2.5"}) {
    EXPECT_EQ(Bulk(text).ToDouble(7), 7) << text;
  }
}

TEST(LooksLikeMap, TakesNamesAtEvenPlacesOnly) {
  EXPECT_TRUE(LooksLikeMap(List({Bulk("recall@20"), Integer(1), Bulk("p99.9_ms-x"), Bulk("Y")})));
  EXPECT_FALSE(LooksLikeMap(List({})));
  EXPECT_FALSE(LooksLikeMap(List({Bulk("a")})));
  EXPECT_FALSE(LooksLikeMap(List({Bulk("Upper"), Integer(1)})));
  EXPECT_FALSE(LooksLikeMap(List({Bulk("1a"), Integer(1)})));
  EXPECT_FALSE(LooksLikeMap(List({Bulk("a b"), Integer(1)})));
  EXPECT_FALSE(LooksLikeMap(List({Integer(1), Integer(1)})));
  EXPECT_FALSE(LooksLikeMap(Bulk("a")));
}

}  // namespace
}  // namespace reco::client
