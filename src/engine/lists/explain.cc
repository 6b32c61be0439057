// Scores of single items, by the Query and the Scorer that lists are made with, so the figures
// agree.
#include "engine/lists/explain.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/lists/query.h"
#include "engine/lists/scorer.h"

namespace reco::engine::lists {
namespace {

// Returns the shares of the pairs that the query's vector was solved from in the score of `item`.
Explanation ExplainScore(const View& view, const Query& query, const ServedRow& served,
                         std::uint32_t item, std::size_t count) {
  Explanation explanation;
  const Scorer scorer(view, Side::kItem, query);
  explanation.score = scorer.Of(item).value_or(0);
  const std::vector<double> shares = scorer.Shares(served, item);
  // What no share explains: the mean and the item's bias of ratings, and for a vector that is
  // served as stored what the pairs, solved now, would give differently (D5).
  explanation.remainder = explanation.score;
  std::vector<std::size_t> order(shares.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    order[i] = i;
    explanation.remainder -= shares[i];
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const double x = std::abs(shares[a]);
    const double y = std::abs(shares[b]);
    return x != y ? x > y : served.items[a] < served.items[b];
  });
  order.resize(std::min(order.size(), count));
  for (const std::size_t i : order) {
    explanation.shares.push_back(
        {std::string(view.state().items().ids.id(served.items[i])), shares[i]});
  }
  return explanation;
}

}  // namespace

Result<std::vector<std::optional<double>>> Score(const SharedState& shared, std::string_view user,
                                                 std::span<const std::string_view> items,
                                                 const ScoreOptions& options) {
  RECO_RETURN_IF_ERROR(CheckScoreOptions(shared, options));
  std::vector<std::optional<double>> scores(items.size());
  ReadView view(shared);
  const auto ordinal = view.state().users().ids.Find(user);
  if (!ordinal || view.state().model().id == 0) {
    return scores;
  }
  RECO_ASSIGN_OR_RETURN(const Query query, ServingVector(view, *ordinal, options));
  const Scorer scorer(view, Side::kItem, query);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const auto item = view.state().items().ids.Find(items[i])) {
      scores[i] = scorer.Of(*item);
    }
  }
  return scores;
}

Result<std::optional<double>> SessionScore(const SharedState& shared, std::string_view target,
                                           const Basket& basket, const ScoreOptions& options) {
  RECO_RETURN_IF_ERROR(CheckScoreOptions(shared, options));
  ReadView view(shared);
  RECO_ASSIGN_OR_RETURN(const Query query, BasketQuery(view, basket, options));
  const auto ordinal = view.state().items().ids.Find(target);
  // An unknown basket has a zero vector, whose score of 0 would look like an answer.
  const bool basket_known = !query.left_out.empty();
  if (!ordinal || !basket_known || view.state().model().id == 0) {
    return std::optional<double>();
  }
  return Scorer(view, Side::kItem, query).Of(*ordinal);
}

Result<Explanation> Explain(const SharedState& shared, std::string_view user, std::string_view item,
                            std::size_t count, const ScoreOptions& options) {
  RECO_RETURN_IF_ERROR(CheckScoreOptions(shared, options));
  ReadView view(shared);
  const auto user_ordinal = view.state().users().ids.Find(user);
  const auto item_ordinal = view.state().items().ids.Find(item);
  if (!user_ordinal || !item_ordinal) {
    return Status::NotFound(user_ordinal ? "no such item" : "no such user");
  }
  if (view.state().model().id == 0) {
    return Status::NotFound("nothing has been trained");
  }
  ServedRow served;
  RECO_ASSIGN_OR_RETURN(const Query query, ServingVector(view, *user_ordinal, options, &served));
  return ExplainScore(view, query, served, *item_ordinal, count);
}

Result<Explanation> ExplainSession(const SharedState& shared, std::string_view target,
                                   const Basket& basket, std::size_t count,
                                   const ScoreOptions& options) {
  RECO_RETURN_IF_ERROR(CheckScoreOptions(shared, options));
  ReadView view(shared);
  ServedRow served;
  RECO_ASSIGN_OR_RETURN(const Query query, BasketQuery(view, basket, options, &served));
  const auto ordinal = view.state().items().ids.Find(target);
  const bool basket_known = !query.left_out.empty();
  if (!ordinal || !basket_known || view.state().model().id == 0) {
    return Status::NotFound(!ordinal        ? "no such item"
                            : !basket_known ? "no item of the basket is known"
                                            : "nothing has been trained");
  }
  return ExplainScore(view, query, served, *ordinal, count);
}

}  // namespace reco::engine::lists
