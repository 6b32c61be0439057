// Pages of lists: what is left out, filters, rules, diversity, offsets. How the candidates are
// ranked is the lister's. See doc/engine/lists.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "base/function_ref.h"
#include "engine/lists/bound_filters.h"
#include "engine/lists/item_list.h"
#include "engine/lists/rules.h"
#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// Checks what every list checks of its options. kInvalidArgument says what is allowed.
Status CheckListOptions(const RankingOptions& options);
// Checks the options of a list that no model makes, or only the active one: it takes no MODEL.
Status CheckOptionsWithoutModel(const RankingOptions& options);

// Returns true iff it is neither hidden nor expired.
bool Visible(const View& view, Side side, std::uint32_t ordinal, std::int64_t now_ms);

// The only candidates: few ordinals, or what a filter holds for; null: everything.
struct Among {
  const std::vector<std::uint32_t>* ordinals = nullptr;  // ascending
  const FilterBinding* filter = nullptr;
  const FilterBindings* bindings = nullptr;  // all that the list's `accept` asks
};
// Returns the best `count` of one side that are accepted.
using Lister =
    FunctionRef<std::vector<ScoredItem>(std::size_t count, AcceptItem accept, const Among& among)>;

// The parts that one list is made of beside its request.
struct ListParts {
  Side side = Side::kItem;
  std::vector<std::uint32_t> left_out = {};
  BoundRules rules = {};                    // of items
  const ReplacedModel* replaced = nullptr;  // whose vectors diversity compares; null: the active
};

// MAY GIVE THE LOCK BACK, where the lister does. Returns the best offset + count that `lister`
// finds when nothing that is to be left out is accepted. Diversity is for items.
Result<std::vector<ScoredItem>> List(ReadView& view, const RankingOptions& options, ListParts parts,
                                     Lister lister);

// Returns the entries of `list` behind the offset.
Ranking Page(const View& view, Side side, const RankingOptions& options,
             std::span<const ScoredItem> list);

// MAY GIVE THE LOCK BACK, as List. Returns a page of items under the rules of now.
Result<Ranking> ItemPage(ReadView& view, const RankingOptions& options,
                         std::vector<std::uint32_t> left_out, Lister lister,
                         const ReplacedModel* replaced = nullptr);

}  // namespace reco::engine::lists
