#include "tools/terminal/numbers.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>

namespace reco::terminal {

std::string FormatFixed(double value, int digits) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string FormatCount(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first = count < 0 ? 1 : 0;
  // From the right, so that places not reached yet stay where they are.
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string FormatBytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {" B", " KiB", " MiB", " GiB", " TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return FormatFixed(bytes, unit == 0 ? 0 : 1) + kUnits[unit];
}

std::string FormatDuration(double seconds) {
  // What would be rounded up to the next unit is shown in that.
  if (seconds < 999.5e-6) {
    return FormatFixed(seconds * 1e6, 0) + " us";
  }
  if (seconds < 999.95e-3) {
    return FormatFixed(seconds * 1e3, 1) + " ms";
  }
  if (seconds < 59.95) {
    return FormatFixed(seconds, 1) + " s";
  }
  // Rounded before it is split, so that no minute has 60 seconds.
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  std::array<char, 64> text{};
  if (whole < 3600) {
    std::snprintf(text.data(), text.size(), "%lld min %02lld s", static_cast<long long>(whole / 60),
                  static_cast<long long>(whole % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%lld h %02lld min",
                  static_cast<long long>(whole / 3600), static_cast<long long>(whole / 60 % 60));
  }
  return text.data();
}

std::string FormatRate(double per_second) {
  // Small rates need their first decimal.
  if (per_second < 100) {
    return FormatFixed(per_second, 1) + "/s";
  }
  return FormatCount(std::llround(per_second)) + "/s";
}

}  // namespace reco::terminal
