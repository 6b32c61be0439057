// The writes of a Collection: validate, plan, stage in the log, apply in memory.
#include "engine/collection.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "format/keys.h"

namespace reco::engine {
namespace {

using format::Event;
using format::EventKind;

constexpr std::size_t kBatchMax = 10'000;                 // interactions of one call
constexpr std::int64_t kTimeMaxMs = 253'402'300'799'999;  // end of the year 9999

Status CheckId(std::string_view id, std::string_view what) {
  if (id.empty() || id.size() > kIdBytesMax) {
    return Status::InvalidArgument(std::string(what) + " id must be 1 to " +
                                   std::to_string(kIdBytesMax) + " bytes long, not " +
                                   std::to_string(id.size()));
  }
  return Status::Ok();
}

Status CheckTime(std::int64_t time_ms) {
  return time_ms >= 0 && time_ms <= kTimeMaxMs
             ? Status::Ok()
             : Status::InvalidArgument("a time must be 0 to 253402300799999 ms");
}

// Everything but the ordinals; `now_ms` is its arrival.
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
  if (interactions.empty() || interactions.size() > kBatchMax) {
    return Status::InvalidArgument("a call takes 1 to 10000 interactions, not " +
                                   std::to_string(interactions.size()));
  }
  return Status::Ok();
}

store::Family FamilyOf(Side side) {
  return side == Side::kUser ? store::Family::kUsers : store::Family::kItems;
}

// The ids that a batch makes new, with the ordinals they will get.
class NewIds {
 public:
  explicit NewIds(const Dictionary& known) : known_(known), next_(known.end()) {}

  std::uint32_t OrdinalOf(std::string_view id) {
    if (const auto found = known_.Find(id)) {
      return *found;
    }
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

void PutNewIds(store::Batch& batch, std::uint32_t cid, Side side, const NewIds& fresh) {
  std::uint32_t ordinal = fresh.first();
  for (const std::string_view id : fresh.ids()) {
    format::EntityRecord record;
    record.id = id;
    batch.Put(FamilyOf(side), format::RecordKey(cid, ordinal++), format::EncodeEntity(record));
  }
}

}  // namespace

Result<std::uint16_t> TypeIndex(const CollectionOptions& options, std::string_view name) {
  if (name.empty()) {
    return format::kNoType;
  }
  for (std::size_t i = 0; i < options.types.size(); ++i) {
    if (options.types[i].name == name) {
      return static_cast<std::uint16_t>(i);
    }
  }
  return Status::InvalidArgument("unknown type '" + std::string(name.substr(0, 64)) +
                                 "'; add it with RECO.CONFIG key SET type.<name> <weight>");
}

Collection::Collection(CollectionContext& context, std::uint32_t cid,
                       const CollectionOptions& options)
    : context_(context),
      cid_(cid),
      dim_(StoredDim(options)),
      feedback_(options.feedback),
      rules_(RulesOf(options)),
      options_(options),
      state_(context, cid, options) {
  last_checkpoint_us_ = context.clock.MonotonicUs();
}

CollectionOptions Collection::options() const {
  ReaderLock lock(mutex_);
  return options_;
}

void Collection::SetOptions(const CollectionOptions& options) {
  WriterLock lock(mutex_);
  options_ = options;
}

Status Collection::CheckInteractions(const CollectionOptions& options,
                                     std::span<const Interaction> interactions) {
  RECO_RETURN_IF_ERROR(CheckBatch(interactions));
  for (const Interaction& interaction : interactions) {
    RECO_RETURN_IF_ERROR(MakeEvent(options, interaction, false, 0).status());
  }
  return Status::Ok();
}

Status Collection::CheckRecord(Side side, std::string_view id, const RecordUpdate& update) {
  RECO_RETURN_IF_ERROR(CheckId(id, side == Side::kUser ? "user" : "item"));
  if (update.attributes && update.attributes->size() > kAttributesBytesMax) {
    return Status::InvalidArgument("attributes must be at most 65536 bytes long, not " +
                                   std::to_string(update.attributes->size()));
  }
  if (update.attributes && !IsJsonObject(*update.attributes)) {
    return Status::InvalidArgument("attributes must be a JSON object");
  }
  return update.expire_at_ms ? CheckTime(*update.expire_at_ms) : Status::Ok();
}

void Collection::Drop() {
  MutexLock checkpoint(checkpoint_mutex_);
  WriterLock lock(mutex_);
  dropped_ = true;
}

Status Collection::CheckWritable() const {
  if (dropped_) {
    return Status::NotFound("the collection was deleted");
  }
  return context_.storage.Readable();
}

std::optional<std::uint64_t> Collection::FindToken(std::string_view token) const {
  if (token.empty()) {
    return std::nullopt;
  }
  const auto found = tokens_.find(std::string(token));
  return found != tokens_.end() ? std::optional(found->second) : std::nullopt;
}

void Collection::RememberToken(std::string_view token, std::uint64_t seq, store::Batch* rows) {
  const std::uint64_t window = context_.options.idempotency_window;
  if (token.empty() || window == 0) {
    return;
  }
  tokens_.emplace(token, seq);
  token_order_.emplace_back(token);
  rows->Put(store::Family::kTokens, format::TokenKey(cid_, token), format::EncodeToken(seq));
  while (token_order_.size() > window) {
    rows->Delete(store::Family::kTokens, format::TokenKey(cid_, token_order_.front()));
    tokens_.erase(token_order_.front());
    token_order_.pop_front();
  }
}

Result<std::uint64_t> Collection::Add(std::span<const Interaction> interactions, bool replace) {
  RECO_RETURN_IF_ERROR(CheckBatch(interactions));
  WriterLock lock(mutex_);
  RECO_RETURN_IF_ERROR(CheckWritable());

  // Plan: nothing that follows the staging may fail.
  struct Planned {
    Event event;
    std::optional<format::Pair> stored;
  };
  std::vector<Planned> plan;
  plan.reserve(interactions.size());
  NewIds users(state_.users().ids);
  NewIds items(state_.items().ids);
  std::unordered_map<std::string_view, std::uint64_t> new_tokens;
  const std::int64_t now_ms = context_.clock.NowMs();
  std::uint64_t seq = state_.last_seq();
  std::uint64_t answer = seq;
  for (const Interaction& interaction : interactions) {
    RECO_ASSIGN_OR_RETURN(Event event, MakeEvent(options_, interaction, replace, now_ms));
    if (const auto known = FindToken(event.token)) {
      answer = *known;
      continue;
    }
    if (!event.token.empty()) {
      if (const auto [at, added] = new_tokens.try_emplace(event.token, seq + 1); !added) {
        answer = at->second;
        continue;
      }
    }
    event.user = users.OrdinalOf(interaction.user);
    event.item = items.OrdinalOf(interaction.item);
    RECO_ASSIGN_OR_RETURN(const std::optional<format::Pair> stored, state_.Prepare(event));
    plan.push_back({event, stored});
    answer = ++seq;
  }
  if (plan.empty()) {
    return answer;
  }

  const std::uint64_t first = state_.last_seq() + 1;
  const auto stage = [&](store::Batch& batch) NO_THREAD_SAFETY_ANALYSIS {
    PutNewIds(batch, cid_, Side::kUser, users);
    PutNewIds(batch, cid_, Side::kItem, items);
    thread_local std::string record;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      format::EncodeEvent(plan[i].event, &record);
      wal::EventLog::PutEvent(batch, cid_, first + i, record);
      RememberToken(plan[i].event.token, first + i, &batch);
    }
  };
  RECO_RETURN_IF_ERROR(context_.storage.log->Stage(stage).status());
  for (const std::string_view id : users.ids()) {
    state_.Register(Side::kUser, id);
  }
  for (const std::string_view id : items.ids()) {
    state_.Register(Side::kItem, id);
  }
  for (std::size_t i = 0; i < plan.size(); ++i) {
    state_.Apply(first + i, plan[i].event, plan[i].stored);
  }
  state_.Evict(plan.size());
  events_since_freeze_.fetch_add(plan.size(), std::memory_order_relaxed);
  return answer;
}

Status Collection::Write(const Event& event) {
  RECO_ASSIGN_OR_RETURN(const std::optional<format::Pair> stored, state_.Prepare(event));
  const std::uint64_t seq = state_.last_seq() + 1;
  std::string record;
  format::EncodeEvent(event, &record);
  RECO_RETURN_IF_ERROR(
      context_.storage.log
          ->Stage([&](store::Batch& batch) { wal::EventLog::PutEvent(batch, cid_, seq, record); })
          .status());
  state_.Apply(seq, event, stored);
  state_.Evict(1);
  events_since_freeze_.fetch_add(1, std::memory_order_relaxed);
  return Status::Ok();
}

Result<std::uint64_t> Collection::Remove(std::string_view user,
                                         std::span<const std::string_view> items) {
  WriterLock lock(mutex_);
  RECO_RETURN_IF_ERROR(CheckWritable());
  const auto user_ordinal = state_.users().ids.Find(user);
  if (!user_ordinal) {
    return std::uint64_t{0};
  }
  std::uint64_t removed = 0;
  for (const std::string_view item : items) {
    const auto item_ordinal = state_.items().ids.Find(item);
    if (!item_ordinal) {
      continue;
    }
    RECO_ASSIGN_OR_RETURN(const auto pair, state_.LookUpPair(*user_ordinal, *item_ordinal));
    if (!pair) {
      continue;
    }
    Event event;
    event.kind = EventKind::kRemove;
    event.user = *user_ordinal;
    event.item = *item_ordinal;
    event.arrival_ms = event.time_ms = context_.clock.NowMs();
    RECO_RETURN_IF_ERROR(Write(event));
    ++removed;
  }
  return removed;
}

Result<bool> Collection::SetRecord(Side side, std::string_view id, const RecordUpdate& update) {
  RECO_RETURN_IF_ERROR(CheckRecord(side, id, update));
  WriterLock lock(mutex_);
  RECO_RETURN_IF_ERROR(CheckWritable());
  NewIds fresh(state_.side(side).ids);
  Event event;
  event.kind = side == Side::kUser ? EventKind::kUserRecord : EventKind::kItemRecord;
  (side == Side::kUser ? event.user : event.item) = fresh.OrdinalOf(id);
  event.arrival_ms = event.time_ms = context_.clock.NowMs();
  event.has_text = update.attributes.has_value();
  event.text = update.attributes.value_or("");
  event.hidden = update.hidden ? static_cast<std::uint8_t>(*update.hidden) : 2;
  event.expire_at_ms = update.expire_at_ms.value_or(-1);
  const bool is_new = !fresh.ids().empty();
  const std::uint64_t seq = state_.last_seq() + 1;
  std::string record;
  format::EncodeEvent(event, &record);
  RECO_RETURN_IF_ERROR(context_.storage.log
                           ->Stage([&](store::Batch& batch) {
                             PutNewIds(batch, cid_, side, fresh);
                             wal::EventLog::PutEvent(batch, cid_, seq, record);
                           })
                           .status());
  if (is_new) {
    state_.Register(side, id);
  }
  state_.Apply(seq, event, std::nullopt);
  events_since_freeze_.fetch_add(1, std::memory_order_relaxed);
  return is_new;
}

Result<bool> Collection::DeleteRecord(Side side, std::string_view id) {
  WriterLock lock(mutex_);
  RECO_RETURN_IF_ERROR(CheckWritable());
  const auto ordinal = state_.side(side).ids.Find(id);
  if (!ordinal) {
    return false;
  }
  Event event;
  event.kind = side == Side::kUser ? EventKind::kUserDelete : EventKind::kItemDelete;
  (side == Side::kUser ? event.user : event.item) = *ordinal;
  event.arrival_ms = event.time_ms = context_.clock.NowMs();
  RECO_RETURN_IF_ERROR(Write(event));
  return true;
}

}  // namespace reco::engine
