// Every change of an entry goes through Unaccount and Account, which keep its bytes, its expiry and
// the list of collections in step with it.
#include "engine/database/keyspace.h"

#include <algorithm>

#include "base/check.h"
#include "base/glob.h"

namespace reco::engine {
namespace {

bool ConditionHolds(ExpireCondition condition, std::int64_t current_ms, std::int64_t at_ms) {
  switch (condition) {
    case ExpireCondition::kAlways:
      return true;
    case ExpireCondition::kNoExpiry:
      return current_ms == 0;
    case ExpireCondition::kHasExpiry:
      return current_ms != 0;
    case ExpireCondition::kGreater:
      // Without an expiry a key lives for ever, and nothing is later than that.
      return current_ms != 0 && at_ms > current_ms;
    case ExpireCondition::kLess:
      return current_ms == 0 || at_ms < current_ms;
  }
  return false;
}

}  // namespace

Keyspace::Keyspace(std::uint32_t databases, std::uint64_t hash_seed)
    : hash_seed_(hash_seed), databases_(databases) {}

std::uint64_t Keyspace::EntryBytes(std::string_view name, const KeyEntry& entry) {
  constexpr std::uint64_t kExpiryNodeBytes = 48;  // of the ordered set
  // Short strings live in the node itself.
  constexpr std::size_t kInlineBytes = 15;
  const std::uint64_t name_bytes = name.size() > kInlineBytes ? name.size() + 1 : 0;
  const std::uint64_t value_bytes = entry.value.size() > kInlineBytes ? entry.value.size() + 1 : 0;
  return sizeof(Node) + name_bytes + value_bytes + (entry.expire_at_ms != 0 ? kExpiryNodeBytes : 0);
}

std::uint64_t Keyspace::memory_bytes() const {
  std::uint64_t bytes = 0;
  for (const KeyTable& table : databases_) {
    bytes += table.bytes + table.index.memory_bytes() + table.free.size() * sizeof(Node);
  }
  return bytes;
}

std::uint32_t Keyspace::Handle(KeyRef key) const {
  const KeyTable& table = databases_[key.db];
  return table.index.Find(HashTag(key.name, hash_seed_), [&table, &key](std::uint32_t candidate) {
    return table.nodes[candidate].name == key.name;
  });
}

std::uint32_t Keyspace::VisibleHandle(KeyRef key, std::int64_t now_ms) const {
  const std::uint32_t handle = Handle(key);
  const bool expired =
      handle != HashIndex::kNone && databases_[key.db].nodes[handle].entry.ExpiredAt(now_ms);
  return expired ? HashIndex::kNone : handle;
}

const KeyEntry* Keyspace::Find(KeyRef key, std::int64_t now_ms) const {
  const std::uint32_t handle = VisibleHandle(key, now_ms);
  return handle == HashIndex::kNone ? nullptr : &databases_[key.db].nodes[handle].entry;
}

void Keyspace::Account(KeyTable* table, std::uint32_t handle) {
  const Node& node = table->nodes[handle];
  table->bytes += EntryBytes(node.name, node.entry);
  if (node.entry.collection) {
    table->collections.insert(handle);
  }
  if (node.entry.expire_at_ms != 0) {
    table->expiries.emplace(node.entry.expire_at_ms, handle);
    table->expiry_sum_ms += node.entry.expire_at_ms;
  }
}

void Keyspace::Unaccount(KeyTable* table, std::uint32_t handle) {
  const Node& node = table->nodes[handle];
  table->bytes -= EntryBytes(node.name, node.entry);
  if (node.entry.collection) {
    table->collections.erase(handle);
  }
  if (node.entry.expire_at_ms != 0) {
    table->expiries.erase({node.entry.expire_at_ms, handle});
    table->expiry_sum_ms -= node.entry.expire_at_ms;
  }
}

std::uint32_t Keyspace::FreeHandle(KeyTable* table) {
  if (table->free.empty()) {
    RECO_CHECK(table->nodes.size() < HashIndex::kNone);
    table->nodes.emplace_back();
    return static_cast<std::uint32_t>(table->nodes.size() - 1);
  }
  const std::uint32_t handle = table->free.back();
  table->free.pop_back();
  return handle;
}

std::optional<KeyEntry> Keyspace::Put(KeyRef key, KeyEntry entry) {
  return PutAt(Handle(key), key, std::move(entry));
}

std::optional<KeyEntry> Keyspace::PutAt(std::uint32_t handle, KeyRef key, KeyEntry entry) {
  KeyTable& table = databases_[key.db];
  std::optional<KeyEntry> replaced;
  if (handle != HashIndex::kNone) {
    Unaccount(&table, handle);
    replaced = std::exchange(table.nodes[handle].entry, std::move(entry));
  } else {
    handle = FreeHandle(&table);
    table.nodes[handle] = {.name = std::string(key.name), .entry = std::move(entry)};
    table.index.Insert(HashTag(key.name, hash_seed_), handle);
  }
  Account(&table, handle);
  return replaced;
}

KeyEntry Keyspace::Take(KeyTable* table, std::uint32_t handle) {
  Unaccount(table, handle);
  table->index.Erase(HashTag(table->nodes[handle].name, hash_seed_), handle);
  // The node stays where it is, empty, so that the others keep their addresses.
  table->free.push_back(handle);
  return std::exchange(table->nodes[handle], Node{}).entry;
}

std::optional<KeyEntry> Keyspace::Erase(KeyRef key) {
  const std::uint32_t handle = Handle(key);
  return handle == HashIndex::kNone ? std::nullopt
                                    : std::optional(Take(&databases_[key.db], handle));
}

Result<Keyspace::SetResult> Keyspace::SetString(KeyRef key, std::string_view value,
                                                const SetOptions& options, std::int64_t now_ms) {
  SetResult result;
  // Finds expired entries too: this overwrites them, and hands them out as replaced.
  const std::uint32_t handle = Handle(key);
  const KeyEntry* old =
      handle == HashIndex::kNone ? nullptr : &databases_[key.db].nodes[handle].entry;
  if (old != nullptr && old->ExpiredAt(now_ms)) {
    old = nullptr;
  }
  // Checked before anything changes: with `get` a collection is an error.
  if (options.get && old != nullptr) {
    if (old->kind() != KeyKind::kString) {
      return Status::WrongType();
    }
    result.outcome.old = old->value;
  }
  if ((options.condition == SetOptions::Condition::kIfAbsent && old != nullptr) ||
      (options.condition == SetOptions::Condition::kIfPresent && old == nullptr)) {
    return result;
  }
  result.outcome.written = true;
  KeyEntry entry;
  if (options.expire_at_ms.has_value()) {
    // A time in the past deletes, as in Redis.
    result.erased = *options.expire_at_ms <= now_ms;
    entry.expire_at_ms = *options.expire_at_ms;
  } else if (options.keep_ttl && old != nullptr) {
    entry.expire_at_ms = old->expire_at_ms;
  }
  if (result.erased) {
    result.replaced = Erase(key);
  } else {
    entry.value = value;
    result.replaced = PutAt(handle, key, std::move(entry));
  }
  return result;
}

void Keyspace::SetExpiry(KeyTable* table, std::uint32_t handle, std::int64_t at_ms) {
  Unaccount(table, handle);
  table->nodes[handle].entry.expire_at_ms = at_ms;
  Account(table, handle);
}

Keyspace::ExpireResult Keyspace::ExpireAt(KeyRef key, std::int64_t at_ms, ExpireCondition condition,
                                          std::int64_t now_ms) {
  KeyTable& table = databases_[key.db];
  const std::uint32_t handle = VisibleHandle(key, now_ms);
  if (handle == HashIndex::kNone ||
      !ConditionHolds(condition, table.nodes[handle].entry.expire_at_ms, at_ms)) {
    return {};
  }
  ExpireResult result;
  result.set = true;
  if (at_ms <= now_ms) {
    result.erased = Take(&table, handle);
  } else {
    SetExpiry(&table, handle, at_ms);
  }
  return result;
}

bool Keyspace::Persist(KeyRef key, std::int64_t now_ms) {
  KeyTable& table = databases_[key.db];
  const std::uint32_t handle = VisibleHandle(key, now_ms);
  if (handle == HashIndex::kNone || table.nodes[handle].entry.expire_at_ms == 0) {
    return false;
  }
  SetExpiry(&table, handle, 0);
  return true;
}

Result<std::optional<KeyEntry>> Keyspace::Rename(KeyRef from, KeyRef to, std::int64_t now_ms) {
  const std::uint32_t handle = VisibleHandle(from, now_ms);
  if (handle == HashIndex::kNone) {
    return Status::NotFound("no such key");
  }
  if (from.name == to.name) {
    return std::optional<KeyEntry>();
  }
  // `from` may view the node's own name, which Take empties.
  const std::string target(to.name);
  return Put(KeyRef(target, from.db), Take(&databases_[from.db], handle));
}

ScanPage Keyspace::Scan(std::uint32_t db, std::uint64_t cursor, std::uint64_t count,
                        const ScanFilter& filter, std::int64_t now_ms) const {
  const KeyTable& table = databases_[db];
  const Glob glob(filter.pattern);
  ScanPage page;
  page.cursor = table.index.Scan(cursor, count, [&](std::uint32_t handle) {
    const Node& node = table.nodes[handle];
    const bool kind_fits = filter.kind == KeyKind::kNone || filter.kind == node.entry.kind();
    if (kind_fits && !node.entry.ExpiredAt(now_ms) && glob.Matches(node.name)) {
      page.names.push_back(node.name);
    }
  });
  return page;
}

std::vector<std::string> Keyspace::Keys(std::uint32_t db, std::string_view pattern,
                                        std::int64_t now_ms) const {
  return Scan(db, 0, databases_[db].index.size(), {.pattern = pattern}, now_ms).names;
}

Keyspace::ExpiryStatistics Keyspace::Expiries(std::uint32_t db, std::int64_t now_ms) const {
  const KeyTable& table = databases_[db];
  ExpiryStatistics statistics;
  statistics.keys = table.expiries.size();
  __int128 sum_ms = table.expiry_sum_ms;
  // They come by time, so the expired ones stand in front.
  for (const auto& [at_ms, handle] : table.expiries) {
    if (at_ms > now_ms) {
      break;
    }
    --statistics.keys;
    sum_ms -= at_ms;
  }
  if (statistics.keys > 0) {
    statistics.average_ttl_ms = static_cast<std::int64_t>(sum_ms / statistics.keys) - now_ms;
  }
  return statistics;
}

std::uint64_t Keyspace::Size(std::uint32_t db, std::int64_t now_ms) const {
  const KeyTable& table = databases_[db];
  return table.index.size() - (table.expiries.size() - Expiries(db, now_ms).keys);
}

std::optional<std::int64_t> Keyspace::NextExpiryMs() const {
  std::optional<std::int64_t> next;
  for (const KeyTable& table : databases_) {
    if (!table.expiries.empty()) {
      const std::int64_t first = table.expiries.begin()->first;
      next = next.has_value() ? std::min(*next, first) : first;
    }
  }
  return next;
}

std::vector<Keyspace::NamedEntry> Keyspace::CollectExpired(std::int64_t now_ms, std::size_t max) {
  std::vector<NamedEntry> expired;
  for (std::uint32_t db = 0; db < databases(); ++db) {
    KeyTable& table = databases_[db];
    while (expired.size() < max && !table.expiries.empty() &&
           table.expiries.begin()->first <= now_ms) {
      const std::uint32_t handle = table.expiries.begin()->second;
      NamedEntry taken{.db = db, .name = table.nodes[handle].name, .entry = {}};
      taken.entry = Take(&table, handle);
      expired.push_back(std::move(taken));
    }
  }
  return expired;
}

std::vector<std::shared_ptr<Collection>> Keyspace::Flush(std::uint32_t db) {
  std::vector<std::shared_ptr<Collection>> flushed;
  for (const std::uint32_t handle : databases_[db].collections) {
    flushed.push_back(std::move(databases_[db].nodes[handle].entry.collection));
  }
  databases_[db] = KeyTable{};
  return flushed;
}

std::uint64_t Keyspace::collections() const {
  std::uint64_t count = 0;
  for (const KeyTable& table : databases_) {
    count += table.collections.size();
  }
  return count;
}

void Keyspace::ForEachCollection(
    FunctionRef<void(std::uint32_t db, std::string_view name, const KeyEntry& entry)> visit) const {
  for (std::uint32_t db = 0; db < databases(); ++db) {
    const KeyTable& table = databases_[db];
    for (const std::uint32_t handle : table.collections) {
      visit(db, table.nodes[handle].name, table.nodes[handle].entry);
    }
  }
}

}  // namespace reco::engine
