// Event: one change of a collection, as it stands in the `events` family. See doc/format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "reco/result.h"

namespace reco::format {

// Part of the file format. Append only. See doc/format.md.
enum class EventKind : std::uint8_t {
  kInteraction = 1,  // user, item, weight (adds), type, event time
  kSet = 2,          // user, item, weight (replaces), type, event time
  kRemove = 3,       // user, item: the pair is forgotten
  kItemRecord = 4,   // item: attributes, hidden, expiry
  kUserRecord = 5,   // user: the same
  kItemDelete = 6,   // item
  kUserDelete = 7,   // user
  kParameters = 8,   // text: "name=value" lines
};

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
  std::int64_t time_ms = 0;      // event time
  std::int64_t arrival_ms = 0;
  std::string_view token;  // idempotency token, may be empty
  std::string_view text;   // attributes (JSON) or parameters
  bool has_text = false;
  std::uint8_t hidden = kHiddenUnchanged;  // otherwise 0 or 1
  std::int64_t expire_at_ms = -1;          // -1: unchanged; 0: never
  bool with_previous = false;              // of one call with the event before (D36)
};

// Writes format byte and FlatBuffers table; replaces *out. About 0.2 us.
void EncodeEvent(const Event& event, std::string* out);
// Reads an event, whose views point into `bytes`. kCorruption when they are not a record of a known
// version.
Result<Event> DecodeEvent(std::string_view bytes);

}  // namespace reco::format
