#include "engine/popular/decayed_sums.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace reco::engine {
namespace {

// 2^500 leaves room for sums of any weights above, and for 50 half-lives and a landmark below.
constexpr double kLandmarkAgeMax = 500;

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
  sums_.Scale(factor);
}

void DecayedSums::Change(std::uint32_t item, int pairs, double sum) {
  if (item >= pairs_of_.size()) {
    pairs_of_.resize(item + 1);
  }
  pairs_of_[item] += static_cast<std::uint32_t>(pairs);
  // An item without pairs is not ranked by what rounding leaves of its sum.
  if (pairs_of_[item] == 0) {
    sums_.Unrank(item);
  } else {
    sums_.Set(item, sums_.value(item) + sum);
  }
}

void DecayedSums::Add(const RecentEvent& event) {
  // Time goes by the arrivals, so that a list built from the log is the one that live writes make.
  Advance(event.arrival_ms);
  const std::int64_t time_ms = std::min(event.time_ms, event.arrival_ms);
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
    pairs_[pair].value.said_ms = event.time_ms;
    // One entry a pair for good; newer events do not move it (see Advance).
    ends_.emplace_back(EndOf(pairs_[pair].value), pair);
    std::push_heap(ends_.begin(), ends_.end(), std::greater<>());
  }
  Pair& stored = pairs_[pair].value;
  double added = counts ? event.weight * WeightAt(time_ms) : 0;
  // Which rating is newest goes by the time that was said, as in Accumulate; the weight by the
  // earlier of that and the arrival.
  if (event.replaces || (rated_ && event.time_ms >= stored.said_ms)) {
    added -= stored.sum;
  } else if (rated_) {
    added = 0;
  }
  stored.newest_ms = std::max(stored.newest_ms, time_ms);
  stored.said_ms = std::max(stored.said_ms, event.time_ms);
  stored.sum += added;
  Change(event.item, known ? 0 : 1, added);
}

void DecayedSums::Detach(std::uint32_t pair) {
  Change(pairs_[pair].item, -1, -pairs_[pair].value.sum);
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
  // A clock that steps back would bring back what was forgotten.
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
         pairs_of_.capacity() * sizeof(pairs_of_[0]) + sums_.memory_bytes();
}

}  // namespace reco::engine
