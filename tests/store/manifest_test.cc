#include "store/manifest.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "testing/temp_dir.h"

namespace reco::store {
namespace {

rocksdb::Env& Env() {
  return *rocksdb::Env::Default();
}

// A RocksDB of its own, whose answers the manifest is held to.
class ManifestTest : public ::testing::Test {
 protected:
  ManifestTest() {
    options_.create_if_missing = true;
    options_.create_missing_column_families = true;
    options_.atomic_flush = true;
    options_.avoid_flush_during_shutdown = true;
    options_.level0_file_num_compaction_trigger = 3;
    path_ = dir_ / "db";
  }
  ~ManifestTest() override { Close(); }

  void Open() {
    Close();
    rocksdb::DB* opened = nullptr;
    const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {"default", rocksdb::ColumnFamilyOptions(options_)},
        {"busy", rocksdb::ColumnFamilyOptions(options_)},
        {"empty", rocksdb::ColumnFamilyOptions(options_)}};
    const rocksdb::Status status = rocksdb::DB::Open(options_, path_, families, &handles_, &opened);
    ASSERT_TRUE(status.ok()) << status.ToString();
    db_.reset(opened);
  }
  void Close() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      ASSERT_TRUE(db_->DestroyColumnFamilyHandle(handle).ok());
    }
    handles_.clear();
    db_.reset();
  }
  // Puts values and writes them to tables.
  void Fill(int round) {
    for (int i = 0; i < 100; ++i) {
      for (const std::size_t family : {0U, 1U}) {
        ASSERT_TRUE(db_->Put({}, handles_[family], "key" + std::to_string(i),
                             std::string(200, static_cast<char>('a' + round)))
                        .ok());
      }
    }
    ASSERT_TRUE(db_->Flush({}, handles_).ok());
  }
  Manifest Read() {
    const Result<std::uint64_t> number = ReadCurrent(Env(), path_);
    EXPECT_TRUE(number.ok()) << number.status().ToString();
    Result<Manifest> manifest = ReadManifest(Env(), path_, *number);
    EXPECT_TRUE(manifest.ok()) << manifest.status().ToString();
    return std::move(manifest).value();
  }
  // "family number size" of each table.
  std::vector<std::string> Tables() {
    std::vector<rocksdb::LiveFileMetaData> files;
    db_->GetLiveFilesMetaData(&files);
    std::vector<std::string> tables;
    for (const rocksdb::LiveFileMetaData& file : files) {
      tables.push_back(file.column_family_name + " " + std::to_string(file.file_number) + " " +
                       std::to_string(file.size));
    }
    std::sort(tables.begin(), tables.end());
    return tables;
  }
  static std::vector<std::string> TablesOf(const Manifest& manifest) {
    std::vector<std::string> tables;
    for (const auto& [number, table] : manifest.tables) {
      tables.push_back(manifest.families.at(table.family) + " " + std::to_string(number) + " " +
                       std::to_string(table.size_bytes));
    }
    std::sort(tables.begin(), tables.end());
    return tables;
  }
  std::vector<std::uint64_t> Logs() {
    std::vector<std::uint64_t> logs;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (const auto number = NumberIn(entry.path().filename().string(), "", ".log")) {
        logs.push_back(*number);
      }
    }
    return logs;
  }

  testing::TempDir dir_;
  std::string path_;
  rocksdb::Options options_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<rocksdb::DB> db_;
};

TEST_F(ManifestTest, NamesTheTablesAndFamiliesThatRocksdbHas) {
  for (int opened = 0; opened < 3; ++opened) {
    Open();
    for (int round = 0; round < 5; ++round) {
      Fill(round);
      ASSERT_TRUE(db_->EnableAutoCompaction(handles_).ok());
    }
    ASSERT_TRUE(db_->CompactRange({}, handles_[1], nullptr, nullptr).ok());
    ASSERT_TRUE(db_->PauseBackgroundWork().ok());  // so that both are asked of one state
    const Manifest manifest = Read();
    EXPECT_TRUE(manifest.understood);
    EXPECT_EQ(manifest.damage, "");
    EXPECT_EQ(TablesOf(manifest), Tables());
    EXPECT_FALSE(manifest.tables.empty());
    EXPECT_EQ(manifest.families.size(), 3U);
    std::vector<std::string> files;
    std::uint64_t manifest_bytes = 0;
    ASSERT_TRUE(db_->GetLiveFiles(files, &manifest_bytes, false).ok());
    EXPECT_EQ(manifest.whole_bytes, manifest_bytes);
    ASSERT_TRUE(db_->ContinueBackgroundWork().ok());
  }
}

// A family that is never written must not hold the first log back.
TEST_F(ManifestTest, TheFirstLogIsTheOneThatRocksdbKeeps) {
  for (int opened = 0; opened < 2; ++opened) {
    Open();
    for (int round = 0; round < 4; ++round) {
      Fill(round);
      ASSERT_TRUE(db_->Put({}, handles_[0], "behind", "tables").ok());
      const std::vector<std::uint64_t> logs = Logs();
      EXPECT_EQ(Read().first_log, *std::max_element(logs.begin(), logs.end()));
    }
    Close();
    const std::vector<std::uint64_t> logs = Logs();
    EXPECT_EQ(Read().first_log, *std::max_element(logs.begin(), logs.end()));
  }
}

TEST_F(ManifestTest, AnEndThatIsCutOffIsTheStateBefore) {
  Open();
  Fill(0);
  const std::vector<std::string> before = TablesOf(Read());
  const std::uint64_t bytes = Read().whole_bytes;
  Fill(1);
  const Manifest whole = Read();
  ASSERT_NE(TablesOf(whole), before);
  Close();
  const std::string file = path_ + "/" + ManifestName(whole.number);
  for (std::uint64_t left = whole.whole_bytes - 1; left > bytes; --left) {
    std::filesystem::resize_file(file, left);
    const Manifest cut = Read();
    EXPECT_EQ(TablesOf(cut), before) << left;  // a group of edits counts whole or not at all
    EXPECT_GE(cut.whole_bytes, bytes);
  }
}

TEST(FileNames, AreThoseOfRocksdb) {
  EXPECT_EQ(LogName(12), "000012.log");
  EXPECT_EQ(TableName(1'234'567), "1234567.sst");
  EXPECT_EQ(ManifestName(5), "MANIFEST-000005");
  EXPECT_EQ(NumberIn("000012.log", "", ".log"), 12U);
  EXPECT_EQ(NumberIn("MANIFEST-000005", "MANIFEST-", ""), 5U);
  for (const char* other : {"reco.log", "12.log.gz", ".log", "x12.log", "12x.log", "-1.log"}) {
    EXPECT_FALSE(NumberIn(other, "", ".log")) << other;
  }
}

TEST(Current, NamesAManifestOrIsCorruption) {
  const testing::TempDir dir;
  const auto current = [&dir](const std::string& text) {
    std::ofstream(dir / "CURRENT", std::ios::binary) << text;
    return ReadCurrent(Env(), dir / "");
  };
  EXPECT_EQ(ReadCurrent(Env(), dir / "none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(*current("MANIFEST-000007\n"), 7U);
  for (const char* text :
       {"", "MANIFEST-000007", "MANIFEST-7\n", "MANIFEST-\n", "x\n", "MANIFEST-000007\nx"}) {
    EXPECT_EQ(current(text).status().code(), StatusCode::kCorruption) << text;
  }
}

}  // namespace
}  // namespace reco::store
