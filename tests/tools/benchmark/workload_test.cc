#include "tools/benchmark/workload.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tools/benchmark/resp.h"

namespace reco::benchmark {
namespace {

TEST(Workload, EveryNameMakesWholeCommands) {
  const std::string names = WorkloadNames();
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find(", ", at), names.size());
    const std::string name = names.substr(at, end - at);
    at = end + 2;
    auto source = MakeSource(name, {}, 3);
    ASSERT_TRUE(source.ok()) << name;
    const auto batch = (*source)->NextBatch(5);
    EXPECT_EQ(batch.requests, name == kAddThenTopk ? 1U : 5U);
    // A command is an array of bulk strings, which the scanner reads as well as a reply.
    const auto counts = ReplyScanner().Feed(batch.bytes);
    EXPECT_EQ(counts.replies, batch.requests) << name;
    EXPECT_FALSE(counts.malformed) << name;
  }
  EXPECT_FALSE(MakeSource("nonsense", {}, 0).ok());
}

TEST(Workload, IdsStayInTheirRanges) {
  WorkloadOptions options;
  options.users = 3;
  options.items = 2;
  auto source = MakeSource("add", options, 0);
  ASSERT_TRUE(source.ok());
  const std::string bytes((*source)->NextBatch(500).bytes);
  EXPECT_NE(bytes.find("user:00000002"), std::string::npos);
  EXPECT_EQ(bytes.find("user:00000003"), std::string::npos);
  EXPECT_NE(bytes.find("item:00000001"), std::string::npos);
  EXPECT_EQ(bytes.find("item:00000002"), std::string::npos);
  EXPECT_EQ(NumberedId(kUserPrefix, 2), "user:00000002");
}

TEST(Workload, AddThenTopkAsksForTheUserWhoseEventItAdded) {
  auto source = MakeSource(std::string(kAddThenTopk), {}, 5);
  ASSERT_TRUE(source.ok());
  for (int i = 0; i < 100; ++i) {
    const auto add = (*source)->NextBatch(1);
    EXPECT_TRUE(add.continues);
    EXPECT_TRUE(add.forbidden.empty());
    const std::string event(add.bytes);
    const std::string user = event.substr(event.find(kUserPrefix), kUserPrefix.size() + kIdDigits);
    const auto topk = (*source)->NextBatch(1);
    EXPECT_FALSE(topk.continues);
    EXPECT_NE(topk.bytes.find("RECO.TOPK"), std::string_view::npos);
    EXPECT_NE(topk.bytes.find(user), std::string_view::npos);
    EXPECT_NE(event.find(topk.forbidden), std::string::npos);
    EXPECT_EQ(topk.forbidden.substr(0, kItemPrefix.size()), kItemPrefix);
  }
}

TEST(PowerLaw, SmallNumbersAreMoreFrequent) {
  Random random(1);
  std::uint64_t first = 0;
  std::uint64_t upper_half = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t number = PowerLaw(random, 1000);
    ASSERT_LT(number, 1000U);
    first += number == 0 ? 1 : 0;
    upper_half += number >= 500 ? 1 : 0;
  }
  // log(2) / log(1001) = 10.0% each.
  EXPECT_NEAR(static_cast<double>(first), 1003, 150);
  EXPECT_NEAR(static_cast<double>(upper_half), 1002, 150);
}

}  // namespace
}  // namespace reco::benchmark
