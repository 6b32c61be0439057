#include "base/json.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace reco {
namespace {

TEST(IsJsonObject, TakesEveryKindOfValue) {
  const std::string_view good[] = {
      "{}",
      " \t\r\n{ } ",
      R"({"a":1})",
      R"({"a":-0.5e+10,"b":0,"c":1E-2,"d":12.25})",
      R"({ "a" : [ ] , "b" : [ 1 , "x" , null , true , false , { } ] })",
      R"({"":"","a":{"b":{"c":[[[]]]}}})",
      R"({"a":"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"})",
      R"({"a":1,"a":2})",
      "{\"\xc3\xa9\":\"\xe2\x82\xac \xf0\x9f\x98\x80 \x7f\"}",
  };
  for (const std::string_view text : good) {
    EXPECT_TRUE(IsJsonObject(text)) << text;
  }
}

TEST(IsJsonObject, RefusesWhatIsNotOneWholeObject) {
  const std::string_view bad[] = {
      "",         " ",          "null",         "1",           "[]",          "\"a\"",
      "{",        "}",          "{}}",          "{} {}",       "{}x",         "{\"a\"}",
      "{\"a\":}", "{\"a\":1,}", "{,}",          "{\"a\":1 2}", "{a:1}",       "{'a':1}",
      "{1:1}",    "{\"a\":[1}", "{\"a\":[1,]}", "{\"a\":[,]}", "{\"a\":\"b}", "{\"a\" 1}",
  };
  for (const std::string_view text : bad) {
    EXPECT_FALSE(IsJsonObject(text)) << text;
  }
}

TEST(IsJsonObject, RefusesBadNumbersAndWords) {
  const std::string_view bad[] = {"01",  "+1",  ".5",       "1.",  "1e",   "1e+",   "-",    "0x10",
                                  "--1", "NaN", "Infinity", "nul", "True", "1e1.5", "nulll"};
  for (const std::string_view value : bad) {
    EXPECT_FALSE(IsJsonObject("{\"a\":" + std::string(value) + "}")) << value;
  }
}

TEST(IsJsonObject, RefusesBadStrings) {
  const std::string_view bad[] = {
      "\\",  // the backslash takes the closing quote
      "\\x41",
      "\\u12g4",
      "\\u123",
      std::string_view("\0", 1),
      "\n",
      "\x1f",
      "\x80",  // no lead byte
      "\xc0\x80",
      "\xe0\x80\x80",
      "\xf0\x80\x80\x80",  // not the shortest form
      "\xed\xa0\x80",      // surrogate
      "\xf4\x90\x80\x80",
      "\xf5\x80\x80\x80",  // above U+10FFFF
      "\xc3",
      "\xe2\x82",
      "\xf0\x9f\x98",  // cut short
  };
  for (const std::string_view value : bad) {
    EXPECT_FALSE(IsJsonObject("{\"a\":\"" + std::string(value) + "\"}")) << value;
  }
}

TEST(IsJsonObject, DepthIsBounded) {
  const auto nested = [](int depth) {
    std::string text = "{\"a\":";
    text.append(static_cast<std::size_t>(depth - 1), '[');
    text.append(static_cast<std::size_t>(depth - 1), ']');
    return text + "}";
  };
  EXPECT_TRUE(IsJsonObject(nested(kJsonDepthMax)));
  EXPECT_FALSE(IsJsonObject(nested(kJsonDepthMax + 1)));
  EXPECT_FALSE(IsJsonObject("{\"a\":" + std::string(1'000'000, '[')));
}

}  // namespace
}  // namespace reco
