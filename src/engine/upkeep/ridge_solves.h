// The ridge rows of items: those whose events have made them out of date are solved again, behind
// the writes. See doc/engine/neighbours.md.
#pragma once

#include <cstdint>
#include <span>

#include "reco/status.h"

#include "engine/state/shared_state.h"

namespace reco::engine::upkeep {

// Rows that are solved from counts of one moment, and that one event of the log sets.
inline constexpr std::size_t kRowsAnEvent = 4;

// Solves the rows of at most kRowsAnEvent items and sets them. On an error none is set.
Status SolveRidgeRows(SharedState& shared, std::span<const std::uint32_t> items) EXCLUDES(shared);

// Solves the rows that wait, for some milliseconds, unless a long write goes on. Where writes are
// refused they wait on.
void SolveWaitingRows(SharedState& shared) EXCLUDES(shared);

}  // namespace reco::engine::upkeep
