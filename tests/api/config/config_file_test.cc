#include "api/config/config_file.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::api {
namespace {

using ::testing::HasSubstr;

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
  EXPECT_EQ(options.EngineOptions({.bytes = 1ULL << 30U}).sync, SyncPolicy::kAlways);
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

TEST(ParseCommandLine, AnActionIsAWordWithoutAValue) {
  const struct {
    std::string argument;
    CommandLine::Action action;
  } kCases[] = {
      {"--check", CommandLine::Action::kCheck},     {"--salvage", CommandLine::Action::kSalvage},
      {"--version", CommandLine::Action::kVersion}, {"-v", CommandLine::Action::kVersion},
      {"--help", CommandLine::Action::kHelp},       {"-h", CommandLine::Action::kHelp},
  };
  for (const auto& test : kCases) {
    const Result<CommandLine> line =
        ParseCommandLine(std::vector<std::string>{test.argument, "--dir", "/data"});
    ASSERT_TRUE(line.ok()) << test.argument;
    EXPECT_EQ(line->action, test.action) << test.argument;
    EXPECT_EQ(line->options.dir, "/data");
  }
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

}  // namespace
}  // namespace reco::api
