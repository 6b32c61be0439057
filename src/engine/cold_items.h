// Cold items: what a model predicts of an item's vector from its attributes, before the item's
// first interaction and for the first few of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "reco/result.h"

#include "engine/attribute_features.h"
#include "format/records.h"
#include "model/attribute_regression.h"
#include "model/interaction_matrix.h"

namespace reco::engine {

// How many pairs a prediction is worth, given the share of the vectors' variance that it explains:
// as in a Bayesian prior, that share over the rest; times 10, at most 30. bench/cold_items.cc shows
// what that gives new items and costs old ones.
double PriorPairs(double explained);

// Immutable.
struct ColdItems {
  // Items with more pairs are solved from these alone, and so are rows that keep running sums.
  static constexpr std::uint64_t kPriorPairsMax = 64;

  AttributeFeatures features;
  model::AttributeMap map;  // of the stored vectors, so with ratings also of bias and constant
  double prior_pairs = 0;

  // False, and `x` (dim floats) as it was, when none of the attributes is known.
  bool Predict(std::string_view json, std::span<float> x) const;
  // What the vector of an item with `pairs` pairs is drawn to: the prediction times
  // prior_pairs / (prior_pairs + pairs), without pairs the prediction. False: to 0. About 3 us.
  bool Prior(std::string_view json, std::uint64_t pairs, std::span<float> x) const;
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

// As kept in the model's record; nullopt and null stand for each other.
std::optional<format::AttributeRecord> ToRecord(const ColdItems* cold);
std::shared_ptr<const ColdItems> FromRecord(const std::optional<format::AttributeRecord>& record);

}  // namespace reco::engine
