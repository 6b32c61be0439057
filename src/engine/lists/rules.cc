#include "engine/lists/rules.h"

#include <algorithm>
#include <optional>

namespace reco::engine::lists {
namespace {

// A rule that holds for so many items at most has them scored one by one.
constexpr std::size_t kFewItems = 256;

bool IsInForce(const Rule& rule, std::int64_t now_ms) {
  return rule.from_ms <= now_ms && (rule.until_ms == 0 || now_ms < rule.until_ms);
}

}  // namespace

void AppendRuleUses(const View& view, std::vector<filter::FilterUse>* uses) {
  const std::int64_t now_ms = view.shared().context().clock.NowMs();
  for (const CompiledRule& compiled : view.rules()) {
    if (IsInForce(compiled.rule, now_ms)) {
      uses->push_back({.filter = compiled.filter, .repeated = true});
    }
  }
}

bool RuleFiltersAreReady(const View& view) {
  const std::int64_t now_ms = view.shared().context().clock.NowMs();
  const filter::AttributeColumns& columns = view.state().items().columns;
  return std::all_of(view.rules().begin(), view.rules().end(), [&](const CompiledRule& compiled) {
    return !IsInForce(compiled.rule, now_ms) || columns.HasBitmap(compiled.filter->text());
  });
}

BoundRules RulesInForce(const View& view) {
  const std::int64_t now_ms = view.shared().context().clock.NowMs();
  std::vector<const CompiledRule*> active;
  for (const CompiledRule& compiled : view.rules()) {
    if (IsInForce(compiled.rule, now_ms)) {
      active.push_back(&compiled);
    }
  }
  // The order matters to pins; boosts and burials depend on it by rounding alone.
  std::sort(active.begin(), active.end(), [](const CompiledRule* a, const CompiledRule* b) {
    return a->rule.value != b->rule.value ? a->rule.value < b->rule.value
                                          : a->rule.name > b->rule.name;
  });
  BoundRules bound;
  for (const CompiledRule* compiled : active) {
    FilterBinding* binding = Bind(view, Side::kItem, compiled->filter, &bound.bindings);
    const auto matches = binding->bound->match_count();
    // A rule without a bitmap is asked about each item.
    if (matches && *matches <= kFewItems) {
      binding->few = std::make_unique<std::vector<std::uint32_t>>();
      binding->bound->ForEachMatch([&](std::uint32_t item) {
        binding->few->push_back(item);
        return true;
      });
    }
    bound.rules.push_back({compiled->rule.name, compiled->rule.action, compiled->rule.value,
                           [binding](std::uint32_t item) { return binding->bound->Matches(item); },
                           binding->few.get(),
                           [binding] {
                             return binding->bound->match_count()
                                        ? std::optional(binding->bound->words())
                                        : std::nullopt;
                           },
                           view.state().items().ids.end()});
  }
  return bound;
}

}  // namespace reco::engine::lists
