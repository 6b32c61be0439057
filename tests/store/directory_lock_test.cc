// The lock on a data folder itself.
#include "store/directory_lock.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "testing/temp_dir.h"

namespace reco::store {
namespace {

TEST(DirectoryLock, IsOneForAFolderUntilItGoes) {
  testing::TempDir dir;
  const std::string path = dir / "db";
  auto first = DirectoryLock::Take(path, /*create=*/true);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  EXPECT_TRUE(std::filesystem::is_directory(path));
  for (const bool create : {true, false}) {
    const Status second = DirectoryLock::Take(path, create).status();
    EXPECT_EQ(second.code(), StatusCode::kFailedPrecondition);
    EXPECT_NE(second.message().find(path + "; stop that first"), std::string_view::npos);
  }
  EXPECT_TRUE(DirectoryLock::Take(dir / "other", true).ok());
  first->reset();
  EXPECT_TRUE(DirectoryLock::Take(path, true).ok());
}

TEST(DirectoryLock, OfAMissingFolderIsNoneToRead) {
  testing::TempDir dir;
  EXPECT_TRUE(DirectoryLock::Take(dir / "db", /*create=*/false).ok());
  EXPECT_FALSE(std::filesystem::exists(dir / "db"));
  const Status status = DirectoryLock::Take(dir / "missing/db", true).status();
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_NE(status.message().find("missing/db"), std::string_view::npos);
  std::ofstream(dir / "file") << "x";
  EXPECT_EQ(DirectoryLock::Take(dir / "file", true).status().code(), StatusCode::kIoError);
}

}  // namespace
}  // namespace reco::store
