// The run has its own tables; live state is copied from in steps. Ratings and interactions are
// trained by different code, and leave the same fields in the run.
#include "engine/training/train.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/work.h"
#include "engine/training/neighbours.h"
#include "format/keys.h"
#include "format/records.h"
#include "model/rating_trainer.h"

namespace reco::engine::training {
namespace {

void BeginRun(WriteView& view, TrainingRun& run) {
  run.seq = view.state().last_seq();
  run.users = view.state().users().ids.end();
  run.items = view.state().items().ids.end();
  run.pairs = view.state().interactions();
  run.row_events = view.state().row_events();
  // One training of a collection runs at a time (the job table), so the number is free.
  run.model_id = view.state().model().id + 1;
  // The newest event counts in full, so that a log of last year trains like one of today.
  run.begun_ms = view.shared().context().clock.NowMs();
  run.signal = {run.parameters.weighting, view.shared().signal_rules().halflife_ms,
                std::min(view.state().newest_ms(), run.begun_ms)};
  // The lock of the copy is held: each write is either in the snapshot or in the list.
  if (run.catch_up) {
    view.state().CollectTouched(true);
    BeginNeighbours(view, run);
  }
}

// Calls visit(view, i) for i in [0, count), some at a time under the lock, so that writes get
// through.
template <typename Visit>
void VisitInSteps(const SharedState& shared, Work kind, std::size_t count, const Visit& visit) {
  const std::size_t step = kind == Work::kRows ? 64 : 1'024;
  for (std::size_t from = 0; from < count; from += step) {
    ReadView view(shared, Holder::kTrain);
    const std::size_t end = std::min(count, from + step);
    CountWork(kind, end - from);
    for (std::size_t i = from; i < end; ++i) {
      visit(view, i);
    }
  }
}

// Returns the ordinals of those that are live, or have pairs in the data: deleted since it was
// taken.
std::vector<std::uint32_t> OrdinalsOf(const SharedState& shared, Side side,
                                      const std::vector<bool>& with_pairs) {
  std::vector<std::uint32_t> ordinals;
  VisitInSteps(shared, Work::kEntries, with_pairs.size(), [&](const View& view, std::size_t i) {
    const auto ordinal = static_cast<std::uint32_t>(i);
    if (with_pairs[i] || !view.state().side(side).ids.id(ordinal).empty()) {
      ordinals.push_back(ordinal);
    }
  });
  return ordinals;
}

// Takes whom was deleted out of the data, so that they are in no table of the training.
void LeaveOutDeleted(const SharedState& shared, TrainingRun& run) {
  model::InteractionMatrix& matrix = run.data.matrix;
  std::vector<bool> users(run.users);
  std::vector<bool> items(run.items);
  for (std::uint32_t user = 0; user < run.users; ++user) {
    users[user] = !matrix.row_columns(user).empty();
  }
  for (const std::uint32_t item : matrix.columns) {
    items[item] = true;
  }
  run.user_ordinals = OrdinalsOf(shared, Side::kUser, users);
  run.item_ordinals = OrdinalsOf(shared, Side::kItem, items);
  model::KeepOnly(run.user_ordinals, run.item_ordinals, &matrix);
}

// Copies the live vectors of these ordinals, in their order. Writes may come in between: it is only
// where the training starts.
model::FactorTable CopyFactors(const SharedState& shared, Side side,
                               const std::vector<std::uint32_t>& ordinals) {
  model::FactorTable copy(shared.dim());
  copy.Allocate(ordinals.size());
  VisitInSteps(shared, Work::kRows, ordinals.size(), [&](const View& view, std::size_t i) {
    const model::FactorTable& live = *view.state().side(side).factors;
    std::copy_n(live.row(ordinals[i]), live.stride(), copy.mutable_row(i));
  });
  return copy;
}

// Trains on interactions. The two kinds of training fill the same fields of the run.
Status TrainFactors(const SharedState& shared, TrainingRun& run,
                    const model::InteractionMatrix& by_item,
                    const model::TrainingControl& control) {
  model::TrainingParams params = TrainingParamsOf(run.parameters, shared.context().options);
  std::optional<model::FactorTable> warm[2];
  if (run.parameters.warm_start) {
    warm[0] = CopyFactors(shared, Side::kUser, run.user_ordinals);
    warm[1] = CopyFactors(shared, Side::kItem, run.item_ordinals);
    params.warm_users = &*warm[0];
    params.warm_items = &*warm[1];
  }
  RECO_ASSIGN_OR_RETURN(model::TrainedModel trained,
                        model::Train(run.data.matrix, by_item, params, control));
  run.solve = trained.solve;
  run.objective = trained.objective;
  run.objectives = std::move(trained.objectives);
  run.seconds_per_iteration = trained.seconds_per_iteration;
  run.user_gram = std::move(trained.user_gram);
  run.item_gram = std::move(trained.item_gram);
  run.user_factors = std::make_unique<model::FactorTable>(std::move(trained.users));
  run.item_factors = std::make_unique<model::FactorTable>(std::move(trained.items));
  return Status::Ok();
}

Status TrainRatedFactors(const SharedState& shared, TrainingRun& run,
                         const model::InteractionMatrix& by_item,
                         const model::TrainingControl& control) {
  const model::TrainingParams params = TrainingParamsOf(run.parameters, shared.context().options);
  RECO_ASSIGN_OR_RETURN(model::RatingModel trained,
                        model::TrainRatings(run.data.matrix, by_item, params, control));
  run.solve = params.solve;
  run.mean = trained.mean;
  run.objective = trained.objectives.back();
  run.objectives = std::move(trained.objectives);
  run.seconds_per_iteration = trained.seconds_per_iteration;
  run.user_gram = model::GramOf(trained.users);
  run.item_gram = model::GramOf(trained.items);
  run.user_factors = std::make_unique<model::FactorTable>(std::move(trained.users));
  run.item_factors = std::make_unique<model::FactorTable>(std::move(trained.items));
  return Status::Ok();
}

}  // namespace

std::uint32_t TrainingThreads(const Options& options) {
  const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  return options.training_threads != 0 ? options.training_threads : cores;
}

model::TrainingParams TrainingParamsOf(const CollectionOptions& options, const Options& database) {
  model::TrainingParams params;
  params.dim = options.dim;
  params.solve.alpha = static_cast<float>(options.alpha);
  params.solve.reg = static_cast<float>(options.reg);
  params.solve.regn = static_cast<float>(options.regn);
  // With "auto" the trainer sets it from the density of the data.
  params.solve.unobserved = static_cast<float>(options.unobserved.value_or(1));
  params.unobserved_auto = !options.unobserved.has_value();
  params.iterations = options.iterations;
  params.tolerance = options.tolerance;
  params.seed = options.seed;
  params.threads = TrainingThreads(database);
  return params;
}

Status Begin(persist::Checkpointer& checkpointer, TrainingRun& run) {
  const auto begin = [&](WriteView& view) { BeginRun(view, run); };
  RECO_ASSIGN_OR_RETURN(run.snapshot, checkpointer.BeginTraining(begin));
  return Status::Ok();
}

Status LoadInteractions(const SharedState& shared, TrainingRun& run, RunningJob& job) {
  model::InteractionMatrix& matrix = run.data.matrix;
  matrix.columns_count = run.items;
  matrix.columns.reserve(run.pairs);
  matrix.weights.reserve(run.pairs);
  run.data.time_ms.reserve(run.pairs);
  const std::string prefix = format::CollectionPrefix(shared.cid());
  const auto rows =
      shared.context().storage.store->Scan(store::Family::kByUser, prefix, run.snapshot.get());
  std::uint32_t user = 0;
  for (; rows->Valid(); rows->Next()) {
    RECO_ASSIGN_OR_RETURN(format::Pair pair, format::DecodePair(rows->value()));
    // A pair from later than now is as one of now: the clock was ahead when it was written (D50).
    pair.first_ms = std::min(pair.first_ms, run.begun_ms);
    pair.last_ms = std::min(pair.last_ms, run.begun_ms);
    const std::string_view key = rows->key().substr(prefix.size());
    // A key of another length is damage, which the check below reports.
    const std::uint32_t owner = key.size() == 2 * sizeof(std::uint32_t)
                                    ? format::TrailingOrdinal(key.substr(0, sizeof(std::uint32_t)))
                                    : run.users;
    const std::uint32_t item = format::TrailingOrdinal(key);
    if (owner >= run.users || item >= run.items) {
      return Status::Corruption("family by_user: a pair of an unknown user or item");
    }
    // Rows come by ascending user; those without pairs get an empty one.
    for (; user < owner; ++user) {
      matrix.offsets.push_back(matrix.columns.size());
    }
    matrix.columns.push_back(item);
    matrix.weights.push_back(run.signal.WeightOf(pair));
    // An interaction is known from its first event on, a rating from its newest.
    run.data.time_ms.push_back(shared.rated() ? pair.last_ms : pair.first_ms);
    // Often enough for a cancel to be quick.
    if (matrix.columns.size() % 65'536 == 0) {
      if (job.cancelled()) {
        return Status::Unavailable("cancelled");
      }
      job.SetProgress(0.1 * static_cast<double>(matrix.columns.size()) /
                      static_cast<double>(std::max<std::uint64_t>(run.pairs, 1)));
    }
  }
  for (; user < run.users; ++user) {
    matrix.offsets.push_back(matrix.columns.size());
  }
  RECO_RETURN_IF_ERROR(rows->status());
  LeaveOutDeleted(shared, run);
  return Status::Ok();
}

Status Train(const SharedState& shared, TrainingRun& run, RunningJob& job) {
  model::TrainingControl control;
  control.cancel = job.cancel();
  control.progress = [&job](const model::TrainingProgress& progress) {
    job.SetProgress(0.1 + 0.8 * progress.fraction);
    if (progress.objective > 0) {
      char phase[96];
      std::snprintf(phase, sizeof(phase), "training, iteration %u of at most %u, objective %.6g",
                    progress.iteration + 1, progress.iterations, progress.objective);
      job.SetPhase(phase);
    }
  };
  const model::InteractionMatrix by_item = model::Transpose(run.data.matrix);
  RECO_RETURN_IF_ERROR(shared.rated() ? TrainRatedFactors(shared, run, by_item, control)
                                      : TrainFactors(shared, run, by_item, control));
  RECO_ASSIGN_OR_RETURN(run.cold, LearnAttributes(shared, run, by_item,
                                                  {*run.user_factors, *run.user_gram, run.solve,
                                                   *run.item_factors, *run.item_gram},
                                                  job.cancel()));
  run.user_factors->Renumber(run.user_ordinals, run.users);
  run.item_factors->Renumber(run.item_ordinals, run.items);
  run.solver = std::make_unique<RowFolder>(shared.dim(), shared.feedback());
  // Deleted items stay out of the index; what is deleted from here on is taken out by the catch-up.
  std::vector<bool> present(run.items);
  VisitInSteps(shared, Work::kEntries, run.items, [&](const View& view, std::size_t item) {
    present[item] = !view.state().items().ids.id(static_cast<std::uint32_t>(item)).empty();
  });
  run.index = std::make_unique<index::ItemIndex>(*run.item_factors);
  run.index->Build(run.items, [&present](std::uint32_t item) { return present[item]; });
  return Status::Ok();
}

}  // namespace reco::engine::training
