// An event stands in its pair's chain and in one of the two heaps. A removed one leaves the chain
// at once, and the heap when its time comes or a sweep takes it: only then is its number used
// again.
#include "engine/popular/event_window.h"

#include <algorithm>
#include <functional>

namespace reco::engine {

void EventWindow::Push(Heap* heap, Due due) {
  heap->push_back(due);
  std::push_heap(heap->begin(), heap->end(), std::greater<>());
}

EventWindow::Due EventWindow::Pop(Heap* heap) {
  std::pop_heap(heap->begin(), heap->end(), std::greater<>());
  const Due due = heap->back();
  heap->pop_back();
  return due;
}

// The counts stand in the ranking itself; they are whole numbers, so adding to them is exact.
void EventWindow::Change(std::uint32_t item, int users, double weight, int events) {
  const auto value = [&](PopularBy by) { return counts_.by(by).value(item); };
  const auto count = [&](PopularBy by, int change) {
    return static_cast<std::uint64_t>(value(by) + change);
  };
  counts_.Update(item, count(PopularBy::kUsers, users), value(PopularBy::kWeight) + weight,
                 count(PopularBy::kEvents, events));
}

void EventWindow::Count(std::uint32_t event) {
  Event& entered = events_[event];
  entered.counted = true;
  auto& pair = pairs_[entered.pair];
  // The first counted event of the pair brings its user.
  Change(pair.item, pair.value.counted++ == 0 ? 1 : 0, entered.weight, 1);
}

void EventWindow::Uncount(std::uint32_t event) {
  Event& leaving = events_[event];
  auto& pair = pairs_[leaving.pair];
  leaving.counted = false;
  Change(pair.item, --pair.value.counted == 0 ? -1 : 0, -leaving.weight, -1);
}

void EventWindow::DropWeights(std::uint32_t pair) {
  double dropped = 0;
  Pair& owner = pairs_[pair].value;
  // Stops where the last replacement began: each event is looked at once, however often a pair is
  // replaced.
  for (std::uint32_t at = owner.first; at != owner.weightless; at = events_[at].next) {
    dropped += events_[at].counted ? events_[at].weight : 0;
    events_[at].weight = 0;
  }
  // The events still count as events of their user; they only weigh nothing.
  owner.weightless = owner.first;
  if (dropped != 0) {
    Change(pairs_[pair].item, 0, -dropped, 0);
  }
}

void EventWindow::Add(const RecentEvent& event) {
  // Time goes by the arrivals, so that a list built from the log is the one that live writes make.
  Advance(event.arrival_ms);
  std::uint32_t pair = pairs_.Find(event.user, event.item);
  const bool known = pair != kNone;
  double weight = event.weight;
  if (event.replaces || (rated_ && (!known || event.time_ms >= pairs_[pair].value.newest_ms))) {
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
  events_[event] = {weight, pair, owner.first, kNone, false};
  if (owner.first != kNone) {
    events_[owner.first].previous = event;
  }
  owner.first = event;
  ++live_;
  if (time_ms <= now_ms_) {
    Count(event);
    Push(&current_, {time_ms, event});
  } else {
    Push(&upcoming_, {time_ms, event});
  }
}

void EventWindow::Unchain(std::uint32_t event) {
  if (events_[event].counted) {
    Uncount(event);
  }
  const Event gone = events_[event];
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
  if (const std::size_t held = current_.size() + upcoming_.size(); held > 2 * live_ + kSlack) {
    Sweep(&current_);
    Sweep(&upcoming_);
  }
}

void EventWindow::Sweep(Heap* heap) {
  std::erase_if(*heap, [this](const Due& due) {
    const bool gone = events_[due.second].pair == kNone;
    if (gone) {
      free_.push_back(due.second);
    }
    return gone;
  });
  std::make_heap(heap->begin(), heap->end(), std::greater<>());
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
  // Events come in before others leave, since one may do both in the same step.
  while (!upcoming_.empty() && upcoming_.front().first <= now_ms_) {
    const Due due = Pop(&upcoming_);
    if (events_[due.second].pair == kNone) {
      Free(due.second);
      continue;
    }
    Count(due.second);
    Push(&current_, due);
  }
  while (!current_.empty() && current_.front().first <= now_ms_ - length_ms_) {
    Free(Pop(&current_).second);
  }
}

std::size_t EventWindow::memory_bytes() const {
  return pairs_.memory_bytes() + events_.size() * sizeof(Event) +
         free_.capacity() * sizeof(free_[0]) + (current_.size() + upcoming_.size()) * sizeof(Due) +
         counts_.memory_bytes();
}

}  // namespace reco::engine
