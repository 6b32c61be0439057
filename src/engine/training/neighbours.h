// What a training does for lists by neighbours: reads the tables that are not kept yet from the
// log, solves all ridge rows, and finds out how much each part counts beside the vectors.
#pragma once

#include "reco/status.h"

#include "engine/jobs/jobs.h"
#include "engine/state/shared_state.h"
#include "engine/training/training_run.h"

namespace reco::engine::training {

// Solves the rows of all items, where events carry usable times; nothing while no tables are kept.
// kUnavailable when cancelled: rows that were set stay.
Status SolveAllRows(SharedState& shared, RunningJob& job) EXCLUDES(shared);

// To be called with the lock of the copy, when the run begins: follows what the collection's
// parameter says by now.
void BeginNeighbours(WriteView& view, TrainingRun& run);
// Reads the tables as of the run's snapshot, if they are not kept yet, and solves their rows.
// kUnavailable when cancelled.
Status ReadNeighbours(SharedState& shared, TrainingRun& run, RunningJob& job) EXCLUDES(shared);

// Sets TrainingRun::scales: mean score by vectors over mean score by the part, each of the best 20
// unseen items, over a sample of users that the seed chooses.
void ScaleParts(const SharedState& shared, TrainingRun& run) EXCLUDES(shared);

}  // namespace reco::engine::training
