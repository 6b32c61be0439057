// BuildRidgeRows: the rows of all items at once, for an evaluation.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "reco/result.h"

#include "engine/neighbours/pair_counts.h"
#include "engine/neighbours/ridge_rows.h"

namespace reco::engine {

struct RidgeBuildControl {
  std::uint32_t threads = 1;
  // Called now and then from the calling thread with the share that is done, 0 to 1; never falls,
  // ends at 1.
  std::function<void(double fraction)> progress = {};
  // Set to true from any thread: the build ends within some 10 ms. Null: it cannot be cancelled.
  const std::atomic<bool>* cancel = nullptr;
};

// Returns the solved rows of all items; the same bits for any number of threads. Nothing may change
// the counts meanwhile. Some 100 us an item and thread, and beside the result 400 bytes an item.
// kUnavailable when cancelled.
Result<RidgeRows> BuildRidgeRows(const PairCounts& counts, const RidgeBuildControl& control);

}  // namespace reco::engine
