// Store: the only door to RocksDB. Column families, atomic batches, prefix iteration, snapshots.
// Foreign errors become Status here: IO errors kIoError, damage kCorruption naming the family.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reco/options.h"
#include "reco/result.h"

#include "base/function_ref.h"

namespace rocksdb {
class Env;
}

namespace reco::store {

// Returns true iff the status is of a disk that is full.
bool IsDiskFull(const Status& status);

// Column families of doc/format.md. Names are part of the file format. Append only.
enum class Family : std::uint8_t {
  kDefault,
  kKeys,
  kEvents,
  kUsers,
  kItems,
  kByUser,
  kByItem,
  kVectors,
  kModels,
  kTokens,
  kJobs,
};
inline constexpr std::size_t kFamilyCount = 11;
std::string_view FamilyName(Family family);

// Changes that become visible and durable together. Thread-compatible.
class Batch {
 public:
  Batch();
  ~Batch();
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;

  void Put(Family family, std::string_view key, std::string_view value);
  void Delete(Family family, std::string_view key);
  // Deletes all keys in [begin, end).
  void DeleteRange(Family family, std::string_view begin, std::string_view end);
  // Adds the changes of `other` behind these.
  void Append(const Batch& other);
  void Clear();
  bool empty() const;
  std::size_t count() const;       // changes
  std::size_t size_bytes() const;  // serialised

 private:
  friend class RocksStore;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Changes that follow from what the log has, so that the log need not have them too (D37). They are
// seen as they are put, and become durable with a flush, all of a group or nothing. Until then a
// crash takes them away, and what they follow from is there. Groups on several threads are
// independent. Confined.
class DerivedGroup {
 public:
  // Without Finish() half a group is in memory: nothing is flushed from then on, Health() fails,
  // and the folder is to be opened anew.
  virtual ~DerivedGroup() = default;
  virtual void Put(Family family, std::string_view key, std::string_view value) = 0;
  virtual void Delete(Family family, std::string_view key) = 0;
  virtual void DeleteRange(Family family, std::string_view begin, std::string_view end) = 0;
  // Returns Ok, or the first error.
  virtual Status Finish() = 0;
};

struct FolderReport;  // folder_check.h

struct StoreOptions {
  std::string path;
  std::uint64_t block_cache_bytes = 128ULL << 20U;
  std::uint64_t write_buffer_bytes = 64ULL << 20U;
  std::uint32_t open_files_max = 512;
  bool read_only = false;  // for verification: opens without changing a byte
  // Where Open tells what it has found of the files, also when it refuses them; with it every block
  // of every table is read. Null: losses go to the log, as notes do.
  FolderReport* report = nullptr;
  rocksdb::Env* env = nullptr;  // tests inject faults; null: the machine's
  LogSink log;
};

// A consistent view of the whole store as of its creation. Must not outlive the Store.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
};

// Ordered walk over one family, limited to keys with a prefix. Confined.
class Iterator {
 public:
  virtual ~Iterator() = default;
  virtual bool Valid() const = 0;
  virtual void Next() = 0;
  // Moves to the first key >= `key`, which must have the prefix (but see ScanRows).
  virtual void Seek(std::string_view key) = 0;
  virtual std::string_view key() const = 0;    // valid until Next
  virtual std::string_view value() const = 0;  // valid until Next
  // Returns Ok, or why the walk ended early.
  virtual Status status() const = 0;
};

// Thread-safe. Owns the folder through RocksDB's lock file.
class Store {
 public:
  // Creates the folder (not its parents) and the families it lacks. kFailedPrecondition "locked by
  // another process" or "written by a newer version" (a family that is not ours); kCorruption names
  // the file, and the family when it can be told; kIoError: what the system answered, and of a full
  // disk (IsDiskFull) how much has to be free, since opening for writing writes to tables what the
  // log holds. A folder that lacks what was synced is refused before anything in it is changed
  // (CheckFolder).
  static Result<std::unique_ptr<Store>> Open(const StoreOptions& options);
  virtual ~Store() = default;

  // Writes the batch, all of it or nothing. With `sync` the log is fsynced first. Several writers
  // are grouped by RocksDB.
  virtual Status Write(Batch& batch, bool sync) = 0;
  // Begins a group, after a flush that waits for its turn. Other writers get theirs between any 64
  // of its changes.
  virtual std::unique_ptr<DerivedGroup> BeginGroup() = 0;
  // Fsyncs the log.
  virtual Status SyncLog() = 0;
  // Writes the inventory of the folder (D49), by which the next Open sees whether something of it
  // is missing; with `sync` what the log has is synced before and so part of it. kIoError: the one
  // before stays, which says less. Open has written one.
  virtual Status WriteInventory(bool sync) = 0;
  // Does so when it is due, and is called often: at once when tables or a manifest have been
  // written, and with `sync` a second after the last write, or two after the first that the
  // inventory has not while others follow. Cheap when nothing is due.
  virtual Status KeepInventory(std::int64_t now_us, bool sync) = 0;
  // Writes to tables what is in memory, in one atomic step, and waits for it. Waits for groups that
  // are begun, so not to be called within one. A store does so itself, without waiting, when
  // `write_buffer_bytes` are reached.
  virtual Status Flush() = 0;
  // Returns true iff a crash would take groups away that are finished.
  virtual bool has_unflushed_groups() const = 0;
  // What Flush would write, in memory: the next Open reads about as much of the log.
  virtual std::uint64_t unflushed_bytes() const = 0;
  // Returns the value; nullopt when there is no such key.
  virtual Result<std::optional<std::string>> Get(Family family, std::string_view key) const = 0;
  // Looks many keys up in one pass, which finds each block once; `keys` ascend. Calls found(i,
  // value) for those that are there, in any order; its error ends the call.
  virtual Status GetMany(Family family, std::span<const std::string> keys,
                         FunctionRef<Status(std::size_t, std::string_view)> found) const = 0;
  // NOLINTNEXTLINE(google-default-arguments): there is one implementation, and it takes the same.
  virtual std::unique_ptr<Iterator> Scan(Family family, std::string_view prefix,
                                         const Snapshot* snapshot = nullptr) const = 0;
  // Walks many short stretches of a family of rows, which costs less than a Scan for each: after
  // Seek(row) the keys follow that begin with `row`, a whole prefix of the family's rows. Begins
  // nowhere.
  virtual std::unique_ptr<Iterator> ScanRows(Family family) const = 0;
  virtual std::unique_ptr<Snapshot> TakeSnapshot() const = 0;
  // Returns Ok until a write or sync has failed or RocksDB has stopped taking writes after an error
  // in the background; stays so until Resume(). Reads go on.
  virtual Status Health() const = 0;
  // Tries to take writes again. Returns Ok when the cause is gone, as after a full disk, otherwise
  // why not; what RocksDB calls fatal (an I/O error in its log) needs the folder to be opened anew.
  virtual Status Resume() = 0;
  virtual std::uint64_t memory_bytes() const = 0;
  virtual std::uint64_t disk_bytes() const = 0;
};

}  // namespace reco::store
