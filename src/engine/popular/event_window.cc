// An event stands in its pair's chain and in the heap. A removed one leaves the chain
// at once, and the heap when its time comes or a sweep takes it: only then is its number used
// again.
#include "engine/popular/event_window.h"

#include <algorithm>
#include <functional>

#include "base/numbers.h"

namespace reco::engine {

void EventWindow::Change(std::uint32_t pair, int events, double weight) {
  Pair& stored = pairs_[pair].value;
  const std::uint32_t item = pairs_[pair].item;
  if (item >= items_.size()) {
    items_.resize(item + 1);
  }
  Item& sums = items_[item];
  const auto liked_events = [&stored] { return PairWeight(stored.weight) > 0 ? stored.events : 0; };
  const std::uint32_t liked_before = liked_events();
  const double weight_before = PairWeight(stored.weight);
  stored.events += static_cast<std::uint32_t>(events);
  // Sums of floats leave a rest: what holds no events weighs nothing.
  stored.weight = stored.events != 0 ? CancellingSum(stored.weight, weight) : 0;
  const std::uint32_t liked_after = liked_events();
  sums.events += static_cast<std::uint32_t>(events);
  const double change = PairWeight(stored.weight) - weight_before;
  sums.weight = sums.events != 0 ? CancellingSum(sums.weight, change) : 0;
  sums.users += (liked_after != 0 ? 1U : 0U) - (liked_before != 0 ? 1U : 0U);
  sums.liked_events += liked_after - liked_before;
  counts_.Update(item, sums.users, sums.weight, sums.liked_events);
}

void EventWindow::DropWeights(std::uint32_t pair) {
  Pair& owner = pairs_[pair].value;
  // Stops where the last replacement began: each event is looked at once, however often a pair is
  // replaced.
  for (std::uint32_t at = owner.first; at != owner.weightless; at = events_[at].next) {
    events_[at].weight = 0;
  }
  // The events still count as events of their user; they only weigh nothing.
  owner.weightless = owner.first;
  if (owner.weight != 0) {
    Change(pair, 0, -owner.weight);
  }
}

void EventWindow::Add(const RecentEvent& event) {
  std::uint32_t pair = pairs_.Find(event.user, event.item);
  const bool known = pair != kNone;
  double weight = event.weight;
  // The newest rating stands, as in Accumulate.
  const bool newest =
      !known || event.time_ms >= std::min(pairs_[pair].value.newest_ms, event.arrival_ms);
  if (event.replaces || (rated_ && newest)) {
    if (known) {
      DropWeights(pair);
    }
  } else if (rated_) {
    weight = 0;
  }
  // Comes after the replacement: an event that is too old to count still takes weights away.
  if (event.time_ms <= now_ms_ - length_ms_) {
    return;
  }
  if (!known) {
    pair = pairs_.Add(event.user, event.item);
  }
  Insert(pair, weight, event.time_ms);
}

void EventWindow::Insert(std::uint32_t pair, double weight, std::int64_t time_ms) {
  auto event = static_cast<std::uint32_t>(events_.size());
  if (free_.empty()) {
    events_.emplace_back();
  } else {
    event = free_.back();
    free_.pop_back();
  }
  Pair& owner = pairs_[pair].value;
  owner.newest_ms = std::max(owner.newest_ms, time_ms);
  events_[event] = {weight, pair, owner.first, kNone};
  if (owner.first != kNone) {
    events_[owner.first].previous = event;
  }
  owner.first = event;
  ++live_;
  Change(pair, 1, weight);
  ends_.emplace_back(time_ms, event);
  std::push_heap(ends_.begin(), ends_.end(), std::greater<>());
}

void EventWindow::Unchain(std::uint32_t event) {
  const Event gone = events_[event];
  Change(gone.pair, -1, -gone.weight);
  Pair& owner = pairs_[gone.pair].value;
  if (gone.previous != kNone) {
    events_[gone.previous].next = gone.next;
  } else {
    owner.first = gone.next;
  }
  if (gone.next != kNone) {
    events_[gone.next].previous = gone.previous;
  }
  // The mark may not name an event that goes.
  if (owner.weightless == event) {
    owner.weightless = gone.next;
  }
  events_[event].pair = kNone;
  --live_;
  if (owner.first == kNone) {
    // Nothing refers to a pair but its events, so its slot is free at once.
    pairs_.Detach(gone.pair);
    pairs_.Free(gone.pair);
  }
}

void EventWindow::Free(std::uint32_t event) {
  // RemovePair has taken a removed one out already.
  if (events_[event].pair != kNone) {
    Unchain(event);
  }
  free_.push_back(event);
}

// Its events stay in their heap until their time has come or there are too many of that kind.
void EventWindow::RemovePair(std::uint32_t pair) {
  std::uint32_t next = kNone;
  for (std::uint32_t at = pairs_[pair].value.first; at != kNone; at = next) {
    next = events_[at].next;
    Unchain(at);
  }
  constexpr std::size_t kSlack = 1'024;
  if (ends_.size() > 2 * live_ + kSlack) {
    Sweep();
  }
}

void EventWindow::Sweep() {
  std::erase_if(ends_, [this](const Due& due) {
    const bool gone = events_[due.second].pair == kNone;
    if (gone) {
      free_.push_back(due.second);
    }
    return gone;
  });
  std::make_heap(ends_.begin(), ends_.end(), std::greater<>());
}

void EventWindow::Remove(std::uint32_t user, std::uint32_t item) {
  if (const std::uint32_t pair = pairs_.Find(user, item); pair != kNone) {
    RemovePair(pair);
  }
}

void EventWindow::RemoveIf(FunctionRef<bool(std::uint32_t, std::uint32_t)> gone) {
  for (std::uint32_t pair = 0; pair < pairs_.end(); ++pair) {
    if (pairs_[pair].attached && gone(pairs_[pair].user, pairs_[pair].item)) {
      RemovePair(pair);
    }
  }
}

void EventWindow::Advance(std::int64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  while (!ends_.empty() && ends_.front().first <= now_ms_ - length_ms_) {
    std::pop_heap(ends_.begin(), ends_.end(), std::greater<>());
    const std::uint32_t event = ends_.back().second;
    ends_.pop_back();
    Free(event);
  }
}

std::size_t EventWindow::memory_bytes() const {
  return pairs_.memory_bytes() + events_.size() * sizeof(Event) +
         free_.capacity() * sizeof(free_[0]) + ends_.size() * sizeof(Due) + counts_.memory_bytes();
}

}  // namespace reco::engine
