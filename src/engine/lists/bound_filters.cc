#include "engine/lists/bound_filters.h"

#include <string_view>
#include <utility>

namespace reco::engine::lists {
namespace {

// Calls `use` with the attributes of all users or items.
template <typename Use>
auto WithRecords(const SideState& side, Use use) {
  const auto json = [&side](std::uint32_t ordinal) {
    const Attributes* attributes = side.attributes.Find(ordinal);
    return attributes != nullptr ? std::string_view(attributes->json) : std::string_view();
  };
  // Without any attributes no record is read at all.
  return use(filter::RecordSource{side.attributes.empty() ? 0 : side.ids.end(), json});
}

void Rebind(const View& view, Side side, FilterBinding* binding) {
  const SideState& own = view.state().side(side);
  binding->bound = WithRecords(own, [&](const filter::RecordSource& records) {
    // Columns that are missing by now are made at once; without a bitmap each record is asked by
    // itself.
    return own.columns.BindPrepared(binding->filter, records);
  });
}

}  // namespace

bool PrepareStep(const View& view, Side side, filter::FilterUse* use) {
  const SideState& own = view.state().side(side);
  return WithRecords(
      own, [&](const filter::RecordSource& records) { return own.columns.Prepare(use, records); });
}

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

}  // namespace reco::engine::lists
