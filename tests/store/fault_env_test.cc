#include "testing/fault_env.h"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include "testing/temp_dir.h"

namespace reco::testing {
namespace {

class FaultEnvTest : public ::testing::Test {
 protected:
  std::unique_ptr<rocksdb::WritableFile> NewFile(const std::string& name) {
    std::unique_ptr<rocksdb::WritableFile> file;
    EXPECT_TRUE(env_.env()->NewWritableFile(dir_ / name, &file, rocksdb::EnvOptions()).ok());
    return file;
  }
  std::uintmax_t SizeOf(const std::string& name) { return std::filesystem::file_size(dir_ / name); }

  TempDir dir_;
  FaultEnv env_;
};

TEST_F(FaultEnvTest, CountsWritesAndSyncs) {
  const auto file = NewFile("a");
  ASSERT_TRUE(file->Append("1").ok());
  ASSERT_TRUE(file->Append("2").ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(env_.counts().writes, 3U);  // the creation and two appends
  EXPECT_EQ(env_.counts().syncs, 1U);
  EXPECT_EQ(env_.counts().failures, 0U);
  env_.ResetCounts();
  EXPECT_EQ(env_.counts().writes, 0U);
}

TEST_F(FaultEnvTest, FailsTheNthOperationOnly) {
  const auto file = NewFile("a");
  env_.Arm({.nth = 2});
  EXPECT_TRUE(file->Append("1").ok());
  EXPECT_TRUE(file->Append("2").IsIOError());
  EXPECT_TRUE(file->Append("3").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(env_.counts().failures, 1U);
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(SizeOf("a"), 2U);
}

TEST_F(FaultEnvTest, FailsEveryLaterOneToo) {
  const auto file = NewFile("a");
  env_.Arm({.nth = 2, .and_later = true, .kind = FaultPlan::Kind::kNoSpace});
  EXPECT_TRUE(file->Append("1").ok());
  EXPECT_TRUE(file->Append("2").IsNoSpace());
  EXPECT_TRUE(file->Sync().IsNoSpace());
  EXPECT_EQ(env_.counts().failures, 2U);
  env_.Disarm();
  EXPECT_TRUE(file->Append("3").ok());
}

TEST_F(FaultEnvTest, CountsOnlyWhatThePlanNames) {
  const auto file = NewFile("a");
  env_.Arm({.nth = 1, .writes = false});
  EXPECT_TRUE(file->Append("1").ok());
  EXPECT_TRUE(file->Sync().IsIOError());
  env_.Arm({.nth = 1, .syncs = false});
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(file->Append("1").IsIOError());
}

TEST_F(FaultEnvTest, FailsCreationsAndRenames) {
  NewFile("a").reset();
  env_.Arm({.nth = 1, .and_later = true});
  std::unique_ptr<rocksdb::WritableFile> file;
  EXPECT_FALSE(env_.env()->NewWritableFile(dir_ / "b", &file, rocksdb::EnvOptions()).ok());
  EXPECT_FALSE(std::filesystem::exists(dir_ / "b"));
  EXPECT_FALSE(env_.env()->RenameFile(dir_ / "a", dir_ / "c").ok());
  EXPECT_TRUE(std::filesystem::exists(dir_ / "a"));
}

TEST_F(FaultEnvTest, TornWriteLeavesHalf) {
  const auto file = NewFile("a");
  env_.Arm({.nth = 1, .torn_write = true});
  EXPECT_FALSE(file->Append("12345678").ok());
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(SizeOf("a"), 4U);
}

TEST_F(FaultEnvTest, PowerCutTakesWhatWasNotSynced) {
  const auto synced = NewFile("synced");
  ASSERT_TRUE(synced->Append("12345").ok());
  ASSERT_TRUE(synced->Sync().ok());
  ASSERT_TRUE(synced->Append("678").ok());
  const auto never = NewFile("never");
  ASSERT_TRUE(never->Append("123").ok());
  env_.Arm({.nth = 1, .writes = false});
  EXPECT_FALSE(never->Sync().ok());
  ASSERT_TRUE(synced->Close().ok());
  ASSERT_TRUE(never->Close().ok());
  EXPECT_EQ(SizeOf("synced"), 8U);
  env_.DropUnsyncedData();
  EXPECT_EQ(SizeOf("synced"), 5U);
  EXPECT_EQ(SizeOf("never"), 0U);
}

TEST_F(FaultEnvTest, PowerCutFollowsRenamesAndForgetsRemovedFiles) {
  const auto file = NewFile("a");
  ASSERT_TRUE(file->Append("12").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->Append("3").ok());
  ASSERT_TRUE(file->Close().ok());
  ASSERT_TRUE(env_.env()->RenameFile(dir_ / "a", dir_ / "b").ok());
  NewFile("c").reset();
  ASSERT_TRUE(env_.env()->DeleteFile(dir_ / "c").ok());
  env_.DropUnsyncedData();
  EXPECT_EQ(SizeOf("b"), 2U);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "c"));
}

TEST_F(FaultEnvTest, ManyThreadsFailExactlyOnce) {
  env_.Arm({.nth = 1'000});
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i, &failed] {
      const auto file = NewFile(std::to_string(i));
      for (int n = 0; n < 500; ++n) {
        failed += file->Append("x").ok() ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(env_.counts().writes, 2'004U);
}

}  // namespace
}  // namespace reco::testing
