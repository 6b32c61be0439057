#include "tools/admin/stream_log.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

StreamLogOptions Options() {
  StreamLogOptions options;
  options.columns.user = "user";
  options.columns.item = "item";
  options.columns.time = "t";
  options.columns.time_unit = TimeUnit::kSeconds;
  return options;
}

Result<StreamLog> Read(const std::string& text, const StreamLogOptions& options) {
  return ReadStreamLog({MemorySource(text, 1 << 16), false}, options);
}

// Events numbered by their lines.
std::vector<StreamEvent> EventsAt(const std::vector<std::int64_t>& times_ms) {
  std::vector<StreamEvent> events;
  events.reserve(times_ms.size());
  for (const std::int64_t time_ms : times_ms) {
    events.push_back({.time_ms = time_ms, .line = events.size(), .weight = {}});
  }
  return events;
}

std::vector<std::uint64_t> LinesOf(const std::vector<StreamEvent>& events) {
  std::vector<std::uint64_t> lines;
  lines.reserve(events.size());
  for (const StreamEvent& event : events) {
    lines.push_back(event.line);
  }
  return lines;
}

std::vector<std::uint64_t> Ordered(std::uint64_t seed, bool keep_order,
                                   const std::vector<std::int64_t>& times_ms) {
  std::vector<StreamEvent> events = EventsAt(times_ms);
  OrderEvents(seed, keep_order, &events);
  return LinesOf(events);
}

TEST(StreamLog, ReadsEventsUnderTheNamesOfTheirUsersAndItems) {
  StreamLogOptions options = Options();
  options.columns.weight = "w";
  options.columns.type = "k";
  const auto log =
      Read("user,item,t,w,k\nann,lamp,10,2.5,view\nbob,lamp,9,,\nann,rug,11,,view\n", options);
  ASSERT_TRUE(log.ok()) << log.status().ToString();
  EXPECT_THAT(log->users, ElementsAre("ann", "bob"));
  EXPECT_THAT(log->items, ElementsAre("lamp", "rug"));
  EXPECT_THAT(log->types, ElementsAre("", "view"));
  ASSERT_THAT(log->events, SizeIs(3));
  EXPECT_TRUE(log->has_time);
  EXPECT_EQ(log->events[0].time_ms, 10'000);
  EXPECT_EQ(log->events[0].weight, "2.5");
  EXPECT_EQ(log->events[0].type, 1U);
  EXPECT_EQ(log->events[1].user, 1U);
  EXPECT_EQ(log->events[1].type, 0U);
  EXPECT_EQ(log->events[2].item, 1U);
  EXPECT_EQ(log->events[2].line, 4U);
}

TEST(StreamLog, LeavesOutBadLinesAndStopsWhenThereAreTooMany) {
  StreamLogOptions options = Options();
  const std::string text = "user,item,t\nann,lamp,1\nann,lamp\nbob,rug,-5\nbob,rug,2\n";
  options.errors_max = 2;
  const auto log = Read(text, options);
  ASSERT_TRUE(log.ok()) << log.status().ToString();
  EXPECT_THAT(log->events, SizeIs(2));
  EXPECT_EQ(log->bad, 2U);
  options.errors_max = 1;
  const auto refused = Read(text, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("the first is line 3: 2 fields"));
}

TEST(StreamLog, NamesAMissingColumn) {
  const auto log = Read("user,item,when\nann,lamp,1\n", Options());
  ASSERT_FALSE(log.ok());
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("no column 't'"));
}

TEST(StreamOrder, SortsByTimeAndKeepsTheFilesOrderWhenAsked) {
  EXPECT_THAT(Ordered(1, true, {30, 10, 20, 10, 30}), ElementsAre(1, 3, 2, 0, 4));
}

TEST(StreamOrder, ShufflesWithinATimestampOnly) {
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < 60; ++i) {
    times.push_back(i / 20);
  }
  const std::vector<std::uint64_t> lines = Ordered(42, false, times);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(times[lines[i]], times[i]) << i;
  }
  EXPECT_EQ(std::set<std::uint64_t>(lines.begin(), lines.end()).size(), 60U);
  for (std::size_t first = 0; first < 60; first += 20) {
    EXPECT_FALSE(std::is_sorted(lines.begin() + static_cast<std::ptrdiff_t>(first),
                                lines.begin() + static_cast<std::ptrdiff_t>(first + 20)));
  }
}

TEST(StreamOrder, DependsOnTheSeedAlone) {
  const std::vector<std::int64_t> times(50, 7);
  EXPECT_EQ(Ordered(1, false, times), Ordered(1, false, times));
  EXPECT_NE(Ordered(1, false, times), Ordered(2, false, times));
}

// With every seed from 0 to 5,999, each of the 6 orders of 3 events comes up 1,000 times, with a
// standard deviation of 29.
TEST(StreamOrder, EveryOrderIsEquallyLikely) {
  std::map<std::vector<std::uint64_t>, int> counts;
  for (std::uint64_t seed = 0; seed < 6'000; ++seed) {
    ++counts[Ordered(seed, false, {5, 5, 5})];
  }
  ASSERT_THAT(counts, SizeIs(6));
  for (const auto& [order, count] : counts) {
    EXPECT_NEAR(count, 1'000, 150);
  }
}

TEST(StreamWeights, AreTheEventsOwnElseTheTypesElseOne) {
  StreamLogOptions options = Options();
  options.columns.weight = "w";
  options.columns.type = "k";
  const auto log =
      Read("user,item,t,w,k\na,x,1,-3,view\na,x,2,,view\na,x,3,,return\na,x,4,,\n", options);
  ASSERT_TRUE(log.ok()) << log.status().ToString();
  const auto weights = ResolveWeights(*log, {{"view", 0.25}, {"return", -1}});
  ASSERT_TRUE(weights.ok()) << weights.status().ToString();
  EXPECT_THAT(*weights, ElementsAre(-3, 0.25, -1, 1));
  const auto unknown = ResolveWeights(*log, {{"view", 0.25}});
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("line 4"));
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("--param type.return=1"));
}

}  // namespace
}  // namespace reco::admin
