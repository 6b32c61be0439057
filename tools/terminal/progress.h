// ProgressMeter: shows how far a long task is, with rate and time left.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "base/clock.h"

namespace reco::terminal {

enum class ProgressStyle : std::uint8_t { kSilent, kLines, kBar };

// Returns kBar, which redraws itself, when `stream` is a terminal, kLines otherwise; kSilent when
// not wanted.
ProgressStyle StyleFor(std::FILE* stream, bool wanted);

struct ProgressState {
  std::int64_t done = 0;  // units so far, for the count and the rate
  double fraction = -1;   // 0 to 1 of the whole; negative: not known
  double eta_s = -1;      // negative: derived from the fraction
  std::string phase;      // shown behind the numbers when not empty
};

// Redraws at most ten times a second as a bar, once in two seconds as lines. Thread-compatible.
class ProgressMeter {
 public:
  // `unit` names what is counted, in the plural; empty: no count and no rate are shown.
  ProgressMeter(std::string title, std::string unit, ProgressStyle style, std::FILE* stream,
                const Clock& clock = SystemClock());

  // Shows the state when it is time to.
  void Update(const ProgressState& state);
  // Shows the last state and ends the line.
  void Finish(const ProgressState& state);

  double elapsed_s() const;

 private:
  std::string Line(const ProgressState& state) const;

  const std::string title_;
  const std::string unit_;
  const ProgressStyle style_;
  std::FILE* const stream_;
  const Clock& clock_;
  const std::int64_t start_us_;
  std::int64_t next_us_;
  std::int64_t first_done_ = -1;  // where this run began, so that a resumed one shows its own rate
};

}  // namespace reco::terminal
