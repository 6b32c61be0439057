#include "tools/admin/time_column.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::HasSubstr;

// The time of a column's first record; none: an error.
std::optional<std::int64_t> First(std::string_view text, TimeUnit unit = TimeUnit::kAuto) {
  const auto read = TimeColumn(unit).Read(text);
  return read.ok() ? read->time_ms : std::nullopt;
}

std::string ErrorOf(TimeColumn& column, std::string_view text) {
  const auto read = column.Read(text);
  return read.ok() ? "" : std::string(read.status().message());
}

TEST(TimeColumn, TheSizeTellsTheUnit) {
  struct Case {
    const char* text;
    TimeUnit unit;
    std::int64_t time_ms;
  };
  const Case cases[] = {
      {"100000000", TimeUnit::kSeconds, 100'000'000'000},
      {"978300760", TimeUnit::kSeconds, 978'300'760'000},
      {"1291191960", TimeUnit::kSeconds, 1'291'191'960'000},
      {"9999999999", TimeUnit::kSeconds, 9'999'999'999'000},
      {"978300760.25", TimeUnit::kSeconds, 978'300'760'250},
      {"1.29119196e+09", TimeUnit::kSeconds, 1'291'191'960'000},
      {"100000000000", TimeUnit::kMilliseconds, 100'000'000'000},
      {"1291191960123", TimeUnit::kMilliseconds, 1'291'191'960'123},
      {"1291191960123.0", TimeUnit::kMilliseconds, 1'291'191'960'123},
      {"1291191960123999", TimeUnit::kMicroseconds, 1'291'191'960'123},
      {"978300760123999", TimeUnit::kMicroseconds, 978'300'760'123},
      {"1291191960123999999", TimeUnit::kNanoseconds, 1'291'191'960'123},
      {"978300760123999999", TimeUnit::kNanoseconds, 978'300'760'123},
      {"2010-12-01", TimeUnit::kIso, 1'291'161'600'000},
  };
  for (const Case& c : cases) {
    TimeColumn column;
    const auto read = column.Read(c.text);
    ASSERT_TRUE(read.ok()) << c.text << read.status().ToString();
    EXPECT_EQ(read->time_ms, c.time_ms) << c.text;
    EXPECT_EQ(column.facts().unit, c.unit) << c.text;
    EXPECT_TRUE(column.facts().is_detected);
  }
}

TEST(TimeColumn, OtherSizesAreNotGuessed) {
  for (const char* text : {"1", "20231105", "99999999", "10000000000", "99999999999",
                           "10000000000000", "10000000000000000", "-978300760", "1e30"}) {
    TimeColumn column;
    EXPECT_THAT(ErrorOf(column, text), HasSubstr("does not tell its unit")) << text;
    EXPECT_EQ(column.facts().unit, std::nullopt);
    // The next one may.
    EXPECT_EQ(ErrorOf(column, "978300760"), "");
  }
}

TEST(TimeColumn, AMixtureIsAnErrorOfEachLine) {
  TimeColumn column;
  EXPECT_EQ(ErrorOf(column, "978300760"), "");
  EXPECT_THAT(ErrorOf(column, "978300760000"),
              HasSubstr("looks like ms, and those before it were s: '978300760000'"));
  EXPECT_THAT(ErrorOf(column, "2001-01-01"), HasSubstr("looks like iso"));
  EXPECT_THAT(ErrorOf(column, "5"), HasSubstr("does not tell its unit"));
  EXPECT_EQ(ErrorOf(column, "978300761"), "");
  EXPECT_EQ(column.facts().first_ms, 978'300'760'000);
  EXPECT_EQ(column.facts().last_ms, 978'300'761'000);
}

TEST(TimeColumn, AGivenUnitIsTakenAtItsWord) {
  EXPECT_EQ(First("0", TimeUnit::kMilliseconds), 0);
  EXPECT_EQ(First("7", TimeUnit::kMilliseconds), 7);
  EXPECT_EQ(First("1.5", TimeUnit::kSeconds), 1500);
  EXPECT_EQ(First("1500", TimeUnit::kMicroseconds), 1);
  EXPECT_EQ(First("2999999", TimeUnit::kNanoseconds), 2);
  EXPECT_EQ(First("253402300799", TimeUnit::kSeconds), 253'402'300'799'000);
  for (const char* text : {"253402300800", "-2", "1e300", "99999999999999999999"}) {
    TimeColumn column(TimeUnit::kSeconds);
    EXPECT_THAT(ErrorOf(column, text), HasSubstr("is --time-unit s right?")) << text;
  }
  TimeColumn seconds(TimeUnit::kSeconds);
  EXPECT_THAT(ErrorOf(seconds, "2010-12-01"), HasSubstr("time is not a number"));
  EXPECT_THAT(ErrorOf(seconds, "inf"), HasSubstr("time is not a number"));
  EXPECT_FALSE(seconds.facts().is_detected);
  TimeColumn iso(TimeUnit::kIso);
  EXPECT_THAT(ErrorOf(iso, "978300760"), HasSubstr("no date and time of ISO 8601"));
}

TEST(TimeColumn, ReadsIso8601) {
  constexpr std::int64_t kTime = 1'291'191'960'000;  // 2010-12-01T08:26:00Z
  struct Case {
    const char* text;
    std::int64_t time_ms;
  };
  const Case cases[] = {
      {"2010-12-01T08:26:00Z", kTime},
      {"2010-12-01t08:26:00z", kTime},
      {"2010-12-01 08:26:00", kTime},
      {"2010-12-01T08:26", kTime},
      {"2010-12-01 08:26:00 UTC", kTime},
      {"2010-12-01 08:26:00 +0000", kTime},
      {"2010-12-01T10:26:00+02:00", kTime},
      {"2010-12-01T10:26:00+0200", kTime},
      {"2010-12-01T10:26:00+02", kTime},
      {"2010-12-01T02:56:00-05:30", kTime},
      {"2010-12-01T08:26:00.5", kTime + 500},
      {"2010-12-01T08:26:00,25Z", kTime + 250},
      {"2010-12-01T08:26:00.123999+00:00", kTime + 123},
      {"2010-12-01T08:26:00.123456789Z", kTime + 123},
      {"2010-11-30T23:59:60Z", 1'291'161'600'000},
      {"2000-02-29", 951'782'400'000},
      {"1970-01-01", 0},
      {"9999-12-31T23:59:59.999Z", 253'402'300'799'999},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(First(c.text), c.time_ms) << c.text;
    EXPECT_EQ(First(c.text, TimeUnit::kIso), c.time_ms) << c.text;
  }
}

TEST(TimeColumn, RefusesWhatIsNoTime) {
  for (const char* text : {"noon",
                           "2010-13-01",
                           "2010-02-29",
                           "2010-12-32",
                           "2010-00-10",
                           "2010-12-01T",
                           "2010-12-01T8",
                           "2010-12-01T24:00:00",
                           "2010-12-01T08:60",
                           "2010-12-01T08:26:61",
                           "2010-12-01T08:26:00.",
                           "2010-12-01T08:26:00.1234567891",
                           "2010-12-01T08:26:00+",
                           "2010-12-01T08:26:00+2",
                           "2010-12-01T08:26:00+02:",
                           "2010-12-01T08:26:00+24:00",
                           "2010-12-01T08:26:00 ",
                           "2010-12-01T08:26:00ZZ",
                           "2010-12-01x",
                           "01.12.2010",
                           "12/1/2010 8:26",
                           "1969-12-31"}) {
    EXPECT_EQ(First(text), std::nullopt) << text;
    EXPECT_EQ(First(text, TimeUnit::kIso), std::nullopt) << text;
  }
}

TEST(TimeColumn, AMissingTimeIsLostOrSentWithoutOrSkipped) {
  for (const char* text : {"", "-1", "-1.0", "0", "0.0", "NULL", "null", "NaN", "nan", "\\N", "NaT",
                           "None", "NA", "n/a", "0000-00-00 00:00:00"}) {
    TimeColumn lost;
    EXPECT_THAT(ErrorOf(lost, text), HasSubstr("the time is missing")) << text;
    const auto now = TimeColumn(TimeUnit::kAuto, NoTime::kNow).Read(text);
    ASSERT_TRUE(now.ok()) << text;
    EXPECT_EQ(now->time_ms, std::nullopt);
    EXPECT_FALSE(now->is_skipped);
    TimeColumn skips(TimeUnit::kAuto, NoTime::kSkip);
    EXPECT_TRUE(skips.Read(text)->is_skipped);
    EXPECT_EQ(skips.facts().unit, std::nullopt);
    EXPECT_EQ(skips.facts().first_ms, std::nullopt);
  }
  // What is wrong is not missing.
  EXPECT_FALSE(TimeColumn(TimeUnit::kAuto, NoTime::kSkip).Read("noon").ok());
}

TEST(TimeUnit, NamesGoBothWays) {
  for (const char* name : {"auto", "s", "ms", "us", "ns", "iso"}) {
    ASSERT_TRUE(UnitOfName(name));
    EXPECT_STREQ(UnitName(*UnitOfName(name)), name);
  }
  EXPECT_EQ(UnitOfName("min"), std::nullopt);
}

TEST(TimeText, IsIso8601) {
  EXPECT_EQ(TimeText(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(TimeText(1'291'191'960'999), "2010-12-01T08:26:00Z");
  EXPECT_EQ(TimeText(253'402'300'799'999), "9999-12-31T23:59:59Z");
}

TEST(TimeWarning, TellsOfTimesThatCanHardlyBe) {
  constexpr std::int64_t kNow = 1'700'000'000'000;
  const auto warning = [](std::int64_t first_ms, std::int64_t last_ms) {
    return TimeWarning({TimeUnit::kMilliseconds, false, first_ms, last_ms}, kNow);
  };
  EXPECT_EQ(TimeWarning({}, kNow), "");
  EXPECT_EQ(warning(788'918'400'000, kNow + 86'400'000), "");
  EXPECT_EQ(warning(978'300'760, 1'000'000'000),
            "the times go from 1970-01-12T07:45:00Z to 1970-01-12T13:46:40Z, read as ms: is "
            "--time-unit right?");
  EXPECT_THAT(warning(788'918'399'999, kNow), HasSubstr("1994-12-31T23:59:59Z"));
  EXPECT_THAT(warning(kNow, kNow + 86'400'001), HasSubstr("right?"));
}

}  // namespace
}  // namespace reco::admin
