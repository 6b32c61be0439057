// Merchandising rules of a Collection, and why an item stands where it does.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "engine/collection.h"
#include "engine/collection_queries.h"
#include "engine/lists/place_in_list.h"
#include "index/row_blocks.h"
#include "index/score.h"

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

// The score that `item` has in the lists of `query`; nullopt: it is in none.
std::optional<double> Collection::ListedScore(const Query& query, std::uint32_t item) const {
  if (state_.index() == nullptr || !query.usable()) {
    // Distinct users: at least one of a ranked item.
    const double users = state_.popularity().by(PopularBy::kUsers).value(item);
    return users > 0 ? std::optional(users) : std::nullopt;
  }
  const model::FactorTable& factors = *state_.items().factors;
  if (!state_.index()->blocks().Contains(item) ||
      (explicit_feedback() && factors.row(item)[ConstantAt()] == 0)) {
    return std::nullopt;
  }
  const auto score =
      index::ScoreRow(query.metric, query.vector.data(), factors.row(item), factors.stride());
  return score ? std::optional(*score + query.offset) : std::nullopt;
}

// Counts the items above `item`, which nothing keeps out of the list, and sets state, rank and
// score. The item counts as it is at the beginning, each other one as it is when the scan comes to
// it.
void Collection::FindPlace(const Query& query, const BoundRules& bound, std::uint32_t item,
                           ItemPlace* place) const {
  const std::optional<double> score = ListedScore(query, item);
  if (!score) {
    place->state = ItemPlace::State::kUnscored;
    return;
  }
  const std::int64_t now_ms = context_.clock.NowMs();
  const auto before = [this](std::uint32_t a, std::uint32_t b)
                          NO_THREAD_SAFETY_ANALYSIS { return state_.items().ids.Before(a, b); };
  PlaceInList found(bound.rules, before, item, *score);
  const auto count = [&](std::size_t begin, std::size_t end) NO_THREAD_SAFETY_ANALYSIS {
    for (auto other = static_cast<std::uint32_t>(begin); other < end; ++other) {
      const std::optional<double> theirs = ListedScore(query, other);
      if (other != item && theirs && found.Concerns(other, *theirs) &&
          !Contains(query.left_out, other) && Visible(Side::kItem, other, now_ms)) {
        found.Count(other, *theirs);
      }
    }
  };
  RowScan scan{Side::kItem, &bound.bindings, query.attempts < Query::kAttemptsInSteps};
  const auto end = [this]() NO_THREAD_SAFETY_ANALYSIS -> std::size_t {
    return state_.items().ids.end();
  };
  query.stale = !VisitRows(&scan, end, count);
  place->state = ItemPlace::State::kRanked;
  place->rank = found.rank();
  place->score = found.score();
}

// Where `item` stands in the list for `query`, or what keeps it out.
ItemPlace Collection::PlaceOf(const Query& query, std::uint32_t item) const {
  ItemPlace place;
  const BoundRules bound = RulesInForce();
  for (const RuleInForce& rule : bound.rules) {
    if (rule.holds_for(item)) {
      place.rules.push_back(rule.name);
    }
  }
  std::sort(place.rules.begin(), place.rules.end());
  if (query.usable() && state_.index() != nullptr) {
    place.score = ScoreOf(query, state_.items().factors->row(item));
  }
  const Attributes* attributes = state_.items().attributes.Find(item);
  if (attributes != nullptr && attributes->hidden) {
    place.state = ItemPlace::State::kHidden;
  } else if (!Visible(Side::kItem, item, context_.clock.NowMs())) {
    place.state = ItemPlace::State::kExpired;
  } else if (Contains(query.left_out, item)) {
    place.state = ItemPlace::State::kSeen;
  } else if (Boost(bound.rules, item, 0).taken_out) {
    place.state = ItemPlace::State::kRule;
    const auto takes_out = [&](const RuleInForce& rule) {
      return rule.action == Rule::Action::kBoost && rule.value == 0 && rule.holds_for(item);
    };
    place.taken_out_by = std::find_if(bound.rules.begin(), bound.rules.end(), takes_out)->name;
  } else {
    FindPlace(query, bound, item, &place);
  }
  return place;
}

// In steps, and anew when another model takes over in the middle.
Result<ItemPlace> Collection::Why(std::string_view user, std::string_view item) const {
  for (int attempts = 0;; ++attempts) {
    ReaderLock lock(mutex_);
    const auto ordinal = state_.items().ids.Find(item);
    if (!ordinal) {
      return ItemPlace();
    }
    RECO_ASSIGN_OR_RETURN(Query query, UserQuery(user, {}));
    query.attempts = attempts;
    ItemPlace place = PlaceOf(query, *ordinal);
    if (!query.stale) {
      return place;
    }
  }
}

}  // namespace reco::engine
