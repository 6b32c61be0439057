#include "tools/benchmark/load_generator.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

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

}  // namespace
}  // namespace reco::benchmark
