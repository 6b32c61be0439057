// The one place where rows and queries meet. An item by inner product goes through the index's own
// kernel, whose bits the lists have; what the index cannot compare (users, vectors with biases and
// constants) is compared here, and lists of it ask here for each row.
#include "engine/lists/scorer.h"

#include <algorithm>

#include "index/row_blocks.h"
#include "index/score.h"

namespace reco::engine::lists {

const float* Scorer::Row(std::uint32_t ordinal) const {
  return side_ == Side::kItem ? ModelOf(view_, query_.replaced).row(ordinal)
                              : view_.state().users().factors->row(ordinal);
}

bool Scorer::ItemIsScorable(std::uint32_t item) const {
  const SharedState& shared = view_.shared();
  // A replaced model's index is built once; ids that were deleted since are still in it.
  if (query_.replaced != nullptr && view_.state().items().ids.id(item).empty()) {
    return false;
  }
  if (!shared.rated()) {
    return true;
  }
  const float* row = Row(item);
  // Solved rows of ratings hold a 1 there; a zero says that the row was never solved.
  const std::uint32_t constant =
      model::RatingConstantAt(model::RatingSide::kItem, shared.compared_dim());
  return row != nullptr && row[constant] != 0;
}

std::optional<float> Scorer::Product(std::uint32_t ordinal) const {
  const float* row = Row(ordinal);
  if (row == nullptr) {
    return std::nullopt;
  }
  const SharedState& shared = view_.shared();
  const std::uint32_t stride = model::StrideFor(shared.dim());
  const bool compares_parts =
      query_.metric == index::Metric::kCosine && (side_ == Side::kUser || shared.rated());
  if (!compares_parts) {
    if (shared.rated() && !Scorable(ordinal)) {  // all zero: what the user's bias predicts
      return query_.vector[model::RatingBiasAt(model::RatingSide::kUser, shared.compared_dim())];
    }
    return index::ScoreRow(query_.metric, query_.vector.data(), row, stride);
  }
  // The query has length 1 and zeros where rows hold biases, so dividing by the row's is enough.
  const float norm = ComparedLength(shared, row);
  return norm > 0 ? std::optional(model::Dot(query_.vector.data(), row, stride) / norm)
                  : std::nullopt;
}

std::optional<ScoreParts> Scorer::PartsOf(std::uint32_t ordinal) const {
  const std::optional<float> product = Product(ordinal);
  return product ? std::optional(WithProduct(ordinal, *product)) : std::nullopt;
}

std::optional<double> Scorer::Listed(std::uint32_t item) const {
  if (!usable()) {
    // Distinct users: at least one of a ranked item.
    const double users = view_.state().popularity().by(PopularBy::kUsers).value(item);
    return users > 0 ? std::optional(users) : std::nullopt;
  }
  const ModelView model = ModelOf(view_, query_.replaced);
  // An item that is not in the index is in no list.
  return model.index->blocks().Contains(item) && Scorable(item) ? Of(item) : std::nullopt;
}

Source Scorer::SourceOf(std::uint32_t ordinal) const {
  return query_.folded || view_.state().side(side_).entities[ordinal].last_seq >
                              ModelOf(view_, query_.replaced).model.trained_at_seq
             ? Source::kFoldIn
             : Source::kModel;
}

std::vector<double> Scorer::Shares(const ServedRow& served, std::uint32_t item) const {
  std::vector<double> shares(served.items.size());
  view_.shared().solvers().With([&](RowFolder& folder) {
    // The terms of the active model, as ServingVector has solved with: only then do the shares add
    // up.
    folder.Shares(view_.state().TermsOf(Side::kUser), served.neighbors, Row(item), shares);
  });
  const std::vector<double> others = PartShares(view_, served.profile, item);
  for (std::size_t i = 0; i < others.size(); ++i) {
    const auto at = std::ranges::find(served.items, served.profile.items[i].item);
    if (at != served.items.end()) {
      shares[static_cast<std::size_t>(at - served.items.begin())] += others[i];
    }
  }
  return shares;
}

}  // namespace reco::engine::lists
