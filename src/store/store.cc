// Three things about RocksDB are kept from the callers: its errors become Status and latch
// (FaultLatch), a folder in the middle of a change is never read (FolderLock), and one that lacks
// something is never opened (CheckFiles).
#include "store/store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>

#include "base/background.h"
#include "base/check.h"
#include "base/mutex.h"
#include "format/keys.h"
#include "store/batch_impl.h"
#include "store/directory_lock.h"
#include "store/fault_latch.h"
#include "store/folder_check.h"
#include "store/inventory_keeper.h"
#include "store/rocksdb_options.h"
#include "store/rocksdb_status.h"
#include "store/table_check.h"

namespace reco::store {
namespace {

constexpr std::array<std::string_view, kFamilyCount> kFamilyNames = {
    "default", "keys",    "events", "users",  "items", "by_user",
    "by_item", "vectors", "models", "tokens", "jobs"};

constexpr std::size_t kProbeChunkBytes = 1U << 20U;
// Free space from which on writes are taken while the log waits for room to be written to tables.
constexpr std::uint64_t kSpaceToGoOn = 7U << 20U;
// Empty write buffers of all families take some of it.
constexpr std::uint64_t kFlushMin = 1U << 20U;
// Well below where RocksDB would flush by itself, whatever comes in while a group is written.
constexpr std::uint64_t kFlushMax = 4ULL << 30U;
static_assert(kFlushMax <= kMemtableMax / 4);
// Of a group, in one write: about 0.1 ms.
constexpr std::size_t kChangesAStep = 64;
constexpr std::size_t kBytesAStep = 256U << 10U;

rocksdb::Slice ToSlice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

std::string FamilyText(Family family) {
  return std::string("family ").append(FamilyName(family));
}

// Has compactions give way to commands: after a training they rewrite all vectors, a core's work of
// some tenths of a second. Not lower, since a compaction holds RocksDB's locks now and then.
class NiceCompactions final : public rocksdb::EventListener {
 public:
  // Called by the thread that compacts, whose pool flushes nothing.
  void OnCompactionBegin(rocksdb::DB* /*db*/, const rocksdb::CompactionJobInfo& /*job*/) override {
    LowerThreadPriority();
  }
};

// Counts how often tables have been written, and the manifest with them.
class TableWrites final : public rocksdb::EventListener {
 public:
  const std::atomic<std::uint64_t>& count() const { return count_; }

  void OnFlushCompleted(rocksdb::DB* /*db*/, const rocksdb::FlushJobInfo& /*job*/) override {
    ++count_;
  }
  void OnCompactionCompleted(rocksdb::DB* /*db*/,
                             const rocksdb::CompactionJobInfo& /*job*/) override {
    ++count_;
  }

 private:
  std::atomic<std::uint64_t> count_ = 0;
};

class RocksSnapshot final : public Snapshot {
 public:
  explicit RocksSnapshot(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
  ~RocksSnapshot() override { db_.ReleaseSnapshot(snapshot_); }
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;

  const rocksdb::Snapshot* snapshot() const { return snapshot_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* const snapshot_;
};

class RocksIterator final : public Iterator {
 public:
  RocksIterator(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle, Family family,
                std::string_view prefix, const rocksdb::Snapshot* snapshot)
      : family_(family), end_(format::PrefixEnd(prefix)), end_slice_(end_) {
    rocksdb::ReadOptions read =
        MakeScanOptions(family, prefix, end_.empty() ? nullptr : &end_slice_);
    read.snapshot = snapshot;
    iterator_.reset(db.NewIterator(read, handle));
    iterator_->Seek(ToSlice(prefix));
  }
  // Over the rows that Seek names, one after the other.
  RocksIterator(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle, Family family)
      : family_(family), iterator_(db.NewIterator(MakeRowOptions(), handle)) {}

  bool Valid() const override { return iterator_->Valid(); }
  void Next() override { iterator_->Next(); }
  void Seek(std::string_view key) override { iterator_->Seek(ToSlice(key)); }
  std::string_view key() const override { return ToView(iterator_->key()); }
  std::string_view value() const override { return ToView(iterator_->value()); }
  Status status() const override { return ToStatus(iterator_->status(), FamilyText(family_)); }

 private:
  const Family family_;
  const std::string end_;  // first key behind the prefix, which is all the bound there is
  const rocksdb::Slice end_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

// The lock file that a writing RocksDB holds, taken by an open that only reads, so that it never
// looks at a folder in the middle of a change.
class FolderLock {
 public:
  // Takes the lock. kFailedPrecondition when another open holds it. On a medium that cannot be
  // written, where nobody else can write either, there is no lock to take, and without its file
  // none that could be taken and change nothing.
  static Result<std::unique_ptr<FolderLock>> Take(rocksdb::Env& env, const StoreOptions& options) {
    rocksdb::FileLock* lock = nullptr;
    const std::string& path = options.path;
    const std::string file = path + "/LOCK";
    if (options.read_only && env.FileExists(file).IsNotFound()) {
      return std::make_unique<FolderLock>(env, nullptr);
    }
    const rocksdb::Status status = env.LockFile(file, &lock);
    if (!status.ok() && IsLockHeld(status)) {
      return FolderIsLocked(path);
    }
    return std::make_unique<FolderLock>(env, lock);
  }

  FolderLock(rocksdb::Env& env, rocksdb::FileLock* lock) : env_(env), lock_(lock) {}
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (lock_ != nullptr) {
      ToStatus(env_.UnlockFile(lock_), "").IgnoreError("the process's end would release it too");
    }
  }

  static bool IsLockHeld(const rocksdb::Status& status) {
    const std::string text = status.ToString();
    return status.IsIOError() && (text.find("lock hold by current process") != std::string::npos ||
                                  text.find("While lock file") != std::string::npos);
  }

 private:
  rocksdb::Env& env_;
  rocksdb::FileLock* const lock_;
};

using Handles = std::vector<rocksdb::ColumnFamilyHandle*>;
using Descriptors = std::vector<rocksdb::ColumnFamilyDescriptor>;

// Writes and removes `bytes`, and a little more.
rocksdb::Status ProbeSpace(rocksdb::Env& env, const std::string& folder, std::uint64_t bytes) {
  const std::string path = folder + "/space.probe";
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::Status status = env.NewWritableFile(path, &file, rocksdb::EnvOptions());
  if (!status.ok()) {
    return status;
  }
  const std::string chunk(kProbeChunkBytes, '\0');
  for (std::uint64_t written = 0; status.ok() && written < bytes + chunk.size();
       written += chunk.size()) {
    status = file->Append(chunk);
  }
  if (status.ok()) {
    status = file->Sync();
  }
  ToStatus(file->Close(), "").IgnoreError("the file is removed");
  ToStatus(env.DeleteFile(path), "").IgnoreError("a left-over probe is overwritten by the next");
  return status;
}

// Not inlined: this frame is how tests/tsan.supp knows that RocksDB reads the batches of other
// writers, whose leader it made of this one.
[[gnu::noinline]] rocksdb::Status WriteAsGroup(rocksdb::DB& db,
                                               const rocksdb::WriteOptions& options,
                                               rocksdb::WriteBatch* batch) {
  return db.Write(options, batch);
}

}  // namespace

class RocksStore final : public Store {
 public:
  RocksStore(const StoreOptions& options, SharedMemory memory, std::shared_ptr<FaultLatch> faults,
             std::shared_ptr<TableWrites> table_writes, rocksdb::DB* db, Handles handles,
             std::unique_ptr<FolderLock> lock, InventoryKeeper::LogBytes older_logs)
      : path_(options.path),
        read_only_(options.read_only),
        flush_at_bytes_(std::clamp(options.write_buffer_bytes, kFlushMin, kFlushMax)),
        lock_(std::move(lock)),
        memory_(std::move(memory)),
        faults_(std::move(faults)),
        table_writes_(std::move(table_writes)),
        db_(db),
        handles_(std::move(handles)),
        keeper_(*db_, path_, std::move(older_logs), table_writes_->count()) {}
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  ~RocksStore() override {
    // First: what Close() breaks off is no fault.
    faults_->BeginClose();
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      ToStatus(db_->DestroyColumnFamilyHandle(handle), "")
          .IgnoreError("the handle is gone either way");
    }
    ToStatus(db_->Close(), "").IgnoreError("what is acknowledged is in the log already");
  }

  Status Write(Batch& batch, bool sync) override {
    // Not Health(): whether to go on after a fault is the owner's to say.
    RECO_RETURN_IF_ERROR(CheckWritable());
    rocksdb::WriteOptions write;
    write.sync = sync;
    rocksdb::WriteBatch& bytes = batch.impl_->batch;
    RECO_RETURN_IF_ERROR(keeper_.Log(
        bytes, sync, [&] { return Latch(ToStatus(WriteAsGroup(*db_, write, &bytes), "write")); }));
    FlushIfDue();
    return {};
  }

  std::unique_ptr<DerivedGroup> BeginGroup() override;

  Status SyncLog() override {
    RECO_RETURN_IF_ERROR(CheckWritable());
    return keeper_.Sync([this] { return SyncFile(); });
  }

  Status WriteInventory(bool sync) override {
    RECO_RETURN_IF_ERROR(CheckWritable());
    RECO_RETURN_IF_ERROR(Health());  // a log that could not be written is not to be synced
    const auto sync_file = [this] { return SyncFile(); };
    return keeper_.Write(sync ? std::optional<FunctionRef<Status()>>(sync_file) : std::nullopt);
  }

  Status KeepInventory(std::int64_t now_us, bool sync) override {
    if (read_only_ || !Health().ok()) {
      return {};
    }
    const auto sync_file = [this] { return SyncFile(); };
    return keeper_.Keep(now_us,
                        sync ? std::optional<FunctionRef<Status()>>(sync_file) : std::nullopt);
  }

  Status Flush() override {
    RECO_RETURN_IF_ERROR(CheckWritable());
    {
      MutexLock lock(groups_mutex_);
      while (flush_wanted_) {
        groups_ended_.Wait(groups_mutex_);
      }
      flush_wanted_ = flush_waits_ = true;  // no group begins from here on
      while (groups_ > 0) {
        groups_ended_.Wait(groups_mutex_);
      }
      flush_waits_ = false;
    }
    return FlushBetweenGroups(/*wait=*/true);
  }

  bool has_unflushed_groups() const override {
    MutexLock lock(groups_mutex_);
    return unflushed_groups_;
  }

  std::uint64_t unflushed_bytes() const override {
    return memory_.write_buffers->mutable_memtable_memory_usage();
  }

  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    std::string value;
    const rocksdb::Status status =
        db_->Get(rocksdb::ReadOptions(), Handle(family), ToSlice(key), &value);
    // Not an error here: callers ask whether there is one.
    if (status.IsNotFound()) {
      return std::optional<std::string>();
    }
    if (!status.ok()) {
      return ToStatus(status, FamilyText(family));
    }
    return std::optional<std::string>(std::move(value));
  }

  std::unique_ptr<Iterator> Scan(Family family, std::string_view prefix,
                                 const Snapshot* snapshot) const override {
    const rocksdb::Snapshot* at =
        snapshot == nullptr ? nullptr : static_cast<const RocksSnapshot*>(snapshot)->snapshot();
    return std::make_unique<RocksIterator>(*db_, Handle(family), family, prefix, at);
  }

  Status GetMany(Family family, std::span<const std::string> keys,
                 FunctionRef<Status(std::size_t, std::string_view)> found) const override {
    std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db_->MultiGet(rocksdb::ReadOptions(), Handle(family), keys.size(), slices.data(), values.data(),
                  statuses.data(), /*sorted_input=*/true);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].ok()) {
        RECO_RETURN_IF_ERROR(found(i, ToView(values[i])));
      } else if (!statuses[i].IsNotFound()) {
        return ToStatus(statuses[i], FamilyText(family));
      }
    }
    return {};
  }

  std::unique_ptr<Iterator> ScanRows(Family family) const override {
    return std::make_unique<RocksIterator>(*db_, Handle(family), family);
  }

  std::unique_ptr<Snapshot> TakeSnapshot() const override {
    return std::make_unique<RocksSnapshot>(*db_);
  }

  Status Health() const override { return faults_->Fault(); }

  Status Resume() override {
    RECO_RETURN_IF_ERROR(CheckWritable());
    {
      MutexLock lock(groups_mutex_);
      RECO_RETURN_IF_ERROR(half_a_group_);  // RocksDB would flush it
    }
    // As much as this will flush: RocksDB takes a disk that fills up while it resumes for a fatal
    // error.
    RECO_RETURN_IF_ERROR(ToStatus(
        ProbeSpace(*db_->GetEnv(), path_, memory_.write_buffers->memory_usage()), "resume"));
    RECO_RETURN_IF_ERROR(ToStatus(db_->Resume(), "resume"));
    faults_->Clear();
    return {};
  }

  std::uint64_t memory_bytes() const override {
    std::uint64_t readers = 0;
    if (!db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kEstimateTableReadersMem,
                                       &readers)) {
      readers = 0;
    }
    return memory_.block_cache->GetUsage() + memory_.write_buffers->memory_usage() + readers;
  }

  std::uint64_t disk_bytes() const override {
    std::vector<rocksdb::Env::FileAttributes> files;
    if (!db_->GetEnv()->GetChildrenFileAttributes(path_, &files).ok()) {
      return 0;
    }
    std::uint64_t bytes = 0;
    for (const rocksdb::Env::FileAttributes& file : files) {
      bytes += file.size_bytes;
    }
    return bytes;
  }

 private:
  class Group;

  Status SyncFile() { return Latch(ToStatus(db_->SyncWAL(), "sync")); }

  // Begins a flush once the write buffers are full. A group in progress does it when it ends.
  void FlushIfDue() {
    if (unflushed_bytes() < flush_at_bytes_) {
      return;
    }
    {
      MutexLock lock(groups_mutex_);
      if (flush_wanted_) {
        return;
      }
      flush_wanted_ = true;
      if (groups_ > 0) {
        return;
      }
    }
    FlushBetweenGroups(/*wait=*/false).IgnoreError("told to the latch");
  }

  void EndGroup(const Status& status) {
    if (!status.ok()) {
      faults_->Fail(status);
    }
    bool flush = false;
    {
      MutexLock lock(groups_mutex_);
      if (!status.ok()) {
        half_a_group_ = status;
      }
      --groups_;
      unflushed_groups_ = true;
      flush = groups_ == 0 && flush_wanted_ && !flush_waits_;
      groups_ended_.NotifyAll();
    }
    if (flush) {
      FlushBetweenGroups(/*wait=*/false).IgnoreError("told to the latch");
    } else {
      FlushIfDue();
    }
  }

  // With flush_wanted_ set and no group begun; ends that state.
  Status FlushBetweenGroups(bool wait) {
    Status status;
    {
      MutexLock lock(groups_mutex_);
      status = half_a_group_;
      unflushed_groups_ = false;
    }
    if (status.ok()) {
      rocksdb::FlushOptions flush;
      flush.wait = wait;
      // When three flushes are behind, writers wait, which is what bounds the memory.
      flush.allow_write_stall = true;
      status = Latch(ToStatus(db_->Flush(flush, handles_), "flush"));
    }
    MutexLock lock(groups_mutex_);
    flush_wanted_ = false;
    groups_ended_.NotifyAll();
    return status;
  }

  rocksdb::ColumnFamilyHandle* Handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

  Status CheckWritable() const {
    if (read_only_) {
      return Status::FailedPrecondition("the store is open for reading only");
    }
    return {};
  }

  Status Latch(Status status) {
    if (!status.ok()) {
      faults_->Fail(status);
    }
    return status;
  }

  const std::string path_;
  const bool read_only_;
  const std::uint64_t flush_at_bytes_;
  const std::unique_ptr<FolderLock> lock_;  // null unless read_only: RocksDB holds its own
  const SharedMemory memory_;
  const std::shared_ptr<FaultLatch> faults_;
  const std::shared_ptr<TableWrites> table_writes_;
  const std::unique_ptr<rocksdb::DB> db_;
  const Handles handles_;  // by Family

  InventoryKeeper keeper_;

  // A flush comes between groups, never into one.
  mutable Mutex groups_mutex_;
  CondVar groups_ended_;
  std::size_t groups_ GUARDED_BY(groups_mutex_) = 0;
  bool flush_wanted_ GUARDED_BY(groups_mutex_) = false;  // or in progress: no group may begin
  bool unflushed_groups_ GUARDED_BY(groups_mutex_) = false;
  bool flush_waits_ GUARDED_BY(groups_mutex_) = false;  // Flush() does it, not the last group
  Status half_a_group_ GUARDED_BY(groups_mutex_);       // Ok, or why there is one
};

// Written in steps, each of which holds RocksDB's queue of writers for about 0.1 ms.
class RocksStore::Group final : public DerivedGroup {
 public:
  explicit Group(RocksStore& store) : store_(store) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() override {
    if (!finished_) {
      store_.EndGroup(Status::IoError("a group of rows was given up"));
    }
  }

  void Put(Family family, std::string_view key, std::string_view value) override {
    batch_.Put(family, key, value);
    Step();
  }
  void Delete(Family family, std::string_view key) override {
    batch_.Delete(family, key);
    Step();
  }
  void DeleteRange(Family family, std::string_view begin, std::string_view end) override {
    batch_.DeleteRange(family, begin, end);
    Step();
  }
  Status Finish() override {
    Write();
    finished_ = true;
    store_.EndGroup(status_);
    return status_;
  }

 private:
  void Step() {
    if (batch_.count() >= kChangesAStep || batch_.size_bytes() >= kBytesAStep) {
      Write();
    }
  }
  void Write() {
    if (status_.ok() && !batch_.empty()) {
      rocksdb::WriteOptions write;
      write.disableWAL = true;
      status_ = ToStatus(WriteAsGroup(*store_.db_, write, &batch_.impl_->batch), "write");
    }
    batch_.Clear();
  }

  RocksStore& store_;
  Batch batch_;
  Status status_;
  bool finished_ = false;
};

std::unique_ptr<DerivedGroup> RocksStore::BeginGroup() {
  RECO_CHECK(!read_only_);
  MutexLock lock(groups_mutex_);
  while (flush_wanted_) {
    groups_ended_.Wait(groups_mutex_);
  }
  ++groups_;
  return std::make_unique<Group>(*this);
}

namespace {

// --- Opening ---

Descriptors MakeDescriptors(const StoreOptions& options, const SharedMemory& memory) {
  Descriptors descriptors;
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    const auto family = static_cast<Family>(i);
    descriptors.emplace_back(std::string(FamilyName(family)),
                             MakeFamilyOptions(family, options, memory));
  }
  return descriptors;
}

Status CheckFamilies(const rocksdb::DBOptions& db, const std::string& path) {
  if (db.env->FileExists(path + "/CURRENT").IsNotFound()) {
    return {};  // a new folder
  }
  std::vector<std::string> names;
  RECO_RETURN_IF_ERROR(ToStatus(rocksdb::DB::ListColumnFamilies(db, path, &names), "open " + path));
  for (const std::string& name : names) {
    if (std::find(kFamilyNames.begin(), kFamilyNames.end(), name) == kFamilyNames.end()) {
      std::string text = "written by a newer version: ";
      return Status::FailedPrecondition(
          text.append(path).append(" has the unknown family ").append(name));
    }
  }
  return {};
}

std::uint64_t LogBytes(rocksdb::Env& env, const std::string& path) {
  std::vector<rocksdb::Env::FileAttributes> files;
  std::uint64_t bytes = 0;
  if (env.GetChildrenFileAttributes(path, &files).ok()) {
    for (const rocksdb::Env::FileAttributes& file : files) {
      bytes += NumberIn(file.name, "", ".log") ? file.size_bytes : 0;
    }
  }
  return bytes;
}

// Returns true iff the log will not have to be written to tables soon.
bool LogIsShort(rocksdb::Env& env, const StoreOptions& options) {
  return LogBytes(env, options.path) < options.write_buffer_bytes;
}

// What RocksDB wants of a full disk when it opens a folder: it writes to tables what its log holds.
std::string SpaceNeeded(rocksdb::Env& env, const StoreOptions& options) {
  constexpr std::uint64_t kMib = 1U << 20U;
  const std::uint64_t needed = LogIsShort(env, options)
                                   ? kSpaceToGoOn + kProbeChunkBytes
                                   : LogBytes(env, options.path) + 2 * kMib;  // and a little beside
  return "; writes need up to " + std::to_string(needed / kMib) + " MiB of free space there";
}

Status OpenError(const rocksdb::Status& status, rocksdb::Env& env, const StoreOptions& options) {
  if (FolderLock::IsLockHeld(status)) {
    return FolderIsLocked(options.path);
  }
  if (status.IsNoSpace()) {
    return Status::IoError(std::string(ToStatus(status, "open " + options.path).message()) +
                           SpaceNeeded(env, options));
  }
  if (status.IsCorruption()) {
    // Some damages of a table are told as the manifest's.
    if (const Result<FolderReport> report = CheckFolder(env, options.path); report.ok()) {
      const std::vector<DamagedTable> damaged =
          FindDamagedTables(env, options.path, report->manifest);
      if (!damaged.empty()) {
        return Status::Corruption(options.path + ": " + damaged.front().what);
      }
    }
  }
  return ToStatus(status, "open " + options.path);
}

// Refuses a folder that lacks what was synced; says what RocksDB will drop and remove of others.
// Returns the whole bytes of each log.
Result<InventoryKeeper::LogBytes> CheckFiles(rocksdb::Env& env, const StoreOptions& options,
                                             const FaultLatch& log) {
  RECO_ASSIGN_OR_RETURN(FolderReport report, CheckFolder(env, options.path));
  if (options.report != nullptr && report.damages.empty()) {
    for (DamagedTable& table : FindDamagedTables(env, options.path, report.manifest)) {
      report.damages.push_back(std::move(table.what));
    }
  }
  Status status;
  if (!report.damages.empty()) {
    std::string text = options.path + ": " + report.damages.front();
    if (report.damages.size() > 1) {
      text.append(" (and ").append(std::to_string(report.damages.size() - 1)).append(" more)");
    }
    status = Status::Corruption(text);
  }
  for (const std::string& note : report.notes) {
    log.Log(LogLevel::kNotice, "storage: " + note);
  }
  InventoryKeeper::LogBytes logs = report.log_bytes;
  if (options.report != nullptr) {
    *options.report = std::move(report);
  } else {
    for (const std::string& loss : report.losses) {
      log.Log(LogLevel::kWarning, "storage: " + loss);
    }
  }
  return status.ok() ? Result<InventoryKeeper::LogBytes>(std::move(logs)) : status;
}

}  // namespace

bool IsDiskFull(const Status& status) {
  return status.message().find(kDiskFullText) != std::string_view::npos;
}

std::string_view FamilyName(Family family) {
  return kFamilyNames[static_cast<std::size_t>(family)];
}

Result<std::unique_ptr<Store>> Store::Open(const StoreOptions& options) {
  SharedMemory memory = MakeSharedMemory(options);
  auto faults = std::make_shared<FaultLatch>(options.log);
  StoreOptions logging = options;
  logging.log = [faults](LogLevel level, std::string_view text) { faults->Log(level, text); };
  rocksdb::DBOptions db_options = MakeDbOptions(logging, memory);
  const auto table_writes = std::make_shared<TableWrites>();
  db_options.listeners.push_back(faults);
  db_options.listeners.push_back(table_writes);
  db_options.listeners.push_back(std::make_shared<NiceCompactions>());
  const Descriptors descriptors = MakeDescriptors(options, memory);
  if (!options.read_only) {  // RocksDB does so too, but warns that there was none
    RECO_RETURN_IF_ERROR(
        ToStatus(db_options.env->CreateDirIfMissing(options.path), "create " + options.path));
  }
  // Nobody may change the folder while it is looked at; RocksDB takes its lock only when it writes.
  RECO_ASSIGN_OR_RETURN(std::unique_ptr<FolderLock> lock,
                        FolderLock::Take(*db_options.env, options));
  // Before RocksDB looks: it would create what is missing, and refuse unknown families with less to
  // say.
  RECO_ASSIGN_OR_RETURN(InventoryKeeper::LogBytes older_logs,
                        CheckFiles(*db_options.env, options, *faults));
  RECO_RETURN_IF_ERROR(CheckFamilies(db_options, options.path));
  if (!options.read_only) {
    lock.reset();  // RocksDB takes it itself
  }

  Handles handles;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(db_options, options.path, descriptors, &handles, &db)
          : rocksdb::DB::Open(db_options, options.path, descriptors, &handles, &db);
  // What the log holds may stay there for a while, when there is no room to write it to tables.
  if (status.IsNoSpace() && LogIsShort(*db_options.env, options) &&
      ProbeSpace(*db_options.env, options.path, kSpaceToGoOn).ok()) {
    db_options.avoid_flush_during_recovery = true;
    status = rocksdb::DB::Open(db_options, options.path, descriptors, &handles, &db);
  }
  if (!status.ok()) {
    return OpenError(status, *db_options.env, options);
  }
  if (!options.read_only) {
    InventoryKeeper::SyncOlderLogs(*db_options.env, options.path, &older_logs);
  }
  auto store =
      std::make_unique<RocksStore>(options, std::move(memory), std::move(faults), table_writes, db,
                                   handles, std::move(lock), std::move(older_logs));
  // Batches address families by their place in the enum. RocksDB numbers families in the order of
  // their creation, which is that of the enum, and never again gives a number away.
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    if (handles[i]->GetID() != i) {
      return Status::Corruption("family " + std::string(kFamilyNames[i]) + " has number " +
                                std::to_string(handles[i]->GetID()) + " instead of " +
                                std::to_string(i));
    }
  }
  if (!options.read_only) {
    if (const Status kept = store->WriteInventory(/*sync=*/true); !kept.ok()) {
      // The one that is there is true as well.
      logging.log(LogLevel::kWarning, "storage: no inventory: " + kept.ToString());
    }
  }
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace reco::store
