// Keys of the column families: all integers big-endian, so that bytewise order is numeric order.
// Twin of doc/format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "reco/types.h"

namespace reco::format {

// `keys`: (db u8, name)
std::string KeysKey(std::uint32_t db, std::string_view name);
// Every per-collection key starts with this: cid u32.
std::string CollectionPrefix(std::uint32_t cid);
// Returns the first key behind all keys with `prefix`; empty when there is none (all bytes 0xff).
std::string PrefixEnd(std::string_view prefix);
// `events`: (cid u32, seq u64)
std::string EventKey(std::uint32_t cid, std::uint64_t seq);
// `users`, `items`: (cid u32, ordinal u32)
std::string RecordKey(std::uint32_t cid, std::uint32_t ordinal);
// `by_user`, `by_item`: (cid u32, owner u32, other u32)
std::string PairKey(std::uint32_t cid, std::uint32_t owner, std::uint32_t other);
std::string PairPrefix(std::uint32_t cid, std::uint32_t owner);
// `vectors`: (cid u32, model u32, side u8, ordinal u32)
std::string VectorKey(std::uint32_t cid, std::uint32_t model, Side side, std::uint32_t ordinal);
std::string VectorPrefix(std::uint32_t cid, std::uint32_t model, Side side);
std::string VectorModelPrefix(std::uint32_t cid, std::uint32_t model);
// `models`: (cid u32, model u32)
std::string ModelKey(std::uint32_t cid, std::uint32_t model);
// `tokens`: (cid u32, token)
std::string TokenKey(std::uint32_t cid, std::string_view token);
// `jobs`: (id u64)
std::string JobKey(std::uint64_t id);
// `default`: a name, or "counters" + (cid u32) for a collection's checkpoint record.
inline constexpr std::string_view kFormatVersionKey = "format-version";
inline constexpr std::string_view kNextNumbersKey = "next-numbers";
std::string CheckpointKey(std::uint32_t cid);

// Returns the last u32 of a key; 0 when it is shorter than four bytes.
std::uint32_t TrailingOrdinal(std::string_view key);

}  // namespace reco::format
