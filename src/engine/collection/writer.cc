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
      : users(state.users().ids), items(state.items().ids), answer(state.last_seq()) {}

  std::vector<Event> events;
  // Ordinals are only planned here: an error on the way must leave no ids behind.
  NewIds users;
  NewIds items;
  std::uint64_t answer;
};

Status MakePlan(const View& view, std::span<const Interaction> interactions, bool replace,
                AddPlan* plan) {
  plan->events.reserve(interactions.size());
  Prefetch(view.state(), interactions);
  std::unordered_map<std::string_view, std::uint64_t> new_tokens;
  const std::int64_t now_ms = view.shared().context().clock.NowMs();
  std::uint64_t seq = view.state().last_seq();
  for (const Interaction& interaction : interactions) {
    RECO_ASSIGN_OR_RETURN(Event event, MakeEvent(view.options(), interaction, replace, now_ms));
    // Told before: it counts once, and the answer is the number it had then.
    if (const auto known = view.tokens().Find(event.token)) {
      plan->answer = *known;
      continue;
    }
    if (!event.token.empty()) {
      // A token may also come twice in this call; the window knows it only when it is staged.
      if (const auto [at, added] = new_tokens.try_emplace(event.token, seq + 1); !added) {
        plan->answer = at->second;
        continue;
      }
    }
    event.user = plan->users.OrdinalOf(interaction.user);
    event.item = plan->items.OrdinalOf(interaction.item);
    event.with_previous = !plan->events.empty();
    plan->events.push_back(event);
    plan->answer = ++seq;
  }
  return Status::Ok();
}

// Adds, and returns the answer; nullopt when what `ahead` names is to be read first and
// `may_wait`, so that nobody else waits for the disk.
Result<std::optional<std::uint64_t>> TryAdd(SharedState& shared,
                                            std::span<const Interaction> interactions, bool replace,
                                            ReadAhead* ahead, bool may_wait) {
  WriteView view(shared);
  RECO_RETURN_IF_ERROR(CheckWritable(view));
  // Plan: nothing that follows the staging may fail (I5).
  AddPlan plan(view.state());
  RECO_RETURN_IF_ERROR(MakePlan(view, interactions, replace, &plan));
  // All were known: there is nothing to log.
  if (plan.events.empty()) {
    return std::optional(plan.answer);
  }
  // The pairs as they were before the batch. Apply looks in memory first, where earlier events of
  // the batch are.
  std::vector<std::optional<format::Pair>> stored;
  if (may_wait && !view.state().PrepareAll(plan.events, ahead, &stored)) {
    return std::optional<std::uint64_t>();
  }
  if (!may_wait) {
    RECO_RETURN_IF_ERROR(view.state().PrepareAllNow(plan.events, ahead, &stored));
  }

  // Stage: events, dictionary rows and tokens in one batch (I2).
  const std::uint64_t first = view.state().last_seq() + 1;
  const auto stage = [&](store::Batch& batch) {
    PutNewIds(batch, shared.cid(), Side::kUser, plan.users);
    PutNewIds(batch, shared.cid(), Side::kItem, plan.items);
    thread_local std::string record;
    for (std::size_t i = 0; i < plan.events.size(); ++i) {
      format::EncodeEvent(plan.events[i], &record);
      wal::EventLog::PutEvent(batch, shared.cid(), first + i, record);
      view.tokens().Remember(plan.events[i].token, first + i,
                             shared.context().options.idempotency_window, shared.cid(), &batch);
    }
  };
  RECO_RETURN_IF_ERROR(view.Stage(stage));
  // Apply. In the order in which the ordinals were planned, which is the one Register gives out.
  for (const std::string_view id : plan.users.ids()) {
    view.state().Register(Side::kUser, id);
  }
  for (const std::string_view id : plan.items.ids()) {
    view.state().Register(Side::kItem, id);
  }
  view.state().ApplyAll(first, plan.events, stored);
  // Last: Apply relies on the rows that Prepare has loaded.
  view.state().Evict(plan.events.size());
  return std::optional(plan.answer);
}

}  // namespace

Result<std::uint64_t> Add(SharedState& shared, std::span<const Interaction> interactions,
                          bool replace) {
  RECO_RETURN_IF_ERROR(CheckBatch(interactions));
  ReadAhead ahead;
  RECO_ASSIGN_OR_RETURN(auto answer, TryAdd(shared, interactions, replace, &ahead, true));
  if (!answer) {
    const Storage& storage = shared.context().storage;
    RECO_RETURN_IF_ERROR(storage.Readable());
    RECO_RETURN_IF_ERROR(ahead.Read(*storage.store, shared.cid()));
    // What is missing now is little: what was evicted, or made durable, in between.
    RECO_ASSIGN_OR_RETURN(answer, TryAdd(shared, interactions, replace, &ahead, false));
  }
  return *answer;
}

namespace {

// Removes some of a user's pairs under one view; adds to `removed` those that were there.
Status RemoveSome(SharedState& shared, std::string_view user,
                  std::span<const std::string_view> items, std::uint64_t* removed) {
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

Result<bool> DeleteRecord(SharedState& shared, Side side, std::string_view id) {
  WriteView view(shared);
  RECO_RETURN_IF_ERROR(CheckWritable(view));
  const auto ordinal = view.state().side(side).ids.Find(id);
  if (!ordinal) {
    return false;
  }
  Event event;
  event.kind = side == Side::kUser ? EventKind::kUserDelete : EventKind::kItemDelete;
  (side == Side::kUser ? event.user : event.item) = *ordinal;
  event.arrival_ms = event.time_ms = shared.context().clock.NowMs();
  RECO_RETURN_IF_ERROR(Write(view, event));
  return true;
}

}  // namespace reco::engine::writer
