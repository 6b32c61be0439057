// The end of a training: the new vectors on disk, and the swap.
#pragma once

#include <cstdint>
#include <span>

#include "reco/result.h"

#include "engine/persist/checkpointer.h"
#include "engine/state/shared_state.h"
#include "engine/training/training_run.h"

namespace reco::engine::training {

// Writes all vectors under the new number, in batches nobody reads yet. A crash leaves them to be
// deleted by the next training, which starts with the range (I12).
Status WriteVectors(const SharedState& shared, const TrainingRun& run);

// Writes those of some rows again, which have been solved since; deletes those that are gone.
Status WriteVectorsOf(const SharedState& shared, const TrainingRun& run, Side side,
                      std::span<const std::uint32_t> ordinals);

// Catches up, swaps the tables and writes what makes the new model the active one.
Status SwapModel(SharedState& shared, persist::Checkpointer& checkpointer, TrainingRun& run)
    EXCLUDES(shared);

// Appends what was learned from attributes; nothing without any.
void AppendAttributeFigures(const TrainingRun& run, Figures* figures);

}  // namespace reco::engine::training
