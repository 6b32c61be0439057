#include "engine/neighbours/solve_queue.h"

#include <algorithm>

namespace reco::engine {

void SolveQueue::NoteEvent(std::uint32_t item, std::int64_t now_ms) {
  Item& state = items_.Make(item);
  ++state.events;
  if (state.events >= kEventsASolve) {
    Push(item, now_ms);
  }
}

bool SolveQueue::Push(std::uint32_t item, std::int64_t now_ms) {
  if (items_[item].waiting.has_value()) {
    return true;
  }
  if (waiting_.size() >= items_max_) {
    return false;
  }
  items_.Make(item).waiting = waiting_.insert(waiting_.end(), {item, now_ms});
  return true;
}

std::optional<std::uint32_t> SolveQueue::Pop() {
  if (waiting_.empty()) {
    return std::nullopt;
  }
  const std::uint32_t item = waiting_.front().item;
  ++taken_;
  taken_late_ += items_[item].events > kEventsLate ? 1 : 0;
  Forget(item);
  return item;
}

void SolveQueue::Forget(std::uint32_t item) {
  if (const auto waiting = items_[item].waiting) {
    waiting_.erase(*waiting);
  }
  items_.Erase(item);
}

std::int64_t SolveQueue::OldestAgeMs(std::int64_t now_ms) const {
  return waiting_.empty() ? 0 : std::max<std::int64_t>(0, now_ms - waiting_.front().since_ms);
}

}  // namespace reco::engine
