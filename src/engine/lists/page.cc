// How a list is put together: who is left out (ids, seen, filters), which candidates are few enough
// to score one by one, and what rules and diversity make of the rest (item_list.h).
#include "engine/lists/page.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/sorted.h"
#include "engine/lists/model_view.h"
#include "engine/lists/query.h"

namespace reco::engine::lists {
namespace {

// A filter that holds for fewer items than this share of all is ranked item by item.
constexpr double kSmallShare = 0.02;
constexpr std::size_t kLongPage = 1'000;

}  // namespace

Status CheckListOptions(const RankingOptions& options) {
  if (options.count < 1 || options.count > kCountMax) {
    return Status::InvalidArgument("COUNT must be 1 to 10000");
  }
  if (options.offset > kPageEndMax - options.count) {
    return Status::InvalidArgument("OFFSET and COUNT must add up to at most 1000000");
  }
  if (!(options.diversity >= 0 && options.diversity <= 1)) {
    return Status::InvalidArgument("DIVERSITY must be a number from 0 to 1");
  }
  if (options.min_score && std::isnan(*options.min_score)) {
    return Status::InvalidArgument("MINSCORE must be a number");
  }
  if (options.approximate_ef &&
      (*options.approximate_ef < 1 || *options.approximate_ef > kApproximateEfMax)) {
    return Status::InvalidArgument("EF must be 1 to 10000");
  }
  const std::size_t longest =
      std::max(options.exclude.size(), options.include ? options.include->size() : std::size_t{0});
  if (longest > kBasketItemsMax) {
    return Status::InvalidArgument("a list of ids may name at most 10000");
  }
  return Status::Ok();
}

Status CheckOptionsWithoutModel(const RankingOptions& options) {
  return options.model ? Status::InvalidArgument("this list takes no MODEL: leave it out")
                       : CheckListOptions(options);
}

bool Visible(const View& view, Side side, std::uint32_t ordinal, std::int64_t now_ms) {
  const AttributeTable& all = view.state().side(side).attributes;
  // Most collections hide nothing, and this is asked of each candidate.
  const Attributes* own = all.empty() ? nullptr : all.Find(ordinal);
  return own == nullptr || (!own->hidden && !own->ExpiredAt(now_ms));
}

Result<std::vector<ScoredItem>> List(ReadView& view, const RankingOptions& options, ListParts parts,
                                     Lister lister) {
  const Side side = parts.side;
  BoundRules& rules = parts.rules;
  std::vector<std::uint32_t>& left_out = parts.left_out;
  const SideState& own = view.state().side(side);  // stays where it is across a Yield
  // One time for the whole list, or an item could expire between two of its searches.
  const std::int64_t now_ms = view.shared().context().clock.NowMs();
  const std::vector<std::uint32_t> excluded = Ordinals(view, side, options.exclude);
  left_out.insert(left_out.end(), excluded.begin(), excluded.end());
  SortUnique(&left_out);
  std::vector<std::uint32_t> included;
  if (options.include) {
    included = Ordinals(view, side, *options.include);
    SortUnique(&included);
  }
  bool few = options.include.has_value();
  const FilterBinding* filter = nullptr;
  if (!options.filter.empty()) {
    RECO_ASSIGN_OR_RETURN(auto compiled, filter::Filter::Compile(options.filter));
    filter = Bind(view, side, std::move(compiled), &rules.bindings);
    const auto matches = filter->bound->match_count();
    // The number is known when the filter has a bitmap.
    if (!few && matches && static_cast<double>(*matches) < kSmallShare * own.ids.end()) {
      few = true;
      filter->bound->ForEachMatch([&](std::uint32_t ordinal) {
        included.push_back(ordinal);
        return true;
      });
    }
  }
  const auto accept = [&](std::uint32_t ordinal) {
    // Not all rankings have lost yet what is being deleted.
    if (view.state().unfinished() && own.ids.id(ordinal).empty()) {
      return false;
    }
    // The filter comes last, as it may have to read a record.
    return !Contains(left_out, ordinal) && Visible(view, side, ordinal, now_ms) &&
           (filter == nullptr || filter->bound->Matches(ordinal));
  };
  const auto best = [&](std::size_t count, AcceptItem accepted, const RuleInForce* only) {
    // What the request allows goes before what a rule holds for: the search asks both either way.
    const auto* known = few ? &included : only != nullptr ? only->few : nullptr;
    return lister(count, accepted, Among{known, filter, &rules.bindings});
  };
  const auto before = [&](std::uint32_t a, std::uint32_t b) { return own.ids.Before(a, b); };
  const auto cosine = [&](std::uint32_t a, std::uint32_t b) {
    // Taken anew each time, since a search in between may have given the lock back.
    const ModelView model = ModelOf(view, parts.replaced);
    const float* row_a = model.row(a);
    const float* row_b = model.row(b);
    return row_a != nullptr && row_b != nullptr ? Cosine(view.shared(), row_a, row_b) : 0;
  };
  return MakeItemList(
      {options.offset + options.count, side == Side::kItem ? options.diversity : 0,
       options.min_score.value_or(kNoMinScore), rules.rules, accept, before, cosine},
      best);
}

Ranking Page(const View& view, Side side, const RankingOptions& options,
             std::span<const ScoredItem> list) {
  const SideState& own = view.state().side(side);
  Ranking ranking;
  for (const ScoredItem& item : list.subspan(std::min(options.offset, list.size()))) {
    if (own.ids.id(item.item).empty()) {
      continue;  // deleted since the first of several searches
    }
    Ranking::Entry& entry = ranking.entries.emplace_back();
    entry.id = own.ids.id(item.item);
    entry.score = item.score;
    entry.source = item.source;
    const Attributes* attributes =
        options.with_attributes ? own.attributes.Find(item.item) : nullptr;
    if (attributes != nullptr) {
      entry.attributes = attributes->json;
    }
  }
  return ranking;
}

Result<Ranking> ItemPage(ReadView& view, const RankingOptions& options,
                         std::vector<std::uint32_t> left_out, Lister lister,
                         const ReplacedModel* replaced) {
  RECO_ASSIGN_OR_RETURN(
      const auto list,
      List(view, options, {Side::kItem, std::move(left_out), RulesInForce(view), replaced},
           lister));
  // Ids and attributes of a long page are a piece of work of their own.
  if (list.size() > kLongPage) {
    view.Yield();
  }
  return Page(view, Side::kItem, options, list);
}

}  // namespace reco::engine::lists
