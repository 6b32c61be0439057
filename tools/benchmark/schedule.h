// Schedule: when the batches of one thread are due in a run at a set rate.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace reco::benchmark {

// The pace of a whole run: `batches` batches, one every `interval_ns` from its start on.
struct Pace {
  double interval_ns = 0;
  std::uint64_t batches = 0;

  // Returns the pace of `requests` requests in batches of `pipeline`, `rate` requests a second.
  static Pace Of(double rate, std::size_t pipeline, std::uint64_t requests) {
    return {1e9 * static_cast<double>(pipeline) / rate, (requests + pipeline - 1) / pipeline};
  }
};

// The times of one thread out of `threads`: it owns the batches thread, thread + threads, and so on
// of the run. A time depends only on the number of its batch, never on when earlier ones were
// sent, so a run that falls behind keeps asking for what was due. Confined.
class Schedule {
 public:
  Schedule() = default;
  Schedule(const Pace& pace, std::size_t thread, std::size_t threads)
      : pace_(pace), next_(thread), step_(threads) {}

  bool done() const { return next_ >= pace_.batches; }
  // Returns the nanoseconds from the start of the run to the next batch; not to be called when
  // done.
  std::uint64_t next_ns() const {
    return static_cast<std::uint64_t>(std::llround(pace_.interval_ns * static_cast<double>(next_)));
  }
  void Advance() { next_ += step_; }
  void Stop() { next_ = pace_.batches; }

 private:
  Pace pace_;
  std::uint64_t next_ = 0;
  std::uint64_t step_ = 1;
};

}  // namespace reco::benchmark
