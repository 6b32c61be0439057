// The header tells the protocol. Here are its locks, the order of its writes, and the rows of a
// group.
#include "engine/persist/checkpointer.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>

#include "base/check.h"
#include "base/sorted.h"
#include "engine/rows/storage.h"
#include "format/keys.h"

namespace reco::engine::persist {
namespace {

// Writers wait while so many checkpoints' changes are in none.
constexpr std::uint64_t kCheckpointsDueMax = 2;

// A deleted item leaves the models to rank by as well.
void DeleteFromReplaced(const FrozenRows& frozen, std::uint32_t cid,
                        const FrozenRows::FrozenEntity& entity, store::DerivedGroup& rows) {
  for (std::uint32_t model = frozen.first_model;
       entity.side == Side::kItem && model < frozen.checkpoint.model; ++model) {
    rows.Delete(store::Family::kVectors,
                format::VectorKey(cid, model, entity.side, entity.ordinal));
  }
}

// Puts the dictionary rows of the changed users and items, and their vectors under the active
// model.
void PutEntities(const FrozenRows& frozen, std::uint32_t cid, store::DerivedGroup& rows) {
  const std::uint32_t model = frozen.checkpoint.model;
  // Entities come in the order they were changed first; RocksDB takes keys in faster as they
  // ascend.
  std::vector<std::size_t> order(frozen.entities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return frozen.entities[a].ordinal < frozen.entities[b].ordinal;
  });
  std::string value;
  for (const std::size_t i : order) {
    const auto& entity = frozen.entities[i];
    const std::string key = format::RecordKey(cid, entity.ordinal);
    if (entity.live) {
      rows.Put(RecordFamily(entity.side), key, format::EncodeEntity(entity.record));
    } else {
      // The row stays until this checkpoint: a replay from the one before still needs it (D9).
      rows.Delete(RecordFamily(entity.side), key);
    }
    // No vectors before the first training (D14).
    if (model == 0) {
      continue;
    }
    const std::string vector_key = format::VectorKey(cid, model, entity.side, entity.ordinal);
    if (entity.live) {
      format::EncodeVector({frozen.vectors.data() + i * frozen.dim, frozen.dim}, &value);
      rows.Put(store::Family::kVectors, vector_key, value);
    } else {
      rows.Delete(store::Family::kVectors, vector_key);
      DeleteFromReplaced(frozen, cid, entity, rows);
    }
  }
}

void PutPair(store::Family family, const std::string& key, const std::optional<format::Pair>& pair,
             store::DerivedGroup& rows) {
  thread_local std::string value;
  if (pair) {
    format::EncodePair(*pair, &value);
    rows.Put(family, key, value);
  } else {
    rows.Delete(family, key);
  }
}

// Puts both families in the order of their keys, which RocksDB takes in faster. The pairs come by
// user.
void PutPairs(const FrozenRows& frozen, std::uint32_t cid, store::DerivedGroup& rows) {
  std::vector<std::uint64_t> by_item;  // item << 32 | place in frozen.pairs
  by_item.reserve(frozen.pairs.size());
  for (std::size_t i = 0; i < frozen.pairs.size(); ++i) {
    const auto& [user, item, pair] = frozen.pairs[i];
    PutPair(store::Family::kByUser, format::PairKey(cid, user, item), pair, rows);
    by_item.push_back(std::uint64_t{item} << 32U | i);
  }
  std::sort(by_item.begin(), by_item.end());
  for (const std::uint64_t entry : by_item) {
    const auto& [user, item, pair] = frozen.pairs[static_cast<std::uint32_t>(entry)];
    PutPair(store::Family::kByItem, format::PairKey(cid, item, user), pair, rows);
  }
}

void PutFrozen(const FrozenRows& frozen, std::uint32_t cid, store::DerivedGroup& rows) {
  PutEntities(frozen, cid, rows);
  PutPairs(frozen, cid, rows);
  // The number that says up to where the rows go, in the same group as they (I4).
  rows.Put(store::Family::kDefault, format::CheckpointKey(cid),
           format::EncodeCheckpoint(frozen.checkpoint));
}

// Copies what was named, between other commands (D39).
void CopyInSteps(SharedState& shared, FrozenRows* frozen) {
  constexpr std::size_t kRowsAStep = 64;  // about 50 us
  // A pair that changed often is written once. The order is that of `by_user`.
  SortUnique(&frozen->changed_pairs);
  frozen->entities.reserve(frozen->changed[0].size() + frozen->changed[1].size());
  frozen->pairs.reserve(frozen->changed_pairs.size());
  if (frozen->checkpoint.model != 0) {
    frozen->vectors.reserve(frozen->entities.capacity() * frozen->dim);
  }
  bool more = true;
  while (more) {
    ReadView view(shared, Holder::kCopy);
    more = view.state().CopyFrozen(kRowsAStep, frozen);
  }
  std::unique_ptr<BeforeImages> kept;  // before the view: it goes without the lock
  WriteView view(shared, Holder::kCheckpoint);
  kept = view.state().EndFreeze(frozen);
}

}  // namespace

Status WriteFrozen(const SharedState& shared, const FrozenRows& frozen, std::uint64_t ticket,
                   AddRows add_rows) {
  const Storage& storage = shared.context().storage;
  RECO_DCHECK(storage.log->last_committed() >= ticket, "I4");
  const std::unique_ptr<store::DerivedGroup> rows = storage.store->BeginGroup();
  PutFrozen(frozen, shared.cid(), *rows);
  add_rows(frozen, *rows);
  return rows->Finish();
}

Checkpointer::Checkpointer(SharedState& shared) : shared_(shared) {
  // Age counts from here: from 0, the first change would be due at once.
  last_us_ = shared.context().clock.MonotonicUs();
}

bool Checkpointer::AreDue(std::uint64_t checkpoints) const {
  const SharedState::Hints& hints = shared_.hints();
  const std::uint64_t events = shared_.context().options.checkpoint_events;
  const std::uint64_t bytes = std::max(events * kCheckpointBytesAnEvent, kCheckpointBytesMin);
  return hints.unfrozen_events.load(std::memory_order_relaxed) >= checkpoints * events ||
         hints.unfrozen_bytes.load(std::memory_order_relaxed) >= checkpoints * bytes;
}

bool Checkpointer::Due(bool by_age) const {
  const CollectionContext& context = shared_.context();
  // Unless others follow it without end.
  if (shared_.hints().long_writes.load(std::memory_order_relaxed) != 0 &&
      !AreDue(kCheckpointsDueMax)) {
    return false;
  }
  if (AreDue(1)) {
    return true;
  }
  if (!by_age || context.clock.MonotonicUs() - last_us_.load() <
                     std::int64_t{context.options.checkpoint_interval_s} * 1'000'000) {
    return false;
  }
  // Age alone is no reason: without a change there is nothing to write.
  ReadView view(shared_, Holder::kCheckpoint);
  return view.state().dirty() && !view.dropped();
}

bool Checkpointer::HoldsUpWrites() const {
  return AreDue(kCheckpointsDueMax);
}

void Checkpointer::Throttle() {
  if (!HoldsUpWrites()) {
    return;
  }
  // The one in flight must end before more is put on top. Bounded, so that a broken disk shows as
  // an error of the commit rather than as a hang. A wake-up may be missed, for a step.
  MutexLock lock(throttled_mutex_);
  for (int i = 0; i < 100 && HoldsUpWrites(); ++i) {
    frozen_.WaitFor(throttled_mutex_, std::chrono::milliseconds(10));
  }
}

Status Checkpointer::FreezeAndWrite(Holder holder, FunctionRef<Status(WriteView&)> change,
                                    AddRows add_rows) {
  CollectionContext& context = shared_.context();
  // 1: the change, the names of what changed and the next generation, under one hold of the lock.
  RECO_RETURN_IF_ERROR(context.storage.Readable());
  FrozenRows frozen;
  std::uint64_t ticket = 0;
  {
    // The rows are those behind a whole write, or its replay would not begin where it did (I4).
    TurnLock turn(shared_.turns().writes);
    WriteView view(shared_, holder);
    if (view.dropped()) {
      // Its rows may have been deleted as ranges already: what came after would stay for ever
      // (I14).
      return Status::NotFound("the collection was deleted");
    }
    RECO_RETURN_IF_ERROR(change(view));
    writing_ = true;
    frozen = view.state().BeginFreeze();
    // Read under the lock, under which writers stage: no event that the copy will hold has a higher
    // ticket.
    ticket = context.storage.log->last_staged();
    last_us_ = context.clock.MonotonicUs();
  }
  // The view has left the count at 0.
  frozen_.NotifyAll();
  CopyInSteps(shared_, &frozen);
  // 2: the log goes first (D7), so derived rows never hold what the log does not.
  RECO_RETURN_IF_ERROR(context.storage.log->Commit(ticket));
  RECO_RETURN_IF_ERROR(WriteFrozen(shared_, frozen, ticket, add_rows));
  // 3: rows of this generation may be evicted. A failure above leaves them pinned (I7), and
  // recovery loads the state anew (D8).
  seq_ = frozen.checkpoint.seq;
  {
    WriteView view(shared_, Holder::kCheckpoint);
    view.state().SetDurable(frozen.generation);
    writing_ = false;
  }
  bool more = true;
  while (more) {
    WriteView view(shared_, Holder::kForget);
    more = view.state().ForgetErased();
  }
  return Status::Ok();
}

Status Checkpointer::Checkpoint() {
  MutexLock lock(mutex_);
  {
    ReadView view(shared_, Holder::kCheckpoint);
    if (view.dropped() || !view.state().dirty()) {
      // Without this Due() would take the lock again each round.
      last_us_ = shared_.context().clock.MonotonicUs();
      return Status::Ok();
    }
  }
  const auto nothing = [](WriteView&) { return Status::Ok(); };
  const auto no_rows = [](const FrozenRows&, store::DerivedGroup&) {};
  return FreezeAndWrite(Holder::kCheckpoint, nothing, no_rows);
}

Result<std::unique_ptr<store::Snapshot>> Checkpointer::BeginTraining(
    FunctionRef<void(WriteView&)> begin) {
  MutexLock lock(mutex_);
  const auto change = [&](WriteView& view) {
    begin(view);
    return Status::Ok();
  };
  RECO_RETURN_IF_ERROR(
      FreezeAndWrite(Holder::kCheckpoint, change, [](const FrozenRows&, store::DerivedGroup&) {}));
  // The mutex is still held, so no other checkpoint comes between the copy and the snapshot.
  return shared_.context().storage.store->TakeSnapshot();
}

Status Checkpointer::EndTraining(FunctionRef<Status()> catch_up,
                                 FunctionRef<Status(WriteView&)> swap, AddRows add_rows) {
  MutexLock lock(mutex_);
  // Here, where no checkpoint comes in between that writes go on beside.
  RECO_RETURN_IF_ERROR(catch_up());
  RECO_RETURN_IF_ERROR(FreezeAndWrite(Holder::kSwap, swap, add_rows));
  // A training of minutes is worth a flush, which makes it durable together with the vectors that
  // were written before.
  return shared_.context().storage.store->Flush();
}

bool Checkpointer::Drop() {
  WriteView view(shared_, Holder::kCheckpoint);
  // The next checkpoint finds the mark.
  view.set_dropped();
  return writing_;
}

}  // namespace reco::engine::persist
