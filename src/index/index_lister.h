// IndexLister: the model's lists for an evaluation, from an index of its items.
#pragma once

#include "index/item_index.h"
#include "model/evaluation.h"
#include "model/factor_table.h"
#include "model/interaction_matrix.h"

namespace reco::index {

// Returns the lists of `users`, rows aligned with those of `train`, by inner product, in as many
// passes as SearchBatch takes. With an index of all columns of `train` that hold finite vectors
// they are those that model::ScoredLister makes with model::FactorScorer, ties included; a score
// that overflows counts as the largest number. The referents must outlive the lister.
model::UserLister IndexLister(const model::FactorTable& users, const ItemIndex& items,
                              const model::InteractionMatrix& train);

}  // namespace reco::index
