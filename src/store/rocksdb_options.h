// How RocksDB is set up: one place for every knob.
#pragma once

#include <cstddef>
#include <memory>

#include <rocksdb/cache.h>
#include <rocksdb/options.h>
#include <rocksdb/write_buffer_manager.h>

#include "store/store.h"

namespace reco::store {

// A family's memtable, above which RocksDB flushes by itself. Nothing may come to that: the flush
// could come into a group (D37).
inline constexpr std::size_t kMemtableMax = 16ULL << 30U;

// The memory that all families share.
struct SharedMemory {
  std::shared_ptr<rocksdb::Cache> block_cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};

SharedMemory MakeSharedMemory(const StoreOptions& options);
rocksdb::DBOptions MakeDbOptions(const StoreOptions& options, const SharedMemory& memory);
rocksdb::ColumnFamilyOptions MakeFamilyOptions(Family family, const StoreOptions& options,
                                               const SharedMemory& memory);

// Returns how a Scan of `family` limited to `prefix` reads. The bound must outlive the iterator.
rocksdb::ReadOptions MakeScanOptions(Family family, std::string_view prefix,
                                     const rocksdb::Slice* upper_bound);

// Returns how a walk over single rows reads.
rocksdb::ReadOptions MakeRowOptions();

}  // namespace reco::store
