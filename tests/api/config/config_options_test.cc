#include "api/config/config_options.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace reco::api {
namespace {

TEST(OptionTable, DefaultsFitTheirRangeAndReadBack) {
  std::set<std::string_view> names;
  for (const OptionSpec& spec : OptionTable()) {
    SCOPED_TRACE(spec.name);
    EXPECT_TRUE(names.insert(spec.name).second);
    EXPECT_FALSE(spec.documentation.empty());
    EXPECT_EQ(FindOption(spec.name), &spec);
    ServerOptions options = DefaultOptions();
    EXPECT_EQ(ParseOption(spec, spec.default_value, &options).ToString(), "ok");
    const std::string shown = FormatOption(spec, options);
    EXPECT_EQ(ParseOption(spec, shown, &options).ToString(), "ok");
    EXPECT_EQ(FormatOption(spec, options), shown);
  }
}

TEST(OptionTable, DefaultsAreWhatTheEngineAccepts) {
  Options options = DefaultOptions().EngineOptions({.bytes = 1ULL << 30U});
  EXPECT_EQ(options.path, "./reco-data");
  EXPECT_EQ(options.sync, SyncPolicy::kEverySecond);
  EXPECT_EQ(options.Validate().ToString(), "ok");
}

TEST(OptionTable, CachesTakeAutoInAnyCaseAndShowIt) {
  for (const std::string_view name : {"row-cache-bytes", "block-cache-bytes"}) {
    SCOPED_TRACE(name);
    const OptionSpec& spec = *FindOption(name);
    ServerOptions options = DefaultOptions();
    EXPECT_EQ(FormatOption(spec, options), "auto");
    EXPECT_TRUE(ParseOption(spec, "2mb", &options).ok());
    EXPECT_EQ(FormatOption(spec, options), "2097152");
    EXPECT_TRUE(ParseOption(spec, "Auto", &options).ok());
    EXPECT_EQ(FormatOption(spec, options), "auto");
    EXPECT_EQ(ParseOption(spec, "-1", &options).message(),
              "argument must be auto or a memory value");
    EXPECT_EQ(DescribeRange(spec), "auto or at least 1048576 bytes");
  }
  ServerOptions options = DefaultOptions();
  EXPECT_FALSE(ParseOption(*FindOption("maxmemory"), "auto", &options).ok());
}

TEST(ParseBytes, KnowsRedisUnits) {
  const struct {
    std::string text;
    std::int64_t bytes;  // -1: refused
  } kCases[] = {
      {"0", 0},
      {"12", 12},
      {"1b", 1},
      {"1k", 1000},
      {"1kb", 1024},
      {"1m", 1000000},
      {"1MB", 1048576},
      {"2g", 2000000000},
      {"1gb", 1LL << 30U},
      {"", -1},
      {"-1", -1},
      {"1x", -1},
      {"mb", -1},
      {"1 mb", -1},
      {"9999999999gb", -1},
      {"99999999999999999999", -1},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.text);
    std::int64_t bytes = -1;
    EXPECT_EQ(ParseBytes(test.text, &bytes), test.bytes >= 0);
    if (test.bytes >= 0) {
      EXPECT_EQ(bytes, test.bytes);
    }
  }
}

}  // namespace
}  // namespace reco::api
