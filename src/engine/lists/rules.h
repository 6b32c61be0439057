// The merchandising rules whose time it is, bound for one list.
#pragma once

#include <vector>

#include "engine/lists/bound_filters.h"
#include "engine/lists/item_list.h"
#include "engine/state/shared_state.h"

namespace reco::engine::lists {

// They refer to the bindings, of which rules[i] has bindings[i].
struct BoundRules {
  std::vector<RuleInForce> rules;
  FilterBindings bindings;
};

// Returns the rules in force. Pins come in the order in which they are to be applied: by place, and
// of those with the same place the first by name last, so that it ends up on top.
BoundRules RulesInForce(const View& view);

// Adds the filters of the rules in force, which every list asks.
void AppendRuleUses(const View& view, std::vector<filter::FilterUse>* uses);
// Returns true iff the bitmaps of all of them are made.
bool RuleFiltersAreReady(const View& view);

}  // namespace reco::engine::lists
