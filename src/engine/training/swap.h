// The end of a training: the new vectors on disk, and the swap.
#pragma once

#include "reco/result.h"

#include "engine/persist/checkpointer.h"
#include "engine/state/shared_state.h"
#include "engine/training/training_run.h"

namespace reco::engine::training {

// Writes all vectors under the new number, in batches nobody reads yet. A crash leaves them to be
// deleted by the next training, which starts with the range (I12).
Status WriteVectors(const SharedState& shared, const TrainingRun& run);

// Solves the last rows, swaps the tables and writes what makes the new model the active one.
Status SwapModel(const SharedState& shared, persist::Checkpointer& checkpointer, TrainingRun& run)
    EXCLUDES(shared);

// Appends what was learned from attributes; nothing without any.
void AppendAttributeFigures(const TrainingRun& run, Figures* figures);

}  // namespace reco::engine::training
