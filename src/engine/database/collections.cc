// Collections of a Database: finding and creating them by key, and the operations on them.
#include <algorithm>
#include <string>
#include <utility>

#include "engine/collection/reads.h"
#include "engine/collection/writer.h"
#include "engine/database/database.h"
#include "engine/persist/model_reader.h"
#include "engine/settings/parameters.h"
#include "format/keys.h"
#include "format/records.h"

namespace reco {
namespace {

using engine::Collection;
namespace reads = engine::reads;
namespace writer = engine::writer;
using engine::KeyEntry;

Status NoSuchCollection(KeyRef key) {
  return Status::NotFound("no such collection '" + std::string(key.name.substr(0, 128)) +
                          "'; create it with RECO.CREATE or RECO.ADD");
}

}  // namespace

Result<std::shared_ptr<Collection>> Database::Impl::FindCollection(KeyRef key) const {
  ReaderLock lock(keyspace_mutex);
  const KeyEntry* entry = ReadKey(key);
  if (entry == nullptr) {
    return std::shared_ptr<Collection>();
  }
  if (entry->collection == nullptr) {
    return Status::WrongType();
  }
  // A shared pointer: another thread may delete the key while this one uses the collection.
  return entry->collection;
}

Result<std::shared_ptr<Collection>> Database::Impl::CreateCollection(
    KeyRef key, const CollectionOptions& collection_options) {
  // The exclusive lock of the key space makes the count and the creation one step.
  if (keyspace.collections() >= options.collections_max) {
    return Status::ResourceExhausted("there are " + std::to_string(options.collections_max) +
                                     " collections already; raise 'collections-max'");
  }
  RECO_RETURN_IF_ERROR(storage.Readable());
  KeyEntry entry;
  entry.collection = Collection::Create(context, next_cid, collection_options);
  const std::string value = EncodeKey(entry);
  const std::string numbers = NextNumbers(next_cid + 1);
  // An expired key is invisible, but its rows still stand. They are deleted first: a batch keeps
  // the order of its changes.
  if (const auto expired = keyspace.Erase(key)) {
    RECO_RETURN_IF_ERROR(StageErase(key, *expired));
  }
  // Together, so that no number is given out again (I2, I10).
  const auto stage = [&](store::Batch& batch) {
    batch.Put(store::Family::kKeys, format::KeysKey(key.db, key.name), value);
    batch.Put(store::Family::kDefault, format::kNextNumbersKey, numbers);
  };
  RECO_ASSIGN_OR_RETURN(const std::uint64_t ticket, StageChange(stage));
  key_tickets.Changed(key, ticket);
  ++next_cid;
  std::shared_ptr<Collection> created = entry.collection;
  keyspace.Put(key, std::move(entry));
  return created;
}

Result<std::shared_ptr<Collection>> Database::Impl::NeedCollection(KeyRef key) {
  RECO_ASSIGN_OR_RETURN(std::shared_ptr<Collection> found, FindCollection(key));
  if (found != nullptr) {
    return found;
  }
  // Another thread may have created it since the look-up under the shared lock.
  WriterLock lock(keyspace_mutex);
  if (const KeyEntry* entry = ReadKey(key); entry != nullptr) {
    if (entry->collection == nullptr) {
      return Status::WrongType();
    }
    return entry->collection;
  }
  return CreateCollection(key, CollectionOptions());
}

template <typename T>
Result<T> Database::Impl::WriteCollection(KeyRef key, const WriteOptions& write,
                                          const CollectionWrite<T>& body) {
  RECO_ASSIGN_OR_RETURN(const std::uint64_t write_generation, BeginWrite());
  // Memory limits only writes that may add something: removals must get through, since they free
  // it.
  if (body.check_new) {
    RECO_RETURN_IF_ERROR(memory.Check());
  }
  T answer{};
  for (bool again = true; again;) {
    ReaderLock lock(state_mutex);
    RECO_ASSIGN_OR_RETURN(std::shared_ptr<Collection> collection, FindCollection(key));
    if (collection == nullptr && body.check_new) {
      // Checked before the collection is created, so that a refused write leaves no empty one
      // behind.
      RECO_RETURN_IF_ERROR((*body.check_new)());
      RECO_ASSIGN_OR_RETURN(collection, NeedCollection(key));
    }
    if (collection == nullptr) {
      return answer;
    }
    // Called without the collection's lock, which the checkpoint that this waits for needs.
    if (!write.defer_commit) {
      collection->checkpointer().Throttle();
    }
    Result<T> result = body.run(*collection);
    again = result.status().code() == StatusCode::kNotFound;  // deleted since it was found
    if (!again) {
      RECO_ASSIGN_OR_RETURN(answer, std::move(result));
    }
  }
  // Called with state_mutex given back: when the commit fails this recovers, which takes it
  // exclusively.
  RECO_RETURN_IF_ERROR(Finish(write, write_generation));
  return answer;
}

Result<bool> Database::Create(KeyRef key, const CollectionOptions& options, WriteOptions write) {
  RECO_RETURN_IF_ERROR(options.Validate());
  RECO_ASSIGN_OR_RETURN(const std::uint64_t generation, impl_->BeginWrite());
  RECO_RETURN_IF_ERROR(impl_->memory.Check());
  {
    ReaderLock state(impl_->state_mutex);
    WriterLock lock(impl_->keyspace_mutex);
    const KeyEntry* entry = impl_->ReadKey(key);
    if (entry != nullptr && entry->collection == nullptr) {
      return Status::WrongType();
    }
    if (entry != nullptr) {
      // A collection with the same fixed parameters is as good as a new one.
      RECO_RETURN_IF_ERROR(engine::CheckSameFixed(entry->collection->options(), options));
      return false;
    }
    RECO_RETURN_IF_ERROR(impl_->CreateCollection(key, options).status());
  }
  RECO_RETURN_IF_ERROR(impl_->Finish(write, generation));
  return true;
}

Result<std::vector<std::pair<std::string, std::string>>> Database::GetConfig(
    KeyRef key, std::string_view pattern) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  if (collection == nullptr) {
    return NoSuchCollection(key);
  }
  return engine::GetParameters(collection->options(), pattern);
}

// Changes what the record of a collection's key holds: `change` alters the collection, and `undo`
// takes that back when the record cannot be staged.
Result<bool> Database::Impl::ChangeKeyRecord(KeyRef key, const WriteOptions& write,
                                             FunctionRef<Result<bool>(Collection&)> change,
                                             FunctionRef<void(Collection&)> undo) {
  RECO_ASSIGN_OR_RETURN(const std::uint64_t begun, BeginWrite());
  bool answer = false;
  {
    ReaderLock state(state_mutex);
    RECO_RETURN_IF_ERROR(storage.Readable());
    WriterLock lock(keyspace_mutex);
    // The key space's lock is kept from here to the staging, so that rows of one key are staged in
    // the order of their changes.
    const KeyEntry* entry = ReadKey(key);
    if (entry == nullptr) {
      return NoSuchCollection(key);
    }
    if (entry->collection == nullptr) {
      return Status::WrongType();
    }
    // Who sees the change before it is staged waits for what is staged next.
    entry->collection->shared().NoteStaged(storage.log->last_staged() + 1);
    RECO_ASSIGN_OR_RETURN(answer, change(*entry->collection));
    if (Status staged = StageKey(key, *entry); !staged.ok()) {
      undo(*entry->collection);
      return staged;
    }
  }
  RECO_RETURN_IF_ERROR(Finish(write, begun));
  return answer;
}

Result<bool> Database::SetConfig(KeyRef key, Parameters parameters, WriteOptions write) {
  CollectionOptions before;
  const auto change = [&](Collection& collection) -> Result<bool> {
    before = collection.options();
    CollectionOptions after = before;
    RECO_ASSIGN_OR_RETURN(const bool needs_training, engine::ChangeParameters(&after, parameters));
    collection.SetOptions(after);
    return needs_training;
  };
  return impl_->ChangeKeyRecord(key, write, change,
                                [&](Collection& collection) { collection.SetOptions(before); });
}

Result<bool> Database::SetRule(KeyRef key, const Rule& rule, WriteOptions write) {
  RECO_ASSIGN_OR_RETURN(const engine::CompiledRule compiled, engine::Compile(rule));
  std::vector<engine::CompiledRule> before;
  const auto change = [&](Collection& collection) -> Result<bool> {
    before = collection.compiled_rules();
    std::vector<engine::CompiledRule> after = before;
    // Rules lie by name, which is the order that RECO.RULE LIST shows.
    const auto at = std::ranges::lower_bound(
        after, rule.name, {},
        [](const engine::CompiledRule& one) -> const std::string& { return one.rule.name; });
    const bool is_new = at == after.end() || at->rule.name != rule.name;
    if (is_new && after.size() >= kRulesMax) {
      return Status::ResourceExhausted("a collection has at most " + std::to_string(kRulesMax) +
                                       " rules; remove one with RECO.RULE DEL");
    }
    if (is_new) {
      after.insert(at, compiled);
    } else {
      *at = compiled;
    }
    collection.SetRules(std::move(after));
    return is_new;
  };
  const std::string name = "FROM or UNTIL of the rule '" + rule.name + "'";
  impl_->WarnOfSeconds(name, rule.from_ms);
  impl_->WarnOfSeconds(name, rule.until_ms);
  return impl_->ChangeKeyRecord(key, write, change,
                                [&](Collection& collection) { collection.SetRules(before); });
}

Result<bool> Database::DeleteRule(KeyRef key, std::string_view name, WriteOptions write) {
  // A missing collection has no such rule; SetRule and SetConfig answer that there is no
  // collection.
  if (Kind(key) == KeyKind::kNone) {
    return false;
  }
  std::vector<engine::CompiledRule> before;
  const auto change = [&](Collection& collection) -> Result<bool> {
    before = collection.compiled_rules();
    std::vector<engine::CompiledRule> after = before;
    std::erase_if(after, [&](const engine::CompiledRule& one) { return one.rule.name == name; });
    const bool existed = after.size() != before.size();
    collection.SetRules(std::move(after));
    return existed;
  };
  return impl_->ChangeKeyRecord(key, write, change,
                                [&](Collection& collection) { collection.SetRules(before); });
}

Result<std::vector<Rule>> Database::Rules(KeyRef key) const {
  return impl_->ReadCollection<std::vector<Rule>>(
      key, {}, [](const Collection& collection) { return collection.rules(); });
}

Result<CollectionInfo> Database::CollectionDetails(KeyRef key) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  if (collection == nullptr) {
    return NoSuchCollection(key);
  }
  return reads::Details(collection->shared(), collection->checkpointer().seq());
}

bool Database::HoldsUpWrites(KeyRef key, std::int64_t held_ms) const {
  // Not for ever: a broken disk is to show as an error.
  constexpr std::int64_t kForCheckpointMs = 1'000;
  ReaderLock lock(impl_->state_mutex);
  const auto collection = impl_->FindCollection(key);
  if (!collection.ok() || *collection == nullptr) {
    return false;
  }
  return (*collection)->shared().HoldsUpWrites() ||
         (held_ms < kForCheckpointMs && (*collection)->checkpointer().HoldsUpWrites());
}

// --- Interactions -------------------------------------------------------------------------------

Result<std::uint64_t> Database::Add(KeyRef key, const Interaction& interaction,
                                    WriteOptions write) {
  return AddMany(key, {&interaction, 1}, write);
}

Result<std::uint64_t> Database::AddMany(KeyRef key, std::span<const Interaction> interactions,
                                        WriteOptions write) {
  const auto check = [&] { return writer::CheckInteractions({}, interactions); };
  const auto run = [&](Collection& collection) {
    return writer::Add(collection.shared(), interactions, false);
  };
  return impl_->WriteCollection<std::uint64_t>(key, write, {run, check});
}

Result<std::uint64_t> Database::SetPreference(KeyRef key, const Interaction& interaction,
                                              WriteOptions write) {
  if (!interaction.weight) {
    return Status::InvalidArgument("a preference needs a weight");
  }
  const auto check = [&] { return writer::CheckInteractions({}, {&interaction, 1}); };
  const auto run = [&](Collection& collection) {
    return writer::Add(collection.shared(), {&interaction, 1}, true);
  };
  return impl_->WriteCollection<std::uint64_t>(key, write, {run, check});
}

Result<std::uint64_t> Database::Remove(KeyRef key, std::string_view user,
                                       std::span<const std::string_view> items,
                                       WriteOptions write) {
  const auto run = [&](Collection& collection) {
    return writer::Remove(collection.shared(), user, items);
  };
  return impl_->WriteCollection<std::uint64_t>(key, write, {run});
}

Result<bool> Database::SetRecord(KeyRef key, Side side, std::string_view id,
                                 const RecordUpdate& update, WriteOptions write) {
  const auto check = [&] { return writer::CheckRecord(side, id, update); };
  const auto run = [&](Collection& collection) {
    return writer::SetRecord(collection.shared(), side, id, update);
  };
  impl_->WarnOfSeconds("the expiry of an item or user", update.expire_at_ms.value_or(0));
  return impl_->WriteCollection<bool>(key, write, {run, check});
}

Result<bool> Database::DeleteRecord(KeyRef key, Side side, std::string_view id,
                                    WriteOptions write) {
  const auto run = [&](Collection& collection) {
    return writer::DeleteRecord(collection.shared(), side, id);
  };
  return impl_->WriteCollection<bool>(key, write, {run});
}

// --- Reads: a missing collection answers empty --------------------------------------------------

Result<std::vector<std::optional<double>>> Database::Preferences(
    KeyRef key, std::string_view user, std::span<const std::string_view> items) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  return collection != nullptr ? reads::Preferences(collection->shared(), user, items)
                               : std::vector<std::optional<double>>(items.size());
}

Result<std::vector<HistoryEntry>> Database::History(KeyRef key, std::string_view user,
                                                    const HistoryOptions& options) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  return collection != nullptr ? reads::History(collection->shared(), user, options)
                               : std::vector<HistoryEntry>();
}

Result<std::optional<Record>> Database::GetRecord(KeyRef key, Side side,
                                                  std::string_view id) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  return collection != nullptr ? reads::GetRecord(collection->shared(), side, id) : std::nullopt;
}

Result<ScanPage> Database::ScanRecords(KeyRef key, Side side, std::uint64_t cursor,
                                       std::uint64_t count, std::string_view pattern) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  return collection != nullptr
             ? reads::ScanRecords(collection->shared(), side, cursor, count, pattern)
             : ScanPage();
}

Result<std::uint64_t> Database::CountRecords(KeyRef key, Side side) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  return collection != nullptr ? reads::CountRecords(collection->shared(), side) : std::uint64_t{0};
}

Result<std::optional<std::vector<float>>> Database::GetVector(KeyRef key, Side side,
                                                              std::string_view id) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  return collection != nullptr ? reads::GetVector(collection->shared(), side, id) : std::nullopt;
}

Result<std::vector<ModelInfo>> Database::Models(KeyRef key) const {
  ReaderLock lock(impl_->state_mutex);
  RECO_ASSIGN_OR_RETURN(const auto collection, impl_->FindCollection(key));
  if (collection == nullptr) {
    return NoSuchCollection(key);
  }
  return engine::persist::Models(collection->shared());
}

}  // namespace reco
