// Vectors are written ahead under a number that nobody reads; the swap then needs one group for all
// of it, which the Checkpointer writes (I4, I12).
#include "engine/training/swap.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "engine/state/replaced_models.h"
#include "engine/training/catch_up.h"
#include "format/keys.h"

namespace reco::engine::training {
namespace {

constexpr std::size_t kVectorsPerGroup = 4'096;
constexpr std::size_t kModelsListed = 16;

// Deletes vectors that no list needs: item vectors of the newest replaced models stay, to rank by;
// users' are solved on read.
void DeleteReplacedVectors(const SharedState& shared, std::uint32_t old_model,
                           std::uint32_t new_model, store::DerivedGroup& rows) {
  const std::string users = format::VectorPrefix(shared.cid(), old_model, Side::kUser);
  rows.DeleteRange(store::Family::kVectors, users, format::PrefixEnd(users));
  // Everything older goes, also what a lower `models_kept` or a training that broke off has left.
  rows.DeleteRange(
      store::Family::kVectors, format::VectorModelPrefix(shared.cid(), 0),
      format::VectorModelPrefix(shared.cid(),
                                FirstModelKept(new_model, shared.context().options.models_kept)));
}

// Returns what is kept of the model beside its vectors and their Grams. Called when the model has
// just become active.
format::ModelRecord DescribeModel(const View& view, const TrainingRun& run) {
  format::ModelRecord record;
  record.id = run.model_id;
  record.dim = view.shared().dim();
  record.trained_at_seq = run.seq;
  record.trained_at_ms = view.trained_at_ms();
  record.alpha = run.solve.alpha;
  record.reg = run.solve.reg;
  record.regn = run.solve.regn;
  record.unobserved = run.solve.unobserved;
  record.iterations = static_cast<std::uint32_t>(run.objectives.size());
  record.seed = run.parameters.seed;
  record.metrics = {{"objective", run.objective},
                    {"pairs", static_cast<double>(run.pairs)},
                    {"seconds-per-iteration", run.seconds_per_iteration}};
  AppendAttributeFigures(run, &record.metrics);
  for (const auto& [name, scale] :
       {std::pair(kSessionScale, run.scales.sessions), std::pair(kRidgeScale, run.scales.ridge)}) {
    if (scale > 0) {
      record.metrics.emplace_back(name, scale);
    }
  }
  record.attributes = ToRecord(run.cold.get());
  record.weighting = run.signal.weighting;
  record.reference_ms = run.signal.reference_ms;
  record.mean = run.mean;
  return record;
}

// Makes the tables of the run the live ones.
void Activate(WriteView& view, TrainingRun& run) {
  CollectionState::NewModel model{
      {run.model_id, run.seq, run.solve, run.signal, run.mean, run.cold, run.scales},
      std::move(run.user_factors),
      std::move(run.item_factors),
      std::move(*run.user_gram),
      std::move(*run.item_gram),
      std::move(run.index)};
  run.replaced = view.state().Activate(std::move(model));
  view.state().NoteTrainedAt(run.row_events);
  // After Activate, which empties the queues of the old model.
  for (const auto& [side, ordinal] : run.put_off) {
    view.state().side(side).pending.push_back(ordinal);
  }
  view.set_trained_at_ms(view.shared().context().clock.NowMs());
}

}  // namespace

Status WriteVectors(const SharedState& shared, const TrainingRun& run) {
  const std::string prefix = format::VectorModelPrefix(shared.cid(), run.model_id);
  // What a training that broke off has left under this number.
  const auto rows = shared.context().storage.store->BeginGroup();
  rows->DeleteRange(store::Family::kVectors, prefix, format::PrefixEnd(prefix));
  RECO_RETURN_IF_ERROR(rows->Finish());
  for (const Side side : {Side::kUser, Side::kItem}) {
    const model::FactorTable& factors = side == Side::kUser ? *run.user_factors : *run.item_factors;
    std::vector<std::uint32_t> ordinals;
    for (std::uint32_t ordinal = 0; ordinal < factors.rows(); ++ordinal) {
      if (factors.has_vector(ordinal)) {  // else deleted
        ordinals.push_back(ordinal);
      }
    }
    RECO_RETURN_IF_ERROR(WriteVectorsOf(shared, run, side, ordinals));
  }
  return Status::Ok();
}

Status WriteVectorsOf(const SharedState& shared, const TrainingRun& run, Side side,
                      std::span<const std::uint32_t> ordinals) {
  const model::FactorTable& factors = side == Side::kUser ? *run.user_factors : *run.item_factors;
  std::string value;
  // In groups, so that flushes come between them. Each is a range that nobody reads yet.
  for (std::size_t from = 0; from < ordinals.size(); from += kVectorsPerGroup) {
    const auto rows = shared.context().storage.store->BeginGroup();
    for (const std::uint32_t ordinal :
         ordinals.subspan(from, std::min(kVectorsPerGroup, ordinals.size() - from))) {
      const std::string key = format::VectorKey(shared.cid(), run.model_id, side, ordinal);
      if (factors.has_vector(ordinal)) {
        format::EncodeVector(factors.values(ordinal), &value);
        rows->Put(store::Family::kVectors, key, value);
      } else {
        rows->Delete(store::Family::kVectors, key);
      }
    }
    RECO_RETURN_IF_ERROR(rows->Finish());
  }
  return Status::Ok();
}

Status SwapModel(SharedState& shared, persist::Checkpointer& checkpointer, TrainingRun& run) {
  format::ModelRecord record;
  std::uint32_t old_model = 0;
  const auto catch_up = [&] {
    return CatchUp(shared, run, [&](Side side, std::span<const std::uint32_t> ordinals) {
      return WriteVectorsOf(shared, run, side, ordinals);
    });
  };
  const auto swap = [&](WriteView& view) -> Status {
    // The only step that may fail comes first: until it is done the live vectors are as they were.
    RECO_RETURN_IF_ERROR(SolveLastRows(view, run));
    view.state().CollectTouched(false);
    // Read here and not before: the batch deletes by it.
    old_model = view.state().model().id;
    RECO_DCHECK(old_model < run.model_id, "I12");
    Activate(view, run);
    record = DescribeModel(view, run);
    return Status::Ok();
  };
  const auto add_rows = [&](const FrozenRows& frozen, store::DerivedGroup& rows) {
    run.replaced.reset();
    // The last rows are solved: these are the Grams of the vectors that this group completes (I8).
    record.user_gram = frozen.checkpoint.user_gram;
    record.item_gram = frozen.checkpoint.item_gram;
    rows.Put(store::Family::kModels, format::ModelKey(shared.cid(), record.id),
             format::EncodeModel(record));
    DeleteReplacedVectors(shared, old_model, record.id, rows);
    if (record.id > kModelsListed) {
      rows.DeleteRange(store::Family::kModels, format::ModelKey(shared.cid(), 0),
                       format::ModelKey(shared.cid(), record.id - kModelsListed + 1));
    }
  };
  RECO_RETURN_IF_ERROR(checkpointer.EndTraining(catch_up, swap, add_rows));
  constexpr std::size_t kRowsAHold = 500;  // of each side
  bool more = true;
  while (more) {
    WriteView view(shared, Holder::kReplaced);
    more = view.state().DropOldSums(kRowsAHold);
  }
  return Status::Ok();
}

void AppendAttributeFigures(const TrainingRun& run, Figures* figures) {
  if (run.cold != nullptr) {
    const auto add = [figures](const char* name, double value) {
      figures->emplace_back(name, value);
    };
    add("attribute-columns", static_cast<double>(run.cold->features.columns().size()));
    add("attribute-ridge", run.cold->map.ridge);
    add("attribute-explained", run.cold->map.explained);
    add("attribute-prior", run.cold->prior_pairs);
  }
}

}  // namespace reco::engine::training
