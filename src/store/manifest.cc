#include "store/manifest.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <rocksdb/env.h>

#include "store/log_reader.h"
#include "store/rocksdb_status.h"

namespace reco::store {
namespace {

constexpr int kNumberDigits = 6;  // at least

// Of RocksDB's version edits. Kinds above kSkippable have a length in front of what they hold.
enum class Tag : std::uint32_t {
  kComparator = 1,
  kLogNumber = 2,
  kNextFileNumber = 3,
  kLastSequence = 4,
  kCompactCursor = 5,
  kDeletedFile = 6,
  kPrevLogNumber = 9,
  kMinLogNumberToKeep = 10,
  kNewFile = 103,
  kColumnFamily = 200,
  kColumnFamilyAdd = 201,
  kColumnFamilyDrop = 202,
  kMaxColumnFamily = 203,
  kInAtomicGroup = 300,
};
constexpr std::uint32_t kSkippable = 1U << 13U;
constexpr std::uint32_t kLastFieldOfFile = 1;

struct NewTable {
  std::uint64_t number = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t last_sequence = 0;  // of the changes in it
};

// One record of a manifest: what changes in one family.
struct Edit {
  std::uint32_t family = 0;
  std::optional<std::uint64_t> log_number;
  std::optional<std::uint64_t> first_log;
  std::vector<std::uint64_t> deleted;
  std::vector<NewTable> added;
  std::optional<std::string> new_family;
  bool drops_family = false;
  std::uint64_t behind_in_group = 0;  // edits of the same atomic group that follow
};

// Reads LEB128 numbers and prefixed strings; once something does not fit, ok() is false.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return !ok_ || bytes_.empty(); }
  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0) {
        return value;
      }
    }
    ok_ = false;
    return 0;
  }
  std::string_view Prefixed() {
    const std::uint64_t size = Number();
    if (!ok_ || size > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view value = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return value;
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

// Level, number, size, smallest and largest key, two sequence numbers, then fields of any kind.
void ReadNewFile(Cursor& cursor, Edit& edit) {
  NewTable& table = edit.added.emplace_back();
  cursor.Number();
  table.number = cursor.Number();
  table.size_bytes = cursor.Number();
  cursor.Prefixed();
  cursor.Prefixed();
  cursor.Number();
  table.last_sequence = cursor.Number();
  while (cursor.ok() && cursor.Number() != kLastFieldOfFile) {
    cursor.Prefixed();
  }
}

// Returns nullopt when the record is of a kind that is not known here.
std::optional<Edit> ReadEdit(std::string_view bytes) {
  Edit edit;
  Cursor cursor(bytes);
  while (!cursor.AtEnd()) {
    const std::uint64_t tag = cursor.Number();
    switch (static_cast<Tag>(tag)) {
      case Tag::kComparator:
        cursor.Prefixed();
        break;
      case Tag::kLogNumber:
        edit.log_number = cursor.Number();
        break;
      case Tag::kMinLogNumberToKeep:
        edit.first_log = cursor.Number();
        break;
      case Tag::kNextFileNumber:
      case Tag::kLastSequence:
      case Tag::kPrevLogNumber:
      case Tag::kMaxColumnFamily:
        cursor.Number();
        break;
      case Tag::kCompactCursor:
        cursor.Number();
        cursor.Prefixed();
        break;
      case Tag::kDeletedFile:
        cursor.Number();
        edit.deleted.push_back(cursor.Number());
        break;
      case Tag::kNewFile:
        ReadNewFile(cursor, edit);
        break;
      case Tag::kColumnFamily:
        edit.family = static_cast<std::uint32_t>(cursor.Number());
        break;
      case Tag::kColumnFamilyAdd:
        edit.new_family = std::string(cursor.Prefixed());
        break;
      case Tag::kColumnFamilyDrop:
        edit.drops_family = true;
        break;
      case Tag::kInAtomicGroup:
        edit.behind_in_group = cursor.Number();
        break;
      default:
        if ((tag & kSkippable) == 0) {
          return std::nullopt;
        }
        cursor.Prefixed();
    }
  }
  return cursor.ok() ? std::optional(std::move(edit)) : std::nullopt;
}

// Puts edits together. RocksDB drops an atomic group that has no end.
class Builder {
 public:
  void Add(Edit edit) {
    group_.push_back(std::move(edit));
    if (group_.back().behind_in_group == 0) {
      for (const Edit& whole : group_) {
        Apply(whole);
      }
      group_.clear();
    }
  }
  void FinishInto(Manifest& manifest) && {
    std::uint64_t least_used = UINT64_MAX;
    for (const auto& [family, log] : logs_) {
      least_used = std::min(least_used, log);
      std::uint64_t& last = manifest.last_in_tables[log];
      last = std::max(last, last_sequences_[family]);
    }
    manifest.first_log = std::max(first_log_, logs_.empty() ? 0 : least_used);
    manifest.consistent = consistent_;
    manifest.tables = std::move(tables_);
    manifest.families = std::move(families_);
  }

 private:
  void Apply(const Edit& edit) {
    if (edit.drops_family) {
      families_.erase(edit.family);
      logs_.erase(edit.family);
      std::erase_if(tables_, [&](const auto& table) { return table.second.family == edit.family; });
      return;
    }
    if (edit.new_family) {
      consistent_ &= families_.emplace(edit.family, *edit.new_family).second;
    }
    if (edit.log_number) {
      logs_[edit.family] = *edit.log_number;
    }
    first_log_ = std::max(first_log_, edit.first_log.value_or(0));
    // In this order: a table that only moves to another level is deleted and added.
    for (const std::uint64_t number : edit.deleted) {
      tables_.erase(number);
    }
    for (const NewTable& table : edit.added) {
      const Manifest::Table sized{.family = edit.family, .size_bytes = table.size_bytes};
      consistent_ &= tables_.try_emplace(table.number, sized).second;
      std::uint64_t& last = last_sequences_[edit.family];
      last = std::max(last, table.last_sequence);
    }
  }

  bool consistent_ = true;
  std::vector<Edit> group_;
  std::map<std::uint64_t, Manifest::Table> tables_;
  std::map<std::uint32_t, std::string> families_ = {{0, "default"}};  // which is never added
  std::map<std::uint32_t, std::uint64_t> logs_;                       // by family
  std::map<std::uint32_t, std::uint64_t> last_sequences_;             // in tables, by family
  std::uint64_t first_log_ = 0;
};

std::string Numbered(std::string_view begin, std::uint64_t number, std::string_view end) {
  std::string digits = std::to_string(number);
  if (digits.size() < kNumberDigits) {
    digits.insert(0, kNumberDigits - digits.size(), '0');
  }
  return std::string(begin).append(digits).append(end);
}

}  // namespace

std::string ManifestName(std::uint64_t number) {
  return Numbered("MANIFEST-", number, "");
}
std::string TableName(std::uint64_t number) {
  return Numbered("", number, ".sst");
}
std::string LogName(std::uint64_t number) {
  return Numbered("", number, ".log");
}

std::optional<std::uint64_t> NumberIn(std::string_view name, std::string_view begin,
                                      std::string_view end) {
  if (name.size() <= begin.size() + end.size() || !name.starts_with(begin) ||
      !name.ends_with(end)) {
    return std::nullopt;
  }
  const char* const first = name.data() + begin.size();
  const char* const last = name.data() + name.size() - end.size();
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(first, last, number);
  return error == std::errc() && stop == last ? std::optional(number) : std::nullopt;
}

Result<std::uint64_t> ReadCurrent(rocksdb::Env& env, const std::string& path) {
  std::string text;
  const std::string file = path + "/CURRENT";
  if (env.FileExists(file).IsNotFound()) {
    return Status::NotFound("the file CURRENT is missing in " + path);
  }
  RECO_RETURN_IF_ERROR(ToStatus(rocksdb::ReadFileToString(&env, file, &text), "read " + file));
  const std::optional<std::uint64_t> number = NumberIn(text, "MANIFEST-", "\n");
  if (!number || text != ManifestName(*number) + "\n") {
    return Status::Corruption("the file CURRENT in " + path + " does not name a manifest");
  }
  return *number;
}

Result<Manifest> ReadManifest(rocksdb::Env& env, const std::string& path, std::uint64_t number) {
  RECO_ASSIGN_OR_RETURN(LogReader reader, LogReader::Open(env, path + "/" + ManifestName(number)));
  Manifest manifest;
  manifest.number = number;
  Builder builder;
  while (true) {
    RECO_ASSIGN_OR_RETURN(const std::optional<LogRecord> record, reader.Next());
    if (!record) {
      break;
    }
    if (record->behind_damage) {
      ++manifest.records_behind_damage;
      continue;
    }
    std::optional<Edit> edit = ReadEdit(record->bytes);
    if (!edit) {
      manifest.understood = false;
    } else {
      builder.Add(*std::move(edit));
    }
  }
  manifest.whole_bytes = reader.whole_bytes();
  manifest.damage = reader.damage();
  if (manifest.understood) {
    std::move(builder).FinishInto(manifest);
  }
  return manifest;
}

}  // namespace reco::store
