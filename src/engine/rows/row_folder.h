// RowFolder: solves one row of a collection, whatever its feedback: weighted interactions or
// ratings. Owns scratch memory, so one object serves one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "reco/options.h"
#include "reco/types.h"

#include "model/fold_in.h"
#include "model/rating_fold_in.h"

namespace reco::engine {

// The terms that a solve needs beside the row's pairs.
struct FoldInTerms {
  Side side = Side::kUser;  // of the row to be solved
  const model::Gram& gram;  // of the partners; not used for ratings
  model::SolveParams solve;
  double mean = 0;  // of all ratings
  // Padded row that an item's vector is drawn to, or null. Ratings draw a row without any only
  // (D28).
  const float* prior = nullptr;
};

// Returns the terms as the solver of ratings takes them.
model::RatingTerms RatingTermsOf(const FoldInTerms& terms);

// Returns the length of the vectors of a collection: with ratings they also hold a bias and a
// constant.
std::uint32_t StoredDim(const CollectionOptions& options);

class RowFolder {
 public:
  // `dim`: StoredDim() of the collection.
  RowFolder(std::uint32_t dim, Feedback feedback);
  ~RowFolder();
  RowFolder(const RowFolder&) = delete;
  RowFolder& operator=(const RowFolder&) = delete;

  // Solves the row. `x`: padded row; the last solution on entry, the new one on return. The
  // neighbours' weights are ratings with explicit feedback. Errors as of FoldInSolver and
  // RatingFoldIn.
  void Solve(const FoldInTerms& terms, std::span<const model::Neighbor> neighbors, float* x);
  // Solves the row from running sums, which only implicit feedback has (D4, D23).
  void SolveLong(const FoldInTerms& terms, const model::Information& sums, std::uint64_t pairs,
                 float* x);
  // Gives what each neighbour contributes to the score of `target`, a padded row of the other side,
  // under the solution of Solve: why an explanation adds up to the score of a list (D5).
  void Shares(const FoldInTerms& terms, std::span<const model::Neighbor> neighbors,
              const float* target, std::span<double> shares);

 private:
  std::span<const model::RatedNeighbor> Rated(std::span<const model::Neighbor> neighbors);

  std::uint32_t dim_;
  std::unique_ptr<model::FoldInSolver> weighted_;  // one of the two
  std::unique_ptr<model::RatingFoldIn> rated_;
  std::vector<model::RatedNeighbor> ratings_;  // scratch
};

}  // namespace reco::engine
