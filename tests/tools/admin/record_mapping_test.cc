#include "tools/admin/record_mapping.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::HasSubstr;

Record RecordOf(std::vector<std::string_view> fields) {
  return {1, std::move(fields), {}, {}, {}};
}

RecordMapping AllColumns(TimeUnit unit = TimeUnit::kMilliseconds, NoTime no_time = NoTime::kLost) {
  return RecordMapping::Resolve({"u", "i", "w", "t", "k", unit, no_time},
                                RecordOf({"u", "i", "w", "t", "k"}), true)
      .value();
}

TEST(RecordMapping, FindsColumnsByName) {
  auto mapping = RecordMapping::Resolve({"user", "item", {}, {}, {}, {}, {}},
                                        RecordOf({"item", "x", "user"}), true);
  ASSERT_TRUE(mapping.ok());
  const auto event = mapping->Map(RecordOf({"lamp", "?", "ann"}));
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->user, "ann");
  EXPECT_EQ(event->item, "lamp");
  EXPECT_EQ(event->weight, "");
  EXPECT_EQ(event->time_ms, std::nullopt);
}

TEST(RecordMapping, FindsColumnsByNumberWithoutAHeader) {
  auto mapping =
      RecordMapping::Resolve({"2", "1", {}, {}, {}, {}, {}}, RecordOf({"lamp", "ann"}), false);
  ASSERT_TRUE(mapping.ok());
  EXPECT_EQ(mapping->Map(RecordOf({"lamp", "ann"}))->user, "ann");
}

TEST(RecordMapping, AMissingColumnNamesThoseThereAre) {
  auto mapping =
      RecordMapping::Resolve({"user", "sku", {}, {}, {}, {}, {}}, RecordOf({"user", "item"}), true);
  EXPECT_THAT(mapping.status().message(), HasSubstr("no column 'sku'; it has 'user', 'item'"));
  for (const char* number : {"0", "3", "-1", "x", "1x", ""}) {
    EXPECT_FALSE(FindColumn({"a", "b"}, false, number).ok()) << number;
  }
}

TEST(RecordMapping, AColumnThatIsThereTwiceIsRefused) {
  const auto resolve = [](std::vector<std::string_view> header) {
    return RecordMapping::Resolve({"user", "item", {}, {}, {}, {}, {}}, RecordOf(std::move(header)),
                                  true)
        .status();
  };
  EXPECT_THAT(resolve({"user", "item", "item"}).message(),
              HasSubstr("more than one column 'item'"));
  EXPECT_TRUE(resolve({"user", "item", "x", "x"}).ok());
}

struct Case {
  std::vector<std::string_view> fields;
  const char* problem;
};

TEST(RecordMapping, BadLinesSayWhatIsWrong) {
  const std::string long_id(513, 'x');
  const Case cases[] = {
      {{"a", "b", "1", "5"}, "4 fields instead of 5"},
      {{"a", "b", "1", "5", "k", ""}, "6 fields instead of 5"},
      {{"", "b", "1", "5", "k"}, "user is empty"},
      {{"a", "", "1", "5", "k"}, "item is empty"},
      {{long_id, "b", "1", "5", "k"}, "user is longer than 512 bytes"},
      {{"a", "b", "one", "5", "k"}, "weight is not a number: 'one'"},
      {{"a", "b", "nan", "5", "k"}, "weight is not a number"},
      {{"a", "b", "inf", "5", "k"}, "weight is not a number"},
      {{"a", "b", "1e999", "5", "k"}, "weight is not a number"},
      {{"a", "b", "1", "", "k"}, "the time is missing: ''"},
      {{"a", "b", "1", "noon", "k"}, "time is not a number: 'noon'"},
      {{"a", "b", "1", "1e300", "k"}, "too far away"},
  };
  for (const Case& c : cases) {
    const auto event = AllColumns().Map(RecordOf(c.fields));
    EXPECT_THAT(event.status().message(), HasSubstr(c.problem));
  }
}

TEST(RecordMapping, ReadsTimesInBothUnits) {
  const auto time = [](TimeUnit unit, std::string_view text) {
    return AllColumns(unit).Map(RecordOf({"a", "b", "1", text, "k"}))->time_ms;
  };
  EXPECT_EQ(time(TimeUnit::kMilliseconds, "1291191960000"), 1'291'191'960'000);
  EXPECT_EQ(time(TimeUnit::kMilliseconds, " 7 "), 7);
  EXPECT_EQ(time(TimeUnit::kMilliseconds, "253402300799999"), 253'402'300'799'999);
  EXPECT_EQ(time(TimeUnit::kSeconds, "1291191960"), 1'291'191'960'000);
  EXPECT_EQ(time(TimeUnit::kSeconds, "1.5"), 1500);
}

TEST(RecordMapping, ATimeThatIsMissingIsSentWithoutOrSkipped) {
  const Record record = RecordOf({"a", "b", "1", "NULL", "k"});
  const auto now = AllColumns(TimeUnit::kAuto, NoTime::kNow).Map(record);
  ASSERT_TRUE(now.ok());
  EXPECT_EQ(now->time_ms, std::nullopt);
  EXPECT_FALSE(now->is_skipped);
  const auto skip = AllColumns(TimeUnit::kAuto, NoTime::kSkip).Map(record);
  ASSERT_TRUE(skip.ok());
  EXPECT_TRUE(skip->is_skipped);
}

TEST(RecordMapping, TheFirstTimeTellsTheUnit) {
  RecordMapping mapping = AllColumns(TimeUnit::kAuto);
  // A line that is bad for another reason tells nothing.
  EXPECT_FALSE(mapping.Map(RecordOf({"", "b", "1", "978300760000", "k"})).ok());
  EXPECT_EQ(mapping.times().unit, std::nullopt);
  EXPECT_EQ(mapping.Map(RecordOf({"a", "b", "1", "978300760", "k"}))->time_ms, 978'300'760'000);
  EXPECT_EQ(mapping.times().unit, TimeUnit::kSeconds);
  EXPECT_FALSE(mapping.Map(RecordOf({"a", "b", "1", "978300760000", "k"})).ok());
  EXPECT_EQ(mapping.times().last_ms, 978'300'760'000);
}

TEST(RecordMapping, WithoutAColumnOfTimesThereIsNoUnit) {
  const auto mapping = RecordMapping::Resolve({"u", "i", {}, {}, {}, TimeUnit::kSeconds, {}},
                                              RecordOf({"u", "i"}), true);
  EXPECT_EQ(mapping->times().unit, std::nullopt);
}

TEST(Quoted, ShortensAndHidesControlCharacters) {
  EXPECT_EQ(Quoted("a\x1B[2Jb"), "'a?[2Jb'");
  EXPECT_EQ(Quoted(std::string(50, 'x')), "'" + std::string(40, 'x') + "...'");
}

}  // namespace
}  // namespace reco::admin
