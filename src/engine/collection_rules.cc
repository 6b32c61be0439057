// Merchandising rules of a Collection, and why an item stands where it does.
#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/collection.h"
#include "engine/collection_queries.h"

namespace reco::engine {
namespace {

// A rule that holds for so many items at most has them scored one by one.
constexpr std::size_t kFewItems = 256;
constexpr double kBoostMin = 0.001;
constexpr double kBoostMax = 1'000;

bool IsInForce(const Rule& rule, std::int64_t now_ms) {
  return rule.from_ms <= now_ms && (rule.until_ms == 0 || now_ms < rule.until_ms);
}

}  // namespace

Result<CompiledRule> Compile(const Rule& rule) {
  if (rule.name.empty() || rule.name.size() > kRuleNameBytesMax) {
    return Status::InvalidArgument("a rule's name must have 1 to 64 bytes");
  }
  const bool boost = rule.action == Rule::Action::kBoost;
  if (boost && !(rule.value == 0 || (rule.value >= kBoostMin && rule.value <= kBoostMax))) {
    return Status::InvalidArgument("BOOST must be 0 or a number from 0.001 to 1000");
  }
  const bool pin = rule.action == Rule::Action::kPin;
  if (pin &&
      !(rule.value >= 1 && rule.value <= kCountMax && rule.value == std::floor(rule.value))) {
    return Status::InvalidArgument("PIN must be an integer from 1 to 10000");
  }
  if (rule.from_ms < 0 || rule.until_ms < 0 ||
      (rule.until_ms != 0 && rule.until_ms <= rule.from_ms)) {
    return Status::InvalidArgument("UNTIL must be later than FROM");
  }
  RECO_ASSIGN_OR_RETURN(auto filter, filter::Filter::Compile(rule.filter));
  return CompiledRule{rule, std::move(filter)};
}

std::vector<CompiledRule> Collection::compiled_rules() const {
  ReaderLock lock(mutex_);
  return list_rules_;
}

std::vector<Rule> Collection::rules() const {
  ReaderLock lock(mutex_);
  std::vector<Rule> rules;
  for (const CompiledRule& compiled : list_rules_) {
    rules.push_back(compiled.rule);
  }
  return rules;
}

void Collection::SetRules(std::vector<CompiledRule> rules) {
  WriterLock lock(mutex_);
  list_rules_ = std::move(rules);
}

// Of the rules in force. Every list asks them.
void Collection::AppendRuleUses(std::vector<filter::FilterUse>* uses) const {
  const std::int64_t now_ms = context_.clock.NowMs();
  ReaderLock lock(mutex_);
  for (const CompiledRule& compiled : list_rules_) {
    if (IsInForce(compiled.rule, now_ms)) {
      uses->push_back({.filter = compiled.filter, .repeated = true});
    }
  }
}

bool Collection::RuleFiltersAreReady() const {
  const std::int64_t now_ms = context_.clock.NowMs();
  const filter::AttributeColumns& columns = state_.items().columns;
  return std::all_of(list_rules_.begin(), list_rules_.end(), [&](const CompiledRule& compiled) {
    return !IsInForce(compiled.rule, now_ms) || columns.HasBitmap(compiled.filter->text());
  });
}

// Pins in the order in which they are to be applied: by place, and of those with the same place
// the first by name last, so that it ends up on top.
Collection::BoundRules Collection::RulesInForce() const {
  const std::int64_t now_ms = context_.clock.NowMs();
  std::vector<const CompiledRule*> active;
  for (const CompiledRule& compiled : list_rules_) {
    if (IsInForce(compiled.rule, now_ms)) {
      active.push_back(&compiled);
    }
  }
  std::sort(active.begin(), active.end(), [](const CompiledRule* a, const CompiledRule* b) {
    return a->rule.value != b->rule.value ? a->rule.value < b->rule.value
                                          : a->rule.name > b->rule.name;
  });
  BoundRules bound;
  for (const CompiledRule* compiled : active) {
    FilterBinding* binding = Bind(Side::kItem, compiled->filter, &bound.bindings);
    const auto matches = binding->bound->match_count();
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
                           state_.items().ids.end()});
  }
  return bound;
}

Result<ItemPlace> Collection::Why(std::string_view user, std::string_view item) const {
  ItemPlace place;
  ReaderLock lock(mutex_);
  const auto ordinal = state_.items().ids.Find(item);
  if (!ordinal) {
    return place;
  }
  RankingOptions options;
  options.count = state_.items().ids.end();
  RECO_ASSIGN_OR_RETURN(Query query, UserQuery(user, options));
  query.attempts = Query::kAttemptsInSteps;
  BoundRules bound = RulesInForce();
  for (const RuleInForce& rule : bound.rules) {
    if (rule.holds_for(*ordinal)) {
      place.rules.push_back(rule.name);
    }
  }
  std::sort(place.rules.begin(), place.rules.end());
  if (query.usable() && state_.index() != nullptr) {
    place.score = ScoreOf(query, state_.items().factors->row(*ordinal));
  }
  const Attributes* attributes = state_.items().attributes.Find(*ordinal);
  if (attributes != nullptr && attributes->hidden) {
    place.state = ItemPlace::State::kHidden;
  } else if (!Visible(Side::kItem, *ordinal, context_.clock.NowMs())) {
    place.state = ItemPlace::State::kExpired;
  } else if (Contains(query.left_out, *ordinal)) {
    place.state = ItemPlace::State::kSeen;
  } else if (Boost(bound.rules, *ordinal, 0).taken_out) {
    place.state = ItemPlace::State::kRule;
    const auto takes_out = [&](const RuleInForce& rule) {
      return rule.action == Rule::Action::kBoost && rule.value == 0 && rule.holds_for(*ordinal);
    };
    place.taken_out_by = std::find_if(bound.rules.begin(), bound.rules.end(), takes_out)->name;
  } else {
    place.state = ItemPlace::State::kUnscored;
    const auto lister =
        [&](std::size_t count, AcceptItem accept, const Among& among)
            NO_THREAD_SAFETY_ANALYSIS { return ListFor(query, count, accept, among); };
    RECO_ASSIGN_OR_RETURN(const auto list,
                          List(Side::kItem, options, query.left_out, std::move(bound), lister));
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].item == *ordinal) {
        place.state = ItemPlace::State::kRanked;
        place.rank = i + 1;
        place.score = list[i].score;
      }
    }
  }
  return place;
}

}  // namespace reco::engine
