// What the order of the steps rests on: entities first, since they size all tables; the model
// before the log, since Apply solves by it; derived indexes last, from the final counters.
#include "engine/persist/loader.h"

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/rows/storage.h"
#include "format/event_effect.h"
#include "format/keys.h"
#include "format/records.h"

namespace reco::engine::persist {
namespace {

// One loading; keeps what has to be remembered from step to step.
class Loader {
 public:
  explicit Loader(WriteView& view)
      : view_(view), store_(*view.shared().context().storage.store), cid_(view.shared().cid()) {}

  Result<std::uint64_t> Load();

 private:
  struct StoredEntity {
    std::uint32_t ordinal;
    format::EntityRecord record;
  };
  static Result<std::vector<StoredEntity>> ReadEntities(store::Iterator& rows);
  Status LoadEntities(Side side, std::uint32_t end);
  bool TakeEntity(Side side, StoredEntity&& stored);
  Status SumPairsOfItems();
  Status LoadVectors(Side side, std::uint32_t model);
  Status LoadModel(const format::CheckpointRecord& record);
  Status LoadTokens();
  Status LoadNeighbours(std::uint64_t end);
  Status ReplayLog();
  Status ReplayOne(std::uint64_t seq, const format::Event& event);
  Status TakeIntoCall(std::uint64_t seq, const format::Event& event);
  Status ReplayCall();
  void RestoreReusedId();

  // A record whose id another ordinal still holds, until replay erases that.
  struct ReusedId {
    Side side;
    std::uint32_t ordinal;
    std::string id;
  };

  WriteView& view_;
  const store::Store& store_;
  const std::uint32_t cid_;
  std::vector<ReusedId> reused_;
  // Events on pairs of one call, which are applied together (D36).
  std::vector<format::Event> call_;
  std::uint64_t call_first_ = 0;
};

// Reads on up to kBatch entities; fewer at the end.
Result<std::vector<Loader::StoredEntity>> Loader::ReadEntities(store::Iterator& rows) {
  constexpr std::size_t kBatch = 4'096;
  std::vector<StoredEntity> batch;
  batch.reserve(kBatch);
  for (; rows.Valid() && batch.size() < kBatch; rows.Next()) {
    RECO_ASSIGN_OR_RETURN(format::EntityRecord record, format::DecodeEntity(rows.value()));
    batch.push_back({format::TrailingOrdinal(rows.key()), std::move(record)});
  }
  RECO_RETURN_IF_ERROR(rows.status());
  return batch;
}

Status Loader::LoadEntities(Side side, std::uint32_t end) {
  SideState& own = view_.state().side(side);
  // All ordinals below were given out once, even where no row is left of the last ones (I10).
  own.ids.Reserve(end);
  bool older = false;
  const auto rows = store_.Scan(RecordFamily(side), format::CollectionPrefix(cid_));
  // Two of a start's longest parts, side by side: reading goes one batch ahead of taking in.
  const auto read = [&rows] { return ReadEntities(*rows); };
  auto next = std::async(std::launch::async, read);
  std::vector<std::string_view> ids;
  while (true) {
    RECO_ASSIGN_OR_RETURN(std::vector<StoredEntity> batch, next.get());
    if (batch.empty()) {
      break;
    }
    next = std::async(std::launch::async, read);
    ids.clear();
    for (const StoredEntity& stored : batch) {
      ids.emplace_back(stored.record.id);
    }
    own.ids.Prefetch(ids);
    for (StoredEntity& stored : batch) {
      older = TakeEntity(side, std::move(stored)) || older;
    }
  }
  // Tables cover every ordinal ever given out; where the last ones were deleted, no row has grown
  // them.
  view_.state().Grow(side, std::max(end, own.ids.end()));
  return older ? SumPairsOfItems() : Status::Ok();
}

// Returns true iff the record is of a version without sums that SumPairsOfItems fills in.
bool Loader::TakeEntity(Side side, StoredEntity&& stored) {
  SideState& own = view_.state().side(side);
  auto& [ordinal, record] = stored;
  if (!own.ids.Restore(ordinal, record.id)) {
    // The id was deleted and used again after the checkpoint: its older row still stands (D9),
    // and replay erases that ordinal first.
    reused_.push_back({side, ordinal, record.id});
  }
  view_.state().Grow(side, std::max(own.ids.end(), ordinal + 1));
  Entity& entity = own.entities.Make(ordinal);
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
  if (record.liked && record.liked->pairs > 0) {
    own.liked.Make(ordinal) = *record.liked;
  }
  own.attributes.Put(ordinal, {std::move(record.attributes), record.hidden, record.expire_at_ms});
  return side == Side::kItem && record.pairs > 0 && !(record.squares && record.liked);
}

// Fills in the sums over the pairs of items, of which records of an older version lack some; the
// next checkpoint writes them.
Status Loader::SumPairsOfItems() {
  SideState& items = view_.state().items();
  items.entities.ForEach(0, items.ids.end(), [](std::uint32_t, Entity& item) { item.squares = 0; });
  items.liked.Clear();
  const auto rows = store_.Scan(store::Family::kByItem, format::CollectionPrefix(cid_));
  for (; rows->Valid(); rows->Next()) {
    const std::string_view key = rows->key();
    // The key of a pair by item ends with the item and then the user.
    const std::uint32_t item =
        format::TrailingOrdinal(key.substr(0, key.size() - sizeof(std::uint32_t)));
    RECO_ASSIGN_OR_RETURN(const format::Pair pair, format::DecodePair(rows->value()));
    Entity* entity = items.entities.Find(item);
    if (entity == nullptr) {
      return Status::Corruption("family by_item: a pair of an unknown item " +
                                std::to_string(item));
    }
    entity->squares += static_cast<double>(pair.weight) * static_cast<double>(pair.weight);
    if (pair.weight > 0) {
      format::Liked& liked = items.liked.Make(item);
      ++liked.pairs;
      liked.events += pair.count;
    }
  }
  for (std::uint32_t item = 0; item < items.ids.end(); ++item) {
    if (items.entities[item].pairs > 0) {
      view_.state().MarkChanged(Side::kItem, item);
    }
  }
  // No event stands for it, so a folder without new events would not be written.
  view_.state().MarkDirtyOutsideLog();
  return rows->status();
}

// Reads one side's vectors. A user or item without a row is younger than the checkpoint and keeps
// zeros until the replay solves it.
Status Loader::LoadVectors(Side side, std::uint32_t model) {
  SideState& own = view_.state().side(side);
  // In one piece, as a training leaves them.
  std::vector<std::uint32_t> live;
  for (std::uint32_t ordinal = 0; ordinal < own.ids.end(); ++ordinal) {
    if (!own.ids.id(ordinal).empty()) {
      live.push_back(ordinal);
    }
  }
  own.factors = std::make_unique<model::FactorTable>(own.factors->dim());
  own.factors->Allocate(live.size());
  own.factors->Renumber(live, own.ids.end());
  const auto rows = store_.Scan(store::Family::kVectors, format::VectorPrefix(cid_, model, side));
  for (; rows->Valid(); rows->Next()) {
    const std::uint32_t ordinal = format::TrailingOrdinal(rows->key());
    if (ordinal >= own.ids.end()) {
      return Status::Corruption("family vectors: a vector of an unknown ordinal " +
                                std::to_string(ordinal));
    }
    // Until 0.2 a training wrote zeros for the deleted ones as well (D35).
    if (own.ids.id(ordinal).empty()) {
      continue;
    }
    RECO_RETURN_IF_ERROR(format::DecodeVector(
        rows->value(), {own.factors->mutable_row(ordinal), own.factors->dim()}));
  }
  return rows->status();
}

Status Loader::LoadModel(const format::CheckpointRecord& record) {
  ActiveModel active;
  std::vector<double> trained_gram;
  if (record.model != 0) {
    RECO_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                          store_.Get(store::Family::kModels, format::ModelKey(cid_, record.model)));
    if (!stored) {
      return Status::Corruption("family models: the active model " + std::to_string(record.model) +
                                " is missing");
    }
    RECO_ASSIGN_OR_RETURN(format::ModelRecord model, format::DecodeModel(*stored));
    if (model.dim != view_.state().dim()) {
      return Status::Corruption("family models: the active model has the wrong dimension");
    }
    // The Grams come from the checkpoint in Restore; the model's record has those of its training.
    active = ToActiveModel(model, view_.shared().signal_rules().halflife_ms);
    view_.set_trained_at_ms(model.trained_at_ms);
    trained_gram = std::move(model.item_gram);
    RECO_RETURN_IF_ERROR(LoadVectors(Side::kUser, record.model));
    RECO_RETURN_IF_ERROR(LoadVectors(Side::kItem, record.model));
  }
  return view_.state().Restore(record, active, trained_gram);
}

Status Loader::LoadTokens() {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  const std::string prefix = format::CollectionPrefix(cid_);
  const auto rows = store_.Scan(store::Family::kTokens, prefix);
  for (; rows->Valid(); rows->Next()) {
    RECO_ASSIGN_OR_RETURN(const std::uint64_t seq, format::DecodeToken(rows->value()));
    found.emplace_back(seq, rows->key().substr(prefix.size()));
  }
  RECO_RETURN_IF_ERROR(rows->status());
  // The family is by token; the window forgets the oldest first.
  std::sort(found.begin(), found.end());
  for (auto& [seq, token] : found) {
    view_.tokens().Restore(std::move(token), seq);
  }
  return Status::Ok();
}

// Follows the events up to number `end`; those behind it come with the replay.
Status Loader::LoadNeighbours(std::uint64_t end) {
  if (view_.state().neighbours().get() == nullptr || end == 0) {
    return Status::Ok();
  }
  const auto known = [this](Side side, std::uint32_t ordinal) {
    return ordinal == format::kNoOrdinal || ordinal < view_.state().side(side).ids.end();
  };
  bool all_known = true;
  const auto follow = [&](std::uint64_t seq, const format::Event& event) {
    all_known = known(Side::kUser, event.user) && known(Side::kItem, event.item);
    if (all_known) {
      view_.state().neighbours().Take(event);
    }
    return all_known && seq < end;
  };
  // Nothing else needs the log in front of the checkpoint: where it is damaged, which --check
  // tells, the collection opens without neighbours.
  if (!wal::EventLog::Replay(store_, nullptr, cid_, 0, follow).ok() || !all_known) {
    view_.state().neighbours().Drop().reset();
  }
  return Status::Ok();
}

Status Loader::ReplayLog() {
  // A visitor only says whether to go on; the reason is kept here.
  Status failure;
  const auto apply = [&](std::uint64_t seq, const format::Event& event) {
    failure = ReplayOne(seq, event);
    return failure.ok();
  };
  RECO_RETURN_IF_ERROR(
      wal::EventLog::Replay(store_, nullptr, cid_, view_.state().last_seq(), apply));
  RECO_RETURN_IF_ERROR(failure);
  return ReplayCall();
}

// Events on pairs wait for the rest of their call; any other event ends that.
Status Loader::TakeIntoCall(std::uint64_t seq, const format::Event& event) {
  if (!event.with_previous) {
    RECO_RETURN_IF_ERROR(ReplayCall());
    call_first_ = seq;
  } else if (call_.empty() || call_.size() == kInteractionsMax) {
    return Status::Corruption("family events: event " + std::to_string(seq) +
                              " goes on a call that " +
                              (call_.empty() ? "did not begin" : "is over"));
  }
  call_.push_back(event);
  // They point into the record; nothing that is applied later needs them.
  call_.back().token = call_.back().text = {};
  return Status::Ok();
}

Status Loader::ReplayCall() {
  if (call_.empty()) {
    return Status::Ok();
  }
  ReadAhead ahead;
  std::vector<std::optional<format::Pair>> stored;
  RECO_RETURN_IF_ERROR(view_.state().PrepareAllNow(call_, &ahead, &stored));
  view_.state().ApplyAll(call_first_, call_, stored);
  // Live writes do the same: what was read must not pile up over a long log.
  view_.state().Evict(call_.size());
  call_.clear();
  return Status::Ok();
}

Status Loader::ReplayOne(std::uint64_t seq, const format::Event& event) {
  const bool on_pair = std::holds_alternative<format::PairAdded>(format::EffectOf(event));
  // An id's row is in one batch with the first event about it (I2), so an ordinal beyond the tables
  // is damage, and Apply would write out of their bounds.
  const auto known = [&](Side side, std::uint32_t ordinal) {
    return (!on_pair && ordinal == format::kNoOrdinal) ||
           ordinal < view_.state().side(side).ids.end();
  };
  if (!known(Side::kUser, event.user) || !known(Side::kItem, event.item)) {
    return Status::Corruption("family events: event " + std::to_string(seq) +
                              " names an unknown user or item");
  }
  if (on_pair) {
    return TakeIntoCall(seq, event);
  }
  RECO_RETURN_IF_ERROR(ReplayCall());
  RECO_ASSIGN_OR_RETURN(const auto stored, view_.state().Prepare(event));
  view_.state().Apply(seq, event, stored);
  view_.state().Evict(1);
  format::MatchEffect(
      event, [this](const format::Deleted&) { RestoreReusedId(); }, [](const format::PairAdded&) {},
      [](const format::PairRemoved&) {}, [](const format::RecordSet&) {},
      [](const format::RowsSolved&) {}, [](const format::NoEffect&) {});
  return Status::Ok();
}

void Loader::RestoreReusedId() {
  // The erased id may live on under a later ordinal (D9).
  for (auto reused = reused_.begin(); reused != reused_.end(); ++reused) {
    // Only a record whose id the deletion has set free is restored.
    if (view_.state().side(reused->side).ids.Restore(reused->ordinal, reused->id)) {
      reused_.erase(reused);
      break;
    }
  }
}

Result<std::uint64_t> Loader::Load() {
  RECO_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                        store_.Get(store::Family::kDefault, format::CheckpointKey(cid_)));
  format::CheckpointRecord record;
  if (stored) {
    RECO_ASSIGN_OR_RETURN(record, format::DecodeCheckpoint(*stored));
  }
  RECO_RETURN_IF_ERROR(LoadEntities(Side::kUser, record.users));
  RECO_RETURN_IF_ERROR(LoadEntities(Side::kItem, record.items));
  RECO_RETURN_IF_ERROR(LoadModel(record));
  RECO_RETURN_IF_ERROR(LoadTokens());
  RECO_RETURN_IF_ERROR(LoadNeighbours(record.seq));
  RECO_RETURN_IF_ERROR(ReplayLog());
  // The log has no deletion that explains the second record.
  if (!reused_.empty()) {
    return Status::Corruption("families users and items: two records have the id '" +
                              reused_.front().id + "'");
  }
  view_.state().BuildIndexes();
  return record.seq;
}

}  // namespace

Result<std::uint64_t> Load(WriteView& view) {
  return Loader(view).Load();
}

}  // namespace reco::engine::persist
