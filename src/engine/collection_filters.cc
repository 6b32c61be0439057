// The filters of a Collection's lists and rules, bound to the attribute columns of its sides.
#include <string_view>
#include <utility>

#include "engine/collection.h"

namespace reco::engine {
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

}  // namespace

bool Collection::PrepareStep(Side side, filter::FilterUse* use) const {
  const SideState& own = state_.side(side);
  return WithRecords(
      own, [&](const filter::RecordSource& records) { return own.columns.Prepare(use, records); });
}

void Collection::BindAgain(Side side, FilterBinding* binding) const {
  const SideState& own = state_.side(side);
  binding->bound = WithRecords(own, [&](const filter::RecordSource& records) {
    return own.columns.BindPrepared(binding->filter, records);
  });
}

Collection::FilterBinding* Collection::Bind(Side side, std::shared_ptr<const filter::Filter> filter,
                                            FilterBindings* bindings) const {
  FilterBinding* binding = bindings->emplace_back(std::make_unique<FilterBinding>()).get();
  binding->filter = std::move(filter);
  BindAgain(side, binding);
  return binding;
}

// What is missing is made in steps between which writers may have the lock. No list is begun yet,
// so nothing that it is made from can go out of date.
void Collection::PrepareFilters(Side side, std::string_view text) const {
  if (FiltersAreReady(side, text)) {
    return;
  }
  std::vector<filter::FilterUse> uses;
  if (!text.empty()) {
    if (auto compiled = filter::Filter::Compile(text); compiled.ok()) {
      uses.push_back({.filter = std::move(compiled).value()});
    }
  }
  if (side == Side::kItem) {
    AppendRuleUses(&uses);
  }
  for (filter::FilterUse& use : uses) {
    for (bool done = false; !done;) {
      MutexLock one(prepare_mutex_);  // else a writer waits for a step of each thread that prepares
      ReaderLock lock(mutex_);
      done = PrepareStep(side, &use);
    }
  }
}

bool Collection::FiltersAreReady(Side side, std::string_view text) const {
  ReaderLock lock(mutex_);
  return (text.empty() || state_.side(side).columns.HasBitmap(text)) &&
         (side == Side::kUser || RuleFiltersAreReady());
}

}  // namespace reco::engine
