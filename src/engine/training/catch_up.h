// Solves again, with the new model's vectors, what was written since the training took its data.
#pragma once

#include "reco/result.h"

#include "engine/state/shared_state.h"
#include "engine/training/training_run.h"

namespace reco::engine::training {

// Takes the rows touched so far and solves them, in rounds, until few enough are left for the swap.
// kNotFound when the collection was deleted.
Status CatchUp(SharedState& shared, TrainingRun& run) EXCLUDES(shared);

// Solves the last rows, under the lock of the swap. What was solved since the vectors were written
// is marked to be written with it.
Status SolveLastRows(WriteView& view, TrainingRun& run);

}  // namespace reco::engine::training
