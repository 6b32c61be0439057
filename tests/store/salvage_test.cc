#include "store/salvage.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "store/directory_lock.h"
#include "store/manifest.h"
#include "store/store.h"
#include "testing/fault_env.h"
#include "testing/temp_dir.h"

namespace reco::store {
namespace {

namespace fs = std::filesystem;

// No file grows beyond this, as on a disk that is full.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
  void (*const handler_)(int);
};

class SalvageTest : public ::testing::Test {
 protected:
  SalvageTest() {
    options_.path = dir_ / "db";
    options_.env = env_.env();
  }

  void Open() {
    store_.reset();
    Result<std::unique_ptr<Store>> opened = Store::Open(options_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = std::move(opened).value();
  }
  void Put(const std::string& key) {
    Batch batch;
    batch.Put(Family::kKeys, key, std::string(100, 'v'));
    ASSERT_TRUE(store_->Write(batch, true).ok());
  }
  // The newest one of a kind.
  std::string FileLike(std::string_view end) const {
    std::string newest;
    for (const auto& entry : fs::directory_iterator(options_.path)) {
      if (NumberIn(entry.path().filename().string(), "", end)) {
        newest = std::max(newest, entry.path().string());
      }
    }
    return newest;
  }
  void Shorten(const std::string& file) { fs::resize_file(file, fs::file_size(file) - 1); }

  Status Salvage() { return SalvageFiles(options_, target_).status(); }
  std::string KeysOfCopy() const {
    StoreOptions options;
    options.path = target_;
    const Result<std::unique_ptr<Store>> opened = Store::Open(options);
    if (!opened.ok()) {
      return opened.status().ToString();
    }
    std::string keys;
    for (const auto it = (*opened)->Scan(Family::kKeys, ""); it->Valid(); it->Next()) {
      keys.append(it->key()).append(" ");
    }
    return keys;
  }

  testing::TempDir dir_;
  testing::FaultEnv env_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  const std::string target_ = dir_ / "copy";
  const std::string scratch_ = target_ + ".tables";
};

TEST_F(SalvageTest, AFolderInUseIsRefused) {
  Open();
  Put("a");
  store_.reset();
  fs::remove(options_.path + "/LOCK");  // and with it RocksDB's own
  auto lock = DirectoryLock::Take(options_.path, /*create=*/false);
  ASSERT_TRUE(lock.ok());
  const Status status = Salvage();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find(options_.path + "; stop that first"), std::string_view::npos);
  EXPECT_FALSE(fs::exists(target_));
  lock->reset();
  EXPECT_TRUE(Salvage().ok());
  EXPECT_EQ(KeysOfCopy(), "a ");
}

TEST_F(SalvageTest, AFailedOneLeavesNothing) {
  Open();
  Put("a");
  ASSERT_TRUE(store_->Flush().ok());
  Put("b");
  ASSERT_TRUE(store_->Flush().ok());
  store_.reset();
  Shorten(FileLike(".sst"));
  {
    const FileLimit limit(100);  // of the copy of the other table
    EXPECT_EQ(Salvage().code(), StatusCode::kIoError);
  }
  EXPECT_FALSE(fs::exists(target_));
  EXPECT_FALSE(fs::exists(scratch_));
  env_.Arm({.nth = 1, .and_later = true});  // the copy is written anew
  EXPECT_EQ(Salvage().code(), StatusCode::kIoError);
  env_.Disarm();
  EXPECT_FALSE(fs::exists(target_));
  EXPECT_FALSE(fs::exists(scratch_));
  EXPECT_TRUE(Salvage().ok());
  EXPECT_FALSE(fs::exists(scratch_));
  EXPECT_EQ(KeysOfCopy(), "a ");
}

TEST_F(SalvageTest, WhatIsInTheWayIsNamedAndStays) {
  Open();
  store_.reset();
  for (const std::string& path : {target_, scratch_}) {
    fs::create_directory(path);
    const Status status = Salvage();
    EXPECT_EQ(status.code(), StatusCode::kAlreadyExists);
    EXPECT_EQ(status.message(), path + " exists already");
    EXPECT_TRUE(fs::is_directory(path));
    fs::remove(path);
  }
}

// The end was given up by an open that had no room for tables, so that both logs are needed.
TEST_F(SalvageTest, ATornEndThatAnotherLogFollowsOnEndsNothing) {
  Open();
  Put("a");
  ASSERT_TRUE(store_->Flush().ok());
  Put("b");
  ASSERT_TRUE(store_->WriteInventory(/*sync=*/false).ok());
  const std::string log = FileLike(".log");
  const std::uint64_t size_of_b = fs::file_size(log);
  store_.reset();
  std::ofstream(log, std::ios::app | std::ios::binary) << "torn";
  env_.Arm({.nth = 1, .kind = testing::FaultPlan::Kind::kNoSpace});
  Open();
  ASSERT_EQ(env_.counts().failures, 1U);
  Put("c");
  store_.reset();
  ASSERT_EQ(fs::file_size(log), size_of_b + 4);
  Shorten(FileLike(".sst"));
  const Result<SalvagedFiles> files = SalvageFiles(options_, target_);
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  EXPECT_EQ(files->dropped.size(), 1U);
  EXPECT_EQ(KeysOfCopy(), "b c ");
}

}  // namespace
}  // namespace reco::store
