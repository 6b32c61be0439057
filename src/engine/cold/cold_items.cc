#include "engine/cold/cold_items.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace reco::engine {

double PriorPairs(double explained) {
  constexpr double kScale = 20;
  constexpr double kMost = 60;
  // Near 1 the quotient has no end; the most is reached at 0.75.
  const double share = std::clamp(explained, 0.0, 0.99);
  return std::min(kMost, kScale * share / (1 - share));
}

bool ColdItems::Predict(std::string_view json, std::span<float> x) const {
  const std::vector<model::Feature> row = features.RowOf(json);
  if (row.empty()) {
    return false;
  }
  model::Predict(map, row, x);
  return true;
}

bool ColdItems::Prior(const ColdItem& item, std::span<float> x) const {
  const std::uint8_t trained =
      item.ordinal < trained_pairs.size() ? trained_pairs[item.ordinal] : 0;
  // An item without pairs takes the prediction however little it explains: it is all there is.
  if (item.pairs > 0 && (prior_pairs == 0 || trained > kPairsMax)) {
    return false;
  }
  if (!Predict(item.attributes, x)) {
    return false;
  }
  // New items are drawn in full, known ones the less the more the training knew of them (D28).
  if (item.pairs > 0 && trained > 0) {
    const auto weight = static_cast<float>(prior_pairs / (prior_pairs + trained));
    for (float& value : x) {
      value *= weight;
    }
  }
  return true;
}

Result<std::shared_ptr<const ColdItems>> FitColdItems(std::span<const std::string> fields,
                                                      std::span<const std::string> attributes,
                                                      const model::InteractionMatrix& by_item,
                                                      const model::FactorTable& vectors,
                                                      const model::AttributeFitParams& params) {
  AttributeCounter counter({fields.begin(), fields.end()});
  std::vector<float> shares(by_item.rows());
  std::vector<std::uint8_t> trained_pairs(by_item.rows());
  for (std::size_t item = 0; item < by_item.rows(); ++item) {
    const std::size_t pairs = by_item.row_columns(item).size();
    // A byte: all that is asked is whether they are above kPairsMax, and how many below.
    trained_pairs[item] = static_cast<std::uint8_t>(std::min<std::size_t>(pairs, 255));
    // A vector of n pairs is the surer the more there are; the root keeps the bestsellers from
    // deciding alone.
    shares[item] = std::sqrt(static_cast<float>(pairs));
    if (shares[item] > 0) {
      counter.Add(attributes[item]);
    }
  }
  // From items with pairs alone: the others have no vector to learn from.
  AttributeFeatures features = counter.Choose();
  if (features.columns().empty()) {
    return std::shared_ptr<const ColdItems>();
  }
  model::FeatureRows rows;
  rows.columns_count = features.columns().size();
  for (std::size_t item = 0; item < by_item.rows(); ++item) {
    rows.Add(shares[item] > 0 ? features.RowOf(attributes[item]) : std::vector<model::Feature>());
    // What says nothing of itself teaches nothing of attributes.
    shares[item] = rows.row(item).empty() ? 0 : shares[item];
  }
  RECO_ASSIGN_OR_RETURN(model::AttributeMap map,
                        model::FitAttributes(rows, vectors, shares, params));
  const double prior_pairs = PriorPairs(map.explained);
  return std::make_shared<const ColdItems>(ColdItems{.features = std::move(features),
                                                     .map = std::move(map),
                                                     .prior_pairs = prior_pairs,
                                                     .trained_pairs = std::move(trained_pairs)});
}

std::optional<format::AttributeRecord> ToRecord(const ColdItems* cold) {
  if (cold == nullptr) {
    return std::nullopt;
  }
  return format::AttributeRecord{.fields = cold->features.fields(),
                                 .columns = cold->features.columns(),
                                 .base = cold->map.base,
                                 .weights = cold->map.weights,
                                 .prior_pairs = cold->prior_pairs,
                                 .trained_pairs = cold->trained_pairs};
}

std::shared_ptr<const ColdItems> FromRecord(const std::optional<format::AttributeRecord>& record) {
  if (!record) {
    return nullptr;
  }
  return std::make_shared<const ColdItems>(
      ColdItems{.features = {record->fields, record->columns},
                .map = {.dim = static_cast<std::uint32_t>(record->base.size()),
                        .base = record->base,
                        .weights = record->weights},
                .prior_pairs = record->prior_pairs,
                .trained_pairs = record->trained_pairs});
}

std::uint64_t ColdItems::memory_bytes() const {
  std::uint64_t bytes =
      trained_pairs.capacity() + (map.weights.capacity() + map.base.capacity()) * sizeof(float);
  for (const AttributeColumn& column : features.columns()) {
    bytes += 2 * (sizeof(AttributeColumn) + column.text.capacity());  // and its key
  }
  return bytes;
}

}  // namespace reco::engine
