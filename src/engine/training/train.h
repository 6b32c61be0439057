// The steps of a training that touch no live state but to copy from it: take the data, load it,
// train.
#pragma once

#include <atomic>
#include <memory>

#include "reco/result.h"

#include "engine/jobs/jobs.h"
#include "engine/persist/checkpointer.h"
#include "engine/state/shared_state.h"
#include "engine/training/training_run.h"
#include "model/trainer.h"

namespace reco::engine::training {

// Returns the parameters of a training of a collection with `options`, on the threads that
// `database` allows.
model::TrainingParams TrainingParamsOf(const CollectionOptions& options, const Options& database);

// Takes a checkpoint whose snapshot is the run's data. With `run.catch_up` the state collects from
// here on which rows writes touch.
Status Begin(persist::Checkpointer& checkpointer, TrainingRun& run);

// Loads the pairs as of the snapshot, in rows by user, without whom was deleted. kUnavailable when
// cancelled.
Status LoadInteractions(const SharedState& shared, TrainingRun& run, RunningJob& job)
    EXCLUDES(shared);

// Returns how many threads a training may use.
std::uint32_t TrainingThreads(const Options& options);

// Trains: fills the run's tables, Grams and index. kUnavailable when cancelled.
Status Train(const SharedState& shared, TrainingRun& run, RunningJob& job) EXCLUDES(shared);

// The result of a training, as far as the items' vectors depend on it.
struct TrainedItems {
  const model::FactorTable& users;
  const model::Gram& user_gram;
  model::SolveParams solve;
  model::FactorTable& items;
  model::Gram& item_gram;
};

// Learns from the attributes of items, and solves anew those that they say something of. The tables
// have the places of the run's data, what is returned the ordinals. Returns null when the
// collection has no attributes to learn from.
Result<std::shared_ptr<const ColdItems>> LearnAttributes(
    const SharedState& shared, const TrainingRun& run, const model::InteractionMatrix& by_item,
    const TrainedItems& trained, const std::atomic<bool>* cancel) EXCLUDES(shared);

}  // namespace reco::engine::training
