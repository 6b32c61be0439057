// Keyspace: the keys of all databases in memory (D2), with Redis's semantics. What is to be stored
// on disk follows from the results; this class does no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "base/function_ref.h"
#include "base/hash_index.h"

namespace reco::engine {

class Collection;

// What stands under a key: a collection, or a string when there is none.
struct KeyEntry {
  std::string value;
  std::shared_ptr<Collection> collection;
  std::int64_t expire_at_ms = 0;  // 0: never

  KeyKind kind() const { return collection ? KeyKind::kCollection : KeyKind::kString; }
  bool ExpiredAt(std::int64_t now_ms) const { return expire_at_ms != 0 && expire_at_ms <= now_ms; }
};

// A key is invisible from the millisecond of its expiry on; its entry remains until CollectExpired
// or an overwriting call hands it out, so that the caller can delete what it has stored of it.
// Hence every call that takes an entry away returns it: whether ExpiredAt(now) or not, its row (and
// its collection's rows) must go, and Put() puts it back.
//
// Databases are numbered from 0; KeyRef::db must be below databases(). Thread-compatible.
class Keyspace {
 public:
  explicit Keyspace(std::uint32_t databases, std::uint64_t hash_seed = kHashSeed);

  std::uint32_t databases() const { return static_cast<std::uint32_t>(databases_.size()); }
  // The number of keys of all databases that hold a collection, expired ones included.
  std::uint64_t collections() const;
  // The bytes of names, values and their tables; not what collections hold.
  std::uint64_t memory_bytes() const;
  // The part of it that one key accounts for, about.
  static std::uint64_t EntryBytes(std::string_view name, const KeyEntry& entry);

  // Returns null when absent or expired. Valid until the key changes.
  const KeyEntry* Find(KeyRef key, std::int64_t now_ms) const;

  // Sets the key to `entry`, expiry included; returns what it replaced.
  std::optional<KeyEntry> Put(KeyRef key, KeyEntry entry);
  std::optional<KeyEntry> Erase(KeyRef key);

  // SET. The new value has the expiry of the options, the old one's with keep_ttl, or none.
  struct SetResult {
    SetOutcome outcome;
    bool erased = false;               // the expiry lies in the past: the key is gone
    std::optional<KeyEntry> replaced;  // when written
  };
  // Sets a string. kWrongType, and nothing changed, with `get` when the key holds a collection.
  Result<SetResult> SetString(KeyRef key, std::string_view value, const SetOptions& options,
                              std::int64_t now_ms);

  // EXPIREAT. For kGreater and kLess a key without expiry expires never, that is, last of all.
  struct ExpireResult {
    bool set = false;                // false: no such key, or the condition does not hold
    std::optional<KeyEntry> erased;  // the time is in the past: what was deleted
  };
  ExpireResult ExpireAt(KeyRef key, std::int64_t at_ms, ExpireCondition condition,
                        std::int64_t now_ms);
  // Removes the expiry. Returns true when the key exists and had one.
  bool Persist(KeyRef key, std::int64_t now_ms);

  // Moves the entry within one database (RENAME), with its expiry, in place of what stands at `to`,
  // which is returned. kNotFound "no such key". Equal names change nothing.
  Result<std::optional<KeyEntry>> Rename(KeyRef from, KeyRef to, std::int64_t now_ms);

  // SCAN in order of the keys' hashes, about `count` keys a call, matching or not. The cursor is a
  // position in the hash space, so a key that exists from the first call to the last is returned
  // exactly once whatever happens to the others.
  struct ScanFilter {
    std::string_view pattern = "*";
    KeyKind kind = KeyKind::kNone;  // kNone: any
  };
  ScanPage Scan(std::uint32_t db, std::uint64_t cursor, std::uint64_t count,
                const ScanFilter& filter, std::int64_t now_ms) const;
  // Returns the visible names that match `pattern`, in no particular order.
  std::vector<std::string> Keys(std::uint32_t db, std::string_view pattern,
                                std::int64_t now_ms) const;

  // The number of visible keys. Linear in the number of keys that wait for CollectExpired.
  std::uint64_t Size(std::uint32_t db, std::int64_t now_ms) const;
  struct ExpiryStatistics {
    std::uint64_t keys = 0;  // visible keys with an expiry
    std::int64_t average_ttl_ms = 0;
  };
  // Costs as Size().
  ExpiryStatistics Expiries(std::uint32_t db, std::int64_t now_ms) const;
  // The earliest expiry of all databases, when CollectExpired has something to do; nullopt: never.
  std::optional<std::int64_t> NextExpiryMs() const;

  struct NamedEntry {
    std::uint32_t db = 0;
    std::string name;
    KeyEntry entry;
  };
  // Takes away up to `max` expired keys, of each database the longest expired first.
  std::vector<NamedEntry> CollectExpired(std::int64_t now_ms, std::size_t max);

  // Empties a database; returns the collections that were in it.
  std::vector<std::shared_ptr<Collection>> Flush(std::uint32_t db);

  // The entries that hold a collection, expired ones too, in no particular order; other keys cost
  // nothing. `visit` must not change the key space.
  void ForEachCollection(
      FunctionRef<void(std::uint32_t db, std::string_view name, const KeyEntry& entry)> visit)
      const;

 private:
  struct Node {
    std::string name;
    KeyEntry entry;
  };
  // Nodes keep their place (and their address) until erased; `free` lists the places to use again.
  struct KeyTable {
    HashIndex index;
    std::deque<Node> nodes;
    std::vector<std::uint32_t> free;
    std::set<std::pair<std::int64_t, std::uint32_t>> expiries;  // (expire_at_ms, handle)
    __int128 expiry_sum_ms = 0;                                 // of `expiries`
    std::set<std::uint32_t> collections;                        // handles of those that hold one
    std::uint64_t bytes = 0;                                    // EntryBytes of all
  };

  // Returns the node's handle, expired ones included, or HashIndex::kNone.
  std::uint32_t Handle(KeyRef key) const;
  std::uint32_t VisibleHandle(KeyRef key, std::int64_t now_ms) const;
  // Puts the entry under a key whose handle is known: `handle`.
  std::optional<KeyEntry> PutAt(std::uint32_t handle, KeyRef key, KeyEntry entry);
  static std::uint32_t FreeHandle(KeyTable* table);
  void Account(KeyTable* table, std::uint32_t handle);
  void Unaccount(KeyTable* table, std::uint32_t handle);
  void SetExpiry(KeyTable* table, std::uint32_t handle, std::int64_t at_ms);
  KeyEntry Take(KeyTable* table, std::uint32_t handle);

  const std::uint64_t hash_seed_;
  std::vector<KeyTable> databases_;
};

}  // namespace reco::engine
