#include "tools/admin/record_mapping.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::HasSubstr;

CsvRecord Record(std::vector<std::string_view> fields) {
  return {1, std::move(fields), {}};
}

RecordMapping AllColumns(TimeUnit unit = TimeUnit::kMilliseconds) {
  return RecordMapping::Resolve({"u", "i", "w", "t", "k", unit}, Record({"u", "i", "w", "t", "k"}),
                                true)
      .value();
}

TEST(RecordMapping, FindsColumnsByName) {
  const auto mapping =
      RecordMapping::Resolve({"user", "item", {}, {}, {}, {}}, Record({"item", "x", "user"}), true);
  ASSERT_TRUE(mapping.ok());
  const auto event = mapping->Map(Record({"lamp", "?", "ann"}));
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->user, "ann");
  EXPECT_EQ(event->item, "lamp");
  EXPECT_EQ(event->weight, "");
  EXPECT_EQ(event->time_ms, std::nullopt);
}

TEST(RecordMapping, FindsColumnsByNumberWithoutAHeader) {
  const auto mapping =
      RecordMapping::Resolve({"2", "1", {}, {}, {}, {}}, Record({"lamp", "ann"}), false);
  ASSERT_TRUE(mapping.ok());
  EXPECT_EQ(mapping->Map(Record({"lamp", "ann"}))->user, "ann");
}

TEST(RecordMapping, AMissingColumnNamesThoseThereAre) {
  const auto mapping =
      RecordMapping::Resolve({"user", "sku", {}, {}, {}, {}}, Record({"user", "item"}), true);
  EXPECT_THAT(mapping.status().message(), HasSubstr("no column 'sku'; it has 'user', 'item'"));
  for (const char* number : {"0", "3", "-1", "x", "1x", ""}) {
    EXPECT_FALSE(FindColumn({"a", "b"}, false, number).ok()) << number;
  }
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
      {{"a", "b", "1", "", "k"}, "time is not a number"},
      {{"a", "b", "1", "noon", "k"}, "time is not a number: 'noon'"},
      {{"a", "b", "1", "1e300", "k"}, "time is not a number"},
  };
  for (const Case& c : cases) {
    const auto event = AllColumns().Map(Record(c.fields));
    EXPECT_THAT(event.status().message(), HasSubstr(c.problem));
  }
}

TEST(RecordMapping, ReadsTimesInBothUnits) {
  const auto time = [](TimeUnit unit, std::string_view text) {
    return AllColumns(unit).Map(Record({"a", "b", "1", text, "k"}))->time_ms;
  };
  EXPECT_EQ(time(TimeUnit::kMilliseconds, "1291191960000"), 1'291'191'960'000);
  EXPECT_EQ(time(TimeUnit::kMilliseconds, " 7 "), 7);
  EXPECT_EQ(time(TimeUnit::kMilliseconds, "9007199254740993"), 9'007'199'254'740'993);
  EXPECT_EQ(time(TimeUnit::kSeconds, "1291191960"), 1'291'191'960'000);
  EXPECT_EQ(time(TimeUnit::kSeconds, "1.5"), 1500);
}

TEST(Quoted, ShortensAndHidesControlCharacters) {
  EXPECT_EQ(Quoted("a\x1B[2Jb"), "'a?[2Jb'");
  EXPECT_EQ(Quoted(std::string(50, 'x')), "'" + std::string(40, 'x') + "...'");
}

}  // namespace
}  // namespace reco::admin
