#include "engine/lists/why.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/sorted.h"
#include "engine/lists/page.h"
#include "engine/lists/place_in_list.h"
#include "engine/lists/row_scan.h"
#include "engine/lists/rules.h"
#include "engine/lists/scorer.h"

namespace reco::engine::lists {
namespace {

// MAY GIVE THE LOCK BACK. Counts the items above `item`, which nothing keeps out of the list, and
// sets state, rank and score. The item counts as it is at the beginning, each other one as it is
// when the scan comes to it.
void FindPlace(ReadView& view, Query& query, const BoundRules& bound, std::uint32_t item,
               ItemPlace* place) {
  const Scorer scorer(view, Side::kItem, query);
  const std::optional<double> score = scorer.Listed(item);
  if (!score) {
    place->state = ItemPlace::State::kUnscored;
    return;
  }
  const std::int64_t now_ms = view.shared().context().clock.NowMs();
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return view.state().items().ids.Before(a, b);
  };
  PlaceInList found(bound.rules, before, item, *score);
  const auto count = [&](std::size_t begin, std::size_t end) {
    for (auto other = static_cast<std::uint32_t>(begin); other < end; ++other) {
      const std::optional<double> theirs = scorer.Listed(other);
      // The cheap questions first: for most items the score alone answers.
      if (other != item && theirs && found.Concerns(other, *theirs) &&
          !Contains(query.left_out, other) && Visible(view, Side::kItem, other, now_ms)) {
        found.Count(other, *theirs);
      }
    }
  };
  RowScan scan{Side::kItem, &bound.bindings, query.attempts < Query::kAttemptsInSteps};
  const auto end = [&]() -> std::size_t { return view.state().items().ids.end(); };
  query.stale = !VisitRows(view, &scan, end, count);
  place->state = ItemPlace::State::kRanked;
  place->rank = found.rank();
  place->score = found.score();
}

// Sets which rules hold for `item`, and which cannot for want of a field.
void FindRules(const BoundRules& bound, std::uint32_t item, ItemPlace* place) {
  for (std::size_t i = 0; i < bound.rules.size(); ++i) {
    const RuleInForce& rule = bound.rules[i];
    if (rule.holds_for(item)) {
      place->rules.push_back(rule.name);
    } else if (auto fields = bound.bindings[i]->bound->MissingFields(item); !fields.empty()) {
      place->missing_fields.push_back({rule.name, std::move(fields)});
    }
  }
  std::sort(place->rules.begin(), place->rules.end());
  std::sort(place->missing_fields.begin(), place->missing_fields.end(),
            [](const MissingFields& a, const MissingFields& b) { return a.rule < b.rule; });
}

// MAY GIVE THE LOCK BACK. Says where `item` stands in the list for `query`, or what keeps it out.
ItemPlace PlaceOf(ReadView& view, Query& query, std::uint32_t item) {
  ItemPlace place;
  const BoundRules bound = RulesInForce(view);
  FindRules(bound, item, &place);
  // Shown whatever keeps the item out; FindPlace replaces it by the one under the boosts.
  if (const Scorer scorer(view, Side::kItem, query); scorer.usable()) {
    place.score = scorer.Of(item).value_or(0);
  }
  const Attributes* attributes = view.state().items().attributes.Find(item);
  // The order in which List would leave it out, so that the first reason is named.
  if (attributes != nullptr && attributes->hidden) {
    place.state = ItemPlace::State::kHidden;
  } else if (!Visible(view, Side::kItem, item, view.shared().context().clock.NowMs())) {
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
    FindPlace(view, query, bound, item, &place);
  }
  return place;
}

}  // namespace

// Looks in steps, and anew when another model takes over in the middle.
Result<ItemPlace> Why(const SharedState& shared, std::string_view user, std::string_view item,
                      const ScoreOptions& options) {
  RECO_RETURN_IF_ERROR(CheckScoreOptions(shared, options));
  for (int attempts = 0;; ++attempts) {
    ReadView view(shared);
    const auto ordinal = view.state().items().ids.Find(item);
    if (!ordinal) {
      return ItemPlace();
    }
    RECO_ASSIGN_OR_RETURN(Query query, UserQuery(view, user, options));
    // From the fourth time on the lock is kept (D11).
    query.attempts = attempts;
    ItemPlace place = PlaceOf(view, query, *ordinal);
    if (!query.stale) {
      return place;
    }
  }
}

}  // namespace reco::engine::lists
