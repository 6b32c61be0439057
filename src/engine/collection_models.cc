// The models of a Collection: the list of them, and the replaced ones that lists can be made by.
#include <string>
#include <utility>
#include <vector>

#include "engine/collection.h"
#include "engine/collection_queries.h"
#include "format/keys.h"

namespace reco::engine {
namespace {

Status NoSuchModel(std::uint32_t id) {
  return Status::NotFound("model " + std::to_string(id) +
                          " is not kept; RECO.MODEL LIST says which models are");
}

}  // namespace

// Whether a replaced model is one of the newest. Its vectors may be gone all the same, since the
// option was once lower.
bool Collection::MayBeKept(std::uint32_t id, std::uint32_t active) const {
  return id < active && id >= FirstModelKept(active, context_.options.models_kept);
}

Result<bool> Collection::HasItemVectors(std::uint32_t model) const {
  const auto rows = context_.storage.store->Scan(store::Family::kVectors,
                                                 format::VectorPrefix(cid_, model, Side::kItem));
  RECO_RETURN_IF_ERROR(rows->status());
  return rows->Valid();
}

Result<std::vector<ModelInfo>> Collection::Models() const {
  RECO_RETURN_IF_ERROR(context_.storage.Readable());
  std::uint32_t active = 0;
  {
    ReaderLock lock(mutex_);
    active = state_.model().id;
  }
  std::vector<ModelInfo> models;
  const auto rows =
      context_.storage.store->Scan(store::Family::kModels, format::CollectionPrefix(cid_));
  for (; rows->Valid(); rows->Next()) {
    RECO_ASSIGN_OR_RETURN(format::ModelRecord record, format::DecodeModel(rows->value()));
    ModelInfo info;
    info.id = record.id;
    info.active = record.id == active;
    info.kept = info.active;
    if (MayBeKept(record.id, active)) {
      RECO_ASSIGN_OR_RETURN(info.kept, HasItemVectors(record.id));
    }
    info.trained_at_seq = record.trained_at_seq;
    info.trained_at_ms = record.trained_at_ms;
    info.dim = record.dim - (explicit_feedback() ? model::kRatingExtras : 0);
    info.parameters = {{"alpha", record.alpha},
                       {"reg", record.reg},
                       {"regn", record.regn},
                       {"unobserved", record.unobserved},
                       {"iterations", record.iterations},
                       {"seed", static_cast<double>(record.seed)}};
    info.metrics = std::move(record.metrics);
    models.push_back(std::move(info));
  }
  RECO_RETURN_IF_ERROR(rows->status());
  return models;
}

Collection::ModelView Collection::View(const ReplacedModel* replaced) const {
  if (replaced != nullptr) {
    return {replaced->model, replaced->items, replaced->item_gram, &replaced->index};
  }
  return {state_.model(), *state_.items().factors, state_.items().gram, state_.index()};
}

std::uint32_t Collection::ActiveModelId() const {
  ReaderLock lock(mutex_);
  return state_.model().id;
}

Result<std::shared_ptr<const ReplacedModel>> Collection::ModelFor(
    const RankingOptions& options) const {
  if (!options.model) {
    return std::shared_ptr<const ReplacedModel>();
  }
  const std::uint32_t id = *options.model;
  const std::uint32_t active = ActiveModelId();
  if (active != 0 && id == active) {
    return std::shared_ptr<const ReplacedModel>();
  }
  if (!MayBeKept(id, active)) {
    return NoSuchModel(id);
  }
  if (auto found = replaced_.Find(id, context_.clock.MonotonicUs())) {
    return found;
  }
  MutexLock reading(replaced_mutex_);
  if (auto found = replaced_.Find(id, context_.clock.MonotonicUs())) {
    return found;  // another request has read it
  }
  RECO_RETURN_IF_ERROR(context_.memory.Check());
  RECO_ASSIGN_OR_RETURN(auto read, ReadReplaced(id));
  replaced_.Add(read, context_.clock.MonotonicUs());
  return read;
}

Result<std::shared_ptr<const ReplacedModel>> Collection::ReadReplaced(std::uint32_t id) const {
  RECO_RETURN_IF_ERROR(context_.storage.Readable());
  const store::Store& store = *context_.storage.store;
  RECO_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                        store.Get(store::Family::kModels, format::ModelKey(cid_, id)));
  if (!stored) {
    return NoSuchModel(id);
  }
  RECO_ASSIGN_OR_RETURN(const format::ModelRecord record, format::DecodeModel(*stored));
  if (record.dim != dim_) {
    return Status::Corruption("family models: model " + std::to_string(id) +
                              " has the wrong dimension");
  }
  std::uint32_t items = 0;
  {
    ReaderLock lock(mutex_);
    items = state_.items().ids.end();
  }
  const auto read = std::make_shared<ReplacedModel>(dim_);
  read->model = ToActiveModel(record, rules_.halflife_ms);
  read->model.cold = nullptr;  // its items have their vectors
  std::vector<bool> present;
  const auto rows =
      store.Scan(store::Family::kVectors, format::VectorPrefix(cid_, id, Side::kItem));
  for (; rows->Valid(); rows->Next()) {
    const std::uint32_t item = format::TrailingOrdinal(rows->key());
    if (item >= items) {
      return Status::Corruption("family vectors: a vector of an unknown item " +
                                std::to_string(item));
    }
    read->items.Grow(std::size_t{item} + 1);
    present.resize(std::size_t{item} + 1);
    RECO_RETURN_IF_ERROR(
        format::DecodeVector(rows->value(), {read->items.mutable_row(item), dim_}));
    present[item] = true;
  }
  RECO_RETURN_IF_ERROR(rows->status());
  if (present.empty()) {
    return NoSuchModel(id);
  }
  read->item_gram = model::GramOf(read->items);
  read->index.Build(present.size(), [&](std::uint32_t item) { return present[item]; });
  return std::shared_ptr<const ReplacedModel>(read);
}

void Collection::DropReplacedModels() {
  if (replaced_.empty()) {
    return;
  }
  replaced_.Drop(FirstModelKept(ActiveModelId(), context_.options.models_kept),
                 context_.clock.MonotonicUs());
}

}  // namespace reco::engine
