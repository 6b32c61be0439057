#include "engine/item_list.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

namespace reco::engine {
namespace {

// How much further a list by score is read when boosts may lift items from behind its end.
constexpr std::size_t kReadFurther = 4;

bool HasAction(std::span<const RuleInForce> rules, Rule::Action action) {
  return std::any_of(rules.begin(), rules.end(),
                     [action](const RuleInForce& rule) { return rule.action == action; });
}

bool HoldsFor(std::span<const RuleInForce> rules, Rule::Action action, std::uint32_t item) {
  return std::any_of(rules.begin(), rules.end(), [=](const RuleInForce& rule) {
    return rule.action == action && rule.holds_for(item);
  });
}

bool IsBoost(const RuleInForce& rule) {
  return rule.action == Rule::Action::kBoost;
}

void SortBest(const ListRequest& request, std::vector<ScoredItem>* list) {
  std::sort(list->begin(), list->end(), [&](const ScoredItem& a, const ScoredItem& b) {
    return a.score != b.score ? a.score > b.score : request.before(a.item, b.item);
  });
}

double Lift(double score, double factor) {
  return score >= 0 ? score * factor : score / factor;
}

// No item with at most `score` is boosted above this.
double HighestBoosted(std::span<const RuleInForce> rules, double score) {
  double factor = 1;
  for (const RuleInForce& rule : rules) {
    if (rule.action == Rule::Action::kBoost) {
      factor *= std::max(rule.value, 1.0);
    }
  }
  return Lift(score, factor);
}

// The best of the items that a boost holds for. What the list by score leaves behind can be no
// better than its last item boosted by everything, so it is read on until that is not enough. One
// boost alone keeps the order.
std::vector<ScoredItem> BestLifted(const ListRequest& request, std::size_t count, AcceptItem accept,
                                   BestItems best, const RuleInForce* only) {
  const bool keeps_order = std::count_if(request.rules.begin(), request.rules.end(), IsBoost) == 1;
  if (only == nullptr && keeps_order) {
    only = &*std::find_if(request.rules.begin(), request.rules.end(), IsBoost);
  }
  const auto lifted = [&](std::uint32_t item) {
    return HoldsFor(request.rules, Rule::Action::kBoost, item) && accept(item) &&
           !Boost(request.rules, item, 0).taken_out;
  };
  for (std::size_t read = count;; read *= kReadFurther) {
    std::vector<ScoredItem> list = best(read, lifted, only);
    const bool all = list.size() < read;
    const double reach = all ? 0 : HighestBoosted(request.rules, list.back().score);
    for (ScoredItem& entry : list) {
      entry.score = Boost(request.rules, entry.item, entry.score).score;
    }
    SortBest(request, &list);
    if (all || keeps_order || list[count - 1].score > reach) {
      return list;
    }
  }
}

// Attributes may change between two searches: the later one stands.
void Append(const std::vector<ScoredItem>& later, std::vector<ScoredItem>* list) {
  std::unordered_set<std::uint32_t> items;
  for (const ScoredItem& entry : later) {
    items.insert(entry.item);
  }
  std::erase_if(*list, [&](const ScoredItem& entry) { return items.contains(entry.item); });
  list->insert(list->end(), later.begin(), later.end());
}

// The best items under boosts.
std::vector<ScoredItem> BestBoosted(const ListRequest& request, std::size_t count,
                                    AcceptItem accept, BestItems best,
                                    const RuleInForce* only = nullptr) {
  if (!HasAction(request.rules, Rule::Action::kBoost)) {
    return best(count, accept, only);
  }
  const auto plain = [&](std::uint32_t item) {
    return !HoldsFor(request.rules, Rule::Action::kBoost, item) && accept(item);
  };
  std::vector<ScoredItem> list = best(count, plain, only);
  Append(BestLifted(request, count, accept, best, only), &list);
  SortBest(request, &list);
  list.resize(std::min(list.size(), count));
  return list;
}

// Reorders the first kDiversityPool items by maximal marginal relevance, the first `count` of them.
void Diversify(const ListRequest& request, std::size_t count, std::vector<ScoredItem>* list) {
  const std::size_t pool = std::min(list->size(), kDiversityPool);
  if (pool == 0) {
    return;
  }
  const double unit = std::abs(list->front().score);
  std::vector<double> nearest(pool, -1);  // largest cosine to the chosen ones
  for (std::size_t chosen = 0; chosen + 1 < std::min(count, pool); ++chosen) {
    std::size_t next = chosen + 1;
    double highest = 0;
    for (std::size_t i = chosen + 1; i < pool; ++i) {
      const ScoredItem& entry = (*list)[i];
      nearest[i] = std::max(nearest[i], request.cosine(entry.item, (*list)[chosen].item));
      const double relevance = unit > 0 ? entry.score / unit : 0;
      const double marginal = (1 - request.diversity) * relevance - request.diversity * nearest[i];
      if (i == chosen + 1 || marginal > highest) {
        highest = marginal;
        next = i;
      }
    }
    // The others keep their order, so that equal ones follow by score.
    const auto first = list->begin() + static_cast<std::ptrdiff_t>(chosen) + 1;
    const auto taken = list->begin() + static_cast<std::ptrdiff_t>(next);
    std::rotate(first, taken, taken + 1);
    std::rotate(nearest.begin() + (first - list->begin()),
                nearest.begin() + (taken - list->begin()),
                nearest.begin() + (taken - list->begin()) + 1);
  }
}

std::vector<ScoredItem> BestDiverse(const ListRequest& request, std::size_t count,
                                    AcceptItem accept, BestItems best) {
  if (request.diversity == 0) {
    return BestBoosted(request, count, accept, best);
  }
  std::vector<ScoredItem> list =
      BestBoosted(request, std::max(count, kDiversityPool), accept, best);
  Diversify(request, count, &list);
  list.resize(std::min(list.size(), count));
  return list;
}

std::vector<ScoredItem> BestWithBuried(const ListRequest& request, std::size_t count,
                                       AcceptItem accept, BestItems best) {
  if (!HasAction(request.rules, Rule::Action::kBury)) {
    return BestDiverse(request, count, accept, best);
  }
  const auto buried = [&](std::uint32_t item) {
    return HoldsFor(request.rules, Rule::Action::kBury, item);
  };
  const auto above = [&](std::uint32_t item) { return accept(item) && !buried(item); };
  const auto below = [&](std::uint32_t item) { return accept(item) && buried(item); };
  std::vector<ScoredItem> list = BestDiverse(request, count, above, best);
  if (list.size() < count) {
    Append(BestBoosted(request, count - list.size(), below, best), &list);
  }
  return list;
}

}  // namespace

BoostedScore Boost(std::span<const RuleInForce> rules, std::uint32_t item, double score) {
  BoostedScore boosted{score, false};
  for (const RuleInForce& rule : rules) {
    if (rule.action == Rule::Action::kBoost && rule.holds_for(item)) {
      boosted.taken_out = boosted.taken_out || rule.value == 0;
      boosted.score = rule.value == 0 ? boosted.score : Lift(boosted.score, rule.value);
    }
  }
  return boosted;
}

std::vector<ScoredItem> MakeItemList(const ListRequest& request, BestItems best) {
  if (!HasAction(request.rules, Rule::Action::kPin)) {
    return BestWithBuried(request, request.count, request.accept, best);
  }
  std::vector<std::pair<std::size_t, ScoredItem>> pins;  // place from 0
  const auto unpinned = [&](std::uint32_t item) {
    return request.accept(item) && std::none_of(pins.begin(), pins.end(), [item](const auto& pin) {
             return pin.second.item == item;
           });
  };
  for (const RuleInForce& rule : request.rules) {
    if (rule.action != Rule::Action::kPin) {
      continue;
    }
    const auto candidate = [&](std::uint32_t item) {
      return rule.holds_for(item) && unpinned(item);
    };
    for (const ScoredItem& found : BestBoosted(request, 1, candidate, best, &rule)) {
      pins.emplace_back(static_cast<std::size_t>(rule.value) - 1, found);
    }
  }
  std::vector<ScoredItem> list = BestWithBuried(request, request.count, unpinned, best);
  for (const auto& [place, item] : pins) {
    const std::size_t at = std::min(place, list.size());
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), item);
  }
  list.resize(std::min(list.size(), request.count));
  return list;
}

}  // namespace reco::engine
