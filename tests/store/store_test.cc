#include "store/store.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/wait.h>

#include "format/keys.h"
#include "store/directory_lock.h"
#include "testing/fault_env.h"
#include "testing/temp_dir.h"

namespace reco::store {
namespace {

using ::reco::testing::FaultEnv;
using ::reco::testing::FaultPlan;
using ::reco::testing::TempDir;

std::vector<Family> AllFamilies() {
  std::vector<Family> families;
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    families.push_back(static_cast<Family>(i));
  }
  return families;
}

// Name -> content of every file below `path`.
std::map<std::string, std::string> FilesIn(const std::string& path) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    std::ifstream file(entry.path(), std::ios::binary);
    files[entry.path().string()] = std::string(std::istreambuf_iterator<char>(file), {});
  }
  return files;
}

class StoreTest : public ::testing::Test {
 protected:
  // Without faults its syncs cost nothing, so that the tests do not wait for the disk.
  StoreTest() {
    options_.path = dir_ / "db";
    options_.env = env_.env();
  }

  void Open() {
    store_.reset();
    Result<std::unique_ptr<Store>> opened = Store::Open(options_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = std::move(opened).value();
  }
  Status OpenStatus() {
    store_.reset();
    return Store::Open(options_).status();
  }
  void Put(Family family, std::string_view key, std::string_view value) {
    Batch batch;
    batch.Put(family, key, value);
    const Status status = store_->Write(batch, false);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  // The value, "none", or the error.
  std::string Get(Family family, std::string_view key) {
    const auto value = store_->Get(family, key);
    if (!value.ok()) {
      return value.status().ToString();
    }
    return value->value_or("none");
  }
  // "key=value " of all that a scan shows, from `seek` on when given.
  std::string Scan(Family family, std::string_view prefix, const Snapshot* snapshot = nullptr,
                   std::string_view seek = "") {
    const auto it = store_->Scan(family, prefix, snapshot);
    if (!seek.empty()) {
      it->Seek(seek);
    }
    std::string seen;
    for (; it->Valid(); it->Next()) {
      seen.append(it->key()).append("=").append(it->value()).append(" ");
    }
    return it->status().ok() ? seen : it->status().ToString();
  }
  std::string FirstFile(std::string_view ending) {
    for (const auto& entry : std::filesystem::directory_iterator(options_.path)) {
      if (entry.path().string().ends_with(ending)) {
        return entry.path().string();
      }
    }
    return "";
  }

  TempDir dir_;
  FaultEnv env_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, WorksOnTheFilesOfTheMachine) {
  options_.env = nullptr;
  Open();
  Put(Family::kKeys, "a", "1");
  ASSERT_TRUE(store_->SyncLog().ok());
  ASSERT_TRUE(store_->Flush().ok());
  Batch batch;
  batch.Put(Family::kKeys, "b", "2");
  ASSERT_TRUE(store_->Write(batch, true).ok());
  Open();
  EXPECT_EQ(Scan(Family::kKeys, ""), "a=1 b=2 ");
}

TEST_F(StoreTest, KeepsEveryFamilyApartAndAcrossReopening) {
  Open();
  for (const Family family : AllFamilies()) {
    Put(family, "key", FamilyName(family));
  }
  for (int opened = 0; opened < 2; ++opened) {
    for (const Family family : AllFamilies()) {
      EXPECT_EQ(Get(family, "key"), FamilyName(family));
      EXPECT_EQ(Get(family, "other"), "none");
    }
    Open();
  }
}

TEST_F(StoreTest, AddsFamiliesThatAnOlderFolderLacks) {
  Open();
  Put(Family::kKeys, "a", "1");
  store_.reset();
  {
    // A folder from before the last two families existed.
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const Family family : AllFamilies()) {
      families.emplace_back(std::string(FamilyName(family)), rocksdb::ColumnFamilyOptions());
    }
    const std::string old = dir_ / "old";
    rocksdb::DB* db = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DBOptions create;
    create.create_if_missing = true;
    create.create_missing_column_families = true;
    families.resize(families.size() - 2);
    ASSERT_TRUE(rocksdb::DB::Open(create, old, families, &handles, &db).ok());
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
    }
    delete db;
    options_.path = old;
  }
  Open();
  Put(Family::kJobs, "a", "1");
  EXPECT_EQ(Get(Family::kJobs, "a"), "1");
}

TEST_F(StoreTest, BatchIsAtomicAndOrdered) {
  Open();
  Batch batch;
  EXPECT_TRUE(batch.empty());
  batch.Put(Family::kKeys, "a", "1");
  batch.Put(Family::kKeys, "a", "2");
  batch.Put(Family::kItems, "b", "3");
  batch.Delete(Family::kItems, "b");
  EXPECT_EQ(batch.count(), 4U);
  EXPECT_GT(batch.size_bytes(), 0U);
  ASSERT_TRUE(store_->Write(batch, true).ok());
  EXPECT_EQ(Get(Family::kKeys, "a"), "2");
  EXPECT_EQ(Get(Family::kItems, "b"), "none");
  batch.Clear();
  EXPECT_TRUE(batch.empty());
}

TEST_F(StoreTest, AppendAddsEveryKindOfChangeBehindTheOthers) {
  Open();
  Put(Family::kUsers, "r1", "x");
  Put(Family::kUsers, "r2", "x");
  Put(Family::kItems, "d", "x");
  Batch first;
  first.Put(Family::kKeys, "a", "1");
  Batch second;
  second.Put(Family::kKeys, "a", "2");
  second.Delete(Family::kItems, "d");
  second.DeleteRange(Family::kUsers, "r1", "r2");
  first.Append(second);
  first.Append(Batch());
  EXPECT_EQ(first.count(), 4U);
  ASSERT_TRUE(store_->Write(first, false).ok());
  EXPECT_EQ(Get(Family::kKeys, "a"), "2");
  EXPECT_EQ(Get(Family::kItems, "d"), "none");
  EXPECT_EQ(Get(Family::kUsers, "r1"), "none");
  EXPECT_EQ(Get(Family::kUsers, "r2"), "x");
}

TEST_F(StoreTest, BinaryKeysAndValuesComeBack) {
  Open();
  const std::string key("\0k\xff\0", 4);
  const std::string value(100'000, '\0');
  Put(Family::kTokens, key, value);
  Put(Family::kTokens, "", "empty key");
  EXPECT_EQ(Get(Family::kTokens, key), value);
  EXPECT_EQ(Get(Family::kTokens, ""), "empty key");
}

TEST_F(StoreTest, ScanShowsThePrefixInOrderAndNothingElse) {
  Open();
  for (const char* key : {"ab", "a", "b", "aa", "a\xff\xff", "\xff\xff", "\xff", "ac"}) {
    Put(Family::kKeys, key, "1");
  }
  EXPECT_EQ(Scan(Family::kKeys, "a"), "a=1 aa=1 ab=1 ac=1 a\xff\xff=1 ");
  EXPECT_EQ(Scan(Family::kKeys, "ab"), "ab=1 ");
  EXPECT_EQ(Scan(Family::kKeys, "\xff"), "\xff=1 \xff\xff=1 ");
  EXPECT_EQ(Scan(Family::kKeys, "c"), "");
  EXPECT_EQ(Scan(Family::kKeys, "a", nullptr, "ab"), "ab=1 ac=1 a\xff\xff=1 ");
  EXPECT_EQ(Scan(Family::kItems, ""), "");
}

// by_user and by_item have filters on (cid, owner); both shorter and longer prefixes must work,
// from memory and from files.
TEST_F(StoreTest, RowScansSeeEveryPairFromMemoryAndFromFiles) {
  Open();
  std::mt19937 random(5);
  std::map<std::uint32_t, std::size_t> pairs_of;
  Batch batch;
  for (std::uint32_t owner = 0; owner < 200; ++owner) {
    pairs_of[owner] = random() % 5;
    for (std::uint32_t other = 0; other < pairs_of[owner]; ++other) {
      batch.Put(Family::kByUser, format::PairKey(1, owner, other), "x");
    }
  }
  batch.Put(Family::kByUser, format::PairKey(2, 0, 0), "x");
  ASSERT_TRUE(store_->Write(batch, false).ok());
  for (int flushed = 0; flushed < 2; ++flushed) {
    std::size_t all = 0;
    for (const auto& [owner, pairs] : pairs_of) {
      std::size_t seen = 0;
      const auto it = store_->Scan(Family::kByUser, format::PairPrefix(1, owner));
      for (; it->Valid(); it->Next()) {
        EXPECT_EQ(format::TrailingOrdinal(it->key()), seen);
        ++seen;
      }
      ASSERT_TRUE(it->status().ok());
      EXPECT_EQ(seen, pairs) << owner;
      all += seen;
    }
    std::size_t in_collection = 0;
    const auto it = store_->Scan(Family::kByUser, format::CollectionPrefix(1));
    for (; it->Valid(); it->Next()) {
      ++in_collection;
    }
    EXPECT_EQ(in_collection, all);
    ASSERT_TRUE(store_->Flush().ok());
  }
}

// A key of `by_user`, of collection 1.
std::string PairKey(std::uint32_t user, std::uint32_t item) {
  return format::PairKey(1, user, item);
}

TEST_F(StoreTest, RowsInOneWalkAndKeysInOneLookupAreThoseOfSingleOnes) {
  Open();
  std::mt19937 random(9);
  for (int part = 0; part < 4; ++part) {
    Batch batch;
    for (int i = 0; i < 500; ++i) {
      const std::string key = PairKey(random() % 100, random() % 50);
      if (random() % 5 == 0) {
        batch.Delete(Family::kByUser, key);
      } else {
        batch.Put(Family::kByUser, key, std::to_string(random()));
      }
    }
    batch.Put(Family::kByUser, format::PairKey(2, 0, 0), "of another collection");
    ASSERT_TRUE(store_->Write(batch, false).ok());
    if (part < 3) {
      ASSERT_TRUE(store_->Flush().ok());
    }
  }
  const auto walk = store_->ScanRows(Family::kByUser);
  for (const std::uint32_t user : {0U, 7U, 8U, 50U, 99U, 100U, 3U}) {
    const std::string row = format::PairPrefix(1, user);
    std::string seen;
    for (walk->Seek(row); walk->Valid(); walk->Next()) {
      seen.append(walk->key()).append("=").append(walk->value()).append(" ");
    }
    ASSERT_TRUE(walk->status().ok());
    EXPECT_EQ(seen, Scan(Family::kByUser, row)) << user;
  }
  std::vector<std::string> keys;
  for (std::uint32_t user = 0; user < 102; user += 3) {
    for (std::uint32_t item = 0; item < 50; item += 7) {
      keys.push_back(PairKey(user, item));
    }
  }
  std::map<std::size_t, std::string> found;
  ASSERT_TRUE(store_
                  ->GetMany(Family::kByUser, keys,
                            [&](std::size_t i, std::string_view value) {
                              found[i] = value;
                              return Status::Ok();
                            })
                  .ok());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto value = found.find(i);
    ASSERT_EQ(value != found.end() ? value->second : "none", Get(Family::kByUser, keys[i]));
  }
  ASSERT_FALSE(found.empty());
  ASSERT_LT(found.size(), keys.size());
}

TEST_F(StoreTest, AnErrorOfTheVisitorEndsALookupOfMany) {
  Open();
  Put(Family::kByUser, PairKey(1, 1), "a");
  Put(Family::kByUser, PairKey(1, 2), "b");
  const std::string keys[] = {PairKey(1, 1), PairKey(1, 2)};
  int calls = 0;
  const Status status = store_->GetMany(Family::kByUser, keys, [&](std::size_t, std::string_view) {
    ++calls;
    return Status::Corruption("bad");
  });
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_EQ(calls, 1);
}

// Ranges lie in a list of their own, which must not take the pairs' places for its own.
TEST_F(StoreTest, PairsAndDeletedRangesOfOneFamilyComeInTurn) {
  Open();
  for (std::uint32_t round = 0; round < 20; ++round) {
    for (std::uint32_t user = 0; user < 50; ++user) {
      Put(Family::kByUser, PairKey(user, round), "x");
    }
    Batch batch;
    batch.DeleteRange(Family::kByUser, format::PairPrefix(1, 2 * round),
                      format::PairPrefix(1, 2 * round + 1));
    batch.DeleteRange(Family::kByUser, format::CollectionPrefix(7), format::CollectionPrefix(8));
    ASSERT_TRUE(store_->Write(batch, false).ok());
    EXPECT_EQ(Scan(Family::kByUser, format::PairPrefix(1, 2 * round)), "");
  }
  EXPECT_EQ(Get(Family::kByUser, PairKey(0, 1)), "x");
  EXPECT_EQ(Get(Family::kByUser, PairKey(0, 0)), "none");
}

TEST_F(StoreTest, DeleteRangeTakesBeginAndLeavesEnd) {
  Open();
  for (const char* key : {"a", "b", "c", "d"}) {
    Put(Family::kEvents, key, "1");
  }
  Batch batch;
  batch.DeleteRange(Family::kEvents, "b", "d");
  ASSERT_TRUE(store_->Write(batch, false).ok());
  EXPECT_EQ(Scan(Family::kEvents, ""), "a=1 d=1 ");
  ASSERT_TRUE(store_->Flush().ok());
  Open();
  EXPECT_EQ(Scan(Family::kEvents, ""), "a=1 d=1 ");
}

TEST_F(StoreTest, SnapshotDoesNotMove) {
  Open();
  Put(Family::kUsers, "a", "1");
  Put(Family::kItems, "b", "1");
  const auto snapshot = store_->TakeSnapshot();
  Put(Family::kUsers, "a", "2");
  Put(Family::kUsers, "c", "1");
  Batch batch;
  batch.Delete(Family::kItems, "b");
  ASSERT_TRUE(store_->Write(batch, false).ok());
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(Scan(Family::kUsers, "", snapshot.get()), "a=1 ");
  EXPECT_EQ(Scan(Family::kItems, "", snapshot.get()), "b=1 ");
  EXPECT_EQ(Scan(Family::kUsers, ""), "a=2 c=1 ");
  EXPECT_EQ(Scan(Family::kItems, ""), "");
}

TEST_F(StoreTest, OpenScanDoesNotSeeLaterWrites) {
  Open();
  Put(Family::kUsers, "a", "1");
  const auto it = store_->Scan(Family::kUsers, "");
  Put(Family::kUsers, "b", "1");
  ASSERT_TRUE(it->Valid());
  EXPECT_EQ(it->key(), "a");
  it->Next();
  EXPECT_FALSE(it->Valid());
}

TEST_F(StoreTest, ReadingOnlyChangesNoByte) {
  Open();
  Put(Family::kKeys, "flushed", "1");
  ASSERT_TRUE(store_->Flush().ok());
  Put(Family::kKeys, "in the log", "2");
  store_.reset();
  std::filesystem::remove(options_.path + "/LOCK");
  const auto before = FilesIn(options_.path);
  options_.read_only = true;
  Open();
  EXPECT_EQ(Get(Family::kKeys, "flushed"), "1");
  EXPECT_EQ(Get(Family::kKeys, "in the log"), "2");
  EXPECT_EQ(Scan(Family::kKeys, "in"), "in the log=2 ");
  Batch batch;
  batch.Put(Family::kKeys, "a", "b");
  EXPECT_EQ(store_->Write(batch, false).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->SyncLog().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->Flush().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(store_->Health().ok());
  store_.reset();
  EXPECT_EQ(FilesIn(options_.path), before);
}

TEST_F(StoreTest, ReadingOnlyNeedsAFolder) {
  options_.read_only = true;
  EXPECT_FALSE(OpenStatus().ok());
  EXPECT_FALSE(std::filesystem::exists(options_.path));
}

TEST_F(StoreTest, SecondOpenInOneProcessIsLocked) {
  Open();
  const Status status = Store::Open(options_).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), FolderIsLocked(options_.path).message());
  store_.reset();
  EXPECT_TRUE(OpenStatus().ok());
}

TEST_F(StoreTest, FolderOfAnotherProcessIsLocked) {
  Open();
  store_.reset();
  const std::string lock = options_.path + "/LOCK";
  int locked[2];
  int done[2];
  ASSERT_EQ(::pipe(locked), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Takes the lock as RocksDB does; a forked process of many threads can do little more.
    ::close(locked[0]);
    ::close(done[1]);
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    const int fd = ::open(lock.c_str(), O_RDWR);
    char byte = ::fcntl(fd, F_SETLK, &whole) == 0 ? '1' : '0';
    const bool told = ::write(locked[1], &byte, 1) == 1;
    ::_exit(told && ::read(done[0], &byte, 1) == 0 ? 0 : 1);
  }
  ::close(locked[1]);
  ::close(done[0]);
  char byte = 0;
  EXPECT_EQ(::read(locked[0], &byte, 1), 1);
  EXPECT_EQ(byte, '1');
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), FolderIsLocked(options_.path).message());
  ::close(done[1]);  // lets the child end
  int exit_status = -1;
  ASSERT_EQ(::waitpid(child, &exit_status, 0), child);
  EXPECT_EQ(exit_status, 0);
  ::close(locked[0]);
  EXPECT_TRUE(OpenStatus().ok());
}

TEST_F(StoreTest, UnknownFamilyMeansANewerVersion) {
  Open();
  store_.reset();
  {
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const Family family : AllFamilies()) {
      families.emplace_back(std::string(FamilyName(family)), rocksdb::ColumnFamilyOptions());
    }
    rocksdb::DB* db = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    ASSERT_TRUE(
        rocksdb::DB::Open(rocksdb::DBOptions(), options_.path, families, &handles, &db).ok());
    rocksdb::ColumnFamilyHandle* extra = nullptr;
    ASSERT_TRUE(db->CreateColumnFamily(rocksdb::ColumnFamilyOptions(), "rules", &extra).ok());
    handles.push_back(extra);
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
    }
    delete db;
  }
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("written by a newer version"), std::string_view::npos);
  EXPECT_NE(status.message().find("rules"), std::string_view::npos);
}

TEST_F(StoreTest, UnusableFolderIsAnIoErrorThatNamesIt) {
  std::ofstream(dir_ / "file") << "not a folder";
  options_.path = dir_ / "file";
  EXPECT_EQ(OpenStatus().code(), StatusCode::kIoError);
  options_.path = dir_ / "missing/parent/db";
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_NE(status.message().find(options_.path), std::string_view::npos);
}

// --- Damage
// ---------------------------------------------------------------------------------------

TEST_F(StoreTest, LostCurrentFileDoesNotStartAnEmptyStore) {
  Open();
  Put(Family::kKeys, "a", "1");
  ASSERT_TRUE(store_->Flush().ok());
  store_.reset();
  const std::string current = options_.path + "/CURRENT";
  std::filesystem::rename(current, current + ".away");
  EXPECT_EQ(OpenStatus().code(), StatusCode::kCorruption);
  std::filesystem::rename(current + ".away", current);
  Open();
  EXPECT_EQ(Get(Family::kKeys, "a"), "1");
}

TEST_F(StoreTest, FilesOfOthersAreNoDataWithoutCurrent) {
  std::filesystem::create_directory(options_.path);
  for (const char* name : {"reco.log", "1a.log", "a1.sst", ".log", "LOG", "000012.log.gz"}) {
    std::ofstream(options_.path + "/" + name) << "text";
  }
  Open();
  Put(Family::kKeys, "a", "1");
  store_.reset();
  EXPECT_TRUE(std::filesystem::exists(options_.path + "/reco.log"));
  std::filesystem::remove(options_.path + "/CURRENT");
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_NE(status.message().find("CURRENT"), std::string_view::npos);
}

TEST_F(StoreTest, DamagedBlockNamesTheFamily) {
  Open();
  Put(Family::kByItem, "somekey1", std::string(2'000, 'x'));
  ASSERT_TRUE(store_->Flush().ok());
  store_.reset();
  const std::string file = FirstFile(".sst");
  ASSERT_NE(file, "");
  {
    std::fstream damage(file, std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(20);
    damage << "damage";
  }
  Open();
  const Result<std::optional<std::string>> value = store_->Get(Family::kByItem, "somekey1");
  EXPECT_EQ(value.status().code(), StatusCode::kCorruption);
  EXPECT_NE(value.status().message().find("family by_item"), std::string_view::npos);
  const std::string name = std::filesystem::path(file).filename().string();
  EXPECT_NE(value.status().message().find(name), std::string_view::npos);
  const auto it = store_->Scan(Family::kByItem, "");
  EXPECT_FALSE(it->Valid());
  EXPECT_EQ(it->status().code(), StatusCode::kCorruption);
}

TEST_F(StoreTest, LostOrCutTableFileNamesFileAndFamily) {
  Open();
  Put(Family::kVectors, "a", "1");
  ASSERT_TRUE(store_->Flush().ok());
  store_.reset();
  const std::string file = FirstFile(".sst");
  const std::string name = std::filesystem::path(file).filename().string();
  std::filesystem::resize_file(file, 10);
  const Status cut = OpenStatus();
  EXPECT_EQ(cut.code(), StatusCode::kCorruption) << cut.ToString();
  EXPECT_NE(cut.message().find(name), std::string_view::npos) << cut.ToString();
  EXPECT_NE(cut.message().find("family vectors"), std::string_view::npos) << cut.ToString();
  std::filesystem::remove(file);
  const Status lost = OpenStatus();
  EXPECT_FALSE(lost.ok());
  EXPECT_NE(lost.message().find(name), std::string_view::npos) << lost.ToString();
}

TEST_F(StoreTest, DamagedManifestIsCorruption) {
  Open();
  Put(Family::kKeys, "a", "1");
  store_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(options_.path)) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      std::fstream damage(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      damage.seekp(12);
      damage << "damage";
    }
  }
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kCorruption) << status.ToString();
}

TEST_F(StoreTest, TornLogIsReadUpToTheTear) {
  Open();
  Put(Family::kKeys, "a", "1");
  Put(Family::kKeys, "b", std::string(1'000, 'x'));
  store_.reset();
  const std::string log = FirstFile(".log");
  ASSERT_NE(log, "");
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 500);
  Open();
  EXPECT_EQ(Get(Family::kKeys, "a"), "1");
  EXPECT_EQ(Get(Family::kKeys, "b"), "none");
}

// --- Faults
// ---------------------------------------------------------------------------------------

class StoreFaultTest : public StoreTest {
 protected:
  StoreFaultTest() {
    options_.log = [this](LogLevel, std::string_view text) { logged_.append(text); };
  }
  ~StoreFaultTest() override { store_.reset(); }

  Status Write(bool sync) {
    Batch batch;
    batch.Put(Family::kKeys, "a", "2");
    return store_->Write(batch, sync);
  }

  std::string logged_;
};

TEST_F(StoreFaultTest, FailedWriteIsAnIoErrorAndStays) {
  Open();
  Put(Family::kKeys, "a", "1");
  env_.Arm({.nth = 1});
  const Status status = Write(false);
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_NE(status.message().find("injected"), std::string_view::npos);
  EXPECT_EQ(store_->Health().code(), StatusCode::kIoError);
  EXPECT_EQ(Get(Family::kKeys, "a"), "1");
  EXPECT_FALSE(Write(false).ok());
  env_.Disarm();
  EXPECT_FALSE(store_->Resume().ok());
  EXPECT_FALSE(store_->Health().ok());
  Open();
  EXPECT_TRUE(store_->Health().ok());
  EXPECT_EQ(Get(Family::kKeys, "a"), "1");
}

TEST_F(StoreFaultTest, FullDiskSaysSoAndIsOverAfterResume) {
  Open();
  Put(Family::kKeys, "a", "1");
  env_.Arm({.nth = 1, .and_later = true, .kind = FaultPlan::Kind::kNoSpace});
  const Status status = Write(false);
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_NE(status.message().find("no space left on device"), std::string_view::npos);
  EXPECT_FALSE(store_->Resume().ok());
  EXPECT_FALSE(store_->Health().ok());
  env_.Disarm();
  const Status resumed = store_->Resume();
  EXPECT_TRUE(resumed.ok()) << resumed.ToString();
  EXPECT_TRUE(store_->Health().ok());
  EXPECT_TRUE(Write(true).ok());
  EXPECT_EQ(Get(Family::kKeys, "a"), "2");
  options_.env = nullptr;
  Open();
  EXPECT_EQ(Get(Family::kKeys, "a"), "2");
}

TEST_F(StoreFaultTest, FailedSyncIsAnIoErrorAndStays) {
  Open();
  Put(Family::kKeys, "a", "1");
  env_.Arm({.nth = 1, .writes = false});
  EXPECT_EQ(store_->SyncLog().code(), StatusCode::kIoError);
  EXPECT_EQ(store_->Health().code(), StatusCode::kIoError);
  EXPECT_EQ(env_.counts().failures, 1U);
}

TEST_F(StoreFaultTest, FailedFlushStopsWritesAndIsLogged) {
  Open();
  Put(Family::kKeys, "a", "1");
  env_.Arm({.nth = 1, .and_later = true});
  EXPECT_EQ(store_->Flush().code(), StatusCode::kIoError);
  EXPECT_EQ(store_->Health().code(), StatusCode::kIoError);
  EXPECT_NE(logged_.find("injected"), std::string::npos);
}

TEST_F(StoreFaultTest, SyncedWritesSurviveAPowerCutAndOthersMayNot) {
  Open();
  Put(Family::kKeys, "kept", "1");
  ASSERT_TRUE(store_->SyncLog().ok());
  Put(Family::kKeys, "lost", "1");
  store_.reset();
  env_.DropUnsyncedData();
  Open();
  EXPECT_EQ(Get(Family::kKeys, "kept"), "1");
  EXPECT_EQ(Get(Family::kKeys, "lost"), "none");
}

TEST_F(StoreFaultTest, CreationThatFailsAnywhereCanBeRepeated) {
  // Fails every other operation of a first Open in turn; the next one must make a whole store of
  // it.
  for (std::uint64_t nth = 1;; nth += 2) {
    options_.path = dir_ / ("db" + std::to_string(nth));
    env_.ResetCounts();
    env_.Arm({.nth = nth, .and_later = true});
    const bool opened = OpenStatus().ok();
    const bool failed = env_.counts().failures > 0;
    env_.Disarm();
    EXPECT_TRUE(opened || failed);
    env_.DropUnsyncedData();
    Open();
    Put(Family::kJobs, "a", "1");
    EXPECT_EQ(Get(Family::kJobs, "a"), "1");
    store_.reset();
    std::filesystem::remove_all(options_.path);
    if (!failed) {
      EXPECT_GT(nth, 10U);
      break;
    }
  }
}

// Flushes are under way all the time with so small a buffer, so that closing breaks one off.
TEST_F(StoreTest, CreatingAndClosingLogNothing) {
  std::string logged;
  options_.write_buffer_bytes = 1U << 20U;
  options_.log = [&logged](LogLevel, std::string_view text) { logged.append(text); };
  for (int round = 0; round < 5; ++round) {
    Open();
    Batch batch;
    for (int i = 0; i < 40'000; ++i) {
      batch.Put(Family::kKeys, "key" + std::to_string(i * 7'919 % 40'000), std::string(60, 'v'));
    }
    ASSERT_TRUE(store_->Write(batch, false).ok());
    ASSERT_TRUE(store_->Write(batch, false).ok());
    store_.reset();
  }
  EXPECT_EQ(logged, "");
}

// The rows of this family lie unsorted in memory until they are flushed.
TEST_F(StoreTest, KeysAreReadInOrderBeforeAndAfterAFlush) {
  std::map<std::string, std::string> expected;
  std::mt19937_64 random(5);
  Open();
  for (int round = 0; round < 6; ++round) {
    Batch batch;
    for (int i = 0; i < 400; ++i) {
      const std::string key = "key" + std::to_string(random() % 300);
      if (random() % 4 == 0) {
        batch.Delete(Family::kKeys, key);
        expected.erase(key);
      } else {
        const std::string value = std::to_string(random());
        batch.Put(Family::kKeys, key, value);
        expected[key] = value;
      }
    }
    ASSERT_TRUE(store_->Write(batch, false).ok());
    if (round % 3 == 1) {
      ASSERT_TRUE(store_->Flush().ok());
    } else if (round % 3 == 2) {
      store_.reset();
      Open();
    }
    auto next = expected.begin();
    const auto rows = store_->Scan(Family::kKeys, "");
    for (; rows->Valid() && next != expected.end(); rows->Next(), ++next) {
      ASSERT_EQ(rows->key(), next->first);
      ASSERT_EQ(rows->value(), next->second);
    }
    EXPECT_FALSE(rows->Valid());
    EXPECT_EQ(next, expected.end());
  }
}

TEST_F(StoreTest, ReportsMemoryAndDisk) {
  Open();
  const std::uint64_t memory = store_->memory_bytes();
  const std::uint64_t disk = store_->disk_bytes();
  Put(Family::kKeys, "a", std::string(1 << 20, 'x'));
  EXPECT_GE(store_->memory_bytes(), memory + (1 << 20));
  EXPECT_GE(store_->disk_bytes(), disk + (1 << 20));
}

TEST_F(StoreTest, WriteBuffersStayWithinTheirBound) {
  options_.write_buffer_bytes = 4 << 20;
  options_.block_cache_bytes = 1 << 20;
  Open();
  std::mt19937 random(1);
  std::uint64_t most = 0;
  for (int i = 0; i < 64; ++i) {
    std::string value(1 << 19, '\0');
    for (char& c : value) {
      c = static_cast<char>(random());
    }
    Put(i % 2 == 0 ? Family::kKeys : Family::kEvents, std::to_string(i), value);
    most = std::max(most, store_->memory_bytes());
  }
  // Full buffers are being flushed while new ones fill.
  EXPECT_LE(most, 4 * options_.write_buffer_bytes);
}

}  // namespace
}  // namespace reco::store
