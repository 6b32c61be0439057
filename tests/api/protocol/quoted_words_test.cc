#include "api/protocol/quoted_words.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace reco::api {
namespace {

using Words = std::vector<std::string>;

// nullopt: refused.
std::optional<Words> Split(std::string_view line) {
  std::string bytes;
  std::vector<Slice> slices;
  if (!SplitQuotedWords(line, &bytes, &slices)) {
    return std::nullopt;
  }
  Words words;
  for (const Slice& slice : slices) {
    words.push_back(bytes.substr(slice.offset, slice.length));
  }
  return words;
}

TEST(SplitQuotedWords, BlanksSeparateAndQuotesHoldTogether) {
  struct Case {
    std::string_view line;
    Words words;
  };
  const Case cases[] = {
      {"", {}},
      {" \t\r\n", {}},
      {"set  key\tvalue \r\n", {"set", "key", "value"}},
      {"\"two words\" 'and more'", {"two words", "and more"}},
      {"\"\" ''", {"", ""}},
      {"save \"\"", {"save", ""}},
      {"pre\"fix ed\"", {"prefix ed"}},
      {"\"it's\" 'a \"b\"'", {"it's", "a \"b\""}},
      {"a\\nb", {"a\\nb"}},  // escapes are for quotes
      {"a\vb", {"a\vb"}},    // as Redis: separates words, ends none
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Split(c.line), c.words) << c.line;
  }
}

TEST(SplitQuotedWords, DoubleQuotesKnowEscapes) {
  EXPECT_EQ(Split(R"("\n\r\t\b\a\\\"\q")"), Words{"\n\r\t\b\a\\\"q"});
  EXPECT_EQ(Split(R"("\x41\xfF\x00")"), (Words{std::string("A\xFF\0", 3)}));
  EXPECT_EQ(Split(R"("\x4" "\xZZ")"), (Words{"x4", "xZZ"}));
}

TEST(SplitQuotedWords, SingleQuotesKnowTheirOwnQuoteOnly) {
  EXPECT_EQ(Split(R"('it\'s \n \\ \x41')"), Words{R"(it's \n \\ \x41)"});
}

TEST(SplitQuotedWords, QuotesThatDoNotEndOrAreNotFollowedByABlankAreRefused) {
  for (const char* line : {"\"open", "'open", "a \"b\"c", "'a'b", "\"a\\\"", "\"a\"\"b\"", "\""}) {
    EXPECT_EQ(Split(line), std::nullopt) << line;
  }
}

TEST(SplitQuotedWords, AppendsBehindWhatIsThere) {
  std::string bytes = "xyz";
  std::vector<Slice> words = {{.offset = 0, .length = 3}};
  ASSERT_TRUE(SplitQuotedWords("a bc", &bytes, &words));
  EXPECT_EQ(bytes, "xyzabc");
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[2].offset, 4U);
  EXPECT_EQ(words[2].length, 2U);
}

}  // namespace
}  // namespace reco::api
