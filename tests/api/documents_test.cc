#include "api/documents.h"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "api/all_commands.h"

namespace reco::api {
namespace {

std::string ReadSource(const std::string& path) {
  std::ifstream file(std::string(RECO_SOURCE_DIR) + "/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Documents, CommittedFilesAreCurrent) {
  EXPECT_TRUE(ReadSource("doc/commands.md") == CommandsDocument(CommandTable(AllCommands())))
      << "run: reco-docs commands > doc/commands.md";
  EXPECT_TRUE(ReadSource("doc/options.md") == OptionsDocument())
      << "run: reco-docs options > doc/options.md";
  EXPECT_TRUE(ReadSource("reco.conf") == ConfigDocument()) << "run: reco-docs config > reco.conf";
}

}  // namespace
}  // namespace reco::api
