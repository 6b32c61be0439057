#include "api/server/statistics.h"

#include <cstdint>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Totals = std::map<std::string, std::uint64_t>;

TEST(ThreadStatistics, ErrorsAreCountedByTheirFirstWord) {
  ThreadStatistics statistics(1);
  statistics.CountError("-ERR no such thing\r\n");
  statistics.CountError("-ERR other\r\n");
  statistics.CountError("-WRONGTYPE x\r\n");
  statistics.CountError("-LOADING\r\n");
  Totals totals = {{"ERR", 10}};
  statistics.AddErrorsTo(&totals);
  EXPECT_THAT(totals, ElementsAre(Pair("ERR", 12), Pair("LOADING", 1), Pair("WRONGTYPE", 1)));
}

TEST(ThreadStatistics, ACallerCannotMakeItRememberCodesWithoutEnd) {
  ThreadStatistics statistics(1);
  for (int i = 0; i < 1'000; ++i) {
    statistics.CountError("-CODE" + std::to_string(i) + " x\r\n");
  }
  statistics.CountError("-CODE0 again\r\n");
  Totals totals;
  statistics.AddErrorsTo(&totals);
  EXPECT_EQ(totals.size(), 128U);
  EXPECT_EQ(totals["CODE0"], 2U);
}

TEST(ThreadStatistics, ResetForgetsEverything) {
  ThreadStatistics statistics(2);
  statistics.command(1).calls.Add(3);
  statistics.command(1).failed.Add();
  statistics.input_bytes.Add(7);
  statistics.writes.Add();
  statistics.CountError("-ERR x\r\n");
  EXPECT_EQ(statistics.command(1).calls.value(), 3U);
  statistics.Reset();
  EXPECT_EQ(statistics.command(1).calls.value(), 0U);
  EXPECT_EQ(statistics.command(1).failed.value(), 0U);
  EXPECT_EQ(statistics.input_bytes.value(), 0U);
  EXPECT_EQ(statistics.writes.value(), 0U);
  Totals totals;
  statistics.AddErrorsTo(&totals);
  EXPECT_THAT(totals, IsEmpty());
}

}  // namespace
}  // namespace reco::api
