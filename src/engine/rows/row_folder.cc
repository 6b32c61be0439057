#include "engine/rows/row_folder.h"

#include <algorithm>

#include "model/factor_table.h"

namespace reco::engine {

model::RatingTerms RatingTermsOf(const FoldInTerms& terms) {
  return {terms.side == Side::kUser ? model::RatingSide::kUser : model::RatingSide::kItem,
          terms.mean, terms.solve.reg, terms.solve.regn};
}

std::uint32_t StoredDim(const CollectionOptions& options) {
  return options.dim + (options.feedback == Feedback::kExplicit ? model::kRatingExtras : 0);
}

RowFolder::RowFolder(std::uint32_t dim, Feedback feedback)
    : dim_(dim),
      weighted_(feedback == Feedback::kImplicit ? std::make_unique<model::FoldInSolver>(dim)
                                                : nullptr),
      rated_(feedback == Feedback::kExplicit
                 ? std::make_unique<model::RatingFoldIn>(dim - model::kRatingExtras)
                 : nullptr) {}

RowFolder::~RowFolder() = default;

std::span<const model::RatedNeighbor> RowFolder::Rated(std::span<const model::Neighbor> neighbors) {
  ratings_.clear();
  for (const model::Neighbor& neighbor : neighbors) {
    ratings_.push_back({neighbor.factor, neighbor.weight});
  }
  return ratings_;
}

void RowFolder::Solve(const FoldInTerms& terms, std::span<const model::Neighbor> neighbors,
                      float* x) {
  // Without pairs the solution of either system is the prediction; copied, it is so to the last
  // bit. Ratings with pairs are solved without it: their vectors hold a bias, too (D28).
  if (neighbors.empty() && terms.prior != nullptr) {
    std::copy_n(terms.prior, model::StrideFor(dim_), x);
  } else if (rated_ != nullptr) {
    rated_->Solve(RatingTermsOf(terms), Rated(neighbors), x);
  } else {
    weighted_->Solve(terms.gram, terms.solve, neighbors, x, terms.prior);
  }
}

void RowFolder::SolveLong(const FoldInTerms& terms, const model::Information& sums,
                          std::uint64_t pairs, float* x) {
  weighted_->SolveLong(terms.gram, terms.solve, sums, pairs, x, terms.prior);
}

void RowFolder::Shares(const FoldInTerms& terms, std::span<const model::Neighbor> neighbors,
                       const float* target, std::span<double> shares) {
  if (rated_ != nullptr) {
    rated_->Shares(RatingTermsOf(terms), Rated(neighbors), target, shares);
  } else {
    weighted_->Shares(terms.gram, terms.solve, neighbors, target, shares);
  }
}

}  // namespace reco::engine
