#include "filter/attribute_reader.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/json.h"

namespace reco::filter {
namespace {

std::string Show(const AttributeScalar& scalar) {
  switch (scalar.type) {
    case AttributeType::kNull:
      return "null";
    case AttributeType::kBoolean:
      return scalar.number != 0 ? "true" : "false";
    case AttributeType::kNumber:
      return scalar.integer != 0 ? "integer " + std::to_string(scalar.integer)
                                 : std::to_string(scalar.number);
    case AttributeType::kString:
      return "'" + std::string(scalar.text) + "'";
    case AttributeType::kArray:
    case AttributeType::kOther:
      return "other";
  }
  return "?";
}

// "name=value " of each field as visited.
std::string Read(AttributeReader& reader, std::string_view json) {
  std::string shown;
  const bool good = reader.Read(json, [&](std::string_view name, const AttributeValue& value) {
    shown += std::string(name) + "=";
    if (value.type() == AttributeType::kArray) {
      shown += "[";
      for (const AttributeScalar& element : value.elements) {
        shown += Show(element) + ",";
      }
      shown += "] ";
    } else {
      EXPECT_TRUE(value.elements.empty());
      shown += Show(value.scalar) + " ";
    }
  });
  return good ? shown : "no object";
}

TEST(AttributeReaderTest, GivesEachTopLevelFieldWithItsType) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{}", ""},
      {" { } ", ""},
      {R"({"a":1,"b":-2.5e2,"c":"x"})", "a=1.000000 b=-250.000000 c='x' "},
      {R"({"a":true,"b":false,"c":null})", "a=true b=false c=null "},
      {R"({"a":[],"b":[1,"x",true,null]})", "a=[] b=[1.000000,'x',true,null,] "},
      {R"({"a":{"b":1},"c":[1,[2]],"d":[{}],"e":7})", "a=other c=other d=other e=7.000000 "},
      {R"({"b":1,"a":2})", "a=2.000000 b=1.000000 "},
      {R"({"":"empty name"})", "='empty name' "},
      {R"({"a":"\u0041\n\"\\\/\ud83d\ude00"})", "a='A\n\"\\/\xf0\x9f\x98\x80' "},
      {R"({"\u0061":1})", "a=1.000000 "},
      {R"({"a":12345678901234567890123})", "a=12345678901234567741440.000000 "},
      {R"({"a":9007199254740993,"b":[ -9223372036854775807 , 9007199254740992]})",
       "a=integer 9007199254740993 b=[integer -9223372036854775807,9007199254740992.000000,] "},
      {"{\"a\":9223372036854775807\n,\"b\":9007199254740993e0,\"c\":9007199254740993.0}",
       "a=integer 9223372036854775807 b=9007199254740992.000000 c=9007199254740992.000000 "},
      {R"({"a":9223372036854775808,"b":-9223372036854775809})",
       "a=9223372036854775808.000000 b=-9223372036854775808.000000 "},
      {R"({"a":18446744073709551615,"b":-0})", "a=18446744073709551616.000000 b=-0.000000 "},
  };
  AttributeReader reader;
  for (const auto& [json, want] : cases) {
    ASSERT_TRUE(IsJsonObject(json)) << json;
    EXPECT_EQ(Read(reader, json), want) << json;
  }
}

TEST(AttributeReaderTest, LastOfARepeatedNameWins) {
  AttributeReader reader;
  EXPECT_EQ(Read(reader, R"({"a":1,"b":2,"a":"x","\u0061":[3]})"), "a=[3.000000,] b=2.000000 ");
  EXPECT_EQ(Read(reader, R"({"a":[1,2],"a":{}})"), "a=other ");
}

TEST(AttributeReaderTest, ValueThatCannotBeHeldCostsThatFieldAlone) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"a":1e400,"b":1})", "a=other b=1.000000 "},
      {R"({"a":"\ud800","b":1})", "a=other b=1.000000 "},
      {R"({"a":[1,1e400,2],"b":1})", "a=other b=1.000000 "},
      {R"({"a":["\udc00x"],"b":1})", "a=other b=1.000000 "},
      {R"({"\ud800":2,"b":1})", "b=1.000000 "},
      {R"({"\ud800":[1,{"x":[2]}],"b":1})", "b=1.000000 "},
  };
  AttributeReader reader;
  for (const auto& [json, want] : cases) {
    ASSERT_TRUE(IsJsonObject(json)) << json;
    EXPECT_EQ(Read(reader, json), want) << json;
  }
}

TEST(AttributeReaderTest, ReadsDepthAndSizeAtTheirBounds) {
  const int depth = kJsonDepthMax - 1;  // in the object itself
  const std::string nested =
      R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + R"(,"b":1})";
  ASSERT_TRUE(IsJsonObject(nested));
  AttributeReader reader;
  EXPECT_EQ(Read(reader, nested), "a=other b=1.000000 ");
  std::string large = R"({"a":")" + std::string((std::size_t{64} << 10) - 8, 'x') + R"("})";
  ASSERT_TRUE(IsJsonObject(large));
  EXPECT_EQ(Read(reader, large).size(), large.size() - 3);
  EXPECT_EQ(Read(reader, R"({"b":1})"), "b=1.000000 ");
}

TEST(AttributeReaderTest, WhatIsNoObjectIsRefusedWithoutAVisit) {
  AttributeReader reader;
  for (const char* json : {"", " ", "[]", "1", "{", R"({"a")", R"({"a":})", R"({"a":1)",
                           R"({"a":1}{)", R"({"a":1} 2)", R"({"a":[1})", "\xff"}) {
    EXPECT_EQ(Read(reader, json), "no object") << json;
  }
}

}  // namespace
}  // namespace reco::filter
