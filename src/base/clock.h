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

// A clock that moves when told to, and by `tick_ms` at each look at the time. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t now_ms) : now_us_(now_ms * 1000) {}
  std::int64_t NowMs() const override { return now_us_.fetch_add(tick_us_.load()) / 1000; }
  std::int64_t MonotonicUs() const override { return now_us_.load(); }
  void AdvanceMs(std::int64_t ms) { now_us_.fetch_add(ms * 1000); }
  void set_tick_ms(std::int64_t tick_ms) { tick_us_.store(tick_ms * 1000); }

 private:
  mutable std::atomic<std::int64_t> now_us_;
  std::atomic<std::int64_t> tick_us_ = 0;
};

}  // namespace reco
