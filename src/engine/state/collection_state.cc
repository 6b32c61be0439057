// How the state follows events: Apply changes memory alone and cannot fail (I5), and what hangs on
// a changed pair (counters, running sums, vectors, Grams, rankings, indexes) is kept current from
// there. What may fail comes before, in prepare.cc; what is copied for the disk, and put back at
// open, is in frozen_rows.cc.
#include "engine/state/collection_state.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/sorted.h"
#include "base/work.h"
#include "engine/rows/running_sums.h"
#include "format/event_effect.h"
#include "format/keys.h"

namespace reco::engine {

using format::Event;

struct CollectionState::Change {
  std::optional<format::Pair> before;
  std::optional<format::Pair> after;

  double stored_growth() const {
    return (after ? static_cast<double>(after->weight) : 0) -
           (before ? static_cast<double>(before->weight) : 0);
  }
  double squares_growth() const {
    const auto square = [](const std::optional<format::Pair>& pair) {
      const double weight = pair ? static_cast<double>(pair->weight) : 0;
      return weight * weight;
    };
    return square(after) - square(before);
  }
  float old_weight(const ModelSignal& signal) const {
    return before ? signal.WeightOf(*before) : 0;
  }
  float new_weight(const ModelSignal& signal) const { return after ? signal.WeightOf(*after) : 0; }
};

namespace {

// Leaves of sorted numbers those that are there more than once, each once.
void KeepRepeated(std::vector<std::uint64_t>* numbers) {
  std::size_t kept = 0;
  for (std::size_t i = 1; i < numbers->size(); ++i) {
    const std::uint64_t number = (*numbers)[i];
    if (number == (*numbers)[i - 1] && (kept == 0 || (*numbers)[kept - 1] != number)) {
      (*numbers)[kept++] = number;
    }
  }
  numbers->resize(kept);
}

}  // namespace

CollectionState::CollectionState(CollectionContext& context, std::uint32_t cid,
                                 const CollectionOptions& options, RecentLists& recent)
    : context_(context),
      cid_(cid),
      dim_(StoredDim(options)),
      rules_(RulesOf(options)),
      fold_in_(options.fold_in),
      users_(context, cid, Side::kUser, dim_),
      items_(context, cid, Side::kItem, dim_),
      feedback_(options.feedback),
      trained_item_gram_(0),
      recent_(recent),
      new_vector_(model::StrideFor(dim_)) {
  if (options.neighbours != Neighbours::kOff) {
    neighbours_.Keep(context.options.neighbours_bytes);
  }
}

std::uint32_t CollectionState::Register(Side which, std::string_view id) {
  const std::uint32_t ordinal = side(which).ids.Add(id);
  Grow(which, ordinal + 1);
  side(which).entities.Make(ordinal);
  // A new item is in the index at once, with a zero vector, because lists are of all items (I11).
  if (which == Side::kItem) {
    RefreshIndexes(ordinal);
  }
  return ordinal;
}

void CollectionState::Grow(Side which, std::uint32_t end) {
  side(which).ids.Reserve(end);
  side(which).factors->Grow(end);
}

// --- Apply: cannot fail (I5) ---------------------------------------------------------------------

// Returns the pair of the event as it is now. Events applied since Prepare are in memory, so memory
// goes before what Prepare found.
std::optional<format::Pair> CollectionState::CurrentPair(
    const Event& event, const std::optional<format::Pair>& stored) const {
  format::Pair pair;
  Knowledge known = users_.rows.Lookup(event.user, event.item, &pair);
  if (known == Knowledge::kUnknown) {
    known = items_.rows.Lookup(event.item, event.user, &pair);
  }
  if (known == Knowledge::kUnknown) {
    return stored;
  }
  return known == Knowledge::kPresent ? std::optional(pair) : std::nullopt;
}

void CollectionState::Apply(std::uint64_t seq, const Event& event,
                            const std::optional<format::Pair>& stored) {
  RECO_DCHECK(seq == last_seq_ + 1, "I1");
  RECO_DCHECK(!unfinished(), "I6");
  format::MatchEffect(
      event,
      [&](const format::PairAdded&) {
        pair_changes_.assign(1, ApplyPair(seq, event, CurrentPair(event, stored)));
        BeginFold();
      },
      [&](const format::PairRemoved&) { ApplyRemove(seq, event, CurrentPair(event, stored)); },
      [&](const format::RecordSet& set) { ApplyRecord(seq, set.side, set.ordinal, event); },
      [&](const format::Deleted& gone) {
        std::vector<RowPair> pairs;
        side(gone.side).rows.Find(gone.ordinal)->pairs.AppendTo(&pairs);
        BeginDelete(seq, gone.side, gone.ordinal, std::move(pairs));
      },
      [this](const format::RowsSolved&) { ++row_events_; }, [](const format::NoEffect&) {});
  // A deletion is taken in by its steps.
  if (!deleting_) {
    neighbours_.Take(event);
  }
  last_seq_ = seq;
  while (Continue()) {
  }
}

void CollectionState::ApplyAll(std::uint64_t first, std::span<const Event> events,
                               std::span<const std::optional<format::Pair>> stored) {
  BeginAll(first, events, stored);
  while (Continue()) {
  }
}

void CollectionState::BeginAll(std::uint64_t first, std::span<const Event> events,
                               std::span<const std::optional<format::Pair>> stored) {
  RECO_DCHECK(first == last_seq_ + 1, "I1");
  RECO_DCHECK(!unfinished(), "I6");
  // Looking a pair up walks its row. Only one that the call names twice is not as it was prepared.
  std::vector<std::uint64_t>& repeated = owners_;
  repeated.clear();
  for (const Event& event : events) {
    repeated.push_back(std::uint64_t{event.user} << 32U | event.item);
  }
  std::sort(repeated.begin(), repeated.end());
  KeepRepeated(&repeated);
  pair_changes_.clear();
  constexpr std::size_t kFetched = 32;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i % kFetched == 0) {
      const auto next = events.subspan(i, std::min(kFetched, events.size() - i));
      users_.Prefetch(next, [](const Event& event) { return event.user; });
      items_.Prefetch(next, [](const Event& event) { return event.item; });
    }
    const std::uint64_t key = std::uint64_t{events[i].user} << 32U | events[i].item;
    const bool again = std::binary_search(repeated.begin(), repeated.end(), key);
    pair_changes_.push_back(
        ApplyPair(first + i, events[i], again ? CurrentPair(events[i], stored[i]) : stored[i]));
  }
  taking_neighbours_ = neighbours_.BeginTake(events);
  BeginFold();
  last_seq_ = first + events.size() - 1;
}

bool CollectionState::Continue() {
  if (deleting_) {
    return RemoveSomePairs();
  }
  if (taking_neighbours_) {
    taking_neighbours_ = neighbours_.TakeSome();
    return unfinished();
  }
  return folding_ && FoldSome();
}

void CollectionState::Evict(std::size_t writes) {
  constexpr std::size_t kSteps = 16;  // owners looked at a write: keeps up with one row a write
  if (context_.row_budget.over()) {
    users_.rows.Evict(kSteps * writes);
    items_.rows.Evict(kSteps * writes);
  }
}

// Follows the event in everything but sums and vectors, which FoldSome does.
CollectionState::PairChange CollectionState::ApplyPair(std::uint64_t seq, const Event& event,
                                                       const std::optional<format::Pair>& before) {
  Change change;
  unfrozen_bytes_ += sizeof(FrozenRows::FrozenPair);
  change.before = before;
  change.after = Accumulate(before ? &*before : nullptr, event, rules_);
  BeforeChange(event.user, event.item, before);
  CountTimes(event.user, -1);
  CountPair(Side::kUser, event.user, seq, change);
  CountPair(Side::kItem, event.item, seq, change);
  interactions_ += before ? 0 : 1;
  dirty_pairs_.push_back(std::uint64_t{event.user} << 32U | event.item);
  // CountPair has counted this one: an owner with one pair, just added, has nothing on disk, so its
  // row in memory is whole without a read.
  const bool first_of_user = users_.entities[event.user].pairs == 1 && !change.before;
  // Lists of many pairs are worth their memory only to solve by.
  const bool first_of_item =
      NeedsRows(Side::kItem) && items_.entities[event.item].pairs == 1 && !change.before;
  users_.rows.Put(event.user, event.item, *change.after, generation_, first_of_user);
  items_.rows.Put(event.item, event.user, *change.after, generation_, first_of_item);
  for (const Side which : {Side::kUser, Side::kItem}) {
    const std::uint32_t ordinal = which == Side::kUser ? event.user : event.item;
    Entity* entity = side(which).entities.Find(ordinal);
    // A first event sets the time, as do those of an entity that lost all its pairs before.
    entity->first_ms = entity->events == 1 || entity->first_ms == 0
                           ? event.happened_ms()
                           : std::min(entity->first_ms, event.happened_ms());
    entity->last_ms = std::max(entity->last_ms, event.happened_ms());
    UpdateKnown(which, ordinal, event);
  }
  CountTimes(event.user, 1);
  event_times_.Note(event.happened_ms());
  newest_ms_ = std::max(newest_ms_, event.happened_ms());
  UpdatePopularity(event.item);
  UpdateActivity(event.user);
  recent_.Add({event.user, event.item, event.weight, event.happened_ms(), event.arrival_ms,
               format::Replaces(event.kind)});
  return {event.user, event.item, change.old_weight(model_.signal),
          change.new_weight(model_.signal)};
}

void CollectionState::ApplyRemove(std::uint64_t seq, const Event& event,
                                  const std::optional<format::Pair>& before) {
  if (!before) {
    return;
  }
  RemovePair(seq, event.user, event.item, *before);
  UpdatePopularity(event.item);
  UpdateActivity(event.user);
  if (model_.id != 0) {
    Resolve(Side::kUser, event.user);
    Resolve(Side::kItem, event.item);
  }
}

void CollectionState::RemovePair(std::uint64_t seq, std::uint32_t user, std::uint32_t item,
                                 const format::Pair& pair) {
  Change change;
  change.before = pair;
  unfrozen_bytes_ += sizeof(FrozenRows::FrozenPair);
  BeforeChange(user, item, pair);
  --interactions_;
  dirty_pairs_.push_back(std::uint64_t{user} << 32U | item);
  // What is deleted goes as a whole, counters and row.
  if (!IsDeleting(Side::kUser, user)) {
    CountTimes(user, -1);
    CountPair(Side::kUser, user, seq, change);
    CountTimes(user, 1);
    users_.rows.Erase(user, item, generation_);
  }
  if (!IsDeleting(Side::kItem, item)) {
    CountPair(Side::kItem, item, seq, change);
    items_.rows.Erase(item, user, generation_);
  }
  recent_.Remove(user, item);
  // The sums follow here; the callers solve, and a deletion does so when all its pairs are out.
  const float old_weight = change.old_weight(model_.signal);
  const WeightChange of_user[] = {{item, old_weight, 0}};
  const WeightChange of_item[] = {{user, old_weight, 0}};
  UpdateSums(Side::kUser, user, of_user);
  UpdateSums(Side::kItem, item, of_item);
}

void CollectionState::ApplyRecord(std::uint64_t seq, Side which, std::uint32_t ordinal,
                                  const Event& event) {
  SideState& own = side(which);
  BeforeChange(which, ordinal);
  Attributes attributes = own.attributes.Take(ordinal);
  if (event.has_text) {
    attributes.json = event.text;
  }
  if (event.hidden != format::kHiddenUnchanged) {
    attributes.hidden = event.hidden == 1;
  }
  if (event.expire_at_ms >= 0) {
    attributes.expire_at_ms = event.expire_at_ms;
  }
  // Columns follow only those fields that filters have asked for.
  if (event.has_text) {
    own.columns.Set(ordinal, attributes.json);
  }
  if (own.entities[ordinal].dirty_generation == generation_) {
    unfrozen_bytes_ += event.text.size();  // MarkDirty below counts those that are new to it
  }
  own.attributes.Put(ordinal, std::move(attributes));
  own.entities.Make(ordinal).last_seq = seq;
  UpdateKnown(which, ordinal, event);
  MarkDirty(which, ordinal);
  // An item with pairs takes its new attributes into account with its next pair.
  if (which == Side::kItem && model_.cold != nullptr && own.entities[ordinal].pairs == 0) {
    Resolve(which, ordinal);
  }
}

void CollectionState::BeginDelete(std::uint64_t seq, Side which, std::uint32_t ordinal,
                                  std::vector<RowPair> pairs) {
  RECO_DCHECK(seq == last_seq_ + 1, "I1");
  RECO_DCHECK(!unfinished(), "I6");
  SideState& own = side(which);
  BeforeChange(which, ordinal);
  if (model_.id != 0) {
    // Out of the Gram (I8) before the partners are solved, which read that.
    std::fill(new_vector_.begin(), new_vector_.end(), 0.0F);
    own.gram.Update(own.factors->row(ordinal), new_vector_.data());
    own.factors->Release(ordinal);
  }
  if (which == Side::kItem && index_ != nullptr) {
    index_->Remove(ordinal);
  }
  if (which == Side::kItem && approximate_.graph != nullptr) {
    approximate_.graph->Remove(ordinal);
  }
  own.attributes.Take(ordinal);
  own.columns.Erase(ordinal);
  if (which == Side::kUser) {
    CountTimes(ordinal, -1);
  }
  // The ordinal stays a hole for ever (I10). Its entity remains dirty, with no id, by which the
  // next checkpoint deletes its rows (D9).
  own.entities.Make(ordinal) = Entity{.last_seq = seq};
  MarkDirty(which, ordinal);
  own.ids.Erase(ordinal);
  if (which == Side::kUser) {
    UpdateActivity(ordinal);
  } else {
    own.liked.Erase(ordinal);
    UpdatePopularity(ordinal);
  }
  if (which == Side::kItem && indexes_built_) {
    latest_items_.Unrank(ordinal);
  }
  // RemovePair and UpdateSums leave its own side alone from here on.
  deleting_ = {which, ordinal, seq, std::move(pairs), 0};
  last_seq_ = seq;
}

// Takes the next pairs of what is deleted out of its partners.
bool CollectionState::RemoveSomePairs() {
  const Side which = deleting_->side;
  const Side other = Other(which);
  const std::size_t end = std::min(deleting_->removed + kRemovedAStep, deleting_->pairs.size());
  CountWork(Work::kEntries, end - deleting_->removed);
  for (; deleting_->removed < end; ++deleting_->removed) {
    const RowPair& pair = deleting_->pairs[deleting_->removed];
    const std::uint32_t user = which == Side::kUser ? deleting_->ordinal : pair.other;
    const std::uint32_t item = which == Side::kUser ? pair.other : deleting_->ordinal;
    RemovePair(deleting_->seq, user, item, pair.pair);
    if (which == Side::kUser) {
      UpdatePopularity(item);
    } else {
      UpdateActivity(user);
    }
    if (model_.id == 0) {
      continue;
    }
    // The background would also solve what writes do not move.
    if (!deleting_->solved_later() || !Follows(other)) {
      Resolve(other, pair.other);
    } else {
      side(other).pending.push_back(pair.other);
    }
  }
  const bool more = neighbours_.ForgetSome(which, deleting_->ordinal);
  if (more || end < deleting_->pairs.size()) {
    return true;
  }
  // Last: until then a checkpoint's copy finds in it the pairs that are still to go (D39).
  side(which).rows.EraseAll(deleting_->ordinal, generation_);
  deleting_.reset();
  return false;
}

void CollectionState::CountPair(Side which, std::uint32_t ordinal, std::uint64_t seq,
                                const Change& change) {
  BeforeChange(which, ordinal);
  Entity& entity = side(which).entities.Make(ordinal);
  const auto count = [](const std::optional<format::Pair>& pair) {
    return pair ? std::uint64_t{pair->count} : 0;
  };
  entity.pairs += (change.after ? 1U : 0U) - (change.before ? 1U : 0U);
  entity.events += count(change.after) - count(change.before);
  entity.weight += change.stored_growth();
  if (which == Side::kItem) {
    const auto liked = [&count](const std::optional<format::Pair>& pair) {
      return pair && pair->weight > 0 ? count(pair) : 0;
    };
    const std::uint64_t before = liked(change.before);
    const std::uint64_t after = liked(change.after);
    if (before != after) {
      format::Liked& sums = items_.liked.Make(ordinal);
      sums.pairs += (after != 0 ? 1U : 0U) - (before != 0 ? 1U : 0U);
      sums.events += after - before;
    }
  }
  // Sums of floats leave a rest when all is taken out: an empty row is 0 exactly, and none
  // negative.
  entity.squares = entity.pairs != 0 ? std::max(0.0, entity.squares + change.squares_growth()) : 0;
  entity.last_seq = seq;
  MarkDirty(which, ordinal);
}

std::string_view CollectionState::AttributesOf(std::uint32_t item) const {
  const Attributes* attributes = items_.attributes.Find(item);
  return attributes != nullptr ? std::string_view(attributes->json) : "";
}

void CollectionState::RefreshIndexes(std::uint32_t item) {
  if (index_ != nullptr) {
    index_->Refresh(item);
  }
  if (approximate_.graph != nullptr) {
    approximate_.graph->Refresh(item);
  }
}

void CollectionState::MarkDirty(Side which, std::uint32_t ordinal) {
  SideState& own = side(which);
  Entity& entity = own.entities.Make(ordinal);
  // Once in the list for each generation (frozen_rows.h).
  if (entity.dirty_generation != generation_) {
    entity.dirty_generation = generation_;
    own.dirty.push_back(ordinal);
    const Attributes* attributes = own.attributes.Find(ordinal);
    unfrozen_bytes_ += sizeof(FrozenRows::FrozenEntity) +
                       (attributes != nullptr ? attributes->json.size() : 0) +
                       (model_.id != 0 ? sizeof(float) * dim_ : 0);
  }
  // With repeats, which the training's catch-up sorts out.
  if (collect_touched_) {
    own.touched.push_back(ordinal);
  }
}

void CollectionState::UpdatePopularity(std::uint32_t item) {
  // While loading, rankings are not kept event by event: BuildIndexes makes them from the counters
  // at the end of the replay.
  if (indexes_built_) {
    const format::Liked& liked = items_.liked[item];
    popularity_.Update(item, liked.pairs, items_.entities[item].weight, liked.events);
  }
}

void CollectionState::UpdateActivity(std::uint32_t user) {
  if (!indexes_built_) {
    return;
  }
  const Entity& entity = users_.entities[user];
  if (entity.pairs > 0) {
    active_users_.Set(user, static_cast<double>(entity.events));
  } else {
    active_users_.Unrank(user);
  }
}

void CollectionState::CountTimes(std::uint32_t user, int sign) {
  const Entity& entity = users_.entities[user];
  if (indexes_built_ && entity.pairs > 0) {
    event_times_.CountUser(entity.first_ms == entity.last_ms, sign);
  }
}

void CollectionState::UpdateKnown(Side which, std::uint32_t ordinal, const Event& event) {
  Entity& entity = side(which).entities.Make(ordinal);
  const std::int64_t time_ms = event.happened_ms();
  // Events may come late: the earliest time stands, by whatever order they arrive in.
  if (entity.known_ms != Entity::kNotKnown && entity.known_ms <= time_ms) {
    return;
  }
  entity.known_ms = time_ms;
  if (which == Side::kItem && indexes_built_) {
    latest_items_.Set(ordinal, static_cast<double>(time_ms));
  }
}

void CollectionState::CollectTouched(bool on) {
  collect_touched_ = on;
  users_.touched.clear();
  items_.touched.clear();
}

std::uint64_t CollectionState::memory_bytes() const {
  std::uint64_t bytes = users_.rows.memory_bytes() + items_.rows.memory_bytes();
  for (const SideState* own : {&users_, &items_}) {
    bytes += own->ids.memory_bytes() + own->factors->memory_bytes() + own->entities.memory_bytes() +
             own->liked.memory_bytes() + own->columns.memory_bytes() +
             own->attributes.memory_bytes();
  }
  bytes += model_.cold != nullptr ? model_.cold->memory_bytes() : 0;
  // Three Grams: the users', the items' and the items' as trained; float64 with a float32 copy.
  const std::uint64_t gram_bytes =
      model_.id != 0 ? 3ULL * dim_ * dim_ * (sizeof(double) + sizeof(float)) : 0;
  return bytes + gram_bytes + rankings_bytes() + neighbours_.memory_bytes() +
         recent_.memory_bytes() + approximate_.memory_bytes +
         (index_ != nullptr ? index_->memory_bytes() : 0);
}

void CollectionState::BuildIndexes() {
  items_.entities.ForEach(0, items_.ids.end(), [this](std::uint32_t item, const Entity& entity) {
    // Not stored: the events behind the counters are not read again at open.
    newest_ms_ = std::max(newest_ms_, entity.last_ms);
    const format::Liked& liked = items_.liked[item];
    popularity_.Update(item, liked.pairs, entity.weight, liked.events);
    if (!items_.ids.id(item).empty()) {
      latest_items_.Set(item, static_cast<double>(entity.known_ms));
    }
  });
  // From here on Apply keeps the rankings current; UpdateActivity below is silent without it.
  indexes_built_ = true;
  users_.entities.ForEach(0, users_.ids.end(), [this](std::uint32_t user, const Entity& entity) {
    if (entity.pairs > 0) {
      UpdateActivity(user);
      CountTimes(user, 1);
      // Records of older versions have no list of times.
      event_times_.Note(entity.first_ms);
      event_times_.Note(entity.last_ms);
    }
  });
  // Built after the replay, whose writes need not go through it one by one.
  if (model_.id != 0 && index_ == nullptr) {
    index_ = std::make_unique<index::ItemIndex>(*items_.factors);
    index_->Build(items_.ids.end(),
                  [this](std::uint32_t item) { return !items_.ids.id(item).empty(); });
  }
}

CollectionState::OldModel CollectionState::Activate(NewModel model) {
  OldModel old{std::exchange(model_, model.active),
               std::move(users_.factors),
               std::move(items_.factors),
               {std::exchange(users_.gram, std::move(model.user_gram)),
                std::exchange(items_.gram, std::move(model.item_gram)),
                std::exchange(trained_item_gram_, model::Gram(0))},
               std::move(index_),
               std::exchange(approximate_, {})};
  trained_item_gram_ = items_.gram;
  CountWork(Work::kMatrices, 1);
  users_.factors = std::move(model.users);
  items_.factors = std::move(model.items);
  index_ = std::move(model.index);
  for (SideState* own : {&users_, &items_}) {
    // Ids that came while the model was trained have no vector in it: they begin with zeros.
    own->factors->Grow(own->ids.end());
    // Queued for the old vectors; the training has solved every row but those that it queues itself
    // behind this (catch_up.cc).
    own->pending.clear();
    own->old_sums_next = 0;
  }
  if (index_ == nullptr) {
    index_ = std::make_unique<index::ItemIndex>(*items_.factors);
    index_->Build(items_.ids.end(),
                  [this](std::uint32_t item) { return !items_.ids.id(item).empty(); });
  }
  // No event stands for a new model.
  touched_outside_log_ = true;
  return old;
}

bool CollectionState::DropOldSums(std::size_t rows) {
  bool more = false;
  for (SideState* own : {&users_, &items_}) {
    const auto end = static_cast<std::uint32_t>(
        std::min<std::size_t>(own->ids.end(), own->old_sums_next + rows));
    CountWork(Work::kEntries, end - own->old_sums_next);
    for (; own->old_sums_next < end; ++own->old_sums_next) {
      Row* row = own->rows.Find(own->old_sums_next);
      if (row != nullptr && row->sums != nullptr) {
        row->DropOldSums(model_.id);
        own->rows.Account(*row);
      }
    }
    more = more || end < own->ids.end();
  }
  return more;
}

}  // namespace reco::engine
