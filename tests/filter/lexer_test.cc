#include "filter/lexer.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filter/filter.h"

namespace reco::filter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = TokenKind;

std::vector<Kind> Kinds(std::string_view text) {
  const auto tokens = Tokenize(text);
  EXPECT_TRUE(tokens.ok()) << tokens.status().ToString();
  std::vector<Kind> kinds;
  for (const Token& token : tokens.ok() ? *tokens : std::vector<Token>()) {
    kinds.push_back(token.kind);
  }
  return kinds;
}

TEST(Tokenize, EverySignAndWordIsItsOwn) {
  struct Case {
    std::string_view text;
    Kind kind;
  };
  const Case cases[] = {
      {"(", Kind::kOpen},          {")", Kind::kClose},      {"[", Kind::kOpenArray},
      {"]", Kind::kCloseArray},    {",", Kind::kComma},      {"**", Kind::kPower},
      {"*", Kind::kMultiply},      {"/", Kind::kDivide},     {"%", Kind::kModulo},
      {"+", Kind::kAdd},           {"-", Kind::kSubtract},   {">", Kind::kGreater},
      {">=", Kind::kGreaterEqual}, {"<", Kind::kLess},       {"<=", Kind::kLessEqual},
      {"==", Kind::kEqual},        {"!=", Kind::kNotEqual},  {"!", Kind::kNot},
      {"not", Kind::kNot},         {"&&", Kind::kAnd},       {"and", Kind::kAnd},
      {"||", Kind::kOr},           {"or", Kind::kOr},        {"in", Kind::kIn},
      {"true", Kind::kTrue},       {"false", Kind::kFalse},  {"null", Kind::kNull},
      {"12", Kind::kNumber},       {"\"a\"", Kind::kString}, {".a", Kind::kField},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Kinds(c.text), ElementsAre(c.kind, Kind::kEnd)) << c.text;
  }
}

TEST(Tokenize, LongerSignsComeFirstAndNeedNoSpace) {
  EXPECT_THAT(Kinds("1**2*3"), ElementsAre(Kind::kNumber, Kind::kPower, Kind::kNumber,
                                           Kind::kMultiply, Kind::kNumber, Kind::kEnd));
  EXPECT_THAT(Kinds(".a>=1"),
              ElementsAre(Kind::kField, Kind::kGreaterEqual, Kind::kNumber, Kind::kEnd));
  EXPECT_THAT(Kinds("!.a!=1"),
              ElementsAre(Kind::kNot, Kind::kField, Kind::kNotEqual, Kind::kNumber, Kind::kEnd));
  EXPECT_THAT(Kinds(" \t\r\n\v\f"), ElementsAre(Kind::kEnd));
}

TEST(Tokenize, MinusBeginsANumberWhereAValueMayStandOnly) {
  const auto first = Tokenize("-3");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)[0].number, -3);
  for (const char* text : {"1 -3", ".a -3", "(1) -3", "[1] -3", "true -3", "'x' -3"}) {
    EXPECT_THAT(Kinds(text), ::testing::Contains(Kind::kSubtract)) << text;
  }
  for (const char* text : {"1 + -3", "(-3", "[-3", "1, -3", "not -3", "1 - -3", "1 in -3"}) {
    const auto tokens = Tokenize(text);
    ASSERT_TRUE(tokens.ok()) << text;
    EXPECT_EQ((*tokens)[tokens->size() - 2].number, -3) << text;
  }
}

TEST(Tokenize, TokensHaveTheirValueAndPlace) {
  const auto tokens = Tokenize("  .price-eur_2 <= 1.5e2 and 'it''s'");
  ASSERT_TRUE(tokens.ok());
  ASSERT_EQ(tokens->size(), 7U);
  EXPECT_EQ((*tokens)[0].text, "price-eur_2");
  EXPECT_EQ((*tokens)[0].position, 2U);
  EXPECT_EQ((*tokens)[2].number, 150);
  EXPECT_EQ((*tokens)[2].position, 18U);
  EXPECT_EQ((*tokens)[4].text, "it");
  EXPECT_EQ((*tokens)[5].text, "s");
  EXPECT_EQ((*tokens)[6].position, 35U);
  EXPECT_EQ((*Tokenize(".\xC3\xA9t\xC3\xA9"))[0].text, "\xC3\xA9t\xC3\xA9");
}

TEST(Tokenize, IntegersThatNoDoubleIsAreKept) {
  const auto tokens = Tokenize(
      "[-9007199254740993, 9007199254740993.0, 9007199254740993e0, "
      "9223372036854775808, 9223372036854775807, 7]");
  ASSERT_TRUE(tokens.ok());
  std::vector<std::int64_t> integers;
  for (const Token& token : *tokens) {
    if (token.kind == Kind::kNumber) {
      integers.push_back(token.integer);
    }
  }
  EXPECT_THAT(integers, ElementsAre(-9'007'199'254'740'993, 0, 0, 0, 9'223'372'036'854'775'807, 0));
}

TEST(Tokenize, NameInQuotesIsOneToken) {
  const auto tokens = Tokenize(R"(.[ "unit\u0020price" ]-1)");
  ASSERT_TRUE(tokens.ok());
  ASSERT_EQ(tokens->size(), 4U);
  EXPECT_EQ((*tokens)[0].kind, Kind::kField);
  EXPECT_EQ((*tokens)[0].text, "unit price");
  EXPECT_EQ((*tokens)[1].kind, Kind::kSubtract);
}

TEST(Tokenize, ErrorsNameWhatAndWhere) {
  struct Case {
    const char* text;
    const char* message;
  };
  const Case cases[] = {
      {"1 = 1", "unknown sign (equality is ==) at byte 3"},
      {"1 & 1", "unknown sign at byte 3"},
      {"price > 1", "unknown word (a field begins with a dot, a string with a quote) at byte 1"},
      {"andy", "unknown word"},
      {". > 1", "expected the name of a field at byte 2"},
      {".[x]", "expected the name of a field in quotes at byte 3"},
      {"1e", "expected a digit of the exponent at byte 3"},
      {"1e999", "number beyond the range of a double at byte 1"},
      {"'open", "at byte"},
  };
  for (const Case& c : cases) {
    const auto tokens = Tokenize(c.text);
    EXPECT_EQ(tokens.status().code(), StatusCode::kInvalidArgument) << c.text;
    EXPECT_THAT(tokens.status().message(), HasSubstr(c.message)) << c.text;
  }
}

TEST(Tokenize, TheNumberOfTokensIsBounded) {
  std::string text;
  for (std::size_t i = 0; i < kFilterTokensMax; ++i) {
    text += "(";
  }
  EXPECT_EQ(Kinds(text).size(), kFilterTokensMax + 1);
  EXPECT_FALSE(Tokenize(text + "(").ok());
}

}  // namespace
}  // namespace reco::filter
