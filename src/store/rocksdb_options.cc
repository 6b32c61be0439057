#include "store/rocksdb_options.h"

#include <algorithm>

#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/sst_file_manager.h>
#include <rocksdb/table.h>

#include "store/rocksdb_log.h"

namespace reco::store {
namespace {

constexpr std::size_t kMiB = 1U << 20U;
// What RocksDB would flush by itself, in the middle of a group (D37): never reached.
constexpr std::uint64_t kNever = 1ULL << 40U;
// What is taken of the disk ahead of the log, which RocksDB goes by the write buffers for.
constexpr std::size_t kLogBytesAhead = 16 * kMiB;
// Of the disk, to logs and flushes, behind a compaction that found it full before. By default
// RocksDB wants the room of a write buffer, of which it thinks that ours take 16 GiB, and compacts
// no more.
constexpr std::uint64_t kCompactionLeaves = 8 * kMiB;
constexpr int kMemtablesMax = 3;    // then writers wait for a flush
constexpr int kCacheShardBits = 4;  // 16 shards: locks enough for the threads, room enough in each
constexpr std::size_t kSmallBlock = 4U << 10U;
constexpr std::size_t kLargeBlock = 16U << 10U;  // for families that are mostly walked in order
constexpr std::size_t kReadAhead = 1U << 20U;    // of a walk over much
constexpr std::size_t kCollectionPrefix = 4;     // (cid)
constexpr std::size_t kRowPrefix = 8;            // (cid, owner) of a pair key
constexpr std::size_t kPairKey = 12;

struct Traits {
  bool point_reads = true;       // keys are looked up one by one: worth a Bloom filter
  std::size_t prefix_bytes = 0;  // rows are read by this prefix: worth one on it; 0: none
  bool compressible = true;
  std::size_t block_bytes = kSmallBlock;
  // Read when a folder is opened, and seldom later: what lies in memory need not be found quickly,
  // and is sorted when it is flushed.
  bool read_at_open = false;
};

Traits TraitsOf(Family family) {
  switch (family) {
    case Family::kEvents:  // append-only, read in order
      return {.point_reads = false, .block_bytes = kLargeBlock};
    case Family::kByUser:
    case Family::kByItem:
      return {.prefix_bytes = kRowPrefix};
    case Family::kVectors:  // floats do not shrink
      return {.point_reads = false,
              .compressible = false,
              .block_bytes = kLargeBlock,
              .read_at_open = true};
    case Family::kModels:
      return {.compressible = false, .block_bytes = kLargeBlock};
    case Family::kKeys:
    case Family::kUsers:
    case Family::kItems:
    case Family::kTokens:
    case Family::kJobs:
      return {.point_reads = false, .read_at_open = true};
    default:
      return {};
  }
}

// The memory of a family's newest rows (D26). A commit waits behind a checkpoint of some 50,000
// rows, each of which costs 1 to 2 us in a skip list, and a fraction in a vector or in one of many
// lists, by the rows' prefixes.
std::shared_ptr<rocksdb::MemTableRepFactory> MakeMemtable(const Traits& traits, bool read_only) {
  if (read_only) {  // what the log holds stays there, and is read
    return std::make_shared<rocksdb::SkipListFactory>();
  }
  if (traits.read_at_open) {
    return std::make_shared<rocksdb::VectorRepFactory>();
  }
  return std::make_shared<rocksdb::SkipListFactory>();
}

// Tells the pairs of one collection from those of others. Of whole pair keys only: RocksDB keeps
// ranges that are deleted in a list apart, but would put them by the same place, which is of this
// one, and a range begins with a collection or an owner.
class PairsOfACollection final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "reco.PairsOfACollection"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), kCollectionPrefix};
  }
  bool InDomain(const rocksdb::Slice& key) const override { return key.size() == kPairKey; }
};

// What one family may take of the write buffers, by which its filter is laid out.
std::size_t MemtableBytes(const StoreOptions& options) {
  return std::max<std::size_t>(options.write_buffer_bytes / 2, kMiB);
}

bool HasLz4() {
  const auto supported = rocksdb::GetSupportedCompressions();
  return std::find(supported.begin(), supported.end(), rocksdb::kLZ4Compression) != supported.end();
}

}  // namespace

SharedMemory MakeSharedMemory(const StoreOptions& options) {
  return {.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, kCacheShardBits),
          // Counts, and bounds nothing: RocksStore flushes.
          .write_buffers = std::make_shared<rocksdb::WriteBufferManager>(kNever)};
}

rocksdb::DBOptions MakeDbOptions(const StoreOptions& options, const SharedMemory& memory) {
  rocksdb::DBOptions db;
  db.create_if_missing = !options.read_only;
  db.create_missing_column_families = !options.read_only;
  if (options.env != nullptr) {
    db.env = options.env;
  }
  db.paranoid_checks = true;
  // Families are flushed together, so what is on disk is the state after one and the same write.
  db.atomic_flush = true;
  // A log that ends in a torn record, as after power loss, is read up to there.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.allow_concurrent_memtable_write = false;  // only skip lists take it
  db.write_buffer_manager = memory.write_buffers;
  // All that would have RocksDB flush when half a group is written: a long log, closing, and going
  // on by itself after an error.
  db.max_total_wal_size = kNever;
  db.db_write_buffer_size = kLogBytesAhead;  // bounds nothing beside a manager but this
  db.avoid_flush_during_shutdown = true;
  db.max_bgerror_resume_count = 0;
  db.max_background_jobs = 2;
  db.max_open_files = static_cast<int>(options.open_files_max);
  db.max_file_opening_threads = 2;
  db.max_manifest_file_size = 16 * kMiB;
  db.bytes_per_sync = kMiB;  // spreads the write-back of large files over their writing
  db.skip_stats_update_on_db_open = true;
  db.info_log = MakeRocksdbLog(options.log);
  db.sst_file_manager.reset(rocksdb::NewSstFileManager(db.env, db.info_log));
  db.sst_file_manager->SetCompactionBufferSize(kCompactionLeaves);
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  return db;
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(Family family, const StoreOptions& options,
                                               const SharedMemory& memory) {
  const Traits traits = TraitsOf(family);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.block_cache;
  table.block_size = traits.block_bytes;
  table.format_version = 5;
  // Indexes and filters count towards the cache, so that its size bounds them too.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // In pieces: whole, the filter of one large file is larger than a shard of a small cache, and is
  // read and checked anew for each key.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = traits.point_reads;
  table.metadata_block_size = kSmallBlock;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  if (traits.point_reads) {
    // 10 bits a key: 1% of absent keys are looked for in vain.
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  }

  rocksdb::ColumnFamilyOptions cf;
  cf.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  if (traits.prefix_bytes > 0) {
    cf.prefix_extractor.reset(rocksdb::NewCappedPrefixTransform(traits.prefix_bytes));
    // A checkpoint writes the pairs of a collection in order: each is put from where the one before
    // lies, a few steps on.
    cf.memtable_insert_with_hint_prefix_extractor = std::make_shared<PairsOfACollection>();
    cf.memtable_prefix_bloom_size_ratio =
        0.05 * static_cast<double>(MemtableBytes(options)) / static_cast<double>(kMemtableMax);
    cf.memtable_whole_key_filtering = true;
  }
  static const bool kHasLz4 = HasLz4();
  cf.compression =
      traits.compressible && kHasLz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  cf.write_buffer_size = kMemtableMax;
  cf.memtable_factory = MakeMemtable(traits, options.read_only);
  // Small, because every family holds at least one block.
  cf.arena_block_size = 64U << 10U;
  cf.max_write_buffer_number = kMemtablesMax;
  cf.level_compaction_dynamic_level_bytes = true;
  cf.target_file_size_base = 32 * kMiB;
  return cf;
}

rocksdb::ReadOptions MakeScanOptions(Family family, std::string_view prefix,
                                     const rocksdb::Slice* upper_bound) {
  const std::size_t prefix_bytes = TraitsOf(family).prefix_bytes;
  const bool one_row = prefix_bytes > 0 && prefix.size() >= prefix_bytes;
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = upper_bound;
  // Within a row the prefix filter skips files; anything wider must see every key.
  read.prefix_same_as_start = one_row;
  read.total_order_seek = !one_row;
  // A walk over everything must not push the rows that are in use out of the cache.
  read.fill_cache = one_row;
  if (!one_row) {
    read.readahead_size = kReadAhead;
  }
  return read;
}

rocksdb::ReadOptions MakeRowOptions() {
  rocksdb::ReadOptions read;
  read.prefix_same_as_start = true;
  return read;
}

}  // namespace reco::store
