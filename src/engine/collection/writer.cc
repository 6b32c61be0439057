// Every write has three parts, under one WriteView: plan (may fail, changes nothing), stage (the
// log takes the events or refuses), apply (cannot fail, I5). An error before or at the staging
// leaves no trace; behind it there is none.
#include "engine/collection/writer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "base/json_merge.h"
#include "engine/rows/signal.h"
#include "engine/rows/storage.h"
#include "format/event.h"
#include "format/keys.h"
#include "format/records.h"

namespace reco::engine::writer {
namespace {

using format::Event;
using format::EventKind;

// Changes of so many pairs end soon: others wait for them. Longer ones are announced (LongWrite),
// and come from workers.
constexpr std::size_t kShortWrite = 256;
constexpr std::size_t kOneHold = 16;        // and of so few is made under one view
constexpr std::size_t kPreparedAStep = 64;  // events whose rows are put into memory in one hold

Status CheckId(std::string_view id, std::string_view what) {
  if (id.empty() || id.size() > kIdBytesMax) {
    return Status::InvalidArgument(std::string(what) + " id must be 1 to " +
                                   std::to_string(kIdBytesMax) + " bytes long, not " +
                                   std::to_string(id.size()));
  }
  return Status::Ok();
}

Status CheckTime(std::int64_t time_ms) {
  return time_ms >= 0 && time_ms <= kTimeMsMax
             ? Status::Ok()
             : Status::InvalidArgument("a time must be 0 to 253402300799999 ms");
}

Status CheckAttributesSize(std::string_view attributes) {
  return attributes.size() <= kAttributesBytesMax
             ? Status::Ok()
             : Status::InvalidArgument("attributes must be at most 65536 bytes long, not " +
                                       std::to_string(attributes.size()));
}

// Makes an event of all but the ordinals; `now_ms` is its arrival. The weight is resolved here, so
// that a replay does not depend on the types' weights of its time (D2).
Result<Event> MakeEvent(const CollectionOptions& options, const Interaction& interaction,
                        bool replace, std::int64_t now_ms) {
  RECO_RETURN_IF_ERROR(CheckId(interaction.user, "user"));
  RECO_RETURN_IF_ERROR(CheckId(interaction.item, "item"));
  if (interaction.token.size() > kTokenBytesMax) {
    return Status::InvalidArgument("a token must be at most " + std::to_string(kTokenBytesMax) +
                                   " bytes long");
  }
  Event event;
  event.kind = replace ? EventKind::kSet : EventKind::kInteraction;
  RECO_ASSIGN_OR_RETURN(event.type, TypeIndex(options, interaction.type));
  if (options.feedback == Feedback::kExplicit && !interaction.weight &&
      event.type == format::kNoType) {
    return Status::InvalidArgument("a rating needs its value: give it as the weight");
  }
  event.weight = interaction.weight.value_or(
      event.type == format::kNoType ? 1.0 : options.types[event.type].weight);
  if (!std::isfinite(event.weight) || std::abs(event.weight) > kWeightMax) {
    return Status::InvalidArgument("a weight must be finite and between -1000000 and 1000000");
  }
  event.arrival_ms = now_ms;
  event.time_ms = interaction.time_ms.value_or(now_ms);
  RECO_RETURN_IF_ERROR(CheckTime(event.time_ms));
  event.token = interaction.token;
  return event;
}

Status CheckBatch(std::span<const Interaction> interactions) {
  if (interactions.empty() || interactions.size() > kInteractionsMax) {
    return Status::InvalidArgument("a call takes 1 to 10000 interactions, not " +
                                   std::to_string(interactions.size()));
  }
  return Status::Ok();
}

// The ids that a batch makes new, with the ordinals they will get.
class NewIds {
 public:
  explicit NewIds(const Dictionary& known) : known_(known), next_(known.end()) {}

  std::uint32_t OrdinalOf(std::string_view id) {
    if (const auto found = known_.Find(id)) {
      return *found;
    }
    // An id twice in the batch has one ordinal.
    const auto [at, added] = ordinals_.try_emplace(id, next_);
    if (added) {
      order_.push_back(id);
      ++next_;
    }
    return at->second;
  }
  const std::vector<std::string_view>& ids() const { return order_; }
  std::uint32_t first() const { return known_.end(); }

 private:
  const Dictionary& known_;
  std::uint32_t next_;
  std::unordered_map<std::string_view, std::uint32_t> ordinals_;
  std::vector<std::string_view> order_;
};

// Puts the dictionary rows of new ids, with counters of 0: the next checkpoint fills them in.
void PutNewIds(store::Batch& batch, std::uint32_t cid, Side side, const NewIds& fresh) {
  std::uint32_t ordinal = fresh.first();
  for (const std::string_view id : fresh.ids()) {
    format::EntityRecord record;
    record.id = id;
    batch.Put(RecordFamily(side), format::RecordKey(cid, ordinal++), format::EncodeEntity(record));
  }
}

// Fetches what the ids will be found by.
void Prefetch(const CollectionState& state, std::span<const Interaction> interactions) {
  if (interactions.size() == 1) {
    return;
  }
  std::vector<std::string_view> ids(interactions.size());
  std::ranges::transform(interactions, ids.begin(), &Interaction::user);
  state.users().ids.Prefetch(ids);
  std::ranges::transform(interactions, ids.begin(), &Interaction::item);
  state.items().ids.Prefetch(ids);
}

// Refuses once the collection was deleted (I14) or the folder is closed.
Status CheckWritable(const View& view) {
  // Asked under the view that writes: Drop takes the same lock, so nothing comes behind it.
  if (view.dropped()) {
    return Status::NotFound("the collection was deleted");
  }
  return view.shared().context().storage.Readable();
}

// Ends what a view has begun, under the same.
void EndAtOnce(WriteView& view, std::size_t writes) {
  while (view.state().Continue()) {
  }
  // Last: Continue relies on the rows that were made ready.
  view.state().Evict(writes);
}

// Ends it under views of its own, and lets readers in between.
void EndInSteps(SharedState& shared, std::size_t writes) {
  bool more = true;
  while (more) {
    WriteView view(shared, Holder::kWriteStep);
    more = view.state().Continue();
  }
  constexpr std::size_t kEvictedAHold = 32;  // the work of so many writes
  for (std::size_t done = 0; done < writes && shared.context().row_budget.over();
       done += kEvictedAHold) {
    WriteView view(shared, Holder::kEvict);
    view.state().Evict(std::min(kEvictedAHold, writes - done));
    // Not further than about once round, or rows of this call would go at once.
    constexpr std::size_t kLooksAWrite = 16;
    const std::size_t rows =
        std::max(view.state().users().ids.end(), view.state().items().ids.end());
    writes = std::min(writes, rows / kLooksAWrite + 1);
  }
}

// Stages and applies one event about registered ids. On an error nothing has changed.
Status Write(WriteView& view, const Event& event) {
  RECO_ASSIGN_OR_RETURN(const std::optional<format::Pair> stored, view.state().Prepare(event));
  RECO_DCHECK(!view.dropped(), "I14");
  // The exclusive view makes numbering and staging one step: the log has events in order (I1).
  const std::uint64_t seq = view.state().last_seq() + 1;
  std::string record;
  format::EncodeEvent(event, &record);
  RECO_RETURN_IF_ERROR(view.Stage([&](store::Batch& batch) {
    wal::EventLog::PutEvent(batch, view.shared().cid(), seq, record);
  }));
  view.state().Apply(seq, event, stored);
  view.state().Evict(1);
  return Status::Ok();
}

}  // namespace

Status CheckInteractions(const CollectionOptions& options,
                         std::span<const Interaction> interactions) {
  RECO_RETURN_IF_ERROR(CheckBatch(interactions));
  for (const Interaction& interaction : interactions) {
    // The checks are those of making the event.
    RECO_RETURN_IF_ERROR(MakeEvent(options, interaction, false, 0).status());
  }
  return Status::Ok();
}

Status CheckRecord(Side side, std::string_view id, const RecordUpdate& update) {
  RECO_RETURN_IF_ERROR(CheckId(id, side == Side::kUser ? "user" : "item"));
  if (update.attributes) {
    RECO_RETURN_IF_ERROR(CheckAttributesSize(*update.attributes));
  }
  if (update.attributes && !IsJsonObject(*update.attributes)) {
    return Status::InvalidArgument("attributes must be a JSON object");
  }
  return update.expire_at_ms ? CheckTime(*update.expire_at_ms) : Status::Ok();
}

namespace {

// What a call of Add will do, as of one moment.
struct AddPlan {
  explicit AddPlan(const CollectionState& state)
      : users(state.users().ids),
        items(state.items().ids),
        first(state.last_seq() + 1),
        answer(state.last_seq()) {}

  // Ordinals are only planned here: an error on the way must leave no ids behind.
  NewIds users;
  NewIds items;
  std::unordered_map<std::string_view, std::uint64_t> tokens;  // the window has them once staged
  std::vector<Event> events;
  std::uint64_t first;  // of the events
  std::uint64_t answer;
  // The pairs as they were before the call. Apply looks in memory first, where earlier events of
  // it are.
  std::vector<std::optional<format::Pair>> stored;
};

// Plans the next interactions of a call.
Status Plan(const View& view, std::span<const Interaction> interactions, bool replace,
            AddPlan* plan) {
  Prefetch(view.state(), interactions);
  const std::int64_t now_ms = view.shared().context().clock.NowMs();
  for (const Interaction& interaction : interactions) {
    RECO_ASSIGN_OR_RETURN(Event event, MakeEvent(view.options(), interaction, replace, now_ms));
    // Told before: it counts once, and the answer is the number it had then.
    if (const auto known = view.tokens().Find(event.token)) {
      plan->answer = *known;
      continue;
    }
    const std::uint64_t seq = plan->first + plan->events.size();
    if (!event.token.empty()) {
      // A token may also come twice in this call.
      if (const auto [at, added] = plan->tokens.try_emplace(event.token, seq); !added) {
        plan->answer = at->second;
        continue;
      }
    }
    event.user = plan->users.OrdinalOf(interaction.user);
    event.item = plan->items.OrdinalOf(interaction.item);
    event.with_previous = !plan->events.empty();
    plan->events.push_back(event);
    plan->answer = seq;
  }
  return Status::Ok();
}

// Puts all of it but the tokens.
void PutPlanned(const AddPlan& plan, std::uint32_t cid, store::Batch& batch) {
  PutNewIds(batch, cid, Side::kUser, plan.users);
  PutNewIds(batch, cid, Side::kItem, plan.items);
  thread_local std::string record;
  for (std::size_t i = 0; i < plan.events.size(); ++i) {
    format::EncodeEvent(plan.events[i], &record);
    wal::EventLog::PutEvent(batch, cid, plan.first + i, record);
  }
}

// Stages events, dictionary rows and tokens in one batch (I2), and applies them.
Status StageAndBegin(WriteView& view, const AddPlan& plan,
                     FunctionRef<void(store::Batch&)> put_planned) {
  RECO_DCHECK(plan.first == view.state().last_seq() + 1, "I1");
  const SharedState& shared = view.shared();
  RECO_RETURN_IF_ERROR(view.Stage([&](store::Batch& batch) {
    put_planned(batch);
    for (std::size_t i = 0; i < plan.events.size() && !plan.tokens.empty(); ++i) {
      view.tokens().Remember(plan.events[i].token, plan.first + i,
                             shared.context().options.idempotency_window, shared.cid(), &batch);
    }
  }));
  // In the order in which the ordinals were planned, which is the one Register gives out.
  for (const std::string_view id : plan.users.ids()) {
    view.state().Register(Side::kUser, id);
  }
  for (const std::string_view id : plan.items.ids()) {
    view.state().Register(Side::kItem, id);
  }
  view.state().BeginAll(plan.first, plan.events, plan.stored);
  return Status::Ok();
}

Status Read(const SharedState& shared, ReadAhead* ahead) {
  const Storage& storage = shared.context().storage;
  RECO_RETURN_IF_ERROR(storage.Readable());
  return ahead->Read(*storage.store, shared.cid());
}

// Adds a few under one view. nullopt when what `ahead` names is to be read first and `may_wait`, so
// that nobody else waits for the disk.
Result<std::optional<std::uint64_t>> TryAdd(SharedState& shared,
                                            std::span<const Interaction> interactions, bool replace,
                                            ReadAhead* ahead, bool may_wait)
    REQUIRES(shared.turns().writes) {
  WriteView view(shared);
  RECO_RETURN_IF_ERROR(CheckWritable(view));
  AddPlan plan(view.state());
  RECO_RETURN_IF_ERROR(Plan(view, interactions, replace, &plan));
  // All were known: there is nothing to log.
  if (plan.events.empty()) {
    return std::optional(plan.answer);
  }
  if (may_wait && !view.state().PrepareAll(plan.events, ahead, &plan.stored)) {
    return std::optional<std::uint64_t>();
  }
  if (!may_wait) {
    RECO_RETURN_IF_ERROR(view.state().PrepareAllNow(plan.events, ahead, &plan.stored));
  }
  RECO_RETURN_IF_ERROR(StageAndBegin(
      view, plan, [&](store::Batch& batch) { PutPlanned(plan, shared.cid(), batch); }));
  if (interactions.size() <= kOneHold) {
    EndAtOnce(view, interactions.size());
  }
  return std::optional(plan.answer);
}

// Does so in one turn of writes, to the end.
Result<std::optional<std::uint64_t>> AddInOneTurn(SharedState& shared,
                                                  std::span<const Interaction> interactions,
                                                  bool replace, ReadAhead* ahead, bool may_wait) {
  TurnLock turn(shared.turns().writes);
  RECO_ASSIGN_OR_RETURN(const auto answer, TryAdd(shared, interactions, replace, ahead, may_wait));
  if (answer && interactions.size() > kOneHold) {
    EndInSteps(shared, interactions.size());
  }
  return answer;
}

Result<std::uint64_t> AddFew(SharedState& shared, std::span<const Interaction> interactions,
                             bool replace) {
  ReadAhead ahead;
  RECO_ASSIGN_OR_RETURN(auto answer, AddInOneTurn(shared, interactions, replace, &ahead, true));
  if (!answer) {
    RECO_RETURN_IF_ERROR(Read(shared, &ahead));
    // What is missing now is little: what was evicted, or made durable, in between.
    RECO_ASSIGN_OR_RETURN(answer, AddInOneTurn(shared, interactions, replace, &ahead, false));
  }
  return *answer;
}

// Adds many: only what readers may see as a whole alone is done under one view (D51). The turn
// keeps what is planned by as it is, and a long write keeps eviction out.
Result<std::uint64_t> AddMany(SharedState& shared, std::span<const Interaction> interactions,
                              bool replace) {
  const LongWrite announced(shared);
  TurnLock turn(shared.turns().writes);
  std::optional<AddPlan> plan;
  {
    ReadView view(shared);
    RECO_RETURN_IF_ERROR(CheckWritable(view));
    plan.emplace(view.state());
    for (std::size_t from = 0; from < interactions.size(); from += kShortWrite) {
      if (from != 0) {
        view.Yield();
      }
      RECO_RETURN_IF_ERROR(
          Plan(view, interactions.subspan(from, std::min(kShortWrite, interactions.size() - from)),
               replace, &*plan));
    }
  }
  if (plan->events.empty()) {
    return plan->answer;
  }
  const std::span<const Event> events = plan->events;
  std::vector<std::optional<format::Pair>> stored;
  for (std::size_t from = 0; from < events.size(); from += kPreparedAStep) {
    const auto some = events.subspan(from, std::min(kPreparedAStep, events.size() - from));
    ReadAhead ahead;
    for (bool ready = false; !ready;) {
      RECO_RETURN_IF_ERROR(Read(shared, &ahead));  // nothing at first
      WriteView view(shared, Holder::kWriteStep);
      RECO_RETURN_IF_ERROR(CheckWritable(view));
      ready = view.state().PrepareAll(some, &ahead, &stored);
    }
    plan->stored.insert(plan->stored.end(), stored.begin(), stored.end());
  }
  store::Batch planned;
  PutPlanned(*plan, shared.cid(), planned);
  {
    WriteView view(shared);
    RECO_RETURN_IF_ERROR(CheckWritable(view));
    RECO_RETURN_IF_ERROR(
        StageAndBegin(view, *plan, [&](store::Batch& batch) { batch.Append(planned); }));
  }
  EndInSteps(shared, interactions.size());
  return plan->answer;
}

}  // namespace

Result<std::uint64_t> Add(SharedState& shared, std::span<const Interaction> interactions,
                          bool replace) {
  RECO_RETURN_IF_ERROR(CheckBatch(interactions));
  return interactions.size() > kShortWrite ? AddMany(shared, interactions, replace)
                                           : AddFew(shared, interactions, replace);
}

namespace {

// Removes some of a user's pairs under one view; adds to `removed` those that were there.
Status RemoveSome(SharedState& shared, std::string_view user,
                  std::span<const std::string_view> items, std::uint64_t* removed) {
  TurnLock turn(shared.turns().writes);
  WriteView view(shared);
  RECO_RETURN_IF_ERROR(CheckWritable(view));
  const auto user_ordinal = view.state().users().ids.Find(user);
  // No id is registered for a removal: what is not known was not preferred.
  if (!user_ordinal) {
    return Status::Ok();
  }
  for (const std::string_view item : items) {
    const auto item_ordinal = view.state().items().ids.Find(item);
    if (!item_ordinal) {
      continue;
    }
    RECO_ASSIGN_OR_RETURN(const auto pair, view.state().LookUpPair(*user_ordinal, *item_ordinal));
    if (!pair) {
      continue;
    }
    Event event;
    event.kind = EventKind::kRemove;
    event.user = *user_ordinal;
    event.item = *item_ordinal;
    event.arrival_ms = event.time_ms = shared.context().clock.NowMs();
    // One by one, each planned after the one before was applied.
    RECO_RETURN_IF_ERROR(Write(view, event));
    ++*removed;
  }
  return Status::Ok();
}

}  // namespace

Result<std::uint64_t> Remove(SharedState& shared, std::string_view user,
                             std::span<const std::string_view> items) {
  constexpr std::size_t kItemsAHold = 64;
  std::uint64_t removed = 0;
  do {
    const std::size_t step = std::min(items.size(), kItemsAHold);
    RECO_RETURN_IF_ERROR(RemoveSome(shared, user, items.first(step), &removed));
    items = items.subspan(step);
  } while (!items.empty());
  return removed;
}

namespace {

// Returns the stored attributes of `ordinal` (unknown or without any: {}) with the patch applied.
Result<std::string> Merged(const SideState& side, std::uint32_t ordinal, std::string_view patch) {
  const Attributes* stored = side.attributes.Find(ordinal);
  std::string merged =
      MergeJson(stored != nullptr && !stored->json.empty() ? stored->json : "{}", patch);
  RECO_RETURN_IF_ERROR(CheckAttributesSize(merged));
  return merged;
}

}  // namespace

Result<bool> SetRecord(SharedState& shared, Side side, std::string_view id,
                       const RecordUpdate& update) {
  RECO_RETURN_IF_ERROR(CheckRecord(side, id, update));
  TurnLock turn(shared.turns().writes);
  WriteView view(shared);
  RECO_RETURN_IF_ERROR(CheckWritable(view));
  NewIds fresh(view.state().side(side).ids);
  Event event;
  event.kind = side == Side::kUser ? EventKind::kUserRecord : EventKind::kItemRecord;
  const std::uint32_t ordinal = fresh.OrdinalOf(id);
  (side == Side::kUser ? event.user : event.item) = ordinal;
  event.arrival_ms = event.time_ms = shared.context().clock.NowMs();
  event.has_text = update.attributes.has_value();
  event.text = update.attributes.value_or("");
  std::string merged;
  // Under the view that writes, so that no change between reading and writing is lost. The log has
  // the whole result: a replay needs no patches.
  if (update.merge && update.attributes) {
    RECO_ASSIGN_OR_RETURN(merged, Merged(view.state().side(side), ordinal, *update.attributes));
    event.text = merged;
  }
  event.hidden =
      update.hidden ? static_cast<std::uint8_t>(*update.hidden) : format::kHiddenUnchanged;
  // -1: as it is.
  event.expire_at_ms = update.expire_at_ms.value_or(-1);
  const bool is_new = !fresh.ids().empty();
  const std::uint64_t seq = view.state().last_seq() + 1;
  std::string record;
  format::EncodeEvent(event, &record);
  RECO_RETURN_IF_ERROR(view.Stage([&](store::Batch& batch) {
    PutNewIds(batch, shared.cid(), side, fresh);
    wal::EventLog::PutEvent(batch, shared.cid(), seq, record);
  }));
  if (is_new) {
    view.state().Register(side, id);
  }
  // A record needs no Prepare: it reads no row.
  view.state().Apply(seq, event, std::nullopt);
  return is_new;
}

namespace {

// About the work that goes with an id: its pairs, or its places in sessions; 0 when there is no
// such id.
std::size_t SizeOf(const SharedState& shared, Side side, std::string_view id) {
  ReadView view(shared);
  const auto ordinal = view.state().side(side).ids.Find(id);
  return ordinal ? std::max<std::size_t>(view.state().side(side).entities[*ordinal].pairs,
                                         view.state().neighbours().PlacesOf(side, *ordinal))
                 : 0;
}

// What is deleted, found and read while others go on.
struct DeletedRow {
  std::uint32_t ordinal = 0;
  std::vector<RowPair> pairs;
};

// Finds and reads the row of an id; nullopt when there is no such id. What is read stays true while
// the caller has the turn of writes.
Result<std::optional<DeletedRow>> FindDeleted(const SharedState& shared, Side side,
                                              std::string_view id) {
  DeletedRow found;
  RowCopy copy;
  std::unique_ptr<store::Snapshot> snapshot;
  {
    ReadView view(shared);
    RECO_RETURN_IF_ERROR(CheckWritable(view));
    const SideState& own = view.state().side(side);
    const auto ordinal = own.ids.Find(id);
    if (!ordinal) {
      return std::optional<DeletedRow>();
    }
    found.ordinal = *ordinal;
    if (own.entities[found.ordinal].pairs == 0) {
      return std::optional(std::move(found));
    }
    if (const Row* row = own.rows.Find(found.ordinal); row != nullptr) {
      copy = RowCopy(*row);
    }
    if (!copy.complete) {
      snapshot = shared.context().storage.store->TakeSnapshot();
    }
  }
  RECO_RETURN_IF_ERROR(RowTable::ReadSnapshot(*shared.context().storage.store, snapshot.get(),
                                              {shared.cid(), side, found.ordinal}, copy,
                                              &found.pairs));
  return std::optional(std::move(found));
}

// Stages the deletion and has the id vanish. Returns false when what `ahead` names is to be read
// first.
Result<bool> TryDelete(SharedState& shared, Side side, DeletedRow* row, ReadAhead* ahead) {
  WriteView view(shared);
  RECO_RETURN_IF_ERROR(CheckWritable(view));
  if (!view.state().PrepareDelete(side, row->pairs, ahead)) {
    return false;
  }
  Event event;
  event.kind = side == Side::kUser ? EventKind::kUserDelete : EventKind::kItemDelete;
  (side == Side::kUser ? event.user : event.item) = row->ordinal;
  event.arrival_ms = event.time_ms = shared.context().clock.NowMs();
  const std::uint64_t seq = view.state().last_seq() + 1;
  std::string record;
  format::EncodeEvent(event, &record);
  RECO_RETURN_IF_ERROR(view.Stage(
      [&](store::Batch& batch) { wal::EventLog::PutEvent(batch, shared.cid(), seq, record); }));
  const bool few = std::max(row->pairs.size(),
                            view.state().neighbours().PlacesOf(side, row->ordinal)) <= kOneHold;
  view.state().BeginDelete(seq, side, row->ordinal, std::move(row->pairs));
  if (few) {
    EndAtOnce(view, 1);
  }
  return true;
}

}  // namespace

Result<bool> DeleteRecord(SharedState& shared, Side side, std::string_view id) {
  std::optional<LongWrite> announced;
  if (SizeOf(shared, side, id) > kShortWrite) {
    announced.emplace(shared);
  }
  TurnLock turn(shared.turns().writes);
  RECO_ASSIGN_OR_RETURN(auto row, FindDeleted(shared, side, id));
  if (!row) {
    return false;
  }
  ReadAhead ahead;
  RECO_ASSIGN_OR_RETURN(bool begun, TryDelete(shared, side, &*row, &ahead));
  while (!begun) {
    RECO_RETURN_IF_ERROR(Read(shared, &ahead));
    RECO_ASSIGN_OR_RETURN(begun, TryDelete(shared, side, &*row, &ahead));
  }
  EndInSteps(shared, 1);
  return true;
}

}  // namespace reco::engine::writer
