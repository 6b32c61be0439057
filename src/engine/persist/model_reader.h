// The models of a collection: the list of them, and the replaced ones that lists can be made by,
// read from disk when a request names one.
#pragma once

#include <memory>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/state/replaced_models.h"
#include "engine/state/shared_state.h"

namespace reco::engine::persist {

// Returns the models that the folder has a record of, by ascending number.
Result<std::vector<ModelInfo>> Models(const SharedState& shared) EXCLUDES(shared);

// Returns the replaced model that the options name, or null for the active one. Reads it when it is
// not in memory. kNotFound when it is not kept, kResourceExhausted above the memory limit.
Result<std::shared_ptr<const ReplacedModel>> ModelFor(const SharedState& shared,
                                                      const RankingOptions& options)
    EXCLUDES(shared);

// Returns true iff another training has replaced the model that the options name, since ModelFor.
inline bool ReplacedSince(const View& view, const RankingOptions& options,
                          const ReplacedModel* replaced) {
  return options.model && replaced == nullptr && *options.model != view.state().model().id;
}

// Lets go of replaced models that nobody asks for.
void DropReplacedModels(const SharedState& shared) EXCLUDES(shared);

}  // namespace reco::engine::persist
