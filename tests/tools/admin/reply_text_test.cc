#include "tools/admin/reply_text.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using client::Value;

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
