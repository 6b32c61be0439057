#include "engine/lists/prepare_filters.h"

#include <utility>
#include <vector>

#include "engine/lists/bound_filters.h"
#include "engine/lists/rules.h"

namespace reco::engine::lists {

// Makes what is missing in steps between which writers may have the lock. No list is begun yet, so
// nothing that it is made from can go out of date.
void PrepareFilters(const SharedState& shared, Side side, std::string_view text) {
  if (FiltersAreReady(shared, side, text)) {
    return;
  }
  std::vector<filter::FilterUse> uses;
  if (!text.empty()) {
    if (auto compiled = filter::Filter::Compile(text); compiled.ok()) {
      uses.push_back({.filter = std::move(compiled).value()});
    }
  }
  // Rules are of items.
  if (side == Side::kItem) {
    ReadView view(shared);
    AppendRuleUses(view, &uses);
  }
  for (filter::FilterUse& use : uses) {
    for (bool done = false; !done;) {
      // One at a time, else a writer waits for a step of each thread that prepares.
      const TurnLock turn(shared.turns().filters);
      ReadView view(shared);
      done = PrepareStep(view, side, &use);
    }
  }
}

bool FiltersAreReady(const SharedState& shared, Side side, std::string_view text) {
  ReadView view(shared);
  return (text.empty() || view.state().side(side).columns.HasBitmap(text)) &&
         (side == Side::kUser || RuleFiltersAreReady(view));
}

}  // namespace reco::engine::lists
