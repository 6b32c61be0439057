#include "engine/persist/model_reader.h"

#include <string>
#include <utility>

#include "format/keys.h"

namespace reco::engine::persist {
namespace {

Status NoSuchModel(std::uint32_t id) {
  return Status::NotFound("model " + std::to_string(id) +
                          " is not kept; RECO.MODEL LIST says which models are");
}

// Returns true iff a replaced model is one of the newest. Its vectors may be gone all the same,
// since the option was once lower.
bool MayBeKept(const SharedState& shared, std::uint32_t id, std::uint32_t active) {
  return id < active && id >= FirstModelKept(active, shared.context().options.models_kept);
}

// Returns true iff the folder has a vector of the model; one row is read.
Result<bool> HasItemVectors(const SharedState& shared, std::uint32_t model) {
  const auto rows = shared.context().storage.store->Scan(
      store::Family::kVectors, format::VectorPrefix(shared.cid(), model, Side::kItem));
  RECO_RETURN_IF_ERROR(rows->status());
  return rows->Valid();
}

std::uint32_t ActiveModelId(const SharedState& shared) {
  ReadView view(shared);
  return view.state().model().id;
}

// Reads a model's item vectors and indexes them. The lock is held for a moment only: the scan sees
// the vectors as of when it began, also when a training deletes them meanwhile.
Result<std::shared_ptr<const ReplacedModel>> ReadReplaced(const SharedState& shared,
                                                          std::uint32_t id) {
  RECO_RETURN_IF_ERROR(shared.context().storage.Readable());
  const store::Store& store = *shared.context().storage.store;
  RECO_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                        store.Get(store::Family::kModels, format::ModelKey(shared.cid(), id)));
  if (!stored) {
    return NoSuchModel(id);
  }
  RECO_ASSIGN_OR_RETURN(const format::ModelRecord record, format::DecodeModel(*stored));
  if (record.dim != shared.dim()) {
    return Status::Corruption("family models: model " + std::to_string(id) +
                              " has the wrong dimension");
  }
  // An ordinal beyond is damage, which must not become an allocation.
  std::uint32_t items = 0;
  {
    ReadView view(shared);
    items = view.state().items().ids.end();
  }
  const auto read = std::make_shared<ReplacedModel>(shared.dim());
  read->model = ToActiveModel(record, shared.signal_rules().halflife_ms);
  read->model.cold = nullptr;  // its items have their vectors
  std::vector<bool> present;
  const auto rows =
      store.Scan(store::Family::kVectors, format::VectorPrefix(shared.cid(), id, Side::kItem));
  for (; rows->Valid(); rows->Next()) {
    const std::uint32_t item = format::TrailingOrdinal(rows->key());
    if (item >= items) {
      return Status::Corruption("family vectors: a vector of an unknown item " +
                                std::to_string(item));
    }
    read->items.Grow(std::size_t{item} + 1);
    present.resize(std::size_t{item} + 1);
    RECO_RETURN_IF_ERROR(
        format::DecodeVector(rows->value(), {read->items.mutable_row(item), shared.dim()}));
    present[item] = true;
  }
  RECO_RETURN_IF_ERROR(rows->status());
  read->items.Compact();
  // The record outlives the vectors (RECO.MODEL LIST shows more models than are kept).
  if (present.empty()) {
    return NoSuchModel(id);
  }
  // Summed over the vectors as read: writes went on moving them after the training, whose Gram the
  // record has.
  read->item_gram = model::GramOf(read->items);
  read->index.Build(present.size(), [&](std::uint32_t item) { return present[item]; });
  return std::shared_ptr<const ReplacedModel>(read);
}

}  // namespace

Result<std::vector<ModelInfo>> Models(const SharedState& shared) {
  RECO_RETURN_IF_ERROR(shared.context().storage.Readable());
  const std::uint32_t active = ActiveModelId(shared);
  std::vector<ModelInfo> models;
  const auto rows = shared.context().storage.store->Scan(store::Family::kModels,
                                                         format::CollectionPrefix(shared.cid()));
  for (; rows->Valid(); rows->Next()) {
    RECO_ASSIGN_OR_RETURN(format::ModelRecord record, format::DecodeModel(rows->value()));
    ModelInfo info;
    info.id = record.id;
    info.active = record.id == active;
    info.kept = info.active;
    if (MayBeKept(shared, record.id, active)) {
      RECO_ASSIGN_OR_RETURN(info.kept, HasItemVectors(shared, record.id));
    }
    info.trained_at_seq = record.trained_at_seq;
    info.trained_at_ms = record.trained_at_ms;
    info.dim = record.dim - (shared.rated() ? model::kRatingExtras : 0);
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

Result<std::shared_ptr<const ReplacedModel>> ModelFor(const SharedState& shared,
                                                      const RankingOptions& options) {
  if (!options.model) {
    return std::shared_ptr<const ReplacedModel>();
  }
  const std::uint32_t id = *options.model;
  const std::uint32_t active = ActiveModelId(shared);
  // A request that names the active model needs no copy of it.
  if (active != 0 && id == active) {
    return std::shared_ptr<const ReplacedModel>();
  }
  if (!MayBeKept(shared, id, active)) {
    return NoSuchModel(id);
  }
  if (auto found = shared.replaced().Find(id, shared.context().clock.MonotonicUs())) {
    return found;
  }
  // One request reads; those that wanted the same model wait for it rather than read it again.
  const TurnLock turn(shared.turns().models);
  if (auto found = shared.replaced().Find(id, shared.context().clock.MonotonicUs())) {
    return found;  // another request has read it
  }
  // The copy is as large as the live item table, so it counts as growth.
  RECO_RETURN_IF_ERROR(shared.context().memory.Check());
  RECO_ASSIGN_OR_RETURN(auto read, ReadReplaced(shared, id));
  shared.replaced().Add(read, shared.context().clock.MonotonicUs());
  return read;
}

void DropReplacedModels(const SharedState& shared) {
  if (shared.replaced().empty()) {
    return;
  }
  shared.replaced().Drop(
      FirstModelKept(ActiveModelId(shared), shared.context().options.models_kept),
      shared.context().clock.MonotonicUs());
}

}  // namespace reco::engine::persist
