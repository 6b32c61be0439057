// The list is made from the inside out: the best under boosts, diverse, the buried ones behind,
// pins in their places. Each step asks the one before for as many as it may need of them.
#include "engine/lists/item_list.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <unordered_set>
#include <utility>

#include "engine/lists/boost_parts.h"

namespace reco::engine {
namespace {

// How much further a list by score is read when boosts may lift items from behind its end.
constexpr std::size_t kReadFurther = 4;
constexpr std::size_t kFirstRead = 4;  // where several parts fill a list

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

void SortBest(const ItemListRequest& request, std::vector<ScoredItem>* list) {
  std::sort(list->begin(), list->end(), [&](const ScoredItem& a, const ScoredItem& b) {
    return a.score != b.score ? a.score > b.score : request.before(a.item, b.item);
  });
}

// A negative score is divided: a boost above 1 moves an item up in any case (D29).
double Lift(double score, double factor) {
  return score >= 0 ? score * factor : score / factor;
}

// Appends what a later search found. Attributes may change between two searches: the later one
// stands.
void Append(const std::vector<ScoredItem>& later, std::vector<ScoredItem>* list) {
  std::unordered_set<std::uint32_t> items;
  for (const ScoredItem& entry : later) {
    items.insert(entry.item);
  }
  std::erase_if(*list, [&](const ScoredItem& entry) { return items.contains(entry.item); });
  list->insert(list->end(), later.begin(), later.end());
}

// Searches that together have the best items under boosts: each is by score, among items that the
// boosts lift by at most `factor`. What one leaves behind is no better than its last item lifted by
// as much, so it is repeated for more until that is not enough.
class BoostedSearch {
 public:
  struct Search {
    RuleInForce items;                 // holds for those that are searched
    const RuleInForce* only = &items;  // for BestItems; null: all are searched
    double factor = 1;
    bool keeps_order = true;  // of scores under the boosts
    std::size_t size = kSizeUnknown;
    std::size_t first_read = 1;

    std::size_t read = 0;
    bool all_read = false;
    double last = 0;  // score of the last one found, not boosted
    std::vector<ScoredItem> found = {};
  };
  static constexpr std::size_t kSizeUnknown = std::numeric_limits<std::size_t>::max() / 8;

  BoostedSearch(const ItemListRequest& request, std::size_t count, AcceptItem accept,
                BestItems best)
      : request_(request), count_(count), accept_(accept), best_(best) {}

  void Run(Search* search) {
    ReadOn(search);
    searches_.push_back(search);
  }

  std::vector<ScoredItem> Finish() {
    for (bool changed = true; changed;) {
      changed = false;
      for (Search* search : searches_) {
        if (MayHoldMore(*search)) {
          ReadOn(search);
          changed = true;
        }
      }
    }
    return Best();
  }

 private:
  // A factor is multiplied in another order than a score is.
  static constexpr double kRounding = 1e-12;

  // Returns true while an item behind the end of this search could stand in the list.
  bool MayHoldMore(const Search& search) const {
    // A search whose order is that of the list has shown all that a list of `count` can take.
    if (search.all_read || (search.keeps_order && search.read >= count_)) {
      return false;
    }
    // No item behind the last one has a higher score, and none is lifted by a larger factor.
    const double reach = Lift(search.last, search.factor);
    return ScoreOfLast() <= reach + std::abs(reach) * kRounding;
  }

  void ReadOn(Search* search) {
    const auto wanted = [&](std::uint32_t item) {
      return search->items.holds_for(item) && !Boost(request_.rules, item, 0).taken_out &&
             accept_(item);
    };
    // Reads from the start again, since a search keeps no place; growing by a factor bounds the sum
    // of it.
    search->read = search->read == 0 ? search->first_read : search->read * kReadFurther;
    // Asks for one more than there are, so that a short answer says that all was read.
    search->read = std::min(search->read, search->size + 1);
    search->found = best_(search->read, wanted, search->only);
    search->all_read = search->found.size() < search->read;
    search->last = search->found.empty() ? 0 : search->found.back().score;
    std::erase_if(search->found, [&](ScoredItem& entry) {
      const BoostedScore boosted = Boost(request_.rules, entry.item, entry.score);
      // Else a write between the steps of the search has moved it to another part.
      search->keeps_order &= !boosted.taken_out && IsAbout(boosted.score, *search, entry.score);
      entry.score = boosted.score;
      return boosted.taken_out;
    });
  }

  // Returns true iff the part's factor lifts the score to `boosted`, but for the order of
  // multiplications.
  static bool IsAbout(double boosted, const Search& search, double score) {
    const double lifted = Lift(score, search.factor);
    return std::abs(boosted - lifted) <= std::abs(lifted) * kRounding;
  }

  // Returns the score of the last of the list, were it to end here.
  double ScoreOfLast() const {
    std::vector<double> scores;
    for (const Search* search : searches_) {
      for (const ScoredItem& entry : search->found) {
        scores.push_back(entry.score);
      }
    }
    // The list is not full yet: anything would get in.
    if (scores.size() < count_) {
      return -std::numeric_limits<double>::infinity();
    }
    const auto last = scores.begin() + static_cast<std::ptrdiff_t>(count_) - 1;
    std::nth_element(scores.begin(), last, scores.end(), std::greater<>());
    return *last;
  }

  std::vector<ScoredItem> Best() const {
    std::vector<ScoredItem> list;
    for (const Search* search : searches_) {
      Append(search->found, &list);
    }
    SortBest(request_, &list);
    list.resize(std::min(list.size(), count_));
    return list;
  }

  const ItemListRequest& request_;
  const std::size_t count_;
  const AcceptItem accept_;
  const BestItems best_;
  std::vector<Search*> searches_;
};

// Searches each part that the boosts divide the items into.
std::vector<ScoredItem> BestOfParts(BoostedSearch* boosted, const BoostParts& parts,
                                    std::size_t count, const RuleInForce* only) {
  // A deque: searches refer to their parts by address.
  std::deque<BoostedSearch::Search> all;
  const auto add = [&](const std::vector<std::uint32_t>& items,
                       bool one_by_one) -> BoostedSearch::Search& {
    BoostedSearch::Search& search = all.emplace_back();
    search.items.holds_for = [&items](std::uint32_t item) {
      return std::binary_search(items.begin(), items.end(), item);
    };
    search.items.few = one_by_one ? &items : nullptr;
    search.size = items.size();
    return search;
  };
  // Items that no boost holds for need no bound: they are read in the order of the list, once.
  if (!parts.plain) {
    BoostedSearch::Search& plain = all.emplace_back();
    plain.items.holds_for = [&](std::uint32_t item) { return !parts.IsBoosted(item); };
    plain.only = only;
    plain.first_read = count;
  } else if (!parts.plain->empty()) {
    add(*parts.plain, true).first_read = count;
  }
  for (const BoostPart& part : parts.lifted) {
    BoostedSearch::Search& search = add(part.items, part.one_by_one);
    search.factor = part.factor;
    search.keeps_order = part.keeps_order;
    search.first_read =
        // A guess of its share of the list; reading on mends a wrong one.
        std::min(count, std::max(kFirstRead, kReadFurther * count / parts.lifted.size()));
  }
  for (BoostedSearch::Search& search : all) {
    boosted->Run(&search);
  }
  return boosted->Finish();
}

// Searches in two parts, plain and lifted, when it is not known what the boosts hold for.
std::vector<ScoredItem> BestOfUnknown(BoostedSearch* search, std::span<const RuleInForce> rules,
                                      std::size_t count, const RuleInForce* only) {
  BoostedSearch::Search plain;
  plain.items.holds_for = [&](std::uint32_t item) {
    return !HoldsFor(rules, Rule::Action::kBoost, item);
  };
  plain.only = only;
  plain.first_read = count;
  BoostedSearch::Search lifted;
  lifted.items.holds_for = [&](std::uint32_t item) {
    return HoldsFor(rules, Rule::Action::kBoost, item) && !Boost(rules, item, 0).taken_out;
  };
  lifted.only = only;
  lifted.first_read = count;
  lifted.keeps_order = std::count_if(rules.begin(), rules.end(), IsBoost) == 1;
  for (const RuleInForce& rule : rules) {
    // A single boost lifts all by its value, also by less than 1; of several any choice may hold
    // for an item, the most when those above 1 do.
    const double most = lifted.keeps_order ? rule.value : std::max(rule.value, 1.0);
    lifted.factor *= IsBoost(rule) ? most : 1;
  }
  if (only == nullptr && lifted.keeps_order) {
    lifted.only = &*std::find_if(rules.begin(), rules.end(), IsBoost);
  }
  search->Run(&plain);
  search->Run(&lifted);
  return search->Finish();
}

// Returns the best items under boosts.
std::vector<ScoredItem> BestBoosted(const ItemListRequest& request, std::size_t count,
                                    AcceptItem accept, BestItems best,
                                    const RuleInForce* only = nullptr) {
  if (!HasAction(request.rules, Rule::Action::kBoost) || count == 0) {
    return best(count, accept, only);
  }
  BoostedSearch search(request, count, accept, best);
  const auto parts = DivideByBoosts(request.rules, only);
  return parts ? BestOfParts(&search, *parts, count, only)
               : BestOfUnknown(&search, request.rules, count, only);
}

// The same without those below the least score. They are behind all others, so that the list stays
// a prefix of a longer one.
std::vector<ScoredItem> BestAbove(const ItemListRequest& request, std::size_t count,
                                  AcceptItem accept, BestItems best) {
  std::vector<ScoredItem> list = BestBoosted(request, count, accept, best);
  std::erase_if(list, [&](const ScoredItem& entry) { return entry.score < request.min_score; });
  return list;
}

// Reorders the first kDiversityPool items by maximal marginal relevance, the first `count` of them
// (D30).
void Diversify(const ItemListRequest& request, std::size_t count, std::vector<ScoredItem>* list) {
  const std::size_t pool = std::min(list->size(), kDiversityPool);
  if (pool == 0) {
    return;
  }
  // Scores have no fixed scale; against the best of the list relevance and cosine can be weighed.
  const double unit = std::abs(list->front().score);
  std::vector<double> nearest(pool, -1);  // largest cosine to the chosen ones
  for (std::size_t chosen = 0; chosen + 1 < std::min(count, pool); ++chosen) {
    std::size_t next = chosen + 1;
    double highest = 0;
    for (std::size_t i = chosen + 1; i < pool; ++i) {
      const ScoredItem& entry = (*list)[i];
      // Compares with the one chosen last; the others are in the maximum already.
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

std::vector<ScoredItem> BestDiverse(const ItemListRequest& request, std::size_t count,
                                    AcceptItem accept, BestItems best) {
  if (request.diversity == 0) {
    return BestAbove(request, count, accept, best);
  }
  // The whole pool whatever the page, so that pages of one state fit together (D30).
  std::vector<ScoredItem> list = BestAbove(request, std::max(count, kDiversityPool), accept, best);
  Diversify(request, count, &list);
  list.resize(std::min(list.size(), count));
  return list;
}

std::vector<ScoredItem> BestWithBuried(const ItemListRequest& request, std::size_t count,
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
  // Buried items are searched only when the page is not full without them.
  if (list.size() < count) {
    Append(BestAbove(request, count - list.size(), below, best), &list);
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

std::vector<ScoredItem> MakeItemList(const ItemListRequest& request, BestItems best) {
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
    // One search a pin, each without the items pinned before: an item stands in the list once.
    for (const ScoredItem& found : BestBoosted(request, 1, candidate, best, &rule)) {
      pins.emplace_back(static_cast<std::size_t>(rule.value) - 1, found);
    }
  }
  std::vector<ScoredItem> list = BestWithBuried(request, request.count, unpinned, best);
  for (const auto& [place, item] : pins) {
    // Rules come in order: a later pin moves an earlier one down when it comes in above it.
    const std::size_t at = std::min(place, list.size());
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), item);
  }
  list.resize(std::min(list.size(), request.count));
  return list;
}

}  // namespace reco::engine
