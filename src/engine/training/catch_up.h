// Solves again, with the new model's vectors, what was written since the training took its data.
#pragma once

#include <cstdint>
#include <span>

#include "reco/result.h"

#include "base/function_ref.h"
#include "engine/state/shared_state.h"
#include "engine/training/training_run.h"

namespace reco::engine::training {

// Called with rows that have been solved, ascending; those of deleted ids have no vector any more.
using SolvedRows = FunctionRef<Status(Side, std::span<const std::uint32_t>)>;

// Takes the rows touched so far and solves them, in rounds, until few enough are left for the swap.
// kNotFound when the collection was deleted.
Status CatchUp(SharedState& shared, TrainingRun& run, SolvedRows solved) EXCLUDES(shared);

// Solves the last rows, under the lock of the swap: 16, and none that is long. The others wait in
// `put_off` for the background.
Status SolveLastRows(WriteView& view, TrainingRun& run);

}  // namespace reco::engine::training
