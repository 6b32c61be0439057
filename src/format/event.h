// Event: one change of a collection, as it stands in the `events` family. See doc/format.md.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "reco/result.h"

namespace reco::format {

// Part of the file format. Append only. See doc/format.md.
enum class EventKind : std::uint8_t {
  // The two kinds on pairs until format version 2: the event time is believed, whatever it says.
  kInteractionAsSaid = 1,
  kSetAsSaid = 2,
  kRemove = 3,       // user, item: the pair is forgotten
  kItemRecord = 4,   // item: attributes, hidden, expiry
  kUserRecord = 5,   // user: the same
  kItemDelete = 6,   // item
  kUserDelete = 7,   // user
  kParameters = 8,   // text: "name=value" lines
  kInteraction = 9,  // user, item, weight (adds), type, event time
  kSet = 10,         // user, item, weight (replaces), type, event time
  kSolvedRows = 11,  // text: ridge rows of items (solved_rows.h)
};

// Whether it takes the place of what the pair was before.
constexpr bool Replaces(EventKind kind) {
  return kind == EventKind::kSet || kind == EventKind::kSetAsSaid;
}

inline constexpr std::uint32_t kNoOrdinal = 0xffffffffU;
inline constexpr std::uint16_t kNoType = 0xffffU;
inline constexpr std::uint8_t kHiddenUnchanged = 2;

// Which fields mean something depends on the kind. Views point into the record they were read from.
struct Event {
  EventKind kind = EventKind::kInteraction;
  std::uint32_t user = kNoOrdinal;
  std::uint32_t item = kNoOrdinal;
  double weight = 0;
  std::uint16_t type = kNoType;  // index into the collection's types
  std::int64_t time_ms = 0;      // event time, as it was given
  std::int64_t arrival_ms = 0;   // as the clock said, which may have gone back since the one before
  std::string_view token;        // idempotency token, may be empty
  std::string_view text;         // attributes (JSON) or parameters
  bool has_text = false;
  std::uint8_t hidden = kHiddenUnchanged;  // otherwise 0 or 1
  std::int64_t expire_at_ms = -1;          // -1: unchanged; 0: never
  bool with_previous = false;              // of one call with the event before (D36)

  // The event time as it is read: nothing happens after it has arrived (D50).
  std::int64_t happened_ms() const { return std::min(time_ms, arrival_ms); }
};

// Writes format byte and FlatBuffers table; replaces *out. About 0.2 us.
void EncodeEvent(const Event& event, std::string* out);
// Reads an event, whose views point into `bytes`. kCorruption when they are not a record of a known
// version.
Result<Event> DecodeEvent(std::string_view bytes);

}  // namespace reco::format
