// Scorer: what a row scores for a query, the sum of its parts. Every list, SCORE, WHY and EXPLAIN
// ask here, so one row scores the same bits wherever it is shown (I11).
//
// A part of the score gives its value, and its shares for EXPLAIN. Today there is one: the inner
// product with the query's vector, or their cosine; a rating adds the mean of all ratings, which is
// the query's offset. What a list is searched by is without it, since it is the same for every row.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "reco/types.h"

#include "engine/lists/model_view.h"
#include "engine/lists/query.h"

namespace reco::engine::lists {

// Asks the view anew each time, so it stays valid across a Yield.
class Scorer {
 public:
  Scorer(const View& view, Side side, const Query& query)
      : view_(view), side_(side), query_(query) {}

  // False: there is nothing to score with, and lists of items are made by popularity.
  bool usable() const {
    return ModelOf(view_, query_.replaced).index != nullptr && query_.usable();
  }
  // False: the row is in no list by score. An item of ratings without a solved row has none to
  // predict: an inner product of 0 would mean "average". The index of a replaced model keeps items
  // that were deleted since.
  bool Scorable(std::uint32_t ordinal) const;
  // What a search orders by: the score without the offset. nullopt: it has no direction, or no row.
  std::optional<float> Part(std::uint32_t ordinal) const;
  // The score that is shown.
  std::optional<double> Of(std::uint32_t ordinal) const {
    const std::optional<float> part = Part(ordinal);
    return part ? std::optional(Shown(*part)) : std::nullopt;
  }
  double Shown(float part) const { return part + query_.offset; }
  // The score that `item` has in the lists of the query, by popularity when nothing can be scored;
  // nullopt: it is in none.
  std::optional<double> Listed(std::uint32_t item) const;
  Source SourceOf(std::uint32_t ordinal) const;
  // What each pair that the query's vector was solved from adds to the score of `item`.
  std::vector<double> Shares(const ServedRow& served, std::uint32_t item) const;

 private:
  // Null: no row.
  const float* Row(std::uint32_t ordinal) const;

  const View& view_;
  const Side side_;
  const Query& query_;
};

}  // namespace reco::engine::lists
