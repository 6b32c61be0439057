#include "api/config/config.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/config/config_file.h"
#include "api/config/config_options.h"

namespace reco::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Words = std::vector<std::string_view>;

Status AcceptAll(const ServerOptions&, const ServerOptions&) {
  return Status::Ok();
}

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
  Options options = DefaultOptions().EngineOptions();
  EXPECT_EQ(options.path, "./reco-data");
  EXPECT_EQ(options.sync, SyncPolicy::kEverySecond);
  EXPECT_EQ(options.Validate().ToString(), "ok");
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

TEST(ApplyConfigText, ReadsRedisConfSyntax) {
  ServerOptions options = DefaultOptions();
  const Status status = ApplyConfigText(
      "# a comment\n"
      "\n"
      "  port 7000   \r\n"
      "PORT 7001\n"
      "bind 127.0.0.1 ::1\n"
      "requirepass \"a b\\x41\"\n"
      "logfile ''\n"
      "appendfsync always\n"
      "maxmemory 1gb\n"
      "client-output-buffer-limit normal 1mb 512kb 10\n"
      "save \"\"",
      "test.conf", &options);
  EXPECT_EQ(status.ToString(), "ok");
  EXPECT_EQ(options.port, 7001);
  EXPECT_EQ(options.bind, "127.0.0.1 ::1");
  EXPECT_EQ(options.requirepass, "a bA");
  EXPECT_EQ(options.logfile, "");
  EXPECT_EQ(options.EngineOptions().sync, SyncPolicy::kAlways);
  EXPECT_EQ(options.maxmemory_bytes, 1LL << 30U);
  EXPECT_EQ(options.output_limits[0].hard_bytes, 1LL << 20U);
  EXPECT_EQ(options.output_limits[0].soft_seconds, 10);
  EXPECT_EQ(options.output_limits[1].hard_bytes, 256LL << 20U);
}

TEST(ApplyConfigText, NamesTheLineTheOptionAndWhatIsAllowed) {
  const struct {
    std::string text;
    std::string error;
  } kCases[] = {
      {"\nprot 1", "f.conf:2: unknown option 'prot'"},
      {"port 70000",
       "f.conf:1: option 'port': argument must be between 0 and 65535 inclusive (got '70000')"},
      {"port", "f.conf:1: option 'port': takes one value (0 to 65535), got 0"},
      {"port 1 2", "f.conf:1: option 'port': takes one value (0 to 65535), got 2"},
      {"protected-mode maybe", "argument must be 'yes' or 'no' (got 'maybe')"},
      {"appendfsync x", "must be one of the following: always, everysec, no (got 'x')"},
      {"maxmemory lots", "argument must be a memory value"},
      {"save 900", "argument must be '', it cannot be changed"},
      {"requirepass \"abc", "f.conf:1: unbalanced quotes"},
      {"client-output-buffer-limit normal 0 0", "Wrong number of arguments"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.text);
    ServerOptions options = DefaultOptions();
    const Status status = ApplyConfigText(test.text, "f.conf", &options);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(test.error));
  }
}

TEST(ParseCommandLine, OptionsWinOverTheFile) {
  const std::string path = ::testing::TempDir() + "command_line_test.conf";
  std::ofstream(path) << "port 7000\ntimeout 5\n";
  const std::vector<std::string> arguments = {path,        "--port", "7001",   "--bind",
                                              "127.0.0.1", "::1",    "--check"};
  const Result<CommandLine> line = ParseCommandLine(arguments);
  ASSERT_TRUE(line.ok()) << line.status().ToString();
  EXPECT_EQ(line->options.port, 7001);
  EXPECT_EQ(line->options.timeout_s, 5);
  EXPECT_EQ(line->options.bind, "127.0.0.1 ::1");
  EXPECT_EQ(line->action, CommandLine::Action::kCheck);
  EXPECT_TRUE(std::filesystem::path(line->config_file).is_absolute());
  std::filesystem::remove(path);
}

TEST(ParseCommandLine, RefusesWhatItDoesNotKnow) {
  const struct {
    std::vector<std::string> arguments;
    std::string error;
  } kCases[] = {
      {{"/nonexistent/file.conf"}, "cannot read configuration file '/nonexistent/file.conf'"},
      {{"--prot", "1"}, "command line: unknown option 'prot'"},
      {{"--port", "x"}, "command line: option 'port': argument couldn't be parsed"},
      {{"--port"}, "takes one value"},
      {{"-p", "1"}, "command line: '-p' is neither an option nor the value of one"},
  };
  for (const auto& test : kCases) {
    const Result<CommandLine> line = ParseCommandLine(test.arguments);
    ASSERT_FALSE(line.ok());
    EXPECT_THAT(std::string(line.status().message()), HasSubstr(test.error));
  }
}

TEST(ParseCommandLine, SecretsAreNotRepeatedInErrors) {
  const Result<CommandLine> line =
      ParseCommandLine(std::vector<std::string>{"--requirepass", "hunter2", "hunter3"});
  ASSERT_FALSE(line.ok());
  EXPECT_THAT(std::string(line.status().message()), ::testing::Not(HasSubstr("hunter")));
}

TEST(Config, GetMatchesGlobsAndAnswersEachOptionOnce) {
  const Config config(DefaultOptions());
  EXPECT_THAT(config.Get(Words{"*client?", "max*s", "TimeOut", "nosuch"}),
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
