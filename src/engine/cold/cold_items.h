// Cold items: what a model predicts of an item's vector from its attributes, before the item's
// first interaction and for the first few of them (D28). See doc/engine/cold.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

#include "engine/cold/attribute_features.h"
#include "format/records.h"
#include "model/attribute_regression.h"
#include "model/interaction_matrix.h"

namespace reco::engine {

// Returns how many pairs a prediction is worth, given the share of the vectors' variance that it
// explains: as in a Bayesian prior, that share over the rest; times 20, at most 60.
// bench/cold_items.cc shows what that gives new items and costs old ones.
double PriorPairs(double explained);

struct ColdItem {
  std::uint32_t ordinal = 0;
  std::uint64_t pairs = 0;           // now
  std::string_view attributes = {};  // JSON, or empty
};

// Immutable.
struct ColdItems {
  // Items that had more pairs at the training are solved from their pairs alone.
  static constexpr std::uint8_t kPairsMax = 64;

  AttributeFeatures features;
  model::AttributeMap map;  // of the stored vectors, so with ratings also of bias and constant
  double prior_pairs = 0;
  // Pairs of each item at the training, at most 255; later items had none.
  std::vector<std::uint8_t> trained_pairs;

  // Predicts the vector. Returns false, with `x` (dim floats) as it was, when none of the
  // attributes is known.
  bool Predict(std::string_view json, std::span<float> x) const;
  // Sets `x` to what the item's vector is drawn to: the prediction when it has no pairs or had none
  // at the training, otherwise prior_pairs / (prior_pairs + those) of it. The weight stays as long
  // as the model, so that a pair never takes anything away from its item. Returns false when that
  // is 0. About 3 us.
  bool Prior(const ColdItem& item, std::span<float> x) const;
  std::uint64_t memory_bytes() const;
};

// Learns from the items that have pairs, each with the share sqrt(pairs). `attributes` has the JSON
// of every item or "", `vectors` the trained rows. Null when no attribute tells anything.
// kUnavailable: cancelled.
Result<std::shared_ptr<const ColdItems>> FitColdItems(std::span<const std::string> fields,
                                                      std::span<const std::string> attributes,
                                                      const model::InteractionMatrix& by_item,
                                                      const model::FactorTable& vectors,
                                                      const model::AttributeFitParams& params);

// Convert to and from the model's record, where nullopt stands for null.
std::optional<format::AttributeRecord> ToRecord(const ColdItems* cold);
std::shared_ptr<const ColdItems> FromRecord(const std::optional<format::AttributeRecord>& record);

}  // namespace reco::engine
