// Keeps the inventory of an open folder, and the marks in its log (D49).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "reco/result.h"

#include "base/function_ref.h"
#include "base/mutex.h"

namespace rocksdb {
class DB;
class Env;
class WriteBatch;
}  // namespace rocksdb

namespace reco::store {

// Thread-safe. All that is written to the log goes through it, and every sync, but for what RocksDB
// does while it opens: behind a torn log it begins the next with a batch of no changes, and syncs
// that. Refers to a DB, and to a count of the times that tables and so the manifest were written,
// which must outlive it.
class InventoryKeeper {
 public:
  using LogBytes = std::map<std::uint64_t, std::uint64_t>;  // by number

  // `older_logs`: how far the logs that were there before the DB was opened are synced. It neither
  // writes to them nor syncs them, and what stands behind that in them is no record.
  InventoryKeeper(rocksdb::DB& db, std::string path, LogBytes older_logs,
                  const std::atomic<std::uint64_t>& table_writes)
      : db_(db),
        path_(std::move(path)),
        older_logs_(std::move(older_logs)),
        table_writes_(table_writes) {}
  // Syncs those of the logs that an open has left, as where there was no room for tables: 0 for
  // those that are gone, or cannot be synced.
  static void SyncOlderLogs(rocksdb::Env& env, const std::string& path, LogBytes* logs);
  InventoryKeeper(const InventoryKeeper&) = delete;
  InventoryKeeper& operator=(const InventoryKeeper&) = delete;

  // Marks the batch, has `write` write it, and notes what is in the log then, and synced.
  Status Log(rocksdb::WriteBatch& batch, bool synced, FunctionRef<Status()> write);
  // Has `sync` sync the log, and notes how far.
  Status Sync(FunctionRef<Status()> sync);

  // Store::WriteInventory and KeepInventory. `sync` syncs the log; null: it is not to be synced.
  Status Write(std::optional<FunctionRef<Status()>> sync) EXCLUDES(mutex_);
  Status Keep(std::int64_t now_us, std::optional<FunctionRef<Status()>> sync) EXCLUDES(mutex_);

 private:
  Result<LogBytes> MeasureLogs(bool* synced) EXCLUDES(log_mutex_);
  Status WriteLocked(std::optional<FunctionRef<Status()>> sync) REQUIRES(mutex_);

  rocksdb::DB& db_;
  const std::string path_;
  const LogBytes older_logs_;
  const std::atomic<std::uint64_t>& table_writes_;

  // Of changes, as RocksDB numbers them: the last in the log, and the last known to be synced.
  std::atomic<std::uint64_t> logged_ = 0;
  std::atomic<std::uint64_t> synced_ = 0;
  std::atomic<std::uint64_t> log_writes_ = 0;  // relaxed: only whether it has moved counts

  // Shared by writers of the log; exclusive: no record is half written. Taken behind mutex_.
  SharedMutex log_mutex_;

  Mutex mutex_;
  LogBytes synced_bytes_ GUARDED_BY(mutex_);
  // What the last inventory has seen, and since when there is more in the log.
  std::uint64_t kept_tables_ GUARDED_BY(mutex_) = 0;
  std::uint64_t kept_writes_ GUARDED_BY(mutex_) = 0;
  std::optional<std::int64_t> log_moved_us_ GUARDED_BY(mutex_);
  // What Keep saw last, and when that was new.
  std::uint64_t seen_writes_ GUARDED_BY(mutex_) = 0;
  std::int64_t write_seen_us_ GUARDED_BY(mutex_) = 0;
};

}  // namespace reco::store
