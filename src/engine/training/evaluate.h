// Evaluation of a collection: trains on the past, measures on what was held out.
#pragma once

#include "reco/options.h"
#include "reco/result.h"
#include "reco/types.h"

#include "engine/jobs/jobs.h"
#include "engine/persist/checkpointer.h"
#include "engine/state/shared_state.h"
#include "engine/training/training_run.h"

namespace reco::engine::training {

// Measures ranking metrics of the model, popularity and item-item cosine; of ratings, errors of the
// model, biases and the mean. The model's are kept as the collection's quality. kFailedPrecondition
// when there is nothing to hold out, kUnavailable when cancelled.
Status Evaluate(SharedState& shared, persist::Checkpointer& checkpointer,
                const CollectionOptions& parameters, const EvaluationOptions& options,
                RunningJob& job, Figures* result) EXCLUDES(shared);

}  // namespace reco::engine::training
