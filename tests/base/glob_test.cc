#include "base/glob.h"

#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace reco {
namespace {

struct Case {
  const char* pattern;
  const char* text;
  bool matches;
};

TEST(GlobMatch, FollowsRedisRules) {
  const Case cases[] = {
      {"*", "", true},
      {"*", "anything", true},
      {"", "", true},
      {"", "a", false},
      {"h?llo", "hello", true},
      {"h?llo", "hllo", false},
      {"h*llo", "heeello", true},
      {"h*llo", "hell", false},
      {"h[ae]llo", "hallo", true},
      {"h[ae]llo", "hillo", false},
      {"h[^e]llo", "hallo", true},
      {"h[^e]llo", "hello", false},
      {"h[a-c]llo", "hbllo", true},
      {"h[c-a]llo", "hbllo", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"a[\\]]", "a]", true},
      {"user:*:x", "user:1:2:x", true},
      {"*a*b*c", "xxaxxbxxc", true},
      {"*a*b*c", "xxaxxcxxb", false},
      {"[a", "a", true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(GlobMatch(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

TEST(GlobMatch, IgnoresCaseOnlyWhenAsked) {
  EXPECT_FALSE(GlobMatch("MAX*", "maxmemory"));
  EXPECT_TRUE(GlobMatch("MAX*", "maxmemory", true));
  EXPECT_TRUE(GlobMatch("[A-C]x", "bX", true));
}

// What Redis's rules say, tried out.
bool Tried(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (pattern[0] == '*') {
    return Tried(pattern.substr(1), text) || (!text.empty() && Tried(pattern, text.substr(1)));
  }
  if (text.empty()) {
    return false;
  }
  if (pattern[0] == '[') {
    const bool negated = pattern.size() > 1 && pattern[1] == '^';
    const std::size_t end = pattern.find(']');
    const std::string_view bytes = pattern.substr(negated ? 2 : 1, end - (negated ? 2 : 1));
    return (bytes.find(text[0]) != std::string_view::npos) != negated &&
           Tried(pattern.substr(end + 1), text.substr(1));
  }
  return (pattern[0] == '?' || pattern[0] == text[0]) && Tried(pattern.substr(1), text.substr(1));
}

TEST(GlobMatch, RandomPatternsMatchWhatTryingFinds) {
  std::mt19937 random(7);
  constexpr std::string_view kElements[] = {"a", "b", "a",    "b",    "?",
                                            "*", "*", "[ab]", "[^a]", "[b]"};
  int matches = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string pattern;
    for (auto length = random() % 9; length > 0; --length) {
      pattern += kElements[random() % std::size(kElements)];
    }
    std::string text;
    for (auto length = random() % 11; length > 0; --length) {
      text += "ab"[random() % 2];
    }
    const bool expected = Tried(pattern, text);
    ASSERT_EQ(GlobMatch(pattern, text), expected) << pattern << " on " << text;
    matches += expected ? 1 : 0;
  }
  EXPECT_GT(matches, 2'000);
}

// Parts of more than 64 bytes are searched for by several words.
TEST(GlobMatch, LongPartsAreFoundWhereverTheyStand) {
  const std::string part = std::string(63, 'a') + "b?[cd]" + std::string(100, 'e');
  const std::string fits = std::string(63, 'a') + "bxd" + std::string(100, 'e');
  for (const std::size_t before : {0, 1, 63, 64, 200}) {
    const std::string text = std::string(before, 'a') + fits + "e";
    EXPECT_TRUE(GlobMatch("*" + part + "*", text)) << before;
    EXPECT_FALSE(GlobMatch("*" + part + "f*", text)) << before;
    EXPECT_FALSE(GlobMatch("*" + part + "?*e", text)) << before;
  }
}

TEST(GlobMatch, APatternTooLongForAnyTextMatchesNone) {
  const std::string most(Glob::kBytesMax, 'a');
  EXPECT_TRUE(GlobMatch("*" + most + "*", "b" + most + "b"));
  EXPECT_FALSE(GlobMatch(most + "a", most + "a"));
}

// 10,000 texts in the time of as many passes over each, whatever the pattern: a class of 20,000
// bytes, a part that nearly fits at every place.
TEST(GlobMatch, ACompiledPatternPassesOverEachTextOnce) {
  const std::string text(512, 'a');
  for (const std::string& pattern :
       {"*[" + std::string(20'000, 'x') + "]", "*" + std::string(255, 'a') + "b*"}) {
    const Glob glob(pattern);
    for (int i = 0; i < 10'000; ++i) {
      ASSERT_FALSE(glob.Matches(text));
    }
  }
}

TEST(GlobMatch, ManyStarsStayPolynomial) {
  const std::string text(20'000, 'a');
  std::string pattern;
  for (int i = 0; i < 50; ++i) {
    pattern += "a*";
  }
  EXPECT_FALSE(GlobMatch(pattern + "b", text));
}

}  // namespace
}  // namespace reco
