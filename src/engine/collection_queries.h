// What the reads of a Collection are made from. Private to its source files.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/collection.h"
#include "index/item_index.h"
#include "model/aligned_vector.h"
#include "model/factor_table.h"
#include "model/fold_in.h"

namespace reco::engine {

// The model that a list is made by: the active one as it is now, so to be taken anew when the lock
// was given back, or one that it has replaced.
struct Collection::ModelView {
  const ActiveModel& model;
  const model::FactorTable& items;
  const model::Gram& item_gram;
  const index::ItemIndex* index;  // null: there is no model

  // Null: the item is younger than the replaced model.
  const float* row(std::uint32_t item) const {
    return item < items.rows() ? items.row(item) : nullptr;
  }
};

// What a list is made from.
struct Collection::Query {
  const ReplacedModel* replaced = nullptr;  // the model that it is made for; null: the active one
  model::AlignedVector<float> vector;       // padded; all zero: nothing to score with
  std::vector<std::uint32_t> left_out;      // sorted: seen, context or basket items
  index::Metric metric = index::Metric::kInnerProduct;
  double offset = 0;  // what a score is above the inner product: the mean of all ratings
  std::optional<std::uint32_t> approximate_ef;  // of the request
  bool folded = false;                          // the vector is not the one that training left
  // How often the query was made before, because another model took over in the middle of a list;
  // from kAttemptsInSteps on the lock is kept to the end.
  int attempts = 0;
  static constexpr int kAttemptsInSteps = 3;
  mutable bool stale = false;  // it has happened again

  bool usable() const {
    return !std::all_of(vector.begin(), vector.end(), [](float v) { return v == 0; });
  }
};

// The pairs that a vector is solved from.
struct Collection::ServedRow {
  std::vector<std::uint32_t> items;
  std::vector<model::Neighbor> neighbors;  // of the same items
};

// A scan of the rows of one side.
struct Collection::RowScan {
  Side side;
  const FilterBindings* bindings;  // bound again each time when the lock was given back
  bool in_steps;                   // false: the lock is kept to the end
  bool interrupted = false;        // the lock was given back
};

// What every list checks of its options.
Status CheckListOptions(const RankingOptions& options);

// The same for lists that no model makes, or only the active one.
Status CheckOptionsWithoutModel(const RankingOptions& options);

inline bool Contains(std::span<const std::uint32_t> sorted, std::uint32_t value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

inline void SortUnique(std::vector<std::uint32_t>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

}  // namespace reco::engine
