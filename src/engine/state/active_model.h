// ActiveModel: what a solve needs of a model besides its vectors, and how it is kept on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "reco/result.h"

#include "engine/cold/cold_items.h"
#include "engine/rows/signal.h"
#include "format/records.h"
#include "model/fold_in.h"

namespace reco::engine {

// Thread-compatible.
struct ActiveModel {
  std::uint32_t id = 0;  // 0: none; vectors are zero and nothing is solved
  std::uint64_t trained_at_seq = 0;
  model::SolveParams solve;
  ModelSignal signal;
  double mean = 0;                                  // of all ratings, with explicit feedback
  std::shared_ptr<const ColdItems> cold = nullptr;  // null: nothing learned from attributes
};

// The values of a Gram row by row without padding, as kept on disk.
std::vector<double> Unpadded(const model::Gram& gram);
// Assigns what Unpadded() returned. kCorruption when the number of values is not that of the Gram.
Status AssignUnpadded(std::span<const double> values, model::Gram* gram);

// Returns the model that `record` describes, without its vectors. `halflife_ms` as in SignalRules.
ActiveModel ToActiveModel(const format::ModelRecord& record, double halflife_ms);

}  // namespace reco::engine
