#include "engine/state/event_times.h"

#include <algorithm>

namespace reco::engine {

void EventTimes::Note(std::int64_t time_ms) {
  if (times_ms_.size() >= kToldApart) {
    return;
  }
  const auto at = std::lower_bound(times_ms_.begin(), times_ms_.end(), time_ms);
  if (at == times_ms_.end() || *at != time_ms) {
    times_ms_.insert(at, time_ms);
  }
}

void EventTimes::CountUser(bool single, int sign) {
  const auto one = static_cast<std::uint64_t>(sign);  // modulo 2^64, so -1 takes one away
  users_ += one;
  single_ += single ? one : 0;
}

}  // namespace reco::engine
