// Lists of items: what merchandising rules and diversity make of a ranking by score (D29). Knows no
// collection: how items are scored comes in as a function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reco/types.h"

#include "base/function_ref.h"

namespace reco::engine {

struct ScoredItem {
  std::uint32_t item = 0;
  double score = 0;
  Source source = Source::kModel;
};

using AcceptItem = FunctionRef<bool(std::uint32_t item)>;

// A rule whose time it is.
struct RuleInForce {
  std::string name;
  Rule::Action action = Rule::Action::kBoost;
  double value = 1;
  std::function<bool(std::uint32_t item)> holds_for;
  // All items that it holds for, ascending, when these are few; null: not known.
  const std::vector<std::uint32_t>* few = nullptr;
  // Bit i of word j: whether it holds for item 64 j + i, as of now; for none behind the last word.
  // nullopt, or no function: not known.
  std::function<std::optional<std::span<const std::uint64_t>>()> words = nullptr;
  std::uint32_t items_end = 0;  // all items are below; 0: not known
};

// Returns the `count` best items that are accepted, best first, ties as in ItemListRequest::before.
// With `only` none is accepted but items that this rule holds for, which may be known.
using BestItems = FunctionRef<std::vector<ScoredItem>(std::size_t count, AcceptItem accept,
                                                      const RuleInForce* only)>;

inline constexpr double kNoMinScore = -std::numeric_limits<double>::infinity();

struct ItemListRequest {
  std::size_t count = 10;              // from the top of the list
  double diversity = 0;                // as in RankingOptions
  double min_score = kNoMinScore;      // as in RankingOptions
  std::span<const RuleInForce> rules;  // pins in the order of their application
  AcceptItem accept;
  // Strict order of items with equal scores.
  FunctionRef<bool(std::uint32_t a, std::uint32_t b)> before;
  // Cosine of two items' vectors; asked for with diversity only.
  FunctionRef<double(std::uint32_t a, std::uint32_t b)> cosine;
};

// The score of an item under the boosts, and whether one of them takes it out.
struct BoostedScore {
  double score = 0;
  bool taken_out = false;
};
BoostedScore Boost(std::span<const RuleInForce> rules, std::uint32_t item, double score);

// Returns the top of the list, exact: as if all items were scored, boosted, sorted, made diverse,
// the buried ones put behind, and the pinned ones put in their places one after the other. Scores
// are the boosted ones; what has less than min_score is left out before the list is made diverse,
// unless it is pinned. A list of n items is a prefix of the list of n + 1.
std::vector<ScoredItem> MakeItemList(const ItemListRequest& request, BestItems best);

}  // namespace reco::engine
