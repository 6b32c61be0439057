// Fills the state of a collection that nobody else sees yet from the folder: the last checkpoint,
// then the events of the log behind it, by the same Prepare and Apply as live writes (I6).
#pragma once

#include <cstdint>

#include "reco/result.h"

#include "engine/state/shared_state.h"

namespace reco::engine::persist {

// Fills the state behind `view`, which must be a new one. Scans families whose memtables are made
// for writing (D26), so it costs more the more is unflushed, of any collection. Returns the number
// of the event up to which the checkpoint went. kCorruption when rows contradict each other or the
// log.
Result<std::uint64_t> Load(WriteView& view);

}  // namespace reco::engine::persist
