#include "engine/popular/decayed_sums.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/numbers.h"

namespace reco::engine {
namespace {

// 2^500 leaves room for sums of any weights above, and for 50 half-lives and a landmark below.
constexpr double kLandmarkAgeMax = 500;
// For so long, or such a share of a half-life, a list keeps what it took for newer than it was.
constexpr std::int64_t kExactMs = 60'000;
constexpr std::int64_t kExactShare = 16;

}  // namespace

double DecayedSums::WeightAt(std::int64_t time_ms) const {
  return std::exp2(static_cast<double>(time_ms - landmark_ms_) / static_cast<double>(halflife_ms_));
}

void DecayedSums::MoveLandmark(std::int64_t to_ms) {
  // Every value by the same factor, so the order stays. Once in 500 half-lives: the pass does not
  // show.
  const double factor = 1 / WeightAt(to_ms);
  landmark_ms_ = to_ms;
  for (std::uint32_t pair = 0; pair < pairs_.end(); ++pair) {
    pairs_[pair].value.sum *= factor;
  }
  for (Item& item : items_) {
    item.sum *= factor;
  }
  sums_.Scale(factor);
}

void DecayedSums::Change(std::uint32_t pair, int pairs, double sum) {
  Pair& stored = pairs_[pair].value;
  const std::uint32_t item = pairs_[pair].item;
  if (item >= items_.size()) {
    items_.resize(item + 1);
  }
  Item& sums = items_[item];
  const double before = stored.sum;
  stored.sum = PairWeight(CancellingSum(before, sum), WeightAt(stored.newest_ms));
  sums.pairs += static_cast<std::uint32_t>(pairs);
  sums.liked += (stored.sum > 0 ? 1U : 0U) - (before > 0 ? 1U : 0U);
  // An item without pairs keeps nothing of what rounding leaves of its sum.
  sums.sum = sums.pairs != 0 ? sums.sum + (stored.sum - before) : 0;
  if (sums.liked != 0) {
    sums_.Set(item, sums.sum);
  } else {
    sums_.Unrank(item);
  }
}

void DecayedSums::Add(const RecentEvent& event) {
  const std::int64_t time_ms = std::min(event.time_ms, now_ms_);
  if (event.time_ms > now_ms_) {
    // Not at once: a list that is built anew with each of many such events would never be there.
    const std::int64_t spare_ms = std::max<std::int64_t>(kExactMs, halflife_ms_ / kExactShare);
    exact_until_ms_ = std::min(exact_until_ms_, std::max(event.time_ms, now_ms_ + spare_ms));
  }
  const bool counts = time_ms + kLifeInHalves * halflife_ms_ > now_ms_;
  std::uint32_t pair = pairs_.Find(event.user, event.item);
  const bool known = pair != kNone;
  // Too old to count, but a known pair must hear of it: it may replace what the pair has.
  if (!counts && !known) {
    return;
  }
  if (!known) {
    pair = pairs_.Add(event.user, event.item);
    pairs_[pair].value.newest_ms = time_ms;
    // One entry a pair for good; newer events do not move it (see Advance).
    ends_.emplace_back(EndOf(pairs_[pair].value), pair);
    std::push_heap(ends_.begin(), ends_.end(), std::greater<>());
  }
  Pair& stored = pairs_[pair].value;
  double added = counts ? event.weight * WeightAt(time_ms) : 0;
  // Which rating is newest is asked as in Accumulate.
  if (event.replaces || (rated_ && event.time_ms >= std::min(stored.newest_ms, event.arrival_ms))) {
    added -= stored.sum;
  } else if (rated_) {
    added = 0;
  }
  stored.newest_ms = std::max(stored.newest_ms, time_ms);
  Change(pair, known ? 0 : 1, added);
}

void DecayedSums::Detach(std::uint32_t pair) {
  Change(pair, -1, -pairs_[pair].value.sum);
  pairs_.Detach(pair);
}

void DecayedSums::Remove(std::uint32_t user, std::uint32_t item) {
  const std::uint32_t pair = pairs_.Find(user, item);
  if (pair == kNone) {
    return;
  }
  Detach(pair);
  constexpr std::size_t kSlack = 1'024;
  // Their entries lie anywhere in the heap; one pass for as many as there are pairs is O(1) for
  // each.
  if (pairs_.detached() > pairs_.size() + kSlack) {
    Sweep();
  }
}

void DecayedSums::Sweep() {
  std::erase_if(ends_, [this](const Due& due) {
    const bool gone = !pairs_[due.second].attached;
    if (gone) {
      // No entry names the slot any more, so it may be used again.
      pairs_.Free(due.second);
    }
    return gone;
  });
  std::make_heap(ends_.begin(), ends_.end(), std::greater<>());
}

void DecayedSums::RemoveIf(FunctionRef<bool(std::uint32_t, std::uint32_t)> gone) {
  for (std::uint32_t pair = 0; pair < pairs_.end(); ++pair) {
    if (pairs_[pair].attached && gone(pairs_[pair].user, pairs_[pair].item)) {
      Detach(pair);
    }
  }
  Sweep();
}

void DecayedSums::Advance(std::int64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  while (!ends_.empty() && ends_.front().first <= now_ms_) {
    std::pop_heap(ends_.begin(), ends_.end(), std::greater<>());
    const std::uint32_t pair = ends_.back().second;
    if (!pairs_[pair].attached) {
      pairs_.Free(pair);
      ends_.pop_back();
    } else if (const std::int64_t end_ms = EndOf(pairs_[pair].value); end_ms > now_ms_) {
      ends_.back().first = end_ms;  // there were newer events
      std::push_heap(ends_.begin(), ends_.end(), std::greater<>());
    } else {
      Detach(pair);
      pairs_.Free(pair);
      ends_.pop_back();
    }
  }
  if (static_cast<double>(now_ms_ - landmark_ms_) >
      kLandmarkAgeMax * static_cast<double>(halflife_ms_)) {
    MoveLandmark(now_ms_);
  }
}

std::vector<RankedValue> DecayedSums::Top(PopularBy /*by*/, const PageQuery& query) const {
  std::vector<RankedValue> top = sums_.Top(query);
  const double scale = 1 / WeightAt(now_ms_);
  for (RankedValue& item : top) {
    item.value *= scale;
  }
  return top;
}

std::size_t DecayedSums::memory_bytes() const {
  return pairs_.memory_bytes() + ends_.size() * sizeof(Due) +
         items_.capacity() * sizeof(items_[0]) + sums_.memory_bytes();
}

}  // namespace reco::engine
