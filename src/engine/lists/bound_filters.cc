#include "engine/lists/bound_filters.h"

#include <utility>

#include "engine/lists/rules.h"

namespace reco::engine::lists {
namespace {

// Calls `use` with the attributes of all users or items.
template <typename Use>
auto WithRecords(const SideState& side, Use use) {
  const auto json = [&side](std::uint32_t ordinal) {
    const Attributes* attributes = side.attributes.Find(ordinal);
    return attributes != nullptr ? std::string_view(attributes->json) : std::string_view();
  };
  return use(filter::RecordSource{side.attributes.empty() ? 0 : side.ids.end(), json});
}

// True when the filter is ready to be bound.
bool PrepareStep(const View& view, Side side, filter::FilterUse* use) {
  const SideState& own = view.state().side(side);
  return WithRecords(
      own, [&](const filter::RecordSource& records) { return own.columns.Prepare(use, records); });
}

void Rebind(const View& view, Side side, FilterBinding* binding) {
  const SideState& own = view.state().side(side);
  binding->bound = WithRecords(own, [&](const filter::RecordSource& records) {
    return own.columns.BindPrepared(binding->filter, records);
  });
}

}  // namespace

FilterBinding* Bind(const View& view, Side side, std::shared_ptr<const filter::Filter> filter,
                    FilterBindings* bindings) {
  FilterBinding* binding = bindings->emplace_back(std::make_unique<FilterBinding>()).get();
  binding->filter = std::move(filter);
  Rebind(view, side, binding);
  return binding;
}

void BindAgain(const View& view, Side side, const FilterBindings& bindings) {
  for (const auto& binding : bindings) {
    Rebind(view, side, binding.get());
  }
}

// What is missing is made in steps between which writers may have the lock. No list is begun yet,
// so nothing that it is made from can go out of date.
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
  if (side == Side::kItem) {
    ReadView view(shared);
    AppendRuleUses(view, &uses);
  }
  for (filter::FilterUse& use : uses) {
    for (bool done = false; !done;) {
      // One at a time, else a writer waits for a step of each thread that prepares.
      MutexLock turn(shared.turns().filters);
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
