#include "tools/benchmark/report.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::benchmark {
namespace {

using ::testing::HasSubstr;

std::vector<NamedResult> Results() {
  NamedResult named;
  named.workload = "topk";
  for (int i = 0; i < 100; ++i) {
    named.result.latency_ns.Record(i < 99 ? 1'000'000 : 50'000'000);
  }
  named.result.requests = 12'000;
  named.result.seconds = 2;
  named.result.errors = 3;
  named.result.empty = 4;
  named.result.late = 5;
  return {named};
}

LoadOptions Options() {
  LoadOptions options;
  options.clients = 8;
  options.pipeline = 2;
  options.rate = 6'000;
  return options;
}

TEST(FormatReport, CsvHasALineOfNamesAndOneForEachWorkload) {
  const std::string text = FormatReport(Results(), Options(), ReportFormat::kCsv);
  EXPECT_THAT(text, ::testing::StartsWith(
                        "workload,clients,pipeline,asked-rate,requests,seconds,rate,mean-ms,"
                        "p50-ms,p99-ms,p99.9-ms,max-ms,errors,empty,late\n"
                        "topk,8,2,6000,12000,2.00,6000,"));
  EXPECT_THAT(text, ::testing::EndsWith(",50.000,3,4,5\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(FormatReport, JsonIsAListOfObjects) {
  const std::string text = FormatReport(Results(), Options(), ReportFormat::kJson);
  EXPECT_THAT(text,
              ::testing::StartsWith(R"([{"workload": "topk", "clients": 8, "pipeline": 2, )"));
  EXPECT_THAT(text, HasSubstr(R"("requests": 12000, "seconds": 2.00, "rate": 6000,)"));
  EXPECT_THAT(text, HasSubstr(R"("max-ms": 50.000, "errors": 3, "empty": 4, "late": 5}])"));
}

TEST(FormatReport, TableIsForPeople) {
  const std::string text = FormatReport(Results(), Options(), ReportFormat::kTable);
  EXPECT_THAT(text, HasSubstr("p99.9 ms"));
  EXPECT_THAT(text, HasSubstr("12,000"));
  EXPECT_THAT(text, HasSubstr("50.000"));
}

TEST(FormatReport, LatenciesAreMillisecondsOfTheirQuantile) {
  const std::string text = FormatReport(Results(), Options(), ReportFormat::kCsv);
  // Within the histogram's error: mean 1.49, half of them 1, the last hundredth 50.
  double mean = 0;
  double median = 0;
  double high = 0;
  const std::size_t line = text.find("6000,12000,2.00,6000,");
  ASSERT_NE(line, std::string::npos);
  ASSERT_EQ(std::sscanf(text.c_str() + line, "6000,12000,2.00,6000,%lf,%lf,%*f,%lf", &mean, &median,
                        &high),
            3);
  EXPECT_NEAR(mean, 1.49, 0.02);
  EXPECT_NEAR(median, 1, 0.01);
  EXPECT_NEAR(high, 50, 0.5);
}

}  // namespace
}  // namespace reco::benchmark
