#include "store/inventory_keeper.h"

#include <memory>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include "store/inventory.h"
#include "store/manifest.h"
#include "store/rocksdb_status.h"
#include "store/sync_mark.h"

namespace reco::store {
namespace {

constexpr std::int64_t kQuietUs = 1'000'000;      // of the log, before an inventory
constexpr std::int64_t kInventoryUs = 2'000'000;  // behind a write, while others follow

void RaiseTo(std::atomic<std::uint64_t>& value, std::uint64_t least) {
  std::uint64_t now = value.load();
  while (now < least && !value.compare_exchange_weak(now, least)) {
  }
}

}  // namespace

void InventoryKeeper::SyncOlderLogs(rocksdb::Env& env, const std::string& path, LogBytes* logs) {
  for (auto& [number, bytes] : *logs) {
    const std::string name = path + "/" + LogName(number);
    std::unique_ptr<rocksdb::WritableFile> file;
    if (bytes > 0 && (!env.FileExists(name).ok() ||
                      !env.ReopenWritableFile(name, &file, rocksdb::EnvOptions()).ok() ||
                      !file->Fsync().ok() || !file->Close().ok())) {
      bytes = 0;
    }
  }
}

Status InventoryKeeper::Log(rocksdb::WriteBatch& batch, bool synced, FunctionRef<Status()> write) {
  AppendSyncMark(batch, synced_.load(std::memory_order_relaxed));
  ReaderLock lock(log_mutex_);
  RECO_RETURN_IF_ERROR(write());
  // RocksDB has numbered the changes in the batch itself.
  const std::uint64_t last = ReadBatchHeader(batch.Data())->last();
  RaiseTo(logged_, last);
  if (synced) {
    RaiseTo(synced_, last);
  }
  log_writes_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

Status InventoryKeeper::Sync(FunctionRef<Status()> sync) {
  // Not the newest number of the store: rows that are not in the log have numbers too.
  const std::uint64_t last = logged_.load();
  RECO_RETURN_IF_ERROR(sync());
  RaiseTo(synced_, last);
  return {};
}

Status InventoryKeeper::Write(std::optional<FunctionRef<Status()>> sync) {
  MutexLock lock(mutex_);
  return WriteLocked(sync);
}

Status InventoryKeeper::Keep(std::int64_t now_us, std::optional<FunctionRef<Status()>> sync) {
  MutexLock lock(mutex_);
  const std::uint64_t writes = log_writes_.load(std::memory_order_relaxed);
  if (writes != seen_writes_) {
    seen_writes_ = writes;
    write_seen_us_ = now_us;
  }
  if (writes == kept_writes_) {
    log_moved_us_.reset();
  } else if (!log_moved_us_) {
    log_moved_us_ = now_us;
  }
  const bool log_due =
      sync && log_moved_us_ &&
      (now_us - write_seen_us_ >= kQuietUs || now_us - *log_moved_us_ >= kInventoryUs);
  if (!log_due && table_writes_.load(std::memory_order_relaxed) == kept_tables_) {
    return {};
  }
  log_moved_us_.reset();
  return WriteLocked(sync);
}

// The bytes of the logs in the folder: whole records, since no write runs. Says whether all of it
// is synced already, as always under that policy, and else behind a quiet second.
Result<InventoryKeeper::LogBytes> InventoryKeeper::MeasureLogs(bool* synced) {
  WriterLock lock(log_mutex_);
  *synced = synced_.load() >= logged_.load();
  std::vector<rocksdb::Env::FileAttributes> files;
  RECO_RETURN_IF_ERROR(
      ToStatus(db_.GetEnv()->GetChildrenFileAttributes(path_, &files), "list " + path_));
  LogBytes logs;
  for (const rocksdb::Env::FileAttributes& file : files) {
    if (const auto number = NumberIn(file.name, "", ".log")) {
      const auto older = older_logs_.find(*number);
      logs[*number] = older != older_logs_.end() ? older->second : file.size_bytes;
    }
  }
  return logs;
}

Status InventoryKeeper::WriteLocked(std::optional<FunctionRef<Status()>> sync) {
  // What changes from here on is for the next one, which also a failed one leaves it to.
  kept_tables_ = table_writes_.load(std::memory_order_relaxed);
  kept_writes_ = log_writes_.load(std::memory_order_relaxed);
  Inventory inventory;
  bool synced_already = false;
  RECO_ASSIGN_OR_RETURN(inventory.log_bytes, MeasureLogs(&synced_already));
  if (sync && !synced_already) {
    RECO_RETURN_IF_ERROR(Sync(*sync));
  }
  if (sync || synced_already) {
    synced_bytes_ = inventory.log_bytes;
  } else {
    for (auto& [number, bytes] : inventory.log_bytes) {
      const auto synced = synced_bytes_.find(number);
      bytes = synced != synced_bytes_.end() ? synced->second : 0;
    }
  }
  // Behind the logs: a manifest that needs one of them no longer says so. The other way round the
  // inventory would ask for a log that is gone.
  std::vector<std::string> files;
  RECO_RETURN_IF_ERROR(
      ToStatus(db_.GetLiveFiles(files, &inventory.manifest_bytes, /*flush_memtable=*/false),
               "list " + path_));
  for (const std::string& file : files) {
    if (const auto number = NumberIn(file, "/MANIFEST-", "")) {
      inventory.manifest = *number;
    }
  }
  return WriteInventory(*db_.GetEnv(), path_, inventory);
}

}  // namespace reco::store
