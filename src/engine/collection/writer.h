// The writes of a collection: validate, plan, stage in the log, apply in memory. The caller commits
// before it acknowledges (I3). On an error nothing has changed, but for Remove; kNotFound once the
// collection was deleted (I14).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "reco/options.h"
#include "reco/result.h"
#include "reco/types.h"

#include "engine/state/shared_state.h"

namespace reco::engine::writer {

// Return what Add and SetRecord say of their input on a collection with `options`, without doing
// anything.
Status CheckInteractions(const CollectionOptions& options,
                         std::span<const Interaction> interactions);
Status CheckRecord(Side side, std::string_view id, const RecordUpdate& update);

// Adds to the preferences, or replaces them. Returns the last event's number; for a known token the
// number that it had.
Result<std::uint64_t> Add(SharedState& shared, std::span<const Interaction> interactions,
                          bool replace) EXCLUDES(shared);
// Returns how many of the items were preferred. One event an item: an error leaves those before it.
Result<std::uint64_t> Remove(SharedState& shared, std::string_view user,
                             std::span<const std::string_view> items) EXCLUDES(shared);
// Sets what the update names and leaves the rest; a merge reads and writes in one step. Returns
// true when the id is new.
Result<bool> SetRecord(SharedState& shared, Side side, std::string_view id,
                       const RecordUpdate& update) EXCLUDES(shared);
// Deletes the id with all its pairs. Returns false when there is no such id.
Result<bool> DeleteRecord(SharedState& shared, Side side, std::string_view id) EXCLUDES(shared);

}  // namespace reco::engine::writer
