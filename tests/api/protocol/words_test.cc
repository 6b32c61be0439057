#include "api/protocol/words.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace reco::api {
namespace {

using Words = std::vector<std::string_view>;

TEST(ParseInteger, IsAsStrictAsRedis) {
  const std::pair<std::string_view, std::int64_t> good[] = {
      {"0", 0},
      {"7", 7},
      {"-12", -12},
      {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
      {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
  };
  for (const auto& [word, value] : good) {
    EXPECT_EQ(ParseInteger(word), value) << word;
  }
  const std::string_view nul("1\0", 2);
  for (const std::string_view word :
       Words{"", "-", "+1", "01", "-0", "-01", " 1", "1 ", "1.0", "1e3", "0x10", "abc", nul,
             "9223372036854775808", "-9223372036854775809"}) {
    EXPECT_EQ(ParseInteger(word), std::nullopt) << '"' << word << '"';
  }
}

TEST(ParseDouble, TakesFiniteDecimalsOnly) {
  const std::pair<std::string_view, double> good[] = {
      {"0", 0}, {"-1.5", -1.5}, {".5", 0.5}, {"1e3", 1000}, {"1E-2", 0.01}, {"1e308", 1e308}};
  for (const auto& [word, value] : good) {
    EXPECT_EQ(ParseDouble(word), value) << word;
  }
  for (const std::string_view word : Words{"", "nan", "NaN", "-nan", "inf", "-inf", "Infinity",
                                           "1e400", "-1e400", "0x10", " 1", "1 ", "1,5", "abc"}) {
    EXPECT_EQ(ParseDouble(word), std::nullopt) << '"' << word << '"';
  }
}

TEST(ParseCursor, IsAsLaxAsRedis) {
  EXPECT_EQ(ParseCursor("0"), 0U);
  EXPECT_EQ(ParseCursor(""), 0U);
  EXPECT_EQ(ParseCursor("007"), 7U);
  EXPECT_EQ(ParseCursor("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  for (const std::string_view word : Words{" 1", "\t1", "1 ", "x", "1x", "18446744073709551616"}) {
    EXPECT_EQ(ParseCursor(word), std::nullopt) << '"' << word << '"';
  }
}

TEST(Case, OnlyAsciiLettersHaveOne) {
  EXPECT_TRUE(EqualsIgnoreCase("Count-1", "cOUNT-1"));
  EXPECT_FALSE(EqualsIgnoreCase("count", "coun"));
  EXPECT_FALSE(EqualsIgnoreCase("@[`{", "`{@["));  // next to the letters
  EXPECT_FALSE(EqualsIgnoreCase("\xC3\x89", "\xC3\xA9"));
  EXPECT_EQ(LowerCase("AZaz@[\xC3\x89"), "azaz@[\xC3\x89");
  EXPECT_EQ(UpperCase("AZaz`{\xC3\xA9"), "AZAZ`{\xC3\xA9");
}

}  // namespace
}  // namespace reco::api
