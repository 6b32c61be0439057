// Checkpoints of a Collection, and the way back: loading a checkpoint and replaying the log.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <utility>

#include "engine/collection.h"
#include "format/keys.h"

namespace reco::engine {
namespace {

store::Family RecordFamily(Side side) {
  return side == Side::kUser ? store::Family::kUsers : store::Family::kItems;
}

// A deleted item leaves the models to rank by as well.
void DeleteFromReplaced(const FrozenRows& frozen, std::uint32_t cid,
                        const FrozenRows::FrozenEntity& entity, store::Batch* batch) {
  for (std::uint32_t model = frozen.first_model;
       entity.side == Side::kItem && model < frozen.checkpoint.model; ++model) {
    batch->Delete(store::Family::kVectors,
                  format::VectorKey(cid, model, entity.side, entity.ordinal));
  }
}

void PutEntities(const FrozenRows& frozen, std::uint32_t cid, store::Batch* batch) {
  const std::uint32_t model = frozen.checkpoint.model;
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
      batch->Put(RecordFamily(entity.side), key, format::EncodeEntity(entity.record));
    } else {
      batch->Delete(RecordFamily(entity.side), key);
    }
    if (model == 0) {
      continue;
    }
    const std::string vector_key = format::VectorKey(cid, model, entity.side, entity.ordinal);
    if (entity.live) {
      format::EncodeVector({frozen.vectors.data() + i * frozen.dim, frozen.dim}, &value);
      batch->Put(store::Family::kVectors, vector_key, value);
    } else {
      batch->Delete(store::Family::kVectors, vector_key);
      DeleteFromReplaced(frozen, cid, entity, batch);
    }
  }
}

void PutPair(store::Family family, const std::string& key, const std::optional<format::Pair>& pair,
             store::Batch* batch) {
  thread_local std::string value;
  if (pair) {
    format::EncodePair(*pair, &value);
    batch->Put(family, key, value);
  } else {
    batch->Delete(family, key);
  }
}

// Both families in the order of their keys, which RocksDB takes in faster. The pairs come by user.
void PutPairs(const FrozenRows& frozen, std::uint32_t cid, store::Batch* batch) {
  std::vector<std::uint64_t> by_item;  // item << 32 | place in frozen.pairs
  by_item.reserve(frozen.pairs.size());
  for (std::size_t i = 0; i < frozen.pairs.size(); ++i) {
    const auto& [user, item, pair] = frozen.pairs[i];
    PutPair(store::Family::kByUser, format::PairKey(cid, user, item), pair, batch);
    by_item.push_back(std::uint64_t{item} << 32U | i);
  }
  std::sort(by_item.begin(), by_item.end());
  for (const std::uint64_t entry : by_item) {
    const auto& [user, item, pair] = frozen.pairs[static_cast<std::uint32_t>(entry)];
    PutPair(store::Family::kByItem, format::PairKey(cid, item, user), pair, batch);
  }
}

}  // namespace

bool Collection::CheckpointDue(bool by_age) const {
  const std::uint64_t events = events_since_freeze_.load(std::memory_order_relaxed);
  if (events >= context_.options.checkpoint_events) {
    return true;
  }
  if (!by_age) {
    return false;
  }
  const std::int64_t age_us = context_.clock.MonotonicUs() - last_checkpoint_us_.load();
  if (age_us < std::int64_t{context_.options.checkpoint_interval_s} * 1'000'000) {
    return false;
  }
  ReaderLock lock(mutex_);
  return state_.dirty() && !dropped_;
}

void Collection::Throttle() {
  const std::uint64_t limit = 2 * context_.options.checkpoint_events;
  if (events_since_freeze_.load(std::memory_order_relaxed) < limit) {
    return;
  }
  // Two are due: the one in flight must end before more is put on top. Bounded, so that a broken
  // disk shows as an error of the commit rather than as a hang.
  MutexLock lock(checkpoint_mutex_);
  for (int i = 0; i < 100 && events_since_freeze_.load(std::memory_order_relaxed) >= limit; ++i) {
    checkpoint_done_.WaitFor(checkpoint_mutex_, std::chrono::milliseconds(10));
  }
}

Status Collection::Checkpoint() {
  MutexLock checkpoint(checkpoint_mutex_);
  {
    ReaderLock lock(mutex_);
    if (dropped_ || !state_.dirty()) {
      last_checkpoint_us_ = context_.clock.MonotonicUs();
      return Status::Ok();
    }
  }
  return CheckpointLocked(nullptr);
}

Status Collection::CheckpointLocked(TrainingRun* run) {
  RECO_RETURN_IF_ERROR(context_.storage.Readable());
  FrozenRows frozen;
  std::uint64_t ticket = 0;
  {
    WriterLock lock(mutex_);
    if (dropped_) {
      return Status::NotFound("the collection was deleted");
    }
    frozen = state_.Freeze();
    if (run != nullptr) {
      BeginRun(*run);
    }
    ticket = context_.storage.log->last_staged();
    events_since_freeze_ = 0;
    last_checkpoint_us_ = context_.clock.MonotonicUs();
  }
  checkpoint_done_.NotifyAll();
  // The log goes first: derived rows never hold what the log does not.
  RECO_RETURN_IF_ERROR(context_.storage.log->Commit(ticket));
  store::Batch batch;
  PutFrozen(frozen, cid_, &batch);
  RECO_RETURN_IF_ERROR(context_.storage.store->Write(batch, false));
  checkpoint_seq_ = frozen.checkpoint.seq;
  WriterLock lock(mutex_);
  state_.SetDurable(frozen.generation);
  return Status::Ok();
}

void PutFrozen(const FrozenRows& frozen, std::uint32_t cid, store::Batch* batch) {
  PutEntities(frozen, cid, batch);
  PutPairs(frozen, cid, batch);
  batch->Put(store::Family::kDefault, format::CheckpointKey(cid),
             format::EncodeCheckpoint(frozen.checkpoint));
}

// --- Loading
// --------------------------------------------------------------------------------------

Status Collection::LoadEntities(Side side, std::uint32_t end) {
  SideState& own = state_.side(side);
  own.ids.Reserve(end);
  bool older = false;
  const auto rows =
      context_.storage.store->Scan(RecordFamily(side), format::CollectionPrefix(cid_));
  for (; rows->Valid(); rows->Next()) {
    const std::uint32_t ordinal = format::TrailingOrdinal(rows->key());
    RECO_ASSIGN_OR_RETURN(format::EntityRecord record, format::DecodeEntity(rows->value()));
    if (!own.ids.Restore(ordinal, record.id)) {
      // The id was deleted and used again after the checkpoint; replay erases the older first.
      reused_ids_.push_back({side, ordinal, record.id});
    }
    state_.Grow(side, std::max(own.ids.end(), ordinal + 1));
    Entity& entity = own.entities[ordinal];
    entity.pairs = record.pairs;
    entity.events = record.events;
    entity.last_seq = record.last_seq;
    entity.weight = record.weight;
    entity.first_ms = record.first_ms;
    entity.last_ms = record.last_ms;
    if (record.last_seq > 0) {  // 0: no checkpoint has written it, its first event is to come
      entity.known_ms = record.known_ms.value_or(record.first_ms);
    }
    entity.squares = record.squares.value_or(0);
    older = older || (side == Side::kItem && record.pairs > 0 && !record.squares);
    own.attributes.Put(ordinal, {std::move(record.attributes), record.hidden, record.expire_at_ms});
  }
  // Ordinals given out after the checkpoint whose rows are gone again still occur in events.
  state_.Grow(side, std::max(end, own.ids.end()));
  RECO_RETURN_IF_ERROR(rows->status());
  return older ? SumSquares() : Status::Ok();
}

// Fills in what records of an older version lack; the next checkpoint writes it.
Status Collection::SumSquares() {
  auto& items = state_.items().entities;
  for (Entity& item : items) {
    item.squares = 0;
  }
  const auto rows =
      context_.storage.store->Scan(store::Family::kByItem, format::CollectionPrefix(cid_));
  for (; rows->Valid(); rows->Next()) {
    const std::string_view key = rows->key();
    const std::uint32_t item =
        format::TrailingOrdinal(key.substr(0, key.size() - sizeof(std::uint32_t)));
    RECO_ASSIGN_OR_RETURN(const format::Pair pair, format::DecodePair(rows->value()));
    if (item >= items.size()) {
      return Status::Corruption("family by_item: a pair of an unknown item " +
                                std::to_string(item));
    }
    items[item].squares += static_cast<double>(pair.weight) * static_cast<double>(pair.weight);
  }
  for (std::uint32_t item = 0; item < items.size(); ++item) {
    if (items[item].pairs > 0) {
      state_.MarkChanged(Side::kItem, item);
    }
  }
  state_.MarkDirtyOutsideLog();
  return rows->status();
}

Status Collection::LoadVectors(Side side, std::uint32_t model) {
  SideState& own = state_.side(side);
  const auto rows = context_.storage.store->Scan(store::Family::kVectors,
                                                 format::VectorPrefix(cid_, model, side));
  for (; rows->Valid(); rows->Next()) {
    const std::uint32_t ordinal = format::TrailingOrdinal(rows->key());
    if (ordinal >= own.entities.size()) {
      return Status::Corruption("family vectors: a vector of an unknown ordinal " +
                                std::to_string(ordinal));
    }
    RECO_RETURN_IF_ERROR(format::DecodeVector(
        rows->value(), {own.factors->mutable_row(ordinal), own.factors->dim()}));
  }
  return rows->status();
}

Status Collection::LoadModel(const format::CheckpointRecord& record) {
  ActiveModel active;
  std::vector<double> trained_gram;
  if (record.model != 0) {
    RECO_ASSIGN_OR_RETURN(
        const std::optional<std::string> stored,
        context_.storage.store->Get(store::Family::kModels, format::ModelKey(cid_, record.model)));
    if (!stored) {
      return Status::Corruption("family models: the active model " + std::to_string(record.model) +
                                " is missing");
    }
    RECO_ASSIGN_OR_RETURN(format::ModelRecord model, format::DecodeModel(*stored));
    if (model.dim != state_.dim()) {
      return Status::Corruption("family models: the active model has the wrong dimension");
    }
    active = ToActiveModel(model, state_.rules().halflife_ms);
    trained_at_ms_ = model.trained_at_ms;
    trained_gram = std::move(model.item_gram);
    RECO_RETURN_IF_ERROR(LoadVectors(Side::kUser, record.model));
    RECO_RETURN_IF_ERROR(LoadVectors(Side::kItem, record.model));
  }
  return state_.Restore(record, active, trained_gram);
}

Status Collection::LoadTokens() {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  const std::string prefix = format::CollectionPrefix(cid_);
  const auto rows = context_.storage.store->Scan(store::Family::kTokens, prefix);
  for (; rows->Valid(); rows->Next()) {
    RECO_ASSIGN_OR_RETURN(const std::uint64_t seq, format::DecodeToken(rows->value()));
    found.emplace_back(seq, rows->key().substr(prefix.size()));
  }
  RECO_RETURN_IF_ERROR(rows->status());
  std::sort(found.begin(), found.end());
  for (auto& [seq, token] : found) {
    tokens_.emplace(token, seq);
    token_order_.push_back(std::move(token));
  }
  return Status::Ok();
}

Status Collection::ReplayLog() {
  Status failure;
  const auto apply = [&](std::uint64_t seq, const format::Event& event) NO_THREAD_SAFETY_ANALYSIS {
    failure = ReplayOne(seq, event);
    return failure.ok();
  };
  RECO_RETURN_IF_ERROR(
      wal::EventLog::Replay(*context_.storage.store, nullptr, cid_, state_.last_seq(), apply));
  return failure;
}

Status Collection::ReplayOne(std::uint64_t seq, const format::Event& event) {
  const auto known = [&](Side side, std::uint32_t ordinal) NO_THREAD_SAFETY_ANALYSIS {
    return ordinal == format::kNoOrdinal || ordinal < state_.side(side).entities.size();
  };
  if (!known(Side::kUser, event.user) || !known(Side::kItem, event.item)) {
    return Status::Corruption("family events: event " + std::to_string(seq) +
                              " names an unknown user or item");
  }
  RECO_ASSIGN_OR_RETURN(const auto stored, state_.Prepare(event));
  state_.Apply(seq, event, stored);
  state_.Evict(1);
  events_since_freeze_.fetch_add(1, std::memory_order_relaxed);
  if (event.kind != format::EventKind::kUserDelete &&
      event.kind != format::EventKind::kItemDelete) {
    return Status::Ok();
  }
  // The erased id may live on under a later ordinal.
  for (auto reused = reused_ids_.begin(); reused != reused_ids_.end(); ++reused) {
    if (state_.side(reused->side).ids.Restore(reused->ordinal, reused->id)) {
      reused_ids_.erase(reused);
      break;
    }
  }
  return Status::Ok();
}

Status Collection::Load() {
  WriterLock lock(mutex_);
  RECO_ASSIGN_OR_RETURN(
      const std::optional<std::string> stored,
      context_.storage.store->Get(store::Family::kDefault, format::CheckpointKey(cid_)));
  format::CheckpointRecord record;
  if (stored) {
    RECO_ASSIGN_OR_RETURN(record, format::DecodeCheckpoint(*stored));
  }
  RECO_RETURN_IF_ERROR(LoadEntities(Side::kUser, record.users));
  RECO_RETURN_IF_ERROR(LoadEntities(Side::kItem, record.items));
  RECO_RETURN_IF_ERROR(LoadModel(record));
  RECO_RETURN_IF_ERROR(LoadTokens());
  checkpoint_seq_ = record.seq;
  RECO_RETURN_IF_ERROR(ReplayLog());
  if (!reused_ids_.empty()) {
    return Status::Corruption("families users and items: two records have the id '" +
                              reused_ids_.front().id + "'");
  }
  state_.BuildIndexes();
  return Status::Ok();
}

}  // namespace reco::engine
