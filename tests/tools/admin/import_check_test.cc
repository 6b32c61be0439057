#include "tools/admin/import_check.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(CheckInput, TellsWhatWouldBeSent) {
  Input input;
  input.source = MemorySource(
      "user,item,kind,at\nann,lamp,view,1700000000\nbob,lamp,,1600000000\nann,\nann,rug,buy,now\n"
      "\"a b\",rug,view,1650000000\nbob,desk,view,1650000001\n",
      7);
  ImportOptions options;
  options.key = "shop";
  options.columns.user = "user";
  options.columns.item = "item";
  options.columns.time = "at";
  options.columns.type = "kind";
  const auto report = CheckInput(input, options);
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_EQ(report->records, 6U);
  EXPECT_EQ(report->events, 4U);
  EXPECT_EQ(report->lost, 2U);
  EXPECT_EQ(report->users, 3U);
  EXPECT_EQ(report->items, 3U);
  EXPECT_EQ(report->types, 1U);
  EXPECT_EQ(report->times.unit, TimeUnit::kSeconds);
  EXPECT_EQ(report->times.first_ms, 1'600'000'000'000);
  EXPECT_EQ(report->times.last_ms, 1'700'000'000'000);
  ASSERT_THAT(report->lost_lines, SizeIs(2));
  EXPECT_EQ(report->lost_lines[0].line, 4U);
  EXPECT_THAT(report->first_events,
              ElementsAre("RECO.ADD shop ann lamp TYPE view TS 1700000000000",
                          "RECO.ADD shop bob lamp TS 1600000000000",
                          "RECO.ADD shop \"a b\" rug TYPE view TS 1650000000000"));
}

}  // namespace
}  // namespace reco::admin
