// The checkpoint side of CollectionState: what is copied out under the lock, what is put back at
// open, and how a newly trained model takes over.
#include <algorithm>
#include <utility>

#include "base/sorted.h"
#include "engine/state/collection_state.h"
#include "engine/state/replaced_models.h"

namespace reco::engine {
namespace {

Status AssignUnpadded(std::span<const double> values, model::Gram* gram) {
  const std::size_t dim = gram->dim();
  if (values.size() != dim * dim) {
    return Status::Corruption("a gram matrix has the wrong size");
  }
  std::vector<double> padded(std::size_t{gram->stride()} * gram->stride());
  for (std::size_t i = 0; i < dim; ++i) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * dim), dim,
                padded.begin() + static_cast<std::ptrdiff_t>(i * gram->stride()));
  }
  gram->Assign(padded);
  return Status::Ok();
}

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
  if (which == Side::kItem) {
    record.squares = entity.squares;
    record.known_ms = entity.known_ms;
  }
  return record;
}

}  // namespace

std::vector<double> Unpadded(const model::Gram& gram) {
  std::vector<double> values;
  values.reserve(std::size_t{gram.dim()} * gram.dim());
  for (std::uint32_t i = 0; i < gram.dim(); ++i) {
    const double* row = gram.values() + std::size_t{i} * gram.stride();
    values.insert(values.end(), row, row + gram.dim());
  }
  return values;
}

ActiveModel ToActiveModel(const format::ModelRecord& record, double halflife_ms) {
  return {record.id,
          record.trained_at_seq,
          {static_cast<float>(record.alpha), static_cast<float>(record.reg),
           static_cast<float>(record.regn), static_cast<float>(record.unobserved)},
          {record.weighting, halflife_ms, record.reference_ms},
          record.mean,
          FromRecord(record.attributes)};
}

FrozenRows CollectionState::Freeze() {
  FrozenRows frozen;
  frozen.generation = generation_;
  frozen.dim = dim_;
  frozen.checkpoint.seq = last_seq_;
  frozen.checkpoint.users = users_.ids.end();
  frozen.checkpoint.items = items_.ids.end();
  frozen.checkpoint.interactions = interactions_;
  frozen.checkpoint.model = model_.id;
  frozen.first_model = FirstModelKept(model_.id, context_.options.models_kept);
  frozen.checkpoint.model_seq = model_.trained_at_seq;
  frozen.checkpoint.quality = quality;
  const bool with_vectors = model_.id != 0;
  if (with_vectors) {
    frozen.checkpoint.user_gram = Unpadded(users_.gram);
    frozen.checkpoint.item_gram = Unpadded(items_.gram);
    frozen.vectors.reserve((users_.dirty.size() + items_.dirty.size()) * dim_);
  }
  frozen.entities.reserve(users_.dirty.size() + items_.dirty.size());
  for (const Side which : {Side::kUser, Side::kItem}) {
    SideState& own = side(which);
    for (const std::uint32_t ordinal : own.dirty) {
      frozen.entities.push_back(
          {which, ordinal, !own.ids.id(ordinal).empty(), ToRecord(which, own, ordinal)});
      if (with_vectors) {
        const auto vector = own.factors->values(ordinal);
        frozen.vectors.insert(frozen.vectors.end(), vector.begin(), vector.end());
      }
    }
    own.dirty.clear();
  }
  SortUnique(&dirty_pairs_);
  frozen.pairs.reserve(dirty_pairs_.size());
  for (const std::uint64_t key : dirty_pairs_) {
    const auto user = static_cast<std::uint32_t>(key >> 32U);
    const auto item = static_cast<std::uint32_t>(key);
    format::Pair pair;
    const bool present = users_.rows.Lookup(user, item, &pair) == Knowledge::kPresent;
    frozen.pairs.push_back({user, item, present ? std::optional(pair) : std::nullopt});
  }
  dirty_pairs_.clear();
  frozen_seq_ = last_seq_;
  touched_outside_log_ = false;
  ++generation_;
  return frozen;
}

void CollectionState::SetDurable(std::uint32_t generation) {
  users_.rows.set_durable_generation(generation);
  items_.rows.set_durable_generation(generation);
}

Status CollectionState::Restore(const format::CheckpointRecord& record, const ActiveModel& model,
                                std::span<const double> trained_item_gram) {
  last_seq_ = frozen_seq_ = record.seq;
  interactions_ = record.interactions;
  quality = record.quality;
  model_ = model;
  if (model.id != 0) {
    RECO_RETURN_IF_ERROR(AssignUnpadded(record.user_gram, &users_.gram));
    RECO_RETURN_IF_ERROR(AssignUnpadded(record.item_gram, &items_.gram));
    RECO_RETURN_IF_ERROR(AssignUnpadded(trained_item_gram, &trained_item_gram_));
  }
  return Status::Ok();
}

void CollectionState::BuildIndexes() {
  for (std::uint32_t item = 0; item < items_.entities.size(); ++item) {
    const Entity& entity = items_.entities[item];
    newest_ms_ = std::max(newest_ms_, std::min(entity.last_ms, context_.clock.NowMs()));
    if (entity.pairs > 0) {
      popularity_.Update(item, entity.pairs, entity.weight, entity.events);
    }
    if (!items_.ids.id(item).empty()) {
      latest_items_.Set(item, static_cast<double>(entity.known_ms));
    }
  }
  indexes_built_ = true;
  for (std::uint32_t user = 0; user < users_.entities.size(); ++user) {
    if (users_.entities[user].pairs > 0) {
      UpdateActivity(user);
    }
  }
  if (model_.id != 0 && index_ == nullptr) {
    index_ = std::make_unique<index::ItemIndex>(*items_.factors);
    index_->Build(items_.entities.size(),
                  [this](std::uint32_t item) { return !items_.ids.id(item).empty(); });
  }
}

void CollectionState::Activate(NewModel model) {
  model_ = model.active;
  users_.gram = std::move(model.user_gram);
  items_.gram = std::move(model.item_gram);
  trained_item_gram_ = items_.gram;
  index_.reset();  // refers to the tables that go
  approximate_ = {};
  users_.factors = std::move(model.users);
  items_.factors = std::move(model.items);
  index_ = std::move(model.index);
  for (SideState* own : {&users_, &items_}) {
    own->factors->Grow(own->entities.size());
    own->pending.clear();
    for (std::uint32_t ordinal = 0; ordinal < own->entities.size(); ++ordinal) {
      if (Row* row = own->rows.Find(ordinal); row != nullptr) {
        row->DropSums();  // they are over the vectors of the old model
        own->rows.Account(*row);
      }
    }
  }
  if (index_ == nullptr) {
    index_ = std::make_unique<index::ItemIndex>(*items_.factors);
    index_->Build(items_.entities.size(),
                  [this](std::uint32_t item) { return !items_.ids.id(item).empty(); });
  }
  touched_outside_log_ = true;
}

}  // namespace reco::engine
