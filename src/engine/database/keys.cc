// Keys and strings of a Database: the key space in memory, its rows in the `keys` family.
//
// A write changes memory first and stages its rows under the same lock of the key space. When
// staging fails the log has failed before, and recovery loads the key space anew (D8), so nothing
// is taken back here.
#include "format/keys.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "engine/database/database.h"
#include "format/records.h"

namespace reco {
namespace {

using engine::Collection;
using engine::KeyEntry;

void DeletePrefix(store::Batch& batch, store::Family family, std::string_view prefix) {
  batch.DeleteRange(family, prefix, format::PrefixEnd(prefix));
}

// Deletes the rows of the collections `first` to `last`. A range costs as much as a row, however
// many rows it holds.
void DeleteCollections(store::Batch& batch, std::uint32_t first, std::uint32_t last) {
  const std::string begin = format::CollectionPrefix(first);
  const std::string end = format::PrefixEnd(format::CollectionPrefix(last));
  for (const store::Family family :
       {store::Family::kEvents, store::Family::kUsers, store::Family::kItems,
        store::Family::kByUser, store::Family::kByItem, store::Family::kVectors,
        store::Family::kModels, store::Family::kTokens}) {
    batch.DeleteRange(family, begin, end);
  }
  batch.DeleteRange(store::Family::kDefault, format::CheckpointKey(first),
                    format::PrefixEnd(format::CheckpointKey(last)));
}

// The same for many; those with numbers in a row as one range: ten thousand collections took
// 80,000.
void DeleteCollections(store::Batch& batch, std::vector<std::uint32_t> cids) {
  std::ranges::sort(cids);
  for (std::size_t first = 0; first < cids.size();) {
    std::size_t last = first;
    while (last + 1 < cids.size() && cids[last + 1] == cids[last] + 1) {
      ++last;
    }
    DeleteCollections(batch, cids[first], cids[last]);
    first = last + 1;
  }
}

}  // namespace

std::string Database::Impl::EncodeKey(const KeyEntry& entry) {
  format::KeyRecord record;
  record.kind = entry.kind();
  record.expire_at_ms = entry.expire_at_ms;
  if (entry.collection != nullptr) {
    record.cid = entry.collection->cid();
    record.options = entry.collection->options();
    record.rules = entry.collection->rules();
  } else {
    record.value = entry.value;
  }
  return format::EncodeKeyRecord(record);
}

Result<std::uint64_t> Database::Impl::StageChange(FunctionRef<void(store::Batch&)> fill) {
  Result<std::uint64_t> ticket = storage.log->Stage(fill);
  if (!ticket.ok()) {
    key_tickets.AllChanged(storage.log->last_staged() + 1);  // which is never committed
  }
  return ticket;
}

Status Database::Impl::StageKey(KeyRef key, const KeyEntry& entry) {
  RECO_RETURN_IF_ERROR(storage.Readable());
  const std::string value = EncodeKey(entry);
  const auto stage = [&](store::Batch& batch) {
    batch.Put(store::Family::kKeys, format::KeysKey(key.db, key.name), value);
  };
  RECO_ASSIGN_OR_RETURN(const std::uint64_t ticket, StageChange(stage));
  key_tickets.Changed(key, ticket);
  if (entry.collection != nullptr) {
    // Also for those who had found it before, and read its options and rules now.
    entry.collection->shared().NoteStaged(ticket);
  }
  return Status::Ok();
}

void Database::Impl::Drop(const std::shared_ptr<Collection>& collection) {
  // Before its rows are deleted: no write follows them (I14).
  bool written_behind = collection->Drop();
  {
    MutexLock lock(threads_mutex);
    written_behind = written_behind || busy_collections.contains(collection->cid());
  }
  MutexLock lock(erased_mutex);
  erased.push_back({collection, written_behind});
}

void Database::Impl::FreeErased() {
  ReaderLock state(state_mutex);
  std::vector<Erased> freed;  // without the mutex
  // Of those that are to be deleted again nobody else knows.
  const bool writable = CheckWritable().ok();
  {
    MutexLock lock(erased_mutex);
    const auto in_use = [writable](const Erased& one) {
      return one.written_behind && (!writable || one.collection.use_count() > 1);
    };
    const auto free = std::stable_partition(erased.begin(), erased.end(), in_use);
    freed.assign(std::make_move_iterator(free), std::make_move_iterator(erased.end()));
    erased.erase(free, erased.end());
  }
  std::vector<std::uint32_t> cids;
  for (const Erased& one : freed) {
    if (one.written_behind) {
      cids.push_back(one.collection->cid());
    }
  }
  if (cids.empty()) {
    return;
  }
  // Who dropped them has staged the deletion by the time that the key space is free again. This is
  // to come behind it, and to go with it when it is undone.
  ReaderLock keys(keyspace_mutex);
  storage.log->Stage([&](store::Batch& batch) { DeleteCollections(batch, cids); })
      .status()
      .IgnoreError("recovery follows; rows that nobody reads stay behind");
}

Status Database::Impl::StageErase(KeyRef key, const KeyEntry& entry) {
  RECO_RETURN_IF_ERROR(storage.Readable());
  if (entry.collection != nullptr) {
    Drop(entry.collection);
  }
  const auto stage = [&](store::Batch& batch) {
    batch.Delete(store::Family::kKeys, format::KeysKey(key.db, key.name));
    // In one batch with the key's row (I2): a crash leaves all of the collection or nothing.
    if (entry.collection != nullptr) {
      DeleteCollections(batch, entry.collection->cid(), entry.collection->cid());
    }
  };
  RECO_ASSIGN_OR_RETURN(const std::uint64_t ticket, StageChange(stage));
  key_tickets.Changed(key, ticket);
  return Status::Ok();
}

// Stages what SET leaves behind: nothing when its condition did not hold.
Status Database::Impl::StageSet(KeyRef key, const engine::Keyspace::SetResult& result,
                                std::int64_t now_ms) {
  if (!result.outcome.written) {
    return Status::Ok();
  }
  // StageKey overwrites the row of a replaced string, but a collection has more rows than that one.
  if (result.replaced && (result.replaced->collection != nullptr || result.erased)) {
    RECO_RETURN_IF_ERROR(StageErase(key, *result.replaced));
  }
  return result.erased ? Status::Ok() : StageKey(key, *keyspace.Find(key, now_ms));
}

Status Database::Impl::StageFlush(std::uint32_t db) {
  RECO_RETURN_IF_ERROR(storage.Readable());
  std::vector<std::uint32_t> cids;
  for (const std::shared_ptr<Collection>& collection : keyspace.Flush(db)) {
    Drop(collection);
    cids.push_back(collection->cid());
  }
  const std::string prefix = format::KeysKey(db, "");
  const auto stage = [&](store::Batch& batch) {
    DeletePrefix(batch, store::Family::kKeys, prefix);
    DeleteCollections(batch, cids);
  };
  RECO_ASSIGN_OR_RETURN(const std::uint64_t ticket, StageChange(stage));
  key_tickets.AllChanged(ticket);
  return Status::Ok();
}

const KeyEntry* Database::Impl::ReadKey(KeyRef key) const {
  NoteKeyRead(key);
  return keyspace.Find(key, clock.NowMs());
}

void Database::Impl::NoteKeyRead(KeyRef key) const {
  wal::EventLog::NoteSeen(key_tickets.Of(key));
}

void Database::Impl::NoteKeysRead() const {
  wal::EventLog::NoteSeen(key_tickets.OfAll());
}

Result<std::optional<std::string>> Database::Get(KeyRef key) const {
  ReaderLock state(impl_->state_mutex);
  ReaderLock lock(impl_->keyspace_mutex);
  const KeyEntry* entry = impl_->ReadKey(key);
  if (entry == nullptr) {
    return std::optional<std::string>();
  }
  if (entry->kind() != KeyKind::kString) {
    return Status::WrongType();
  }
  return std::optional<std::string>(entry->value);
}

Result<SetOutcome> Database::Set(KeyRef key, std::string_view value, const SetOptions& options,
                                 WriteOptions write) {
  RECO_ASSIGN_OR_RETURN(const std::uint64_t generation, impl_->BeginWrite());
  RECO_RETURN_IF_ERROR(impl_->memory.Check());
  impl_->WarnOfSeconds("the expiry of a key", options.expire_at_ms.value_or(0));
  SetOutcome outcome;
  {
    ReaderLock state(impl_->state_mutex);
    RECO_RETURN_IF_ERROR(impl_->storage.Readable());
    WriterLock lock(impl_->keyspace_mutex);
    const std::int64_t now_ms = impl_->clock.NowMs();
    impl_->NoteKeyRead(key);
    RECO_ASSIGN_OR_RETURN(auto result, impl_->keyspace.SetString(key, value, options, now_ms));
    outcome = std::move(result.outcome);
    RECO_RETURN_IF_ERROR(impl_->StageSet(key, result, now_ms));
  }
  RECO_RETURN_IF_ERROR(impl_->Finish(write, generation));
  return outcome;
}

Result<std::uint64_t> Database::Delete(std::uint32_t db, std::span<const std::string_view> names,
                                       WriteOptions write) {
  RECO_ASSIGN_OR_RETURN(const std::uint64_t generation, impl_->BeginWrite());
  std::uint64_t deleted = 0;
  {
    ReaderLock state(impl_->state_mutex);
    RECO_RETURN_IF_ERROR(impl_->storage.Readable());
    WriterLock lock(impl_->keyspace_mutex);
    const std::int64_t now_ms = impl_->clock.NowMs();
    for (const std::string_view name : names) {
      const KeyRef key(name, db);
      impl_->NoteKeyRead(key);
      const auto erased = impl_->keyspace.Erase(key);
      if (!erased) {
        continue;
      }
      // Expired keys are invisible, but their rows go now as well.
      deleted += erased->ExpiredAt(now_ms) ? 0 : 1;
      RECO_RETURN_IF_ERROR(impl_->StageErase(key, *erased));
    }
  }
  RECO_RETURN_IF_ERROR(impl_->Finish(write, generation));
  return deleted;
}

bool Database::Exists(KeyRef key) const {
  return Kind(key) != KeyKind::kNone;
}

KeyKind Database::Kind(KeyRef key) const {
  ReaderLock state(impl_->state_mutex);
  ReaderLock lock(impl_->keyspace_mutex);
  const KeyEntry* entry = impl_->ReadKey(key);
  return entry != nullptr ? entry->kind() : KeyKind::kNone;
}

Result<bool> Database::ExpireAt(KeyRef key, std::int64_t at_ms, ExpireCondition condition,
                                WriteOptions write) {
  RECO_ASSIGN_OR_RETURN(const std::uint64_t generation, impl_->BeginWrite());
  impl_->WarnOfSeconds("the expiry of a key", at_ms);
  bool set = false;
  {
    ReaderLock state(impl_->state_mutex);
    RECO_RETURN_IF_ERROR(impl_->storage.Readable());
    WriterLock lock(impl_->keyspace_mutex);
    const std::int64_t now_ms = impl_->clock.NowMs();
    impl_->NoteKeyRead(key);
    const auto result = impl_->keyspace.ExpireAt(key, at_ms, condition, now_ms);
    set = result.set;
    if (result.erased) {
      RECO_RETURN_IF_ERROR(impl_->StageErase(key, *result.erased));
    } else if (set) {
      RECO_RETURN_IF_ERROR(impl_->StageKey(key, *impl_->keyspace.Find(key, now_ms)));
    }
  }
  RECO_RETURN_IF_ERROR(impl_->Finish(write, generation));
  return set;
}

std::int64_t Database::ExpireTimeMs(KeyRef key) const {
  ReaderLock state(impl_->state_mutex);
  ReaderLock lock(impl_->keyspace_mutex);
  const KeyEntry* entry = impl_->ReadKey(key);
  if (entry == nullptr) {
    return -2;
  }
  // As Redis's EXPIRETIME: -2 without a key, -1 without an expiry.
  return entry->expire_at_ms == 0 ? -1 : entry->expire_at_ms;
}

Result<bool> Database::Persist(KeyRef key, WriteOptions write) {
  RECO_ASSIGN_OR_RETURN(const std::uint64_t generation, impl_->BeginWrite());
  bool changed = false;
  {
    ReaderLock state(impl_->state_mutex);
    RECO_RETURN_IF_ERROR(impl_->storage.Readable());
    WriterLock lock(impl_->keyspace_mutex);
    const std::int64_t now_ms = impl_->clock.NowMs();
    impl_->NoteKeyRead(key);
    changed = impl_->keyspace.Persist(key, now_ms);
    if (changed) {
      RECO_RETURN_IF_ERROR(impl_->StageKey(key, *impl_->keyspace.Find(key, now_ms)));
    }
  }
  RECO_RETURN_IF_ERROR(impl_->Finish(write, generation));
  return changed;
}

ScanPage Database::Scan(std::uint32_t db, std::uint64_t cursor, std::uint64_t count,
                        std::string_view pattern, KeyKind kind) const {
  ReaderLock state(impl_->state_mutex);
  ReaderLock lock(impl_->keyspace_mutex);
  impl_->NoteKeysRead();
  return impl_->keyspace.Scan(db, cursor, count, {pattern, kind}, impl_->clock.NowMs());
}

std::vector<std::string> Database::Keys(std::uint32_t db, std::string_view pattern) const {
  ReaderLock state(impl_->state_mutex);
  ReaderLock lock(impl_->keyspace_mutex);
  impl_->NoteKeysRead();
  return impl_->keyspace.Keys(db, pattern, impl_->clock.NowMs());
}

Status Database::Rename(KeyRef from, KeyRef to, WriteOptions write) {
  RECO_ASSIGN_OR_RETURN(const std::uint64_t generation, impl_->BeginWrite());
  {
    ReaderLock state(impl_->state_mutex);
    RECO_RETURN_IF_ERROR(impl_->storage.Readable());
    WriterLock lock(impl_->keyspace_mutex);
    const std::int64_t now_ms = impl_->clock.NowMs();
    impl_->NoteKeyRead(from);
    impl_->NoteKeyRead(to);
    RECO_ASSIGN_OR_RETURN(const auto replaced, impl_->keyspace.Rename(from, to, now_ms));
    // The batch below would put the row and then delete it.
    if (from.name == to.name) {
      return Status::Ok();
    }
    if (replaced) {
      RECO_RETURN_IF_ERROR(impl_->StageErase(to, *replaced));
    }
    const std::string value = Impl::EncodeKey(*impl_->keyspace.Find(to, now_ms));
    const auto stage = [&](store::Batch& batch) {
      batch.Delete(store::Family::kKeys, format::KeysKey(from.db, from.name));
      batch.Put(store::Family::kKeys, format::KeysKey(to.db, to.name), value);
    };
    RECO_ASSIGN_OR_RETURN(const std::uint64_t ticket, impl_->StageChange(stage));
    impl_->key_tickets.Changed(from, ticket);
    impl_->key_tickets.Changed(to, ticket);
  }
  return impl_->Finish(write, generation);
}

std::uint64_t Database::Size(std::uint32_t db) const {
  ReaderLock state(impl_->state_mutex);
  ReaderLock lock(impl_->keyspace_mutex);
  impl_->NoteKeysRead();
  return impl_->keyspace.Size(db, impl_->clock.NowMs());
}

Status Database::Flush(std::optional<std::uint32_t> db, WriteOptions write) {
  RECO_ASSIGN_OR_RETURN(const std::uint64_t generation, impl_->BeginWrite());
  {
    ReaderLock state(impl_->state_mutex);
    RECO_RETURN_IF_ERROR(impl_->storage.Readable());
    WriterLock lock(impl_->keyspace_mutex);
    const std::uint32_t first = db.value_or(0);
    const std::uint32_t last = db.value_or(impl_->keyspace.databases() - 1);
    for (std::uint32_t i = first; i <= last; ++i) {
      RECO_RETURN_IF_ERROR(impl_->StageFlush(i));
    }
  }
  return impl_->Finish(write, generation);
}

}  // namespace reco
