// Scorer: what a row scores for a query, the sum of its parts. The lists by vector, SCORE, WHY and
// EXPLAIN ask here, so one row scores the same bits wherever it is shown (D32). An evaluation ranks
// by the tables of its own training.
//
// The parts are the fields of ScoreParts. Searches order by the product alone and stop when no
// other row can reach the list (I11): that is the order of the score of all rows whose other parts
// are the same. Those that Query::parts names, which differ, are scored one by one beside the
// search (ListByVector).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "reco/types.h"

#include "engine/lists/model_view.h"
#include "engine/lists/query.h"

namespace reco::engine::lists {

struct ScoreParts {
  float product = 0;  // of row and query: their inner product or cosine; what a search orders by
  double mean = 0;    // of all ratings; the same for every row
  double others = 0;  // of Query::parts

  double sum() const { return product + mean + others; }
};

// Asks the view anew each time, so it stays valid across a Yield.
class Scorer {
 public:
  Scorer(const View& view, Side side, const Query& query)
      : view_(view), side_(side), query_(query) {}

  // Returns false when there is nothing to score with. Lists by inner product are made by
  // popularity then.
  bool usable() const {
    return ModelOf(view_, query_.replaced).index != nullptr && query_.usable();
  }
  // Returns false when the row is in no list by score. An item of ratings without a solved row has
  // none to predict: an inner product of 0 would mean "average". The index of a replaced model
  // keeps items that were deleted since.
  bool Scorable(std::uint32_t ordinal) const {
    return side_ == Side::kUser || (query_.replaced == nullptr && !view_.shared().rated()) ||
           ItemIsScorable(ordinal);
  }
  // Returns the parts of a row's score; nullopt when it has no direction, or there is no row.
  std::optional<ScoreParts> PartsOf(std::uint32_t ordinal) const;
  // Returns the parts for a row whose product a search has computed.
  ScoreParts WithProduct(std::uint32_t ordinal, float product) const {
    return {product, query_.mean, OthersOf(ordinal)};
  }
  // Returns the score that is shown.
  std::optional<double> Of(std::uint32_t ordinal) const {
    const std::optional<ScoreParts> parts = PartsOf(ordinal);
    return parts ? std::optional(parts->sum()) : std::nullopt;
  }
  // Returns the same for an item whose part is at hand.
  std::optional<double> WithPart(const ItemPart& part) const {
    const std::optional<float> product = Product(part.item);
    return product ? std::optional(ScoreParts{*product, query_.mean, part.value}.sum())
                   : std::nullopt;
  }
  // Returns the score of `item` in the lists of an inner-product query, by popularity when nothing
  // can be scored; nullopt: it is in none.
  std::optional<double> Listed(std::uint32_t item) const;
  Source SourceOf(std::uint32_t ordinal) const;
  // Returns what each pair that the query was made from adds to the score of `item`. For queries of
  // the active model.
  std::vector<double> Shares(const ServedRow& served, std::uint32_t item) const;

 private:
  double OthersOf(std::uint32_t ordinal) const {
    if (query_.parts.empty()) {
      return 0;
    }
    const auto at = std::ranges::lower_bound(query_.parts, ordinal, {}, &ItemPart::item);
    return at != query_.parts.end() && at->item == ordinal ? at->value : 0;
  }
  bool ItemIsScorable(std::uint32_t item) const;
  std::optional<float> Product(std::uint32_t ordinal) const;
  // Returns null when there is no row.
  const float* Row(std::uint32_t ordinal) const;

  const View& view_;
  const Side side_;
  const Query& query_;
};

}  // namespace reco::engine::lists
