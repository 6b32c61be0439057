#include "base/json_merge.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/json.h"

namespace reco {
namespace {

struct Case {
  std::string_view target;
  std::string_view patch;
  std::string_view merged;
};

void Check(const Case& example) {
  EXPECT_EQ(MergeJson(example.target, example.patch), example.merged)
      << example.target << " by " << example.patch;
}

TEST(MergeJson, GivesTheResultsOfRfc7396) {
  // Appendix A, in its order.
  const Case cases[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const Case& example : cases) {
    Check(example);
  }
}

TEST(MergeJson, KeepsTheTextAndTheOrderOfWhatThePatchDoesNotName) {
  const Case cases[] = {
      {R"({"n":1.10,"i":123456789012345678,"e":12E5,"z":-0})", R"({"i":2})",
       R"({"n":1.10,"i":2,"e":12E5,"z":-0})"},
      {R"({ "b" : [ 1, {"c":null} ] , "a" : "\u0041\/" })", R"( { "x" : [ 1 , null ] } )",
       R"({"b" : [ 1, {"c":null} ],"a" : "\u0041\/","x":[ 1 , null ]})"},
      {R"({"o":{"p": 1, "q": 2},"r":{"s": 1, "s": 2}})", R"({"o":{"p":null}})",
       R"({"o":{"q": 2},"r":{"s": 1, "s": 2}})"},
      {R"({"a":"]}\\\"","b":1})", R"({"b":"{[\"","c":true})",
       R"({"a":"]}\\\"","b":"{[\"","c":true})"},
      {R"({"a":1})", "{}", R"({"a":1})"},
      {"{}", "{}", "{}"},
      {"{ }", R"({"a":null})", "{}"},
      {R"({"a":1})", R"({"b":2,"a":null,"c":{"d":null,"e":[null]}})",
       R"({"b":2,"c":{"e":[null]}})"},
      {R"({"a":1})", R"({"a":{"b":null}})", R"({"a":{}})"},
      {R"({"a":{"b":1}})", R"({"a":[{"b":null}]})", R"({"a":[{"b":null}]})"},
  };
  for (const Case& example : cases) {
    Check(example);
  }
}

TEST(MergeJson, NamesAreComparedAsCharacters) {
  const Case cases[] = {
      {R"({"\u0061":1})", R"({"a":2})", R"({"\u0061":2})"},
      {R"({"a":1})", R"({"\u0061":null})", "{}"},
      {R"({"\ud83d\ude00":1,"\n":1,"\/":1})", "{\"\xf0\x9f\x98\x80\":2,\"\\u000a\":2,\"/\":2}",
       R"({"\ud83d\ude00":2,"\n":2,"\/":2})"},
      {"{\"\xc3\xa9\":1,\"\xe2\x82\xac\":1}", R"({"\u00E9":2,"\u20aC":2})",
       "{\"\xc3\xa9\":2,\"\xe2\x82\xac\":2}"},
      // Half a pair is itself alone.
      {R"({"\ud83d":1,"\ud83dx":1,"\ud83d\u0041":1})", R"({"\uD83D":null})",
       R"({"\ud83dx":1,"\ud83d\u0041":1})"},
      {R"({"A":1,"":1})", R"({"a":2,"":2})", R"({"A":1,"":2,"a":2})"},
  };
  for (const Case& example : cases) {
    Check(example);
  }
}

TEST(MergeJson, OfMembersOfOneNameTheLastCounts) {
  const Case cases[] = {
      {R"({"a":1,"b":2,"\u0061":3})", "{}", R"({"\u0061":3,"b":2})"},
      {R"({"a":1,"a":{"b":1}})", R"({"a":{"c":2}})", R"({"a":{"b":1,"c":2}})"},
      {R"({"a":1})", R"({"a":2,"a":3})", R"({"a":3})"},
      {R"({"a":1})", R"({"a":2,"a":null})", "{}"},
      {R"({"a":1})", R"({"a":null,"a":2})", R"({"a":2})"},
  };
  for (const Case& example : cases) {
    Check(example);
  }
}

TEST(MergeJson, TheDepthIsThatOfTheDeeperText) {
  const auto nested = [](int depth, const std::string& name) {
    std::string text = "{}";
    for (int i = 1; i < depth; ++i) {
      text = "{\"" + name + "\":" + text + "}";
    }
    return text;
  };
  const std::string deep = nested(kJsonDepthMax, "a");
  const std::string other = nested(kJsonDepthMax, "b");
  EXPECT_EQ(MergeJson(deep, deep), deep);
  const std::string merged = MergeJson(deep, other);
  EXPECT_TRUE(IsJsonObject(merged));
  EXPECT_EQ(merged.size(), deep.size() + other.size() - 1);
  EXPECT_EQ(MergeJson("{}", deep), deep);
}

// Long texts cost no more than their length asks: a quadratic pass would take minutes here.
TEST(MergeJson, ManyMembers) {
  std::string target = "{\"n0\":0";
  std::string removed = "{\"n0\":null";
  for (int i = 1; i < 20'000; ++i) {
    target += ",\"n" + std::to_string(i) + "\":0";
    removed += ",\"n" + std::to_string(i) + "\":null";
  }
  target += '}';
  EXPECT_EQ(MergeJson(target, "{}"), target);
  EXPECT_EQ(MergeJson(target, target), target);
  EXPECT_EQ(MergeJson(target, removed + "}"), "{}");
}

}  // namespace
}  // namespace reco
