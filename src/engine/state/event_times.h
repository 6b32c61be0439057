// EventTimes: whether the times of a collection's events tell in which order its users acted. A log
// that was written down as one list of pairs, or by the day, has times that say nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace reco::engine {

// Thread-compatible.
class EventTimes {
 public:
  // More times need not be told apart.
  static constexpr std::size_t kToldApart = 101;

  // Takes note of the time of an event.
  void Note(std::int64_t time_ms);
  // Counts a user with events by `sign`, 1 or -1; `single`: all have one time.
  void CountUser(bool single, int sign);

  // Returns true iff there are more than 100 distinct times, and fewer than 99% of the users have a
  // single one.
  bool usable() const { return times_ms_.size() >= kToldApart && single_ * 100 < users_ * 99; }

  // The distinct times so far, ascending, at most kToldApart; for the checkpoint.
  const std::vector<std::int64_t>& times_ms() const { return times_ms_; }

 private:
  std::vector<std::int64_t> times_ms_;
  std::uint64_t users_ = 0;
  std::uint64_t single_ = 0;
};

}  // namespace reco::engine
