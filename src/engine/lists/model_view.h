// ModelView: the model that a list is made by, and what its rows are compared with.
#pragma once

#include <cmath>
#include <cstdint>

#include "engine/state/replaced_models.h"
#include "engine/state/shared_state.h"
#include "index/item_index.h"
#include "model/factor_table.h"
#include "model/fold_in.h"

namespace reco::engine::lists {

// The active one as it is now, so to be taken anew after a Yield, or one that it has replaced.
struct ModelView {
  const ActiveModel& model;
  const model::FactorTable& items;
  const model::Gram& item_gram;
  const index::ItemIndex* index;  // null: there is no model

  // Returns the item's vector; null when it is younger than the replaced model.
  const float* row(std::uint32_t item) const {
    return item < items.rows() ? items.row(item) : nullptr;
  }
};

// Returns the view of `replaced`, or of the active model for null.
inline ModelView ModelOf(const View& view, const ReplacedModel* replaced) {
  if (replaced != nullptr) {
    return {replaced->model, replaced->items, replaced->item_gram, &replaced->index};
  }
  const CollectionState& state = view.state();
  return {state.model(), *state.items().factors, state.items().gram, state.index()};
}

// Returns the inner product of the parts of two padded rows that are compared: not their biases and
// constants.
inline float ComparedDot(const SharedState& shared, const float* a, const float* b) {
  if (!shared.rated()) {
    return model::Dot(a, b, model::StrideFor(shared.dim()));
  }
  float sum = 0;
  for (std::uint32_t i = 0; i < shared.compared_dim(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

inline float ComparedLength(const SharedState& shared, const float* row) {
  return std::sqrt(ComparedDot(shared, row, row));
}

// Returns the cosine of two padded rows; 0 when one of them has no direction.
inline double Cosine(const SharedState& shared, const float* a, const float* b) {
  const double lengths = static_cast<double>(ComparedLength(shared, a)) * ComparedLength(shared, b);
  return lengths > 0 ? ComparedDot(shared, a, b) / lengths : 0;
}

}  // namespace reco::engine::lists
