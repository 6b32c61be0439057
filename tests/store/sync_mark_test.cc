#include "store/sync_mark.h"

#include <string>

#include <gtest/gtest.h>
#include <rocksdb/write_batch.h>

namespace reco::store {
namespace {

TEST(SyncMark, ComesBackFromBehindTheChanges) {
  for (const std::uint64_t synced : {std::uint64_t{1}, std::uint64_t{1} << 60U}) {
    rocksdb::WriteBatch batch;
    ASSERT_TRUE(batch.Put("key", "value").ok());
    AppendSyncMark(batch, synced);
    EXPECT_EQ(ReadSyncMark(batch.Data()), synced);
    EXPECT_EQ(batch.Count(), 1U);
  }
}

TEST(SyncMark, ABatchWithoutOneSaysNothing) {
  rocksdb::WriteBatch batch;
  EXPECT_EQ(ReadSyncMark(batch.Data()), 0U);
  ASSERT_TRUE(batch.Put("key", std::string(100, 'v')).ok());
  EXPECT_EQ(ReadSyncMark(batch.Data()), 0U);
  EXPECT_EQ(ReadSyncMark(""), 0U);
}

TEST(SyncMark, AHeaderCountsTheChangesAndNotTheMark) {
  rocksdb::WriteBatch batch;
  ASSERT_TRUE(batch.Put("a", "1").ok());
  ASSERT_TRUE(batch.Delete("b").ok());
  AppendSyncMark(batch, 7);
  const std::optional<BatchHeader> header = ReadBatchHeader(batch.Data());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->count, 2U);
  EXPECT_EQ((BatchHeader{.sequence = 10, .count = 2}).last(), 11U);
  // A batch of no changes has the number of the change to come.
  EXPECT_EQ((BatchHeader{.sequence = 10, .count = 0}).last(), 9U);
  EXPECT_EQ((BatchHeader{.sequence = 0, .count = 0}).last(), 0U);
  EXPECT_FALSE(ReadBatchHeader(std::string(11, 'x')));
}

}  // namespace
}  // namespace reco::store
