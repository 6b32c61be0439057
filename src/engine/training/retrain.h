// Retraining of a collection, beside live traffic.
//
//   checkpoint at S, snapshot -> load -> train -> catch up with the writes since S -> write all
//   vectors under the new model's number -> catch up again -> under the lock: the last rows, swap,
//   freeze -> one group, flushed, makes the new model the active one
//
// Until that batch is written the folder knows only the old model, so a crash anywhere leaves it
// (I12). See doc/engine/training.md.
#pragma once

#include "reco/options.h"
#include "reco/result.h"

#include "engine/jobs/jobs.h"
#include "engine/persist/checkpointer.h"
#include "engine/state/shared_state.h"
#include "engine/training/training_run.h"

namespace reco::engine::training {

// Trains on all data, catches up with the writes meanwhile and swaps the model in. Names the
// results in *result. kFailedPrecondition without interactions, kUnavailable when cancelled; on any
// error the old model stays.
Status Retrain(SharedState& shared, persist::Checkpointer& checkpointer,
               const CollectionOptions& parameters, RunningJob& job, Figures* result)
    EXCLUDES(shared);

}  // namespace reco::engine::training
