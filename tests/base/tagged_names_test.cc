#include "base/tagged_names.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(TaggedNames, ReadsNamesInAndOutOfQuotes) {
  EXPECT_THAT(*ParseTaggedNames(""), IsEmpty());
  EXPECT_THAT(*ParseTaggedNames("price:number,code:text"),
              ElementsAre(Pair("price", "number"), Pair("code", "text")));
  EXPECT_THAT(*ParseTaggedNames(R"("a, b":text,"":x,"say ""hi"":":y,"plain":z)"),
              ElementsAre(Pair("a, b", "text"), Pair("", "x"), Pair("say \"hi\":", "y"),
                          Pair("plain", "z")));
  EXPECT_THAT(*ParseTaggedNames(R"("""":a,"""""":b)"),
              ElementsAre(Pair("\"", "a"), Pair("\"\"", "b")));
}

TEST(TaggedNames, RefusesEverythingElse) {
  for (const std::string_view bad :
       {"price", "price:", ":number", ",", "price:number,", ",price:number", "a:b:c", "a b:c",
        "a:b c", " a:b", "a :b", "a:\"b\"", "\"a:b", "\"a\"b:c", "a\"b\":c", "\"a\"",
        "\"a\":", "\"", "a:b,,c:d"}) {
    EXPECT_FALSE(ParseTaggedNames(bad).has_value()) << bad;
  }
}

TEST(TaggedNames, WhatIsWrittenReadsBack) {
  TaggedNames names;
  for (const std::string_view name : {"plain", "", "a,b", "a:b", "\"", "\"\"", " ", "a\"", "\"a",
                                      "\t", "\x7f", "\xc3\xa9", "a-b_c.d"}) {
    names.emplace_back(name, "word");
    EXPECT_EQ(ParseTaggedNames(FormatTaggedNames(names)), names) << name;
  }
  EXPECT_EQ(FormatTaggedNames({{"plain", "a"}, {"\xc3\xa9", "b"}, {"x y", "c"}}),
            "plain:a,\xc3\xa9:b,\"x y\":c");
}

}  // namespace
}  // namespace reco
