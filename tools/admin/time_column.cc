#include "tools/admin/time_column.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "reco/types.h"

#include "tools/admin/record_mapping.h"

namespace reco::admin {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kYear1995Ms = 788'918'400'000;
constexpr std::size_t kFractionDigitsMax = 9;

struct UnitFacts {
  TimeUnit unit;
  const char* name;
  double least;  // the range that tells the unit; see TimeColumn
  double below;
  double a_ms;  // of the unit in a millisecond
};

constexpr std::array<UnitFacts, 4> kUnits = {{
    {TimeUnit::kSeconds, "s", 1e8, 1e10, 1e-3},
    {TimeUnit::kMilliseconds, "ms", 1e11, 1e13, 1},
    {TimeUnit::kMicroseconds, "us", 1e14, 1e16, 1e3},
    {TimeUnit::kNanoseconds, "ns", 1e17, 1e19, 1e6},
}};

const UnitFacts& FactsOf(TimeUnit unit) {
  return *std::find_if(kUnits.begin(), kUnits.end(),
                       [unit](const UnitFacts& facts) { return facts.unit == unit; });
}

std::optional<TimeUnit> UnitOfSize(double number) {
  for (const UnitFacts& facts : kUnits) {
    if (number >= facts.least && number < facts.below) {
      return facts.unit;
    }
  }
  return std::nullopt;
}

// A number twice: `whole` holds it exactly where it is one of 64 bits.
struct Number {
  double value = 0;
  std::optional<std::int64_t> whole;
};

std::optional<Number> ParseNumber(std::string_view text) {
  const char* const end = text.data() + text.size();
  Number number;
  std::int64_t whole = 0;
  if (const auto [stop, error] = std::from_chars(text.data(), end, whole);
      error == std::errc() && stop == end) {
    number.whole = whole;
  }
  const auto [stop, error] = std::from_chars(text.data(), end, number.value);
  if (error != std::errc() || stop != end || !std::isfinite(number.value)) {
    return std::nullopt;
  }
  return number;
}

bool IsMissing(std::string_view text) {
  constexpr std::array<std::string_view, 7> kNames = {"null", "nan",  "nat", "na",
                                                      "n/a",  "none", "\\n"};
  constexpr std::size_t kLongest = 4;
  if (text.empty() || text == "-1" || text == "-1.0" || text.starts_with("0000-00-00")) {
    return true;
  }
  if (text.size() > kLongest) {
    return false;
  }
  std::string lower(text);
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return std::find(kNames.begin(), kNames.end(), lower) != kNames.end();
}

// Reads ISO 8601 from the front of a text. Each function answers whether it was there.
class IsoReader {
 public:
  explicit IsoReader(std::string_view text) : rest_(text) {}

  std::optional<std::int64_t> Read() {
    const bool is_time = Date() && (rest_.empty() || (Take("T t") && TimeOfDay() && Zone()));
    return is_time && rest_.empty() ? std::optional(time_ms_) : std::nullopt;
  }

 private:
  bool Take(std::string_view any) {
    const bool is_there = !rest_.empty() && any.find(rest_.front()) != std::string_view::npos;
    rest_.remove_prefix(is_there ? 1 : 0);
    return is_there;
  }

  bool Digits(std::size_t count, int most, int* number) {
    *number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
        return false;
      }
      *number = *number * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return *number <= most;
  }

  bool Date() {
    int year = 0;
    int month = 0;
    int day = 0;
    if (!Digits(4, 9999, &year) || !Take("-") || !Digits(2, 12, &month) || !Take("-") ||
        !Digits(2, 31, &day)) {
      return false;
    }
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    time_ms_ = std::chrono::sys_days(date).time_since_epoch().count() * kDayMs;
    return date.ok();
  }

  bool TimeOfDay() {
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    if (!Digits(2, 23, &hours) || !Take(":") || !Digits(2, 59, &minutes)) {
      return false;
    }
    // 60 is a leap second, which is the next minute's first.
    if (Take(":") && (!Digits(2, 60, &seconds) || (Take(".,") && !Fraction()))) {
      return false;
    }
    time_ms_ += ((hours * 60 + minutes) * 60 + seconds) * std::int64_t{1000};
    return true;
  }

  bool Fraction() {
    int scale = 100;
    std::size_t count = 0;
    int digit = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      Digits(1, 9, &digit);
      time_ms_ += std::int64_t{digit} * scale;
      scale /= 10;
      ++count;
    }
    return count > 0 && count <= kFractionDigitsMax;
  }

  bool Zone() {
    if (rest_.empty()) {
      return true;
    }
    Take(" ");
    if (rest_ == "Z" || rest_ == "z" || rest_ == "UTC" || rest_ == "GMT") {
      rest_ = {};
      return true;
    }
    const bool is_west = !rest_.empty() && rest_.front() == '-';
    int hours = 0;
    int minutes = 0;
    if (!Take("+-") || !Digits(2, 23, &hours)) {
      return false;
    }
    if (!rest_.empty()) {
      Take(":");
      if (!Digits(2, 59, &minutes)) {
        return false;
      }
    }
    const std::int64_t offset_ms = std::int64_t{hours * 60 + minutes} * 60'000;
    time_ms_ += is_west ? offset_ms : -offset_ms;
    return true;
  }

  std::string_view rest_;
  std::int64_t time_ms_ = 0;
};

Result<std::int64_t> ToMs(const Number& number, TimeUnit unit, std::string_view text) {
  const UnitFacts& facts = FactsOf(unit);
  const auto too_far = [&] {
    return Status::InvalidArgument("the time is before 1970 or too far away; is --time-unit " +
                                   std::string(facts.name) + " right? " + Quoted(text));
  };
  std::int64_t time_ms = 0;
  if (number.whole && facts.a_ms >= 1) {
    // A double would round the largest.
    const auto divisor = static_cast<std::int64_t>(facts.a_ms);
    time_ms = *number.whole / divisor - (*number.whole % divisor < 0 ? 1 : 0);
  } else {
    const double value = number.value / facts.a_ms;
    if (std::abs(value) > static_cast<double>(kTimeMsMax)) {
      return too_far();
    }
    time_ms = facts.a_ms > 1 ? static_cast<std::int64_t>(std::floor(value)) : std::llround(value);
  }
  if (time_ms < 0 || time_ms > kTimeMsMax) {
    return too_far();
  }
  return time_ms;
}

}  // namespace

TimeColumn::TimeColumn(TimeUnit unit, NoTime no_time) : unit_(unit), no_time_(no_time) {
  if (unit != TimeUnit::kAuto) {
    facts_.unit = unit;
  }
  facts_.is_detected = unit == TimeUnit::kAuto;
}

Result<ReadTime> TimeColumn::Read(std::string_view text) {
  const bool is_zero = unit_ == TimeUnit::kAuto && (text == "0" || text == "0.0");
  if (IsMissing(text) || is_zero) {
    if (no_time_ == NoTime::kLost) {
      return Status::InvalidArgument("the time is missing: " + Quoted(text) +
                                     " (--no-time now or skip decides about such lines)");
    }
    return ReadTime{std::nullopt, no_time_ == NoTime::kSkip};
  }
  RECO_ASSIGN_OR_RETURN(const std::int64_t time_ms, Parse(text));
  facts_.first_ms = std::min(facts_.first_ms.value_or(time_ms), time_ms);
  facts_.last_ms = std::max(facts_.last_ms.value_or(time_ms), time_ms);
  return ReadTime{time_ms, false};
}

Result<std::int64_t> TimeColumn::Parse(std::string_view text) {
  const auto no_iso = [text] {
    return Status::InvalidArgument("time is no date and time of ISO 8601: " + Quoted(text));
  };
  if (unit_ == TimeUnit::kIso) {
    const auto time_ms = IsoReader(text).Read();
    if (!time_ms) {
      return no_iso();
    }
    if (*time_ms < 0) {
      return Status::InvalidArgument("the time is before 1970: " + Quoted(text));
    }
    return *time_ms;
  }
  const auto number = ParseNumber(text);
  if (unit_ != TimeUnit::kAuto) {
    if (!number) {
      return Status::InvalidArgument("time is not a number: " + Quoted(text));
    }
    return ToMs(*number, unit_, text);
  }
  if (number) {
    RECO_RETURN_IF_ERROR(CheckUnit(UnitOfSize(number->value), text));
    return ToMs(*number, *facts_.unit, text);
  }
  const auto time_ms = IsoReader(text).Read();
  if (!time_ms) {
    return Status::InvalidArgument("time is neither a number nor a date of ISO 8601: " +
                                   Quoted(text));
  }
  RECO_RETURN_IF_ERROR(CheckUnit(TimeUnit::kIso, text));
  if (*time_ms < 0) {
    return Status::InvalidArgument("the time is before 1970: " + Quoted(text));
  }
  return *time_ms;
}

// Lets the first unit decide, and refuses every other.
Status TimeColumn::CheckUnit(std::optional<TimeUnit> unit, std::string_view text) {
  if (!facts_.unit && unit) {
    facts_.unit = unit;
  }
  if (!unit) {
    return Status::InvalidArgument("the size of the time does not tell its unit: " + Quoted(text) +
                                   " (give --time-unit)");
  }
  if (*unit != *facts_.unit) {
    return Status::InvalidArgument(std::string("the time looks like ") + UnitName(*unit) +
                                   ", and those before it were " + UnitName(*facts_.unit) + ": " +
                                   Quoted(text) + " (give --time-unit if all are of one)");
  }
  return Status::Ok();
}

const char* UnitName(TimeUnit unit) {
  if (unit == TimeUnit::kAuto || unit == TimeUnit::kIso) {
    return unit == TimeUnit::kAuto ? "auto" : "iso";
  }
  return FactsOf(unit).name;
}

std::optional<TimeUnit> UnitOfName(std::string_view name) {
  for (const TimeUnit unit : {TimeUnit::kAuto, TimeUnit::kSeconds, TimeUnit::kMilliseconds,
                              TimeUnit::kMicroseconds, TimeUnit::kNanoseconds, TimeUnit::kIso}) {
    if (name == UnitName(unit)) {
      return unit;
    }
  }
  return std::nullopt;
}

std::string TimeText(std::int64_t time_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time - day).count();
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02lld:%02lld:%02lldZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<long long>(seconds / 3600),
                static_cast<long long>(seconds / 60 % 60), static_cast<long long>(seconds % 60));
  return text.data();
}

std::string TimeWarning(const TimeFacts& facts, std::int64_t now_ms) {
  if (!facts.first_ms) {
    return {};
  }
  const bool is_early = *facts.first_ms < kYear1995Ms;
  const bool is_late = *facts.last_ms > now_ms + kDayMs;
  if (!is_early && !is_late) {
    return {};
  }
  return "the times go from " + TimeText(*facts.first_ms) + " to " + TimeText(*facts.last_ms) +
         ", read as " + UnitName(*facts.unit) + ": is --time-unit right?";
}

}  // namespace reco::admin
