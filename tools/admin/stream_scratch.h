// The scratch collections of stream-eval: named after the collection whose parameters they take,
// and gone when the evaluation ends.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reco/result.h"
#include "reco/status.h"

#include "tools/admin/session.h"

namespace reco::admin {

using StreamParameters = std::vector<std::pair<std::string, std::string>>;

// Returns the parameters of collection `key`; empty when there is no such key. kFailedPrecondition:
// the key holds something else, or the server refuses.
Result<StreamParameters> ReadParameters(Session& session, const std::string& key);

// Returns what a scratch collection is created with: `inherited` without its rules for retraining
// (the replay says when to train), then `overrides`, written name=value, in their place or behind.
// kInvalidArgument: one is not written so.
Result<StreamParameters> MergeParameters(const StreamParameters& inherited,
                                         const std::vector<std::string>& overrides);

// Returns the value of parameter `name` (lower case), or "".
std::string FindParameterValue(const StreamParameters& parameters, std::string_view name);

// Returns the weights of the feedback types among `parameters`. kInvalidArgument: one is not a
// number.
Result<std::map<std::string, double>> TypeWeights(const StreamParameters& parameters);

// Creates an empty collection under a name nobody uses, <key>:stream-eval:<random>:<label>, and
// returns the name.
Result<std::string> CreateScratch(Session& session, const std::string& key,
                                  const std::string& label, const StreamParameters& parameters);

// Deletes it. With `lost` the session's connection is broken and a new one is made; otherwise no
// reply may be unread.
Status DeleteScratch(Session& session, const std::string& name, bool lost);

}  // namespace reco::admin
