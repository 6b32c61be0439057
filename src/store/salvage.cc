// RocksDB can make a database of the tables in a folder (RepairDB), but numbers its families as it
// likes, and takes logs in again whose changes are in tables. So it gets the tables alone; what it
// has made of them is read, and written to a new store, and then what the logs have beyond it.
#include "store/salvage.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>

#include "store/directory_lock.h"
#include "store/folder_check.h"
#include "store/log_reader.h"
#include "store/manifest.h"
#include "store/rocksdb_options.h"
#include "store/rocksdb_status.h"
#include "store/store.h"
#include "store/sync_mark.h"
#include "store/table_check.h"

namespace reco::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatchBytes = 1U << 20U;
constexpr std::pair<std::uint64_t, std::uint64_t> kNoLog = {UINT64_MAX, 0};

Status ToIoError(const std::error_code& error, const std::string& what) {
  return error ? Status::IoError(what + ": " + error.message()) : Status::Ok();
}

// Holds RocksDB's lock, where there is one to hold; makes none.
class HeldLock {
 public:
  static Result<std::unique_ptr<HeldLock>> Take(rocksdb::Env& env, const std::string& path) {
    rocksdb::FileLock* lock = nullptr;
    const std::string file = path + "/LOCK";
    if (env.FileExists(file).ok() && !env.LockFile(file, &lock).ok()) {
      return FolderIsLocked(path);
    }
    return std::make_unique<HeldLock>(env, lock);
  }
  HeldLock(rocksdb::Env& env, rocksdb::FileLock* lock) : env_(env), lock_(lock) {}
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;
  ~HeldLock() {
    if (lock_ != nullptr) {
      ToStatus(env_.UnlockFile(lock_), "").IgnoreError("the process's end would release it too");
    }
  }

 private:
  rocksdb::Env& env_;
  rocksdb::FileLock* const lock_;
};

// Adds every change of a batch of a log to another one.
class Replayer final : public rocksdb::WriteBatch::Handler {
 public:
  explicit Replayer(Batch& target) : target_(target) {}

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    target_.Put(static_cast<Family>(family), key.ToStringView(), value.ToStringView());
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t family, const rocksdb::Slice& key) override {
    target_.Delete(static_cast<Family>(family), key.ToStringView());
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t family, const rocksdb::Slice& begin,
                                const rocksdb::Slice& end) override {
    target_.DeleteRange(static_cast<Family>(family), begin.ToStringView(), end.ToStringView());
    return rocksdb::Status::OK();
  }
  void LogData(const rocksdb::Slice& /*mark*/) override {}

 private:
  Batch& target_;
};

class Salvager {
 public:
  Salvager(rocksdb::Env& env, const StoreOptions& options, const std::string& target,
           const std::string& scratch)
      : env_(env), options_(options), path_(options.path), target_(target), scratch_(scratch) {}

  Result<SalvagedFiles> Run() && {
    RECO_RETURN_IF_ERROR(Examine());
    const bool rebuild = !report_.has_manifest || !left_out_.empty();
    RECO_RETURN_IF_ERROR(CopyFiles(rebuild ? scratch_ : target_, rebuild));
    if (rebuild) {
      RECO_RETURN_IF_ERROR(Rebuild());
    }
    return std::move(result_);
  }

 private:
  Status Examine() {
    RECO_ASSIGN_OR_RETURN(report_, CheckFolder(env_, path_));
    result_.damages = report_.damages;
    result_.damages.insert(result_.damages.end(), report_.losses.begin(), report_.losses.end());
    left_out_ = report_.lost_tables;
    std::set<std::uint64_t> missing = report_.lost_tables;
    if (!report_.has_manifest) {
      RECO_RETURN_IF_ERROR(NameAllTables());
    }
    for (DamagedTable& table : FindDamagedTables(env_, path_, report_.manifest)) {
      if (left_out_.insert(table.number).second) {
        result_.damages.push_back(table.what);
      }
      missing.erase(table.number);
      std::string dropped;
      if (!table.family.empty()) {
        dropped.append("family ").append(table.family).append(": ");
      }
      dropped.append(TableName(table.number));
      if (table.rows > 0) {
        dropped.append(", ").append(std::to_string(table.rows)).append(" rows");
      }
      result_.dropped.push_back(std::move(dropped));
    }
    for (const std::uint64_t number : missing) {
      result_.dropped.push_back(TableName(number));
    }
    return {};
  }

  // Without a manifest every table counts.
  Status NameAllTables() {
    report_.manifest = {};
    std::vector<std::string> names;
    RECO_RETURN_IF_ERROR(ToStatus(env_.GetChildren(path_, &names), "list " + path_));
    for (const std::string& name : names) {
      if (const auto number = NumberIn(name, "", ".sst")) {
        report_.manifest.tables[*number] = {};
      }
    }
    return {};
  }

  // Copied and not linked, since files of the copy are cut and written to.
  Status CopyFiles(const std::string& to, bool rebuild) {
    std::error_code error;
    fs::create_directory(to, error);
    RECO_RETURN_IF_ERROR(ToIoError(error, "create " + to));
    std::vector<std::string> names;
    RECO_RETURN_IF_ERROR(ToStatus(env_.GetChildren(path_, &names), "list " + path_));
    for (const std::string& name : names) {
      const auto table = NumberIn(name, "", ".sst");
      const auto log = NumberIn(name, "", ".log");
      if (table ? report_.manifest.tables.contains(*table) && !left_out_.contains(*table)
          : log ? IsRead(*log) && !rebuild
                : !rebuild && (name == "CURRENT" || name == "IDENTITY" ||
                               NumberIn(name, "MANIFEST-", "").has_value())) {
        fs::copy_file(fs::path(path_) / name, fs::path(to) / name, error);
        RECO_RETURN_IF_ERROR(ToIoError(error, "copy " + name));
      } else if (log && report_.broken_log && *log > report_.broken_log->first) {
        result_.dropped.push_back("the log " + name);
      }
    }
    if (report_.broken_log) {
      return CutLog(to + "/" + LogName(report_.broken_log->first));
    }
    return {};
  }

  bool IsRead(std::uint64_t log) const {
    return log >= report_.manifest.first_log &&
           (!report_.broken_log || log <= report_.broken_log->first);
  }

  // Of the copy, where there is one.
  Status CutLog(const std::string& copy) {
    std::error_code error;
    const auto& [number, whole] = *report_.broken_log;
    const std::string file = path_ + "/" + LogName(number);
    if (!fs::exists(file, error)) {
      return {};
    }
    const std::uint64_t size = fs::file_size(file, error);
    if (size > whole) {
      result_.dropped.push_back("the log " + LogName(number) + ": " + std::to_string(size - whole) +
                                " bytes from byte " + std::to_string(whole) + " on");
    }
    if (fs::exists(copy, error)) {
      fs::resize_file(copy, whole, error);
    }
    return ToIoError(error, "cut " + copy);
  }

  // Makes of the tables in scratch_ and of the logs a store in target_.
  Status Rebuild() {
    StoreOptions options = options_;
    options.path = target_;
    RECO_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, Store::Open(options));
    std::uint64_t last = 0;
    std::error_code error;
    if (!fs::is_empty(scratch_, error)) {
      RECO_ASSIGN_OR_RETURN(last, CopyTables(*store));
    }
    RECO_RETURN_IF_ERROR(ReplayLogs(last, *store));
    return store->Flush();
  }

  // Returns the number of the last change in the tables.
  Result<std::uint64_t> CopyTables(Store& store) {
    StoreOptions options = options_;
    options.path = scratch_;
    const SharedMemory memory = MakeSharedMemory(options);
    const rocksdb::DBOptions db_options = MakeDbOptions(options, memory);
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (std::size_t i = 0; i < kFamilyCount; ++i) {
      const auto family = static_cast<Family>(i);
      families.emplace_back(std::string(FamilyName(family)),
                            MakeFamilyOptions(family, options, memory));
    }
    RECO_RETURN_IF_ERROR(
        ToStatus(rocksdb::RepairDB(scratch_, db_options, families, rocksdb::ColumnFamilyOptions()),
                 "rebuild " + scratch_));
    // Those that have no table are not in it.
    std::vector<std::string> names;
    RECO_RETURN_IF_ERROR(ToStatus(rocksdb::DB::ListColumnFamilies(db_options, scratch_, &names),
                                  "open " + scratch_));
    std::erase_if(families, [&names](const rocksdb::ColumnFamilyDescriptor& family) {
      return std::find(names.begin(), names.end(), family.name) == names.end();
    });
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    RECO_RETURN_IF_ERROR(
        ToStatus(rocksdb::DB::OpenForReadOnly(db_options, scratch_, families, &handles, &opened),
                 "open " + scratch_));
    const std::unique_ptr<rocksdb::DB> db(opened);
    Status copied;
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      if (copied.ok()) {
        copied = CopyRows(*db, handle, store);
      }
      ToStatus(db->DestroyColumnFamilyHandle(handle), "")
          .IgnoreError("the handle is gone either way");
    }
    RECO_RETURN_IF_ERROR(copied);
    return db->GetLatestSequenceNumber();
  }

  static Status CopyRows(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle, Store& store) {
    const std::optional<Family> family = FamilyNamed(handle->GetName());
    if (!family) {
      return {};
    }
    rocksdb::ReadOptions read;
    read.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> rows(db.NewIterator(read, handle));
    Batch batch;
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      batch.Put(*family, rows->key().ToStringView(), rows->value().ToStringView());
      if (batch.size_bytes() >= kBatchBytes) {
        RECO_RETURN_IF_ERROR(store.Write(batch, false));
        batch.Clear();
      }
    }
    RECO_RETURN_IF_ERROR(ToStatus(rows->status(), "family " + handle->GetName()));
    return batch.empty() ? Status::Ok() : store.Write(batch, false);
  }

  // Tables are written from logs in order and together, so that what they have of one is told by
  // the number of a change.
  Status ReplayLogs(std::uint64_t last_in_tables, Store& store) {
    std::vector<std::string> names;
    RECO_RETURN_IF_ERROR(ToStatus(env_.GetChildren(path_, &names), "list " + path_));
    std::set<std::uint64_t> logs;
    for (const std::string& name : names) {
      const auto log = NumberIn(name, "", ".log");
      if (log && IsRead(*log)) {
        logs.insert(*log);
      }
    }
    for (const std::uint64_t number : logs) {
      RECO_RETURN_IF_ERROR(ReplayLog(number, last_in_tables, store));
    }
    return {};
  }

  Status ReplayLog(std::uint64_t number, std::uint64_t last_in_tables, Store& store) {
    RECO_ASSIGN_OR_RETURN(LogReader reader, LogReader::Open(env_, path_ + "/" + LogName(number)));
    while (true) {
      RECO_ASSIGN_OR_RETURN(const std::optional<LogRecord> record, reader.Next());
      if (!record || record->behind_damage ||
          std::pair(number, record->begin) >= report_.broken_log.value_or(kNoLog)) {
        break;
      }
      const std::optional<BatchHeader> header = ReadBatchHeader(record->bytes);
      if (!header) {
        continue;
      }
      if (log_damaged_ && header->sequence != last_replayed_ + 1) {
        NoteDroppedLog(number, 0);
        return {};
      }
      log_damaged_ = false;
      last_replayed_ = header->last();
      if (header->count > 0 && header->sequence > last_in_tables) {
        Batch batch;
        Replayer replayer(batch);
        RECO_RETURN_IF_ERROR(ToStatus(
            rocksdb::WriteBatch(std::string(record->bytes)).Iterate(&replayer), LogName(number)));
        RECO_RETURN_IF_ERROR(store.Write(batch, false));
      }
    }
    if (!reader.damage().empty()) {
      log_damaged_ = true;
      NoteDroppedLog(number, reader.whole_bytes());
    }
    return {};
  }

  // Where there is a manifest the check has told already.
  void NoteDroppedLog(std::uint64_t number, std::uint64_t from) {
    if (!report_.has_manifest) {
      result_.dropped.push_back("the log " + LogName(number) + " from byte " +
                                std::to_string(from) + " on");
    }
  }

  static std::optional<Family> FamilyNamed(std::string_view name) {
    for (std::size_t i = 0; i < kFamilyCount; ++i) {
      if (FamilyName(static_cast<Family>(i)) == name) {
        return static_cast<Family>(i);
      }
    }
    return std::nullopt;
  }

  rocksdb::Env& env_;
  const StoreOptions& options_;
  const std::string& path_;
  const std::string& target_;
  const std::string& scratch_;
  FolderReport report_;
  std::set<std::uint64_t> left_out_;  // tables
  // Of the logs that are replayed: the number of the last change, and whether damage stands behind
  // it. Then they go on where one begins with the next change, whose writer has given that up.
  std::uint64_t last_replayed_ = 0;
  bool log_damaged_ = false;
  SalvagedFiles result_;
};

}  // namespace

Result<SalvagedFiles> SalvageFiles(const StoreOptions& options, const std::string& target) {
  rocksdb::Env& env = options.env != nullptr ? *options.env : *rocksdb::Env::Default();
  const std::string& path = options.path;
  const std::string scratch = target + ".tables";
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return Status::NotFound("there is no folder " + path);
  }
  for (const std::string& made : {target, scratch}) {
    if (fs::exists(made, error)) {
      return Status::AlreadyExists(made + " exists already");
    }
  }
  RECO_ASSIGN_OR_RETURN(const std::unique_ptr<DirectoryLock> folder_lock,
                        DirectoryLock::Take(path, /*create=*/false));
  RECO_ASSIGN_OR_RETURN(const std::unique_ptr<HeldLock> lock, HeldLock::Take(env, path));
  Result<SalvagedFiles> files = Salvager(env, options, target, scratch).Run();
  fs::remove_all(scratch, error);
  if (!files.ok()) {
    fs::remove_all(target, error);
  }
  return files;
}

}  // namespace reco::store
