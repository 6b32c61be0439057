#include "api/config/open_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace reco::api {
namespace {

using ::testing::HasSubstr;

ServerOptions WithClients(std::int64_t maxclients) {
  ServerOptions options = DefaultOptions();
  options.io_threads = 4;
  options.maxclients = maxclients;
  return options;
}

constexpr std::int64_t kReserve = 96 + 64 + 16;

TEST(OpenFiles, WhereNothingIsShortAllGetWhatTheyWant) {
  const OpenFiles wanted = WantedOpenFiles(WithClients(10'000));
  EXPECT_EQ(wanted.limit, 10'000 + 512 + kReserve);
  const auto files = DivideOpenFiles(wanted.limit, WithClients(10'000));
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(files->tables, 512);
  EXPECT_EQ(files->clients, 10'000);
  EXPECT_EQ(files->reserve, kReserve);
}

TEST(OpenFiles, WhatIsThereIsDividedAndNeverMore) {
  for (const std::int64_t maxclients : {1, 20, 500, 10'000}) {
    bool refused = true;
    for (std::int64_t limit = 0; limit < 11'000; ++limit) {
      const auto files = DivideOpenFiles(limit, WithClients(maxclients));
      ASSERT_TRUE(refused || files.ok()) << limit;  // more is never refused
      refused = !files.ok();
      if (files.ok()) {
        ASSERT_LE(files->tables + files->clients + files->reserve, limit);
        ASSERT_EQ(files->limit, limit);
        ASSERT_GE(files->tables, 32);
        ASSERT_LE(files->tables, 512);
        ASSERT_LE(files->clients, maxclients);
        ASSERT_GE(files->clients, std::min<std::int64_t>(maxclients, 16));
      }
    }
  }
}

TEST(OpenFiles, ALimitTooSmallIsToldTheNumberThatIsEnough) {
  const std::int64_t enough = kReserve + 32 + 16;
  const Status refused = DivideOpenFiles(enough - 1, WithClients(10'000)).status();
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("at least " + std::to_string(enough) + " are needed"));
  EXPECT_TRUE(DivideOpenFiles(enough, WithClients(10'000)).ok());
}

TEST(OpenFiles, TheLimitIsRaisedAsFarAsItMayBe) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 100;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(RaiseOpenFileLimit(50), 100);
  EXPECT_EQ(RaiseOpenFileLimit(120), 120);
  rlimit now{};
  getrlimit(RLIMIT_NOFILE, &now);
  EXPECT_EQ(now.rlim_cur, 120U);
  EXPECT_EQ(now.rlim_max, before.rlim_max);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace reco::api
