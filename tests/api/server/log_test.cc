#include "api/server/log.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temp_dir.h"

namespace reco::api {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

std::vector<std::string> Lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

TEST(Log, LinesHaveRedissFormatAndAreThereAtOnce) {
  const testing::TempDir folder;
  const std::string path = folder / "server.log";
  const auto log = Log::Open(path, LogLevel::kNotice);
  ASSERT_TRUE(log.ok());
  (*log)->Write(LogLevel::kNotice, "ready {}");
  (*log)->Write(LogLevel::kWarning, "disk full");
  const std::string head = "[0-9]+:M [0-9]+ [A-Z][a-z]+ [0-9]+ [0-9:.]+ ";
  EXPECT_THAT(Lines(path), ElementsAre(MatchesRegex(head + "\\* ready \\{\\}"),
                                       MatchesRegex(head + "# disk full")));
}

TEST(Log, LinesBelowTheLevelAreLeftOut) {
  const testing::TempDir folder;
  const std::string path = folder / "server.log";
  const auto log = Log::Open(path, LogLevel::kNotice);
  ASSERT_TRUE(log.ok());
  (*log)->Write(LogLevel::kVerbose, "a");
  EXPECT_EQ(Lines(path).size(), 0U);
  (*log)->set_level(LogLevel::kVerbose);
  (*log)->Write(LogLevel::kVerbose, "b");
  (*log)->Write(LogLevel::kDebug, "c");
  EXPECT_EQ(Lines(path).size(), 1U);
}

TEST(Log, OpenedAnewItGoesOnUnderItsName) {
  const testing::TempDir folder;
  const std::string path = folder / "server.log";
  const auto log = Log::Open(path, LogLevel::kNotice);
  ASSERT_TRUE(log.ok());
  (*log)->Write(LogLevel::kNotice, "a");
  std::filesystem::rename(path, path + ".1");
  (*log)->Write(LogLevel::kNotice, "b");
  EXPECT_EQ(Lines(path + ".1").size(), 2U);
  ASSERT_TRUE((*log)->Reopen().ok());
  (*log)->Write(LogLevel::kNotice, "c");
  EXPECT_EQ(Lines(path + ".1").size(), 2U);
  EXPECT_EQ(Lines(path).size(), 1U);
  // Where it cannot be, lines go on to the old one.
  std::filesystem::rename(path, path + ".2");
  std::filesystem::create_directory(path);
  EXPECT_EQ((*log)->Reopen().code(), StatusCode::kIoError);
  (*log)->Write(LogLevel::kNotice, "d");
  EXPECT_EQ(Lines(path + ".2").size(), 2U);
}

TEST(Log, AFileThatCannotBeOpenedIsNamed) {
  const auto below_a_file = Log::Open("/dev/null/server.log", LogLevel::kNotice);
  EXPECT_EQ(below_a_file.status().code(), StatusCode::kIoError);
  EXPECT_THAT(std::string(below_a_file.status().message()),
              ::testing::HasSubstr("'/dev/null/server.log'"));
}

}  // namespace
}  // namespace reco::api
