#include "store/folder_check.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include "store/inventory.h"
#include "store/store.h"
#include "testing/fault_env.h"
#include "testing/temp_dir.h"

namespace reco::store {
namespace {

namespace fs = std::filesystem;

// A store, and copies of its folder as a kill at that moment leaves them.
class FolderCheckTest : public ::testing::Test {
 protected:
  FolderCheckTest() {
    options_.path = dir_ / "db";
    options_.log = [this](LogLevel /*level*/, std::string_view text) {
      log_.append(text).append("\n");
    };
  }

  void Open() {
    store_.reset();
    Result<std::unique_ptr<Store>> opened = Store::Open(options_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = std::move(opened).value();
  }
  void Put(const std::string& key, bool sync) {
    Batch batch;
    batch.Put(Family::kKeys, key, std::string(100, 'v'));
    ASSERT_TRUE(store_->Write(batch, sync).ok());
  }
  // A killed process's folder.
  void Kill() {
    killed_ = dir_ / "killed";
    fs::remove_all(killed_);
    fs::copy(options_.path, killed_);
  }
  // Has the store take the place of the copy, damages included.
  void GoOn() {
    store_.reset();
    fs::remove_all(options_.path);
    fs::copy(killed_, options_.path);
    Open();
  }
  // There is no room to write to tables what the logs hold, so that they stay.
  void GoOnWithoutRoom() {
    env_.Arm({.nth = 1, .kind = testing::FaultPlan::Kind::kNoSpace});
    GoOn();
    ASSERT_EQ(env_.counts().failures, 1U);
  }
  FolderReport Check() {
    const Result<FolderReport> report = CheckFolder(*rocksdb::Env::Default(), killed_);
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    return report.ok() ? *report : FolderReport{};
  }
  // What opening the copy answers, and the keys that are there.
  std::string Keys() {
    StoreOptions options = options_;
    options.path = killed_;
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
  std::string FileLike(std::string_view begin, std::string_view end) const {
    std::string newest;
    for (const auto& entry : fs::directory_iterator(killed_)) {
      const std::string name = entry.path().filename().string();
      if (NumberIn(name, begin, end)) {
        newest = std::max(newest, name);
      }
    }
    return newest;
  }
  void FlipAt(const std::string& name, std::uint64_t at) const {
    std::fstream file(killed_ + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }
  std::uint64_t SizeOf(const std::string& name) const {
    return fs::file_size(killed_ + "/" + name);
  }

  // The copy is refused, its only damage names `file`, and not a byte of it is changed.
  void ExpectRefused(const std::string& file) {
    std::vector<std::string> before;
    for (const auto& entry : fs::directory_iterator(killed_)) {
      before.push_back(entry.path().filename().string());
    }
    const FolderReport report = Check();
    ASSERT_EQ(report.damages.size(), 1U);
    EXPECT_NE(report.damages[0].find(file), std::string::npos) << report.damages[0];
    EXPECT_NE(Keys().find("corruption"), std::string::npos) << Keys();
    for (const std::string& name : before) {
      EXPECT_TRUE(fs::exists(killed_ + "/" + name)) << name << " was removed";
    }
  }

  testing::TempDir dir_;
  std::string log_;
  StoreOptions options_;
  testing::FaultEnv env_;  // where options_ have it
  std::unique_ptr<Store> store_;
  std::string killed_;
};

TEST_F(FolderCheckTest, AFolderThatIsNotThereYetIsClean) {
  killed_ = dir_ / "none";
  EXPECT_TRUE(Check().damages.empty());
  fs::create_directory(killed_);
  EXPECT_TRUE(Check().damages.empty());
  EXPECT_EQ(Keys(), "");
}

TEST_F(FolderCheckTest, AFolderThatCannotBeListedIsAnError) {
  std::ofstream(dir_ / "file") << "no folder";
  const Result<FolderReport> report = CheckFolder(*rocksdb::Env::Default(), dir_ / "file");
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.status().code(), StatusCode::kIoError);
}

TEST_F(FolderCheckTest, AKilledFolderIsClean) {
  Open();
  for (int i = 0; i < 5; ++i) {
    Put("key" + std::to_string(i), i % 2 == 0);
    ASSERT_TRUE(store_->Flush().ok());
  }
  Put("last", false);
  Kill();
  const FolderReport report = Check();
  EXPECT_TRUE(report.damages.empty());
  EXPECT_TRUE(report.losses.empty());
  EXPECT_TRUE(report.has_inventory);
  EXPECT_EQ(Keys(), "key0 key1 key2 key3 key4 last ");
}

TEST_F(FolderCheckTest, ALogThatTheInventoryHasMustBeThere) {
  Open();
  Put("a", true);
  Kill();
  const std::string log = FileLike("", ".log");
  fs::remove(killed_ + "/" + log);
  ExpectRefused(log);
}

TEST_F(FolderCheckTest, ALogWhoseChangesAreInTablesNeedNotBe) {
  Open();
  Put("a", true);
  ASSERT_TRUE(store_->WriteInventory(true).ok());
  ASSERT_TRUE(store_->Flush().ok());  // removes the log, and no inventory follows
  Kill();
  EXPECT_TRUE(Check().damages.empty());
  EXPECT_EQ(Keys(), "a ");
}

TEST_F(FolderCheckTest, DamageInFrontOfTheInventoryIsRefused) {
  Open();
  for (const char* key : {"a", "b", "c"}) {
    Put(key, false);
  }
  ASSERT_TRUE(store_->WriteInventory(true).ok());
  Kill();
  const std::string log = FileLike("", ".log");
  const std::uint64_t size = SizeOf(log);
  FlipAt(log, size - 1);
  ExpectRefused(log);
  Kill();
  fs::resize_file(killed_ + "/" + log, size - 1);
  ExpectRefused(log);
  Kill();
  fs::resize_file(killed_ + "/" + log, 0);
  ExpectRefused(log);
}

TEST_F(FolderCheckTest, ATornEndBehindTheInventoryOpens) {
  Open();
  Put("a", false);
  ASSERT_TRUE(store_->WriteInventory(true).ok());
  Put("b", false);
  Kill();
  const std::string log = FileLike("", ".log");
  fs::resize_file(killed_ + "/" + log, SizeOf(log) - 1);
  const FolderReport report = Check();
  EXPECT_TRUE(report.damages.empty());
  EXPECT_TRUE(report.losses.empty());
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].find(log), std::string::npos);
  EXPECT_EQ(Keys(), "a ");
}

// A file system may have given the log its length before it had the bytes.
TEST_F(FolderCheckTest, ZerosBehindTheLastRecordAreATornEnd) {
  Open();
  Put("a", true);
  Kill();
  const std::string log = FileLike("", ".log");
  const std::uint64_t size = SizeOf(log);
  for (const std::uint64_t zeros : {1U, 7U, 100U, 100'000U}) {
    Kill();
    fs::resize_file(killed_ + "/" + log, size + zeros);
    EXPECT_TRUE(Check().damages.empty()) << zeros;
    EXPECT_TRUE(Check().losses.empty()) << Check().losses[0];
    EXPECT_EQ(Check().notes.size(), 1U) << zeros;
    EXPECT_EQ(Keys(), "a ") << zeros;
  }
  // Something behind them is a record that was written and is lost.
  Kill();
  fs::resize_file(killed_ + "/" + log, size + 100'000);
  std::ofstream(killed_ + "/" + log, std::ios::app | std::ios::binary) << "something";
  EXPECT_EQ(Check().losses.size(), 1U);
}

// Where RocksDB finds a torn end it begins the next log with a batch of no changes, and gives its
// number to the first change as well.
TEST_F(FolderCheckTest, WritesBehindATornEndAreWhole) {
  Open();
  Put("a", true);
  for (const std::string key : {"b", "c"}) {
    Put("torn", false);
    Kill();
    const std::string log = FileLike("", ".log");
    fs::resize_file(killed_ + "/" + log, SizeOf(log) - 1);
    GoOn();
    Kill();
    EXPECT_TRUE(Check().damages.empty()) << Check().damages[0];
    Put(key, true);
    Kill();
    EXPECT_TRUE(Check().damages.empty()) << Check().damages[0];
    EXPECT_TRUE(Check().losses.empty());
  }
  EXPECT_EQ(Keys(), "a b c ");
}

// Without room for tables the log stays the only place of what it has, its torn end included.
TEST_F(FolderCheckTest, ALogThatOpeningLeavesIsProtectedUpToItsTornEnd) {
  options_.env = env_.env();
  Open();
  Put("a", true);
  Kill();
  const std::uint64_t size_of_a = SizeOf(FileLike("", ".log"));
  Put("b", false);
  Put("torn", false);
  Kill();
  const std::string log = FileLike("", ".log");
  const std::uint64_t size = SizeOf(log) - 1;
  fs::resize_file(killed_ + "/" + log, size);
  GoOnWithoutRoom();
  Put("c", true);
  Kill();
  ASSERT_TRUE(fs::exists(killed_ + "/" + log));
  const Result<Inventory> inventory = ReadInventory(*rocksdb::Env::Default(), killed_);
  ASSERT_TRUE(inventory.ok());
  EXPECT_GT(inventory->log_bytes.at(*NumberIn(log, "", ".log")), size_of_a);
  EXPECT_LT(inventory->log_bytes.at(*NumberIn(log, "", ".log")), size);
  EXPECT_TRUE(Check().damages.empty()) << Check().damages[0];
  options_.env = nullptr;
  EXPECT_EQ(Keys(), "a b c ");
  Kill();
  FlipAt(log, size_of_a + 20);  // in b
  ExpectRefused(log);
}

// What the first damage cost was told at the open that gave it up.
TEST_F(FolderCheckTest, ALogThatIsReadOnBehindALossIsJudgedForItself) {
  options_.env = env_.env();
  Open();
  Put("a", true);
  for (const char* key : {"b", "c", "d"}) {
    Put(key, false);
  }
  Kill();
  const std::string log = FileLike("", ".log");
  FlipAt(log, SizeOf(log) / 2 + 10);  // in c
  ASSERT_EQ(Check().losses.size(), 1U);
  GoOnWithoutRoom();
  Put("e", true);
  Put("torn", false);
  Kill();
  ASSERT_TRUE(fs::exists(killed_ + "/" + log));
  const std::string next = FileLike("", ".log");
  fs::resize_file(killed_ + "/" + next, SizeOf(next) - 1);
  EXPECT_TRUE(Check().damages.empty());
  EXPECT_TRUE(Check().losses.empty()) << Check().losses[0];
  EXPECT_EQ(Check().notes.size(), 2U);
  options_.env = nullptr;
  EXPECT_EQ(Keys(), "a b e ");
}

// Each later write says that those before were synced, without an inventory.
TEST_F(FolderCheckTest, DamageOfSyncedWritesIsToldByTheWritesBehindThem) {
  Open();
  for (const char* key : {"a", "b", "c", "d"}) {
    Put(key, true);
  }
  Kill();
  const std::string log = FileLike("", ".log");
  FlipAt(log, SizeOf(log) / 2);
  ExpectRefused(log);
}

TEST_F(FolderCheckTest, ASyncSaysSoToo) {
  Open();
  Put("a", false);
  Put("b", false);
  ASSERT_TRUE(store_->SyncLog().ok());
  Put("c", false);
  Kill();
  const std::string log = FileLike("", ".log");
  FlipAt(log, SizeOf(log) / 2);
  ExpectRefused(log);
}

// Pages that were never synced, of which power loss has left the later ones.
TEST_F(FolderCheckTest, AHoleInWhatWasNeverSyncedOpensAndIsToldAsALoss) {
  Open();
  Put("a", true);
  for (const char* key : {"b", "c", "d"}) {
    Put(key, false);
  }
  Kill();
  const std::string log = FileLike("", ".log");
  FlipAt(log, SizeOf(log) / 2 + 10);  // in c
  const FolderReport report = Check();
  EXPECT_TRUE(report.damages.empty());
  ASSERT_EQ(report.losses.size(), 1U);
  EXPECT_NE(report.losses[0].find("1 whole record is lost"), std::string::npos) << report.losses[0];
  EXPECT_EQ(Keys(), "a b ");
  EXPECT_NE(log_.find(report.losses[0]), std::string::npos) << log_;
}

// Rows of a group take numbers that the log does not have.
TEST_F(FolderCheckTest, ChangesThatAreNotInTheLogCountForNothing) {
  Open();
  Put("a", true);
  const auto group = store_->BeginGroup();
  group->Put(Family::kUsers, "row", "1");
  ASSERT_TRUE(group->Finish().ok());
  ASSERT_TRUE(store_->SyncLog().ok());
  Put("b", false);
  Put("c", false);
  Kill();
  const std::string log = FileLike("", ".log");
  FlipAt(log, SizeOf(log) / 2);  // in b, which was never synced
  EXPECT_TRUE(Check().damages.empty());
  EXPECT_EQ(Keys(), "a ");
}

TEST_F(FolderCheckTest, AShorterManifestIsRefusedAndItsTablesStay) {
  Open();
  Put("a", true);
  ASSERT_TRUE(store_->Flush().ok());
  ASSERT_TRUE(store_->WriteInventory(true).ok());
  Kill();
  const std::string manifest = FileLike("MANIFEST-", "");
  fs::resize_file(killed_ + "/" + manifest, SizeOf(manifest) - 1);
  ExpectRefused(manifest);
}

// No inventory has seen the flush. The manifest before it needs the log that the flush has removed.
TEST_F(FolderCheckTest, AManifestThatLostAFlushBehindTheInventoryIsRefused) {
  Open();
  Put("a", true);
  ASSERT_TRUE(store_->WriteInventory(true).ok());
  Kill();
  const std::string log = FileLike("", ".log");
  ASSERT_TRUE(store_->Flush().ok());
  Kill();
  ASSERT_FALSE(fs::exists(killed_ + "/" + log));
  const std::string manifest = FileLike("MANIFEST-", "");
  fs::resize_file(killed_ + "/" + manifest, SizeOf(manifest) - 1);
  const FolderReport report = Check();
  ASSERT_EQ(report.damages.size(), 1U);
  EXPECT_EQ(report.damages[0], "the log " + log + " is missing");
}

// RocksDB would write to tables again what it has there, and refuse those without naming the log.
TEST_F(FolderCheckTest, AnOlderLogInThePlaceOfTheNewestIsRefused) {
  Open();
  Put("a", true);
  Kill();
  fs::copy(killed_ + "/" + FileLike("", ".log"), dir_ / "older");
  ASSERT_TRUE(store_->Flush().ok());
  Kill();
  const std::string log = FileLike("", ".log");
  EXPECT_EQ(Check().damages.size(), 0U);
  fs::copy_file(dir_ / "older", killed_ + "/" + log, fs::copy_options::overwrite_existing);
  ExpectRefused(log);
}

TEST_F(FolderCheckTest, AnOlderCurrentIsRefused) {
  Open();
  Put("a", true);
  Kill();
  const std::string older = FileLike("MANIFEST-", "");
  fs::copy(killed_ + "/" + older, dir_ / "older");
  Open();
  Kill();
  fs::copy(dir_ / "older", killed_ + "/" + older);
  std::ofstream(killed_ + "/CURRENT") << older << "\n";
  ExpectRefused(older);
}

TEST_F(FolderCheckTest, ADamagedInventoryAndALostCurrentAreRefused) {
  Open();
  Put("a", true);
  Kill();
  FlipAt(std::string(kInventoryName), 20);
  ExpectRefused(std::string(kInventoryName));
  Kill();
  fs::remove(killed_ + "/CURRENT");
  ExpectRefused("CURRENT");
}

// As a release before this file left it.
TEST_F(FolderCheckTest, AFolderWithoutAnInventoryOpensAndGetsOne) {
  Open();
  Put("a", true);
  Kill();
  fs::remove(killed_ + "/" + std::string(kInventoryName));
  EXPECT_FALSE(Check().has_inventory);
  EXPECT_EQ(Keys(), "a ");
  EXPECT_TRUE(Check().has_inventory);
}

// A release before this file takes no notice of it.
TEST_F(FolderCheckTest, AnInventoryThatAnOlderReleaseHasLeftBehindIsTrueStill) {
  Open();
  Put("a", true);
  Kill();
  const std::string inventory = killed_ + "/" + std::string(kInventoryName);
  fs::copy(inventory, dir_ / "stale");
  EXPECT_EQ(Keys(), "a ");
  EXPECT_EQ(Keys(), "a ");
  fs::remove(inventory);
  fs::copy(dir_ / "stale", inventory);
  EXPECT_TRUE(Check().damages.empty());
  EXPECT_EQ(Keys(), "a ");
}

TEST_F(FolderCheckTest, ATableIsNamedWithItsFamily) {
  Open();
  Put("a", true);
  ASSERT_TRUE(store_->Flush().ok());
  Kill();
  const std::string table = FileLike("", ".sst");
  fs::resize_file(killed_ + "/" + table, SizeOf(table) + 1);
  ExpectRefused("family keys: " + table);
  fs::remove(killed_ + "/" + table);
  ExpectRefused("family keys: " + table + " is missing");
}

TEST_F(FolderCheckTest, ATableThatNobodyNamesIsToldBeforeItIsRemoved) {
  Open();
  Put("a", true);
  ASSERT_TRUE(store_->Flush().ok());
  Kill();
  fs::copy(killed_ + "/" + FileLike("", ".sst"), killed_ + "/000999.sst");
  EXPECT_TRUE(Check().damages.empty());
  EXPECT_EQ(Keys(), "a ");
  EXPECT_NE(log_.find("000999.sst"), std::string::npos) << log_;
  EXPECT_FALSE(fs::exists(killed_ + "/000999.sst"));
}

TEST_F(FolderCheckTest, ATableThatIsCalledLikeOursButIsNoneIsNothing) {
  killed_ = dir_ / "logs";
  fs::create_directory(killed_);
  std::ofstream(killed_ + "/reco.log") << "RecoDB starting\n";
  EXPECT_TRUE(Check().damages.empty());
}

TEST_F(FolderCheckTest, AnInventoryIsKeptWhenItIsDue) {
  constexpr std::int64_t kSecond = 1'000'000;
  Open();
  std::int64_t now = 100 * kSecond;
  const auto kept = [&](bool sync) {
    EXPECT_TRUE(store_->KeepInventory(now, sync).ok());
    Kill();
    return ReadInventory(*rocksdb::Env::Default(), killed_)->log_bytes;
  };
  kept(true);
  const auto empty = kept(true);
  Put("a", true);
  EXPECT_EQ(kept(true), empty);  // the log is not quiet
  now += kSecond;
  const auto with_a = kept(true);
  EXPECT_NE(with_a, empty);
  for (int step = 0; step < 4; ++step) {
    Put("more", true);
    now += kSecond / 2;
    EXPECT_EQ(kept(true), with_a);
  }
  Put("more", true);
  now += kSecond / 2;  // two seconds after the first that the inventory has not
  const auto under_load = kept(true);
  EXPECT_NE(under_load, with_a);
  // Not asked to sync, what was never synced is not in it.
  Put("b", false);
  now += 100 * kSecond;
  EXPECT_EQ(kept(false), under_load);
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_NE(kept(false), under_load);
}

}  // namespace
}  // namespace reco::store
