#include "store/folder_check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <rocksdb/env.h>

#include "store/inventory.h"
#include "store/log_reader.h"
#include "store/rocksdb_status.h"
#include "store/sync_mark.h"

namespace reco::store {
namespace {

class FolderChecker {
 public:
  FolderChecker(rocksdb::Env& env, const std::string& path) : env_(env), path_(path) {}

  Result<FolderReport> Run() && {
    RECO_RETURN_IF_ERROR(ListFiles());
    RECO_RETURN_IF_ERROR(TakeInventory());
    RECO_ASSIGN_OR_RETURN(const bool readable, CheckManifest());
    report_.has_manifest = readable;
    if (readable) {
      CheckTables();
      RECO_RETURN_IF_ERROR(CheckLogs());
    }
    return std::move(report_);
  }

 private:
  Status ListFiles() {
    if (env_.FileExists(path_).IsNotFound()) {
      return {};  // no folder yet
    }
    std::vector<rocksdb::Env::FileAttributes> files;
    if (const rocksdb::Status listed = env_.GetChildrenFileAttributes(path_, &files);
        !listed.ok()) {
      // RocksDB says "not found" of more than what is not there.
      return Status::IoError("list " + path_ + ": " + listed.ToString());
    }
    for (const rocksdb::Env::FileAttributes& file : files) {
      if (const auto table = NumberIn(file.name, "", ".sst")) {
        tables_[*table] = file.size_bytes;
      } else if (const auto log = NumberIn(file.name, "", ".log")) {
        report_.log_bytes[*log] = 0;
      }
    }
    return {};
  }

  Status TakeInventory() {
    Result<Inventory> inventory = ReadInventory(env_, path_);
    if (inventory.ok()) {
      inventory_ = std::move(inventory).value();
      report_.has_inventory = true;
    } else if (inventory.status().code() == StatusCode::kCorruption) {
      // Most likely it is not alone.
      Damage(std::string(inventory.status().message()));
    } else if (inventory.status().code() != StatusCode::kNotFound) {
      return inventory.status();
    }
    return {};
  }

  // Returns true iff the state it describes can be told.
  Result<bool> CheckManifest() {
    Result<std::uint64_t> current = ReadCurrent(env_, path_);
    if (!current.ok()) {
      return NoManifest(current.status());
    }
    if (*current < inventory_.manifest) {
      Damage("CURRENT names " + ManifestName(*current) + ", which " +
             ManifestName(inventory_.manifest) + " has replaced");
      return false;
    }
    Result<Manifest> manifest = ReadManifest(env_, path_, *current);
    if (!manifest.ok()) {
      if (env_.FileExists(path_ + "/" + ManifestName(*current)).IsNotFound()) {
        Damage(ManifestName(*current) + ", which CURRENT names, is missing");
        return false;
      }
      return manifest.status();
    }
    report_.manifest = std::move(manifest).value();
    const Manifest& read = report_.manifest;
    const std::uint64_t expected = *current == inventory_.manifest ? inventory_.manifest_bytes : 0;
    if (read.whole_bytes < expected || read.records_behind_damage > 0) {
      Damage(ManifestName(*current) + ": " + Broken(read.damage, read.whole_bytes, expected));
      return false;
    }
    if (!read.consistent) {
      Damage(ManifestName(*current) + ": its records do not follow on each other");
      return false;
    }
    if (!read.damage.empty()) {
      // Its writer syncs the records of a change together, before anything relies on them.
      report_.notes.push_back(ManifestName(*current) + ": " + read.damage +
                              ", as a crash leaves it");
    }
    return read.understood;
  }

  // Without CURRENT there may be nothing at all yet.
  Result<bool> NoManifest(const Status& status) {
    if (status.code() == StatusCode::kCorruption) {
      Damage(std::string(status.message()));
    } else if (status.code() != StatusCode::kNotFound) {
      return status;
    } else if (report_.has_inventory || !tables_.empty() || !report_.log_bytes.empty()) {
      const std::string beside = !tables_.empty() ? TableName(tables_.begin()->first)
                                 : !report_.log_bytes.empty()
                                     ? LogName(report_.log_bytes.begin()->first)
                                     : std::string(kInventoryName);
      Damage(std::string(status.message()).append(" beside ").append(beside));
    }
    return false;
  }

  void CheckTables() {
    for (const auto& [number, table] : report_.manifest.tables) {
      const auto family = report_.manifest.families.find(table.family);
      const std::string name =
          (family != report_.manifest.families.end() ? "family " + family->second + ": " : "") +
          TableName(number);
      const auto file = tables_.find(number);
      if (file == tables_.end()) {
        Damage(name + " is missing");
        report_.lost_tables.insert(number);
      } else if (file->second != table.size_bytes) {
        Damage(name + " has " + std::to_string(file->second) + " bytes instead of " +
               std::to_string(table.size_bytes));
        report_.lost_tables.insert(number);
      }
    }
    for (const auto& [number, bytes] : tables_) {
      if (!report_.manifest.tables.contains(number)) {
        report_.notes.push_back(TableName(number) + " (" + std::to_string(bytes) +
                                " bytes) is not named by " + ManifestName(report_.manifest.number) +
                                ", as a crash leaves it; opening removes it");
      }
    }
  }

  Status CheckLogs() {
    for (const auto& [number, bytes] : inventory_.log_bytes) {
      if (number >= report_.manifest.first_log && !report_.log_bytes.contains(number)) {
        Damage("the log " + LogName(number) + " is missing");
        Break(number, 0);
      }
    }
    for (auto& [number, whole_bytes] : report_.log_bytes) {
      if (number >= report_.manifest.first_log) {
        RECO_RETURN_IF_ERROR(CheckLog(number, &whole_bytes));
      }
    }
    if (lost_ > 0 && !first_damage_.empty()) {
      const std::string text = first_damage_ + "; behind it " + std::to_string(lost_) +
                               (lost_ == 1 ? " whole record is" : " whole records are") + " lost";
      if (synced_ > last_) {
        Damage(text + ", and what is damaged was synced");
      } else {
        report_.losses.push_back(text);
      }
    } else if (!first_damage_.empty()) {
      (cut_off_ ? report_.notes : report_.losses)
          .push_back(first_damage_ + (cut_off_ ? ", as a crash leaves it" : ""));
    }
    return {};
  }

  // RocksDB reads logs up to the first damage, and none behind it.
  Status CheckLog(std::uint64_t number, std::uint64_t* whole_bytes) {
    RECO_ASSIGN_OR_RETURN(LogReader reader, LogReader::Open(env_, path_ + "/" + LogName(number)));
    const std::uint64_t in_tables = LastInTables(number);
    bool is_first = true;
    while (true) {
      RECO_ASSIGN_OR_RETURN(const std::optional<LogRecord> record, reader.Next());
      if (!record) {
        break;
      }
      const std::optional<BatchHeader> batch = ReadBatchHeader(record->bytes);
      if (std::exchange(is_first, false) && !record->behind_damage && batch &&
          batch->sequence == last_ + 1 && !first_damage_.empty()) {
        // What is damaged at the end of the log before was given up by its writer, and RocksDB
        // reads on.
        report_.notes.push_back(std::exchange(first_damage_, {}));
        lost_ = synced_ = 0;
        report_.broken_log.reset();
      }
      if (record->behind_damage || !first_damage_.empty()) {
        ++lost_;
        synced_ = std::max(synced_, ReadSyncMark(record->bytes));
      } else if (!batch || batch->sequence <= std::max(last_, in_tables)) {
        Damage("the log " + LogName(number) + ": the record at byte " +
               std::to_string(record->begin) + " does not follow on " +
               (batch && batch->sequence > last_ ? "the tables" : "those in front of it"));
        Break(number, record->begin);
        return {};
      } else {
        last_ = batch->last();
      }
    }
    *whole_bytes = reader.whole_bytes();
    const auto recorded = inventory_.log_bytes.find(number);
    const std::uint64_t expected = recorded != inventory_.log_bytes.end() ? recorded->second : 0;
    if (reader.whole_bytes() < expected) {
      Damage("the log " + LogName(number) + ": " +
             Broken(reader.damage(), reader.whole_bytes(), expected));
      Break(number, reader.whole_bytes());
    } else if (!reader.damage().empty() && first_damage_.empty()) {
      first_damage_ = "the log " + LogName(number) + ": " + reader.damage();
      cut_off_ = reader.cut_off();
      Break(number, reader.whole_bytes());
    }
    return {};
  }

  // Returns the number of the last change that a family had in tables when the log began; an older
  // log in its place tells of changes that the tables have.
  std::uint64_t LastInTables(std::uint64_t log) const {
    std::uint64_t last = 0;
    for (const auto& [first_log, last_change] : report_.manifest.last_in_tables) {
      last = first_log <= log ? std::max(last, last_change) : last;
    }
    return last;
  }

  static std::string Broken(const std::string& damage, std::uint64_t whole,
                            std::uint64_t expected) {
    std::string text =
        damage.empty() ? "it ends at byte " + std::to_string(whole) : std::string(damage);
    if (expected > whole) {
      text.append(", in front of byte ").append(std::to_string(expected));
      text.append(" up to which it was synced");
    }
    return text;
  }

  void Break(std::uint64_t log, std::uint64_t whole_bytes) {
    if (!report_.broken_log || log < report_.broken_log->first) {
      report_.broken_log = {log, whole_bytes};
    }
  }
  void Damage(std::string text) { report_.damages.push_back(std::move(text)); }

  rocksdb::Env& env_;
  const std::string& path_;
  FolderReport report_;
  Inventory inventory_;                            // says nothing where there is none
  std::map<std::uint64_t, std::uint64_t> tables_;  // on disk: number and bytes

  // Over all logs: number of the last change in front of all damage, the first damage, the whole
  // records behind it, and up to which change these say that the log was synced.
  std::uint64_t last_ = 0;
  std::string first_damage_;
  bool cut_off_ = false;
  std::uint64_t lost_ = 0;
  std::uint64_t synced_ = 0;
};

}  // namespace

Result<FolderReport> CheckFolder(rocksdb::Env& env, const std::string& path) {
  return FolderChecker(env, path).Run();
}

}  // namespace reco::store
