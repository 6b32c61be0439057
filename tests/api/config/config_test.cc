#include "api/config/config.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::api {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Words = std::vector<std::string_view>;

Status AcceptAll(const ServerOptions&, const ServerOptions&) {
  return Status::Ok();
}

TEST(Config, GetMatchesGlobsAndAnswersEachOptionOnce) {
  const Config config(DefaultOptions());
  EXPECT_THAT(config.Get(Words{"maxc*s", "maxclient?", "TimeOut", "nosuch"}),
              UnorderedElementsAre(Pair("maxclients", "10000"), Pair("TimeOut", "0")));
}

TEST(Config, SetChangesAllAndTheGeneration) {
  Config config(DefaultOptions());
  const std::uint64_t before = config.generation();
  EXPECT_TRUE(config.Set(Words{"timeout", "7", "maxmemory", "1kb"}, AcceptAll).ok());
  EXPECT_NE(config.generation(), before);
  EXPECT_EQ(config.Snapshot().timeout_s, 7);
  EXPECT_EQ(config.Snapshot().maxmemory_bytes, 1024);
}

TEST(Config, SetChangesNothingWhenOnePartFails) {
  const std::string failed = "CONFIG SET failed (possibly related to argument '";
  const struct {
    Words pairs;
    std::string error;
  } kCases[] = {
      {{"timeout", "7", "foo", "1"},
       "Unknown option or number of arguments for CONFIG SET - 'foo'"},
      {{"timeout", "7", "port", "1"}, failed + "port') - can't set immutable config"},
      {{"timeout", "7", "save", ""}, failed + "save') - can't set immutable config"},
      {{"timeout", "7", "TIMEOUT", "8"}, failed + "TIMEOUT') - duplicate parameter"},
      {{"timeout", "7", "maxclients", "0"},
       failed + "maxclients') - argument must be between 1 and 2147483647 inclusive"},
      {{"timeout"}, "syntax error"},
  };
  for (const auto& test : kCases) {
    Config config(DefaultOptions());
    const Status status = config.Set(test.pairs, AcceptAll);
    EXPECT_EQ(std::string(status.message()), test.error);
    EXPECT_EQ(config.Snapshot().timeout_s, 0);
  }
}

TEST(Config, SetKeepsTheOptionsThatAreRefusedWhenApplied) {
  Config config(DefaultOptions());
  const Status status = config.Set(Words{"timeout", "7"}, [](const auto&, const auto&) {
    return Status::InvalidArgument("not now");
  });
  EXPECT_EQ(std::string(status.message()), "not now");
  EXPECT_EQ(config.Snapshot().timeout_s, 0);
}

}  // namespace
}  // namespace reco::api
