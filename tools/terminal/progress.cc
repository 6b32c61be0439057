#include "tools/terminal/progress.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <unistd.h>
#include <utility>

#include "tools/terminal/numbers.h"

namespace reco::terminal {
namespace {

constexpr std::int64_t kBarPeriodUs = 100'000;
constexpr std::int64_t kLinePeriodUs = 2'000'000;
constexpr std::size_t kBarWidth = 30;

std::string Bar(double fraction) {
  const auto filled = static_cast<std::size_t>(fraction * kBarWidth);
  return '[' + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + ']';
}

}  // namespace

ProgressStyle StyleFor(std::FILE* stream, bool wanted) {
  if (!wanted) {
    return ProgressStyle::kSilent;
  }
  return isatty(fileno(stream)) == 1 ? ProgressStyle::kBar : ProgressStyle::kLines;
}

ProgressMeter::ProgressMeter(std::string title, std::string unit, ProgressStyle style,
                             std::FILE* stream, const Clock& clock)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      style_(style),
      stream_(stream),
      clock_(clock),
      start_us_(clock.MonotonicUs()),
      // A bar shows at once that something goes on; a task of less than two seconds prints only its
      // last line.
      next_us_(start_us_ + (style == ProgressStyle::kBar ? 0 : kLinePeriodUs)) {}

double ProgressMeter::elapsed_s() const {
  return static_cast<double>(clock_.MonotonicUs() - start_us_) / 1e6;
}

std::string ProgressMeter::Line(const ProgressState& state) const {
  std::string line = title_;
  const double elapsed = elapsed_s();
  if (state.fraction >= 0) {
    const double fraction = std::min(state.fraction, 1.0);
    line += style_ == ProgressStyle::kBar ? ' ' + Bar(fraction) : std::string();
    const std::string percent = FormatFixed(fraction * 100, 0);
    line += std::string(percent.size() < 4 ? 4 - percent.size() : 0, ' ') + percent + '%';
  }
  if (!unit_.empty()) {
    line += "  " + FormatCount(state.done) + ' ' + unit_;
    if (elapsed > 0) {
      line += "  " +
              FormatRate(static_cast<double>(state.done - std::max<std::int64_t>(first_done_, 0)) /
                         elapsed);
    }
  }
  // Before a hundredth is done the estimate would jump about.
  const bool can_tell = state.fraction > 0.01 && state.fraction < 1;
  const double eta = state.eta_s >= 0 ? state.eta_s
                     : can_tell       ? elapsed * (1 - state.fraction) / state.fraction
                                      : -1;
  line += "  " + FormatDuration(elapsed);
  if (eta > 0) {
    // Rounded up, so that an unfinished task never shows 0 s left.
    const double whole = std::ceil(eta);
    line.append(", ").append(whole < 60 ? FormatFixed(whole, 0) + " s" : FormatDuration(whole));
    line += " left";
  }
  if (!state.phase.empty()) {
    line += "  " + state.phase;
  }
  return line;
}

void ProgressMeter::Update(const ProgressState& state) {
  if (first_done_ < 0) {
    first_done_ = state.done;
  }
  const std::int64_t now_us = clock_.MonotonicUs();
  if (style_ == ProgressStyle::kSilent || now_us < next_us_) {
    return;
  }
  const bool bar = style_ == ProgressStyle::kBar;
  next_us_ = now_us + (bar ? kBarPeriodUs : kLinePeriodUs);
  // The line is drawn over the last one, however long that was.
  std::fprintf(stream_, bar ? "\r%s\033[K" : "%s\n", Line(state).c_str());
  std::fflush(stream_);
}

void ProgressMeter::Finish(const ProgressState& state) {
  if (style_ == ProgressStyle::kSilent) {
    return;
  }
  std::fprintf(stream_, style_ == ProgressStyle::kBar ? "\r%s\033[K\n" : "%s\n",
               Line(state).c_str());
  std::fflush(stream_);
}

}  // namespace reco::terminal
