#include "tools/admin/titles.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/admin/import_commands.h"
#include "tools/admin/model_commands.h"
#include "tools/admin/reply_text.h"

namespace reco::admin {
namespace {

using client::Value;
using ::testing::ElementsAre;

TEST(AttributeText, ReadsTheTopLevelOnly) {
  const char* json = R"( {"a": {"title": "inner", "x": [1, "}"]}, "n" : 12.5 ,"t":true,
    "title":"say \"hi\" \u00e9 \ud83d\ude00\n", "last": null} )";
  EXPECT_EQ(AttributeText(json, "title"), "say \"hi\" \xC3\xA9 \xF0\x9F\x98\x80\n");
  EXPECT_EQ(AttributeText(json, "n"), "12.5");
  EXPECT_EQ(AttributeText(json, "t"), "true");
  EXPECT_EQ(AttributeText(json, "last"), "null");
  EXPECT_EQ(AttributeText(json, "x"), "");
  EXPECT_EQ(AttributeText(json, "a"), R"({"title": "inner", "x": [1, "}"]})");
}

TEST(AttributeText, MalformedTextReadsAsNothing) {
  for (const char* json :
       {"", "[]", "{", "{\"title\"", "{\"title", "{\"a\" 1}", "{\"x\":\"\\u12"}) {
    EXPECT_EQ(AttributeText(json, "title"), "") << json;
  }
}

TEST(AttributesJson, KeepsNumbersAndLeavesEmptyCellsOut) {
  EXPECT_EQ(AttributesJson({"title", "price", "code", "none"}, {1, 2, 3, 4},
                           {"id", "MUG \"BLUE\"", "2.95", "007", ""}),
            R"({"title": "MUG \"BLUE\"", "price": 2.95, "code": "007"})");
  EXPECT_EQ(AttributesJson({}, {}, {"id"}), "{}");
}

TEST(SplitParameters, TakesNameAndValue) {
  const auto words = SplitParameters({"iterations=15", "reg=0.1", "x=a=b", "y="});
  ASSERT_TRUE(words.ok());
  EXPECT_THAT(*words, ElementsAre("iterations", "15", "reg", "0.1", "x", "a=b", "y", ""));
  EXPECT_FALSE(SplitParameters({"iterations"}).ok());
  EXPECT_FALSE(SplitParameters({"=15"}).ok());
}

Value Bulk(const std::string& text) {
  return {Value::Kind::kBulk, 0, text, {}};
}
Value Integer(std::int64_t number) {
  return {Value::Kind::kInteger, number, {}, {}};
}
Value List(std::vector<Value> elements) {
  return {Value::Kind::kArray, 0, {}, std::move(elements)};
}

TEST(ReplyText, FlatMapsBecomeObjects) {
  const Value map =
      List({Bulk("users"), Integer(3), Bulk("memory"), List({Bulk("vectors-bytes"), Bulk("2048")}),
            Bulk("ids"), List({Bulk("A1"), Bulk("7")}), Bulk("none"), Value()});
  EXPECT_EQ(ToJson(map),
            R"({"users": 3, "memory": {"vectors-bytes": 2048}, "ids": ["A1", 7], "none": null})");
  EXPECT_EQ(MapToText(map), "users  3\nids    A1 7\nnone   -\nmemory\n  vectors-bytes  2.0 KiB\n");
}

TEST(ReplyText, UnitsFollowTheName) {
  EXPECT_EQ(ValueToText("events", Integer(1234567)), "1,234,567");
  EXPECT_EQ(ValueToText("eta-s", Bulk("90")), "1 min 30 s");
  EXPECT_EQ(ValueToText("eta-s", Bulk("-1")), "-");
  EXPECT_EQ(ValueToText("trained-at-ms", Integer(1291191960000)), "2010-12-01 08:26:00 UTC");
  EXPECT_EQ(ValueToText("percent", Bulk("41.7")), "42%");
  EXPECT_EQ(ValueToText("recall@20", Bulk("0.20814")), "0.2081");
  EXPECT_EQ(ValueToText("state", Bulk("done\x1B")), "done?");
}

}  // namespace
}  // namespace reco::admin
