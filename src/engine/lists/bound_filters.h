// The filters of lists and rules, bound to the attribute columns of their side.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/state/shared_state.h"
#include "filter/attribute_columns.h"
#include "filter/filter.h"

namespace reco::engine::lists {

// A filter bound to the columns as they are; to be bound again after a Yield.
struct FilterBinding {
  std::shared_ptr<const filter::Filter> filter;
  std::optional<filter::BoundFilter> bound;         // always there behind Bind
  std::unique_ptr<std::vector<std::uint32_t>> few;  // of a rule: see RuleInForce::few
};
using FilterBindings = std::vector<std::unique_ptr<FilterBinding>>;

// Adds a binding of `filter`, which lives as long as `bindings`.
FilterBinding* Bind(const View& view, Side side, std::shared_ptr<const filter::Filter> filter,
                    FilterBindings* bindings);
// Binds all of them to the columns as they are now: words and answers of before are void.
void BindAgain(const View& view, Side side, const FilterBindings& bindings);

// Takes one step of making the columns and bitmaps that `use` asks. Returns true when it can be
// bound.
bool PrepareStep(const View& view, Side side, filter::FilterUse* use);

}  // namespace reco::engine::lists
