// ActiveModel: what a solve needs of a model besides its vectors, and how it is kept on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "reco/result.h"

#include "engine/cold/cold_items.h"
#include "engine/rows/signal.h"
#include "format/records.h"
#include "model/fold_in.h"

namespace reco::engine {

// Thread-compatible.
// What a part of a score is multiplied by, so that it counts as much as the product of vectors; 0:
// there was no such part when the model was trained.
struct PartScales {
  double sessions = 0;
  double ridge = 0;
};

struct ActiveModel {
  std::uint32_t id = 0;  // 0: none; vectors are zero and nothing is solved
  std::uint64_t trained_at_seq = 0;
  model::SolveParams solve;
  ModelSignal signal;
  double mean = 0;                                  // of all ratings, with explicit feedback
  std::shared_ptr<const ColdItems> cold = nullptr;  // null: nothing learned from attributes
  PartScales scales;
};

// Names of ActiveModel::scales among the metrics of its record.
inline constexpr std::string_view kSessionScale = "session-scale";
inline constexpr std::string_view kRidgeScale = "ridge-scale";

// The values of a Gram row by row without padding, as kept on disk.
std::vector<double> Unpadded(const model::Gram& gram);
// Assigns what Unpadded() returned. kCorruption when the number of values is not that of the Gram.
Status AssignUnpadded(std::span<const double> values, model::Gram* gram);

// Returns the model that `record` describes, without its vectors. `halflife_ms` as in SignalRules.
ActiveModel ToActiveModel(const format::ModelRecord& record, double halflife_ms);

}  // namespace reco::engine
