#include "store/log_reader.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "testing/temp_dir.h"

namespace reco::store {
namespace {

struct Read {
  std::vector<std::string> records;  // in front of all damage
  std::size_t behind_damage = 0;
  std::uint64_t whole_bytes = 0;
  std::string damage;
  bool cut_off = false;
};

Read ReadAll(const std::string& path) {
  Result<LogReader> reader = LogReader::Open(*rocksdb::Env::Default(), path);
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  Read read;
  while (true) {
    const Result<std::optional<LogRecord>> record = reader->Next();
    EXPECT_TRUE(record.ok()) << record.status().ToString();
    if (!record.ok() || !*record) {
      break;
    }
    if ((*record)->behind_damage) {
      ++read.behind_damage;
    } else {
      read.records.emplace_back((*record)->bytes);
      EXPECT_EQ((*record)->end, reader->whole_bytes());
    }
  }
  read.whole_bytes = reader->whole_bytes();
  read.damage = reader->damage();
  read.cut_off = reader->cut_off();
  return read;
}

// A log that RocksDB has written: one batch for each of `sizes`.
class LogReaderTest : public ::testing::Test {
 protected:
  std::string Write(const std::vector<std::size_t>& sizes) {
    const std::string path = dir_ / "db";
    {
      rocksdb::Options options;
      options.create_if_missing = true;
      options.avoid_flush_during_shutdown = true;
      rocksdb::DB* opened = nullptr;
      EXPECT_TRUE(rocksdb::DB::Open(options, path, &opened).ok());
      const std::unique_ptr<rocksdb::DB> db(opened);
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        rocksdb::WriteBatch batch;
        EXPECT_TRUE(batch.Put("key", std::string(sizes[i], static_cast<char>('a' + i % 26))).ok());
        EXPECT_TRUE(db->Write({}, &batch).ok());
        batches_.push_back(batch.Data());
        ends_.push_back(LogBytes(path));
      }
    }
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() == ".log") {
        log_ = entry.path().string();
      }
    }
    return log_;
  }
  static std::uint64_t LogBytes(const std::string& path) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() == ".log") {
        return entry.file_size();
      }
    }
    return 0;
  }
  std::string Content() const {
    std::ifstream file(log_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string Put(const std::string& content) const {
    const std::string path = dir_ / "damaged";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  // Records that end at or in front of byte `at`.
  std::size_t RecordsUpTo(std::uint64_t at) const {
    std::size_t count = 0;
    while (count < ends_.size() && ends_[count] <= at) {
      ++count;
    }
    return count;
  }

  testing::TempDir dir_;
  std::string log_;
  std::vector<std::string> batches_;
  std::vector<std::uint64_t> ends_;
};

TEST_F(LogReaderTest, ReadsWhatRocksdbHasWritten) {
  // Of one fragment and of several, with every rest of a block.
  std::vector<std::size_t> sizes = {0, 1, 100'000, 32'700, 5, 70'000, 0};
  for (std::size_t size = 32'600; size < 32'770; ++size) {
    sizes.push_back(size);
  }
  const Read read = ReadAll(Write(sizes));
  EXPECT_EQ(read.records, batches_);
  EXPECT_EQ(read.whole_bytes, ends_.back());
  EXPECT_EQ(read.damage, "");
}

TEST_F(LogReaderTest, AnEmptyFileIsWhole) {
  const Read read = ReadAll(Put(""));
  EXPECT_EQ(read.whole_bytes, 0U);
  EXPECT_EQ(read.damage, "");
}

TEST_F(LogReaderTest, AMissingFileIsNotFound) {
  EXPECT_FALSE(LogReader::Open(*rocksdb::Env::Default(), dir_ / "none").ok());
}

TEST_F(LogReaderTest, EachCutLeavesTheRecordsInFrontOfIt) {
  Write({10, 200, 0, 33'000, 40});
  const std::string content = Content();
  for (std::size_t left = 0; left <= content.size(); left += left < 400 ? 1 : 997) {
    const Read read = ReadAll(Put(content.substr(0, left)));
    ASSERT_EQ(read.records.size(), RecordsUpTo(left)) << left;
    const bool whole = left == 0 || read.whole_bytes == left;
    ASSERT_EQ(read.damage.empty(), whole) << left << read.damage;
    ASSERT_EQ(read.cut_off, !whole) << left;
  }
}

TEST_F(LogReaderTest, EachFlippedBitIsFoundAndTheRecordsBehindItToo) {
  Write({10, 200, 0, 33'000, 40, 50});
  const std::string content = Content();
  for (std::size_t at = 0; at < content.size(); at += at < 400 ? 1 : 991) {
    for (const unsigned bit : {0U, 7U}) {
      std::string damaged = content;
      damaged[at] = static_cast<char>(damaged[at] ^ (1U << bit));
      const Read read = ReadAll(Put(damaged));
      ASSERT_EQ(read.records.size(), RecordsUpTo(at)) << at;
      ASSERT_NE(read.damage, "") << at;
      ASSERT_EQ(read.behind_damage, batches_.size() - RecordsUpTo(at) - 1) << at;
    }
  }
}

TEST_F(LogReaderTest, RecordsBehindAHoleOfAnyLengthAreFound) {
  Write(std::vector<std::size_t>(200, 1000));
  for (const std::size_t hole : {4096U, 65536U, 131'072U}) {
    std::string damaged = Content();
    damaged.replace(8192, hole, hole, '\0');
    const Read read = ReadAll(Put(damaged));
    EXPECT_EQ(read.records.size(), RecordsUpTo(8192));
    EXPECT_EQ(read.behind_damage, batches_.size() - RecordsUpTo(8192 + hole) - 1);
  }
}

TEST_F(LogReaderTest, ZerosAtTheEndAreNoRecords) {
  Write({10, 20});
  const Read read = ReadAll(Put(Content() + std::string(100'000, '\0')));
  EXPECT_EQ(read.records, batches_);
  EXPECT_EQ(read.behind_damage, 0U);
  EXPECT_NE(read.damage, "");
  EXPECT_TRUE(read.cut_off);
}

}  // namespace
}  // namespace reco::store
