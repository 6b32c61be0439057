// Sums of weights, and float32 values as they are shown. Pure functions.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace reco {

// Returns a + b; 0 when that is below 1e-6 of the larger of both. What is left then is the rounding
// of float32, as of 0.3 - 0.1 - 0.2, and would count as a like or a dislike.
inline double CancellingSum(double a, double b) {
  constexpr double kRest = 1e-6;
  const double sum = a + b;
  return std::abs(sum) < kRest * std::max(std::abs(a), std::abs(b)) ? 0 : sum;
}

// Returns the float64 with the shortest decimal text that reads back as `value`: 0.1 for 0.1F,
// which is 0.100000001490116. What is kept as float32 is shown by it. About 0.1 us.
inline double Shown(float value) {
  if (!std::isfinite(value) || std::trunc(value) == value) {
    return value;
  }
  std::array<char, 32> text;
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double shown = 0;
  std::from_chars(text.data(), end, shown);
  return shown;
}

// Returns Shown(value) of what may be a float32 or a sum of several, which is shown as it is.
inline double ShownSum(double value) {
  const auto narrow = static_cast<float>(value);
  return static_cast<double>(narrow) == value ? Shown(narrow) : value;
}

}  // namespace reco
