#include "tools/benchmark/fill.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/fake_server.h"

namespace reco::benchmark {
namespace {

using reco::testing::FakeServer;
using ::testing::HasSubstr;

// The lines of a fill over one connection.
Result<std::vector<FillStep>> FillOver(const FakeServer& server, const FillOptions& options) {
  LoadOptions load;
  load.endpoint.port = server.port();
  load.clients = 1;
  load.pipeline = 2;
  std::vector<FillStep> steps;
  RECO_RETURN_IF_ERROR(Fill(load, options, [&](const FillStep& step) { steps.push_back(step); }));
  return steps;
}

FillOptions Options() {
  FillOptions options;
  options.events = 1'003;
  options.batch = 7;
  options.steps = 4;
  return options;
}

// What the stream of these options gives, as the server shows it.
std::vector<std::string> Expected(const FillOptions& options) {
  EventStream stream(options.stream);
  stream.Skip(options.skip);
  std::vector<std::string> events;
  for (std::uint64_t i = 0; i < options.events; ++i) {
    const StreamEvent event = stream.Next();
    events.push_back("u" + std::to_string(event.user) + " i" + std::to_string(event.item));
  }
  return events;
}

TEST(Fill, SendsTheStreamWholeAndTellsOfEachStep) {
  for (const std::uint64_t skip : {0U, 500U}) {
    FakeServer server;
    FillOptions options = Options();
    options.skip = skip;
    const auto steps = FillOver(server, options);
    ASSERT_TRUE(steps.ok()) << steps.status().ToString();
    EXPECT_EQ(server.events(), Expected(options));
    ASSERT_EQ(steps->size(), 4U);
    EXPECT_EQ((*steps)[0].events, 250U);
    EXPECT_EQ((*steps)[1].row_misses, 251U);  // events so far, of this server
    EXPECT_EQ((*steps)[3].events, 1'003U);
    EXPECT_EQ((*steps)[3].added, 251U);
    EXPECT_EQ((*steps)[3].load.requests, 36U);
    EXPECT_EQ((*steps)[3].resident_bytes, 1U << 20U);
    EXPECT_EQ((*steps)[3].disk_bytes, 0U);
    EXPECT_GT((*steps)[3].rate(), 0);
  }
}

TEST(Fill, EndsWithinAStepWhenTheTimeIsOver) {
  FakeServer server;
  FillOptions options = Options();
  options.time_limit_s = 1e-9;
  const auto steps = FillOver(server, options);
  ASSERT_TRUE(steps.ok()) << steps.status().ToString();
  EXPECT_TRUE(steps->empty());
  EXPECT_TRUE(server.events().empty());
}

TEST(Fill, ARefusedCommandEndsIt) {
  FakeServer server;
  FillOptions options = Options();
  options.stream.items = 1;
  server.Refuse("i0", "OOM full");
  const auto steps = FillOver(server, options);
  EXPECT_EQ(steps.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(steps.status().ToString(), HasSubstr("OOM full"));
}

TEST(FillLine, HasAValueForEveryNameOfTheHead) {
  FillStep step;
  step.events = 2'000;
  step.added = 1'000;
  step.load.seconds = 0.5;
  step.client_cpu_s = 0.001;
  EXPECT_THAT(FillLine(step, ReportFormat::kTable), HasSubstr("2,000      0.50      2,000"));
  EXPECT_EQ(FillHead(ReportFormat::kTable).size(), FillLine(step, ReportFormat::kTable).size());
  EXPECT_THAT(FillHead(ReportFormat::kCsv), HasSubstr("events,seconds,rate,"));
  EXPECT_THAT(FillLine(step, ReportFormat::kCsv), HasSubstr("2000,0.50,2000,0.00,0.00,0.00,1.00,"));
  EXPECT_THAT(FillLine(step, ReportFormat::kJson), HasSubstr(R"("client-us": 1.00)"));
  EXPECT_EQ(FillHead(ReportFormat::kJson), "");
}

}  // namespace
}  // namespace reco::benchmark
