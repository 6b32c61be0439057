// The checkpoint side of CollectionState: what is copied out under the lock, and put back at open.
#include "engine/state/frozen_rows.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/work.h"
#include "engine/state/collection_state.h"
#include "engine/state/replaced_models.h"

namespace reco::engine {
namespace {

format::EntityRecord ToRecord(Side which, const SideState& own, std::uint32_t ordinal) {
  const Entity& entity = own.entities[ordinal];
  format::EntityRecord record;
  record.id = own.ids.id(ordinal);
  if (const Attributes* attributes = own.attributes.Find(ordinal)) {
    record.attributes = attributes->json;
    record.hidden = attributes->hidden;
    record.expire_at_ms = attributes->expire_at_ms;
  }
  record.first_ms = entity.first_ms;
  record.last_ms = entity.last_ms;
  record.pairs = entity.pairs;
  record.events = entity.events;
  record.weight = entity.weight;
  record.last_seq = entity.last_seq;
  // Cosines by co-occurrence, the newest and the popular items need these of items alone.
  if (which == Side::kItem) {
    record.squares = entity.squares;
    record.known_ms = entity.known_ms;
    record.liked = own.liked[ordinal];
  }
  return record;
}

}  // namespace

FrozenRows CollectionState::BeginFreeze() {
  FrozenRows frozen;
  frozen.generation = generation_;
  frozen.dim = dim_;
  frozen.checkpoint.seq = last_seq_;
  frozen.checkpoint.users = users_.ids.end();
  frozen.checkpoint.items = items_.ids.end();
  frozen.checkpoint.interactions = interactions_;
  frozen.checkpoint.event_times_ms = event_times_.times_ms();
  frozen.checkpoint.model = model_.id;
  frozen.first_model = FirstModelKept(model_.id, context_.options.models_kept);
  frozen.checkpoint.model_seq = model_.trained_at_seq;
  frozen.checkpoint.quality = quality;
  // Grams and vectors are those of the same moment as the counters, so what is loaded again
  // satisfies I8.
  if (model_.id != 0) {
    frozen.checkpoint.user_gram = Unpadded(users_.gram);
    frozen.checkpoint.item_gram = Unpadded(items_.gram);
    CountWork(Work::kMatrices, 2);
  }
  frozen.changed = {std::move(users_.dirty), std::move(items_.dirty)};
  frozen.changed_pairs = std::move(dirty_pairs_);
  users_.dirty.clear();
  items_.dirty.clear();
  dirty_pairs_.clear();
  // All of it is named; what changes from here on belongs to the next generation.
  RECO_DCHECK(before_ == nullptr, "I4");
  RECO_DCHECK(!unfinished(), "I4");
  before_ = std::make_unique<BeforeImages>();
  frozen_seq_ = last_seq_;
  unfrozen_bytes_ = 0;
  touched_outside_log_ = false;
  ++generation_;
  return frozen;
}

BeforeImages::Entity CollectionState::ImageOf(Side which, std::uint32_t ordinal) const {
  const SideState& own = side(which);
  // No id: deleted since the last checkpoint, and its rows go with this one (D9).
  BeforeImages::Entity image = {
      {which, ordinal, !own.ids.id(ordinal).empty(), ToRecord(which, own, ordinal)}, {}};
  if (model_.id != 0) {
    const auto vector = own.factors->values(ordinal);
    image.vector.assign(vector.begin(), vector.end());
  }
  return image;
}

void CollectionState::KeepBeforeChange(Side which, std::uint32_t ordinal) {
  // Only what the copy will ask for, and not yet in the next generation: the first change counts.
  if (side(which).entities[ordinal].dirty_generation == generation_ - 1) {
    auto& kept = before_->entities[static_cast<std::size_t>(which)];
    if (!kept.contains(ordinal)) {
      kept.emplace(ordinal, ImageOf(which, ordinal));
    }
  }
}

void CollectionState::CopyEntity(Side which, std::uint32_t ordinal, FrozenRows* frozen) const {
  const auto& kept = before_->entities[static_cast<std::size_t>(which)];
  const auto found = kept.find(ordinal);
  const BeforeImages::Entity image = found != kept.end() ? found->second : ImageOf(which, ordinal);
  frozen->entities.push_back(image.entity);
  if (!image.entity.live) {
    frozen->erased[static_cast<std::size_t>(which)].push_back(ordinal);
  }
  frozen->vectors.insert(frozen->vectors.end(), image.vector.begin(), image.vector.end());
}

void CollectionState::CopyPair(std::uint64_t key, FrozenRows* frozen) const {
  const auto user = static_cast<std::uint32_t>(key >> 32U);
  const auto item = static_cast<std::uint32_t>(key);
  if (const auto found = before_->pairs.find(key); found != before_->pairs.end()) {
    frozen->pairs.push_back({user, item, found->second});
    return;
  }
  format::Pair pair;
  // This generation pins the row, so it is in memory (I7). Not present there: removed.
  const bool present = users_.rows.Lookup(user, item, &pair) == Knowledge::kPresent;
  frozen->pairs.push_back({user, item, present ? std::optional(pair) : std::nullopt});
}

bool CollectionState::CopyFrozen(std::size_t rows, FrozenRows* frozen) const {
  const std::size_t users = frozen->changed[0].size();
  const std::size_t entities = users + frozen->changed[1].size();
  const std::size_t end = std::min(frozen->copied + rows, frozen->size());
  CountWork(Work::kRows, end - frozen->copied);
  for (; frozen->copied < end; ++frozen->copied) {
    const std::size_t i = frozen->copied;
    if (i < users) {
      CopyEntity(Side::kUser, frozen->changed[0][i], frozen);
    } else if (i < entities) {
      CopyEntity(Side::kItem, frozen->changed[1][i - users], frozen);
    } else {
      CopyPair(frozen->changed_pairs[i - entities], frozen);
    }
  }
  return end < frozen->size();
}

std::unique_ptr<BeforeImages> CollectionState::EndFreeze(FrozenRows* frozen) {
  RECO_DCHECK(frozen->copied == frozen->size(), "I4");
  for (const Side which : {Side::kUser, Side::kItem}) {
    std::vector<std::uint32_t>& erased = frozen->erased[static_cast<std::size_t>(which)];
    if (!erased.empty()) {
      side(which).erased.push_back(std::move(erased));
    }
  }
  return std::move(before_);
}

void CollectionState::SetDurable(std::uint32_t generation) {
  users_.rows.set_durable_generation(generation);
  items_.rows.set_durable_generation(generation);
}

bool CollectionState::ForgetErased() {
  constexpr std::size_t kForgottenAStep = 1'000;  // under one hold of the lock
  std::size_t looks = 0;
  std::size_t forgotten = 0;
  for (SideState* own : {&users_, &items_}) {
    std::vector<std::uint32_t> kept;  // pinned, or being built
    while (looks < kForgottenAStep && !own->erased.empty()) {
      std::vector<std::uint32_t>& some = own->erased.front();
      const std::uint32_t ordinal = some.back();
      some.pop_back();
      if (some.empty()) {
        own->erased.pop_front();
      }
      ++looks;
      if (own->rows.Forget(ordinal)) {
        own->entities.Erase(ordinal);
        own->liked.Erase(ordinal);
        ++forgotten;
      } else {
        kept.push_back(ordinal);
      }
    }
    if (!kept.empty()) {
      own->erased.push_back(std::move(kept));
    }
  }
  CountWork(Work::kEntries, looks);
  return forgotten == kForgottenAStep && !(users_.erased.empty() && items_.erased.empty());
}

Status CollectionState::Restore(const format::CheckpointRecord& record, const ActiveModel& model,
                                std::span<const double> trained_item_gram) {
  last_seq_ = frozen_seq_ = record.seq;
  interactions_ = record.interactions;
  quality = record.quality;
  for (const std::int64_t time_ms : record.event_times_ms) {
    event_times_.Note(time_ms);
  }
  model_ = model;
  if (model.id != 0) {
    users_.gram = items_.gram = trained_item_gram_ = model::Gram(dim_);
    RECO_RETURN_IF_ERROR(AssignUnpadded(record.user_gram, &users_.gram));
    RECO_RETURN_IF_ERROR(AssignUnpadded(record.item_gram, &items_.gram));
    RECO_RETURN_IF_ERROR(AssignUnpadded(trained_item_gram, &trained_item_gram_));
  }
  return Status::Ok();
}

}  // namespace reco::engine
