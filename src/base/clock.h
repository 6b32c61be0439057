// Time comes in through here, so that tests can set it.
#pragma once

#include <atomic>
#include <cstdint>

namespace reco {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since the Unix epoch.
  virtual std::int64_t NowMs() const = 0;
  // Microseconds of a clock that never goes back; the zero is arbitrary.
  virtual std::int64_t MonotonicUs() const = 0;
};

// The machine's clocks. Lives for ever.
const Clock& SystemClock();

// A clock that moves when told to, and by `tick_ms` at each look at the time; its time of day may
// be set, too. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t now_ms) : now_us_(now_ms * 1000) {}
  std::int64_t NowMs() const override {
    return (now_us_.fetch_add(tick_us_.load()) + set_us_.load()) / 1000;
  }
  std::int64_t MonotonicUs() const override { return now_us_.load(); }
  // Sets the time of day forward, or back; durations do not notice.
  void SetMs(std::int64_t by_ms) { set_us_.fetch_add(by_ms * 1000); }
  void AdvanceMs(std::int64_t ms) { now_us_.fetch_add(ms * 1000); }
  void set_tick_ms(std::int64_t tick_ms) { tick_us_.store(tick_ms * 1000); }

 private:
  mutable std::atomic<std::int64_t> now_us_;
  std::atomic<std::int64_t> tick_us_ = 0;
  std::atomic<std::int64_t> set_us_ = 0;  // the time of day against now_us_
};

}  // namespace reco
