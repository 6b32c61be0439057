#include "tools/terminal/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::terminal {
namespace {

TEST(Json, EscapesWhatMustBe) {
  EXPECT_EQ(JsonString("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\"");
  EXPECT_EQ(JsonStringOrNull("a"), "\"a\"");
  EXPECT_EQ(JsonStringOrNull(""), "null");
  EXPECT_EQ(JsonString("caf\xC3\xA9"), "\"caf\xC3\xA9\"");
  // Not UTF-8: cut off, overlong, a surrogate, beyond U+10FFFF.
  for (const char* bytes : {"\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    EXPECT_THAT(JsonString(bytes), ::testing::StartsWith("\"\\ufffd")) << bytes;
  }
}

TEST(Json, OnlyJsonsNumbersAreNumbers) {
  for (const char* text : {"0", "-0", "10", "0.5", "-12.25", "1e5", "1E-5", "2.0e+1"}) {
    EXPECT_TRUE(IsJsonNumber(text)) << text;
  }
  for (const char* text :
       {"", "-", "007", "1.", ".5", "+1", "1e", "1e+", "0x1", "nan", "1 ", "85123A"}) {
    EXPECT_FALSE(IsJsonNumber(text)) << text;
  }
  EXPECT_EQ(JsonScalar("007"), "\"007\"");
  EXPECT_EQ(JsonDouble(0.1), "0.1");
  EXPECT_EQ(JsonDouble(1.0 / 0.0), "null");
}

}  // namespace
}  // namespace reco::terminal
