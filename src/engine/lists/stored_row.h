// A copy of one row of any length.
#pragma once

#include <cstdint>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/rows/row_table.h"
#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// Returns the row, ascending. Holds the lock no longer than it takes to copy what is in memory. An
// ordinal without pairs, or not given out, has an empty row.
Result<std::vector<RowPair>> CopyRow(const SharedState& shared, Side side, std::uint32_t ordinal)
    EXCLUDES(shared);

}  // namespace reco::engine::lists
