#include "tools/benchmark/load_generator.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/fake_server.h"

namespace reco::benchmark {
namespace {

using reco::testing::FakeServer;
using ::testing::HasSubstr;

LoadOptions Options(const FakeServer& server) {
  LoadOptions options;
  options.endpoint.port = server.port();
  options.clients = 4;
  options.threads = 2;
  options.pipeline = 8;
  options.requests = 800;
  return options;
}

SourceFactory Source(const std::string& workload) {
  return [workload](std::uint64_t client) { return MakeSource(workload, {}, client).value(); };
}

TEST(RunLoad, SendsAsManyRequestsAsAsked) {
  FakeServer server;
  const auto result = RunLoad(Options(server), Source("add"));
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->requests, 800U);
  EXPECT_EQ(result->latency_ns.count(), 800U);
  EXPECT_EQ(result->errors, 0U);
  EXPECT_EQ(server.events().size(), 800U);
  EXPECT_GT(result->rate(), 0);
}

TEST(RunLoad, CountsErrorsAndEmptyReplies) {
  FakeServer server;
  const auto missing = RunLoad(Options(server), Source("get"));
  ASSERT_TRUE(missing.ok());
  EXPECT_EQ(missing->empty, 800U);
  const auto unknown = RunLoad(Options(server), Source("topk"));
  ASSERT_TRUE(unknown.ok());
  EXPECT_EQ(unknown->errors, 800U);
  EXPECT_THAT(unknown->first_error, HasSubstr("unknown command 'RECO.TOPK'"));
}

// Of a run at a set rate the last request is due at a known time, so no run is shorter.
TEST(RunLoad, ASetRateSendsWhatIsDueAndNotBefore) {
  FakeServer server;
  for (const std::size_t pipeline : {1U, 4U}) {
    LoadOptions options = Options(server);
    options.pipeline = pipeline;
    options.rate = 20'000;
    const auto result = RunLoad(options, Source("add"));
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    EXPECT_EQ(result->requests, 800U);
    EXPECT_EQ(result->errors, 0U);
    EXPECT_GE(result->seconds, (800.0 - static_cast<double>(pipeline)) / options.rate);
    EXPECT_LE(result->late, 800U);
  }
  EXPECT_EQ(server.events().size(), 1600U);
}

TEST(RunLoad, ASetRateWithADurationAsksForTheirProduct) {
  FakeServer server;
  LoadOptions options = Options(server);
  options.pipeline = 1;
  options.requests = 0;
  options.rate = 5000;
  options.duration_s = 0.02;
  EXPECT_EQ(RunLoad(options, Source("add"))->requests, 100U);
}

// One connection that is asked for a request each nanosecond is behind at once: the last request is
// due after 799 ns and answered at the end of the run, and what it waited in between is its
// latency.
TEST(RunLoad, LatencyAtASetRateCountsFromWhenTheRequestWasDue) {
  FakeServer server;
  LoadOptions options = Options(server);
  options.pipeline = 1;
  options.clients = 1;
  options.rate = 1e9;
  const auto result = RunLoad(options, Source("add"));
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->requests, 800U);
  EXPECT_NEAR(static_cast<double>(result->latency_ns.max()), result->seconds * 1e9 - 799, 10);
}

// Sends two PINGs that are timed as one request.
class TwoSteps final : public RequestSource {
 public:
  explicit TwoSteps(std::string_view forbidden) : forbidden_(forbidden) {}
  Batch NextBatch(std::size_t /*count*/) override {
    first_ = !first_;
    return {"*1\r\n$4\r\nPING\r\n", 1, first_, first_ ? std::string_view() : forbidden_};
  }

 private:
  const std::string_view forbidden_;
  bool first_ = false;
};

TEST(RunLoad, BatchesThatContinueAreOneRequestAndMayForbidAReply) {
  FakeServer server;
  for (const double rate : {0.0, 50'000.0}) {
    LoadOptions options = Options(server);
    options.pipeline = 1;
    options.rate = rate;
    const auto with = [](std::string_view forbidden) {
      return [forbidden](std::uint64_t) { return std::make_unique<TwoSteps>(forbidden); };
    };
    const auto clean = RunLoad(options, with("PING"));
    ASSERT_TRUE(clean.ok()) << clean.status().ToString();
    EXPECT_EQ(clean->requests, 800U);
    EXPECT_EQ(clean->errors, 0U);
    const auto dirty = RunLoad(options, with("ONG"));
    ASSERT_TRUE(dirty.ok()) << dirty.status().ToString();
    EXPECT_EQ(dirty->errors, 800U);
    EXPECT_THAT(dirty->first_error, HasSubstr("still holds 'ONG'"));
  }
}

TEST(RunLoad, SendsThePassword) {
  FakeServer server;
  server.RequirePassword("sesame");
  LoadOptions options = Options(server);
  EXPECT_EQ(RunLoad(options, Source("ping"))->errors, 800U);
  options.endpoint.password = "sesame";
  EXPECT_EQ(RunLoad(options, Source("ping"))->errors, 0U);
  options.endpoint.password = "wrong";
  EXPECT_EQ(RunLoad(options, Source("ping")).status().code(), StatusCode::kFailedPrecondition);
}

TEST(RunLoad, ABrokenConnectionIsAnError) {
  FakeServer server;
  server.CutAfter(100);
  EXPECT_EQ(RunLoad(Options(server), Source("add")).status().code(), StatusCode::kUnavailable);
}

TEST(RunLoad, NobodyListeningIsAnError) {
  std::uint16_t port = 0;
  {
    FakeServer server;
    port = server.port();
  }
  LoadOptions options;
  options.endpoint.port = port;
  EXPECT_EQ(RunLoad(options, Source("ping")).status().code(), StatusCode::kUnavailable);
}

TEST(Replay, SendsEveryEventOnceAndStops) {
  const std::string path =
      (std::filesystem::path(::testing::TempDir()) / "replay_test_events.csv").string();
  {
    std::ofstream file(path);
    file << "time,user,item\n";
    for (int i = 0; i < 101; ++i) {
      file << i << ",u" << i << ",i" << i << "\n";
    }
    file << "no item\n";
  }
  FakeServer server;
  const auto replay = Replay::Load(path, "user", "item", "shop");
  std::filesystem::remove(path);
  ASSERT_TRUE(replay.ok()) << replay.status().ToString();
  EXPECT_EQ((*replay)->events(), 101U);
  const auto result =
      RunLoad(Options(server), [&](std::uint64_t) { return MakeReplaySource(*replay); });
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->requests, 101U);
  EXPECT_THAT(server.events(), ::testing::Contains("u100 i100"));
  EXPECT_EQ(server.events().size(), 101U);
}

TEST(Replay, AtASetRateStopsAtItsEndToo) {
  const std::string path =
      (std::filesystem::path(::testing::TempDir()) / "paced_replay_test_events.csv").string();
  {
    std::ofstream file(path);
    file << "user,item\nu0,i0\nu1,i1\nu2,i2\n";
  }
  FakeServer server;
  const auto replay = Replay::Load(path, "user", "item", "shop");
  std::filesystem::remove(path);
  ASSERT_TRUE(replay.ok()) << replay.status().ToString();
  LoadOptions options = Options(server);
  options.pipeline = 2;
  options.rate = 1e6;
  const auto result = RunLoad(options, [&](std::uint64_t) { return MakeReplaySource(*replay); });
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->requests, 3U);
}

}  // namespace
}  // namespace reco::benchmark
