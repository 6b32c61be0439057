// TimeColumn: times as files spell them, and the unit that they are in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "reco/result.h"

namespace reco::admin {

enum class TimeUnit : std::uint8_t {
  kAuto,  // what the first time tells
  kSeconds,
  kMilliseconds,
  kMicroseconds,
  kNanoseconds,
  kIso,  // ISO 8601
};

// What to do with a record whose time is missing.
enum class NoTime : std::uint8_t {
  kLost,  // it is a bad line
  kNow,   // it is sent without a time, and the server's clock tells it
  kSkip,  // it is passed over and counted as such
};

// What was read so far, for a summary.
struct TimeFacts {
  std::optional<TimeUnit> unit;  // given or found out; never kAuto
  bool is_detected = false;
  std::optional<std::int64_t> first_ms;  // earliest and latest
  std::optional<std::int64_t> last_ms;
};

struct ReadTime {
  std::optional<std::int64_t> time_ms;  // none: the time is missing
  bool is_skipped = false;              // so is the record
};

// Numbers are counted from 1970; a fraction may follow. ISO 8601 texts are a date, and behind a T
// or a blank hours and minutes, seconds, a fraction of up to 9 digits, and a zone: Z, UTC, +02:00,
// +0200 or +02, also behind a blank; without one it is UTC. Finer times are cut to milliseconds;
// fractions of seconds and milliseconds are rounded.
//
// With kAuto the first time tells the unit, by its size (digits of a whole number): seconds from
// 10^8 (9 or 10 digits), milliseconds from 10^11 (12, 13), microseconds from 10^14 (15, 16),
// nanoseconds from 10^17 (18, 19), which is 1973 to 2286 in each. A number of another size, and
// then one of another unit, is an error: nothing is guessed.
//
// Missing are an empty cell, -1, null, NaN, NaT, NA, N/A, none and \N in any case, dates that begin
// with 0000-00-00, and with kAuto also 0.
//
// Confined to one thread.
class TimeColumn {
 public:
  explicit TimeColumn(TimeUnit unit = TimeUnit::kAuto, NoTime no_time = NoTime::kLost);

  // Reads the next record's time. kInvalidArgument says what is wrong with it.
  Result<ReadTime> Read(std::string_view text);

  const TimeFacts& facts() const { return facts_; }

 private:
  Result<std::int64_t> Parse(std::string_view text);
  Status CheckUnit(std::optional<TimeUnit> unit, std::string_view text);

  TimeUnit unit_;
  NoTime no_time_;
  TimeFacts facts_;
};

// Returns s, ms, us, ns, iso or auto, and the other way round; none for any other text.
const char* UnitName(TimeUnit unit);
std::optional<TimeUnit> UnitOfName(std::string_view name);

// Returns ISO 8601 in UTC, to the second.
std::string TimeText(std::int64_t time_ms);

// Returns what is strange about times before 1995 or later than a day from `now_ms`, or "".
std::string TimeWarning(const TimeFacts& facts, std::int64_t now_ms);

}  // namespace reco::admin
