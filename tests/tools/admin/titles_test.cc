#include "tools/admin/titles.h"

#include <gtest/gtest.h>

namespace reco::admin {
namespace {

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

}  // namespace
}  // namespace reco::admin
