// A pair in bytes, little-endian:
//
//   tag    1           what follows, below
//   other  1 to 4      how far its partner lies behind that of the pair in front
//   time   6 or 8      of the newest event
//   weight 0 or 4      float32
//   type   0 or 2
//   more   0, 10, 12   number of events, and the time of the first
#include "engine/rows/packed_pairs.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace reco::engine {
namespace {

static_assert(std::endian::native == std::endian::little);

enum Tag : std::uint8_t {
  kOtherMask = 3,  // bytes of `other`, less one
  kWeight = 4,     // the weight is not 1
  kType = 8,       // there is a type
  kMore = 16,      // more than one event
  kWide = 32,      // times take 8 bytes: no event has such, but a damaged folder may
};
constexpr std::uint16_t kNoType = format::Pair{}.last_type;
constexpr std::size_t kTagCount = 64;
constexpr std::size_t kTimeBytes = 6;
constexpr std::size_t kPackedMax = 1 + 4 + 8 + 4 + 2 + 4 + 8;

constexpr std::array<std::uint8_t, kTagCount> kSizes = [] {
  std::array<std::uint8_t, kTagCount> sizes{};
  for (std::size_t tag = 0; tag < kTagCount; ++tag) {
    const std::size_t time = (tag & kWide) != 0 ? sizeof(std::int64_t) : kTimeBytes;
    sizes[tag] = static_cast<std::uint8_t>(1 + (tag & kOtherMask) + 1 + time +
                                           ((tag & kWeight) != 0 ? sizeof(float) : 0) +
                                           ((tag & kType) != 0 ? sizeof(std::uint16_t) : 0) +
                                           ((tag & kMore) != 0 ? sizeof(std::uint32_t) + time : 0));
  }
  return sizes;
}();

bool IsWide(std::int64_t time_ms) {
  return time_ms < 0 || (time_ms >> (8 * kTimeBytes)) != 0;
}

std::uint32_t ReadOther(const std::uint8_t* at) {
  std::uint32_t other = at[1];
  for (std::uint32_t i = 1; i <= (at[0] & kOtherMask); ++i) {
    other |= std::uint32_t{at[1 + i]} << (8 * i);
  }
  return other;
}

// Reads `bytes` bytes and moves behind them.
template <typename Value>
Value Take(const std::uint8_t** at, std::size_t bytes = sizeof(Value)) {
  Value value{};
  std::memcpy(&value, *at, bytes);
  *at += bytes;
  return value;
}

template <typename Value>
void Give(std::uint8_t** at, const Value& value, std::size_t bytes = sizeof(Value)) {
  std::memcpy(*at, &value, bytes);
  *at += bytes;
}

format::Pair ReadPair(const std::uint8_t* at) {
  const std::uint8_t tag = *at;
  at += 2 + (tag & kOtherMask);
  format::Pair pair;
  // Of a constant size each, so that the compiler makes loads of them.
  const auto take_time = [&] {
    return (tag & kWide) != 0 ? Take<std::int64_t>(&at) : Take<std::int64_t>(&at, kTimeBytes);
  };
  pair.last_ms = pair.first_ms = take_time();
  pair.weight = (tag & kWeight) != 0 ? Take<float>(&at) : 1.0F;
  if ((tag & kType) != 0) {
    pair.last_type = Take<std::uint16_t>(&at);
  }
  pair.count = 1;
  if ((tag & kMore) != 0) {
    pair.count = Take<std::uint32_t>(&at);
    pair.first_ms = take_time();
  }
  return pair;
}

// Writes the pair at `to`, kPackedMax bytes or fewer, and returns the end.
std::uint8_t* WritePair(std::uint32_t behind, const format::Pair& pair, std::uint8_t* to) {
  const auto other_bytes =
      behind == 0 ? 1U : (static_cast<std::uint32_t>(std::bit_width(behind)) + 7) / 8;
  const bool wide = IsWide(pair.last_ms) || IsWide(pair.first_ms);
  const bool weight =
      std::bit_cast<std::uint32_t>(pair.weight) != std::bit_cast<std::uint32_t>(1.0F);
  const bool type = pair.last_type != kNoType;
  const bool more = pair.count != 1 || pair.first_ms != pair.last_ms;
  Give(&to,
       static_cast<std::uint8_t>((other_bytes - 1) | (weight ? kWeight : 0) | (type ? kType : 0) |
                                 (more ? kMore : 0) | (wide ? kWide : 0)));
  const std::size_t time_bytes = wide ? sizeof(std::int64_t) : kTimeBytes;
  Give(&to, behind, other_bytes);
  Give(&to, pair.last_ms, time_bytes);
  if (weight) {
    Give(&to, pair.weight);
  }
  if (type) {
    Give(&to, pair.last_type);
  }
  if (more) {
    Give(&to, pair.count);
    Give(&to, pair.first_ms, time_bytes);
  }
  return to;
}

}  // namespace

bool PackedPairs::Reader::Next(RowPair* pair) {
  if (at_ == end_) {
    return false;
  }
  previous_ += ReadOther(at_);
  pair->other = previous_;
  pair->pair = ReadPair(at_);
  at_ += kSizes[*at_];
  return true;
}

void PackedPairs::Reader::SkipTo(std::uint32_t other) {
  while (at_ != end_) {
    const std::uint32_t here = previous_ + ReadOther(at_);
    if (here >= other) {
      return;
    }
    previous_ = here;
    at_ += kSizes[*at_];
  }
}

std::size_t PackedPairs::CapacityFor(std::size_t bytes) {
  // Steps of 16 bytes, and of an eighth when that is more: little slack, and few moves.
  const std::size_t step = std::max<std::size_t>(16, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

void PackedPairs::Splice(std::size_t at, std::size_t old_bytes,
                         std::span<const std::uint8_t> fresh) {
  const std::size_t tail = used_bytes_ - at - old_bytes;
  const std::size_t used = used_bytes_ - old_bytes + fresh.size();
  if (CapacityFor(used) != CapacityFor(used_bytes_)) {
    auto moved = std::make_unique_for_overwrite<std::uint8_t[]>(CapacityFor(used));
    std::copy_n(bytes_.get(), at, moved.get());
    std::copy_n(bytes_.get() + at + old_bytes, tail, moved.get() + at + fresh.size());
    bytes_ = std::move(moved);
  } else if (tail > 0) {
    std::memmove(bytes_.get() + at + fresh.size(), bytes_.get() + at + old_bytes, tail);
  }
  std::copy(fresh.begin(), fresh.end(), bytes_.get() + at);
  used_bytes_ = static_cast<std::uint32_t>(used);
}

void PackedPairs::Clear() {
  bytes_.reset();
  used_bytes_ = count_ = 0;
}

void PackedPairs::Assign(std::span<const RowPair> pairs) {
  const auto packed = std::make_unique_for_overwrite<std::uint8_t[]>(pairs.size() * kPackedMax);
  std::uint8_t* to = packed.get();
  std::uint32_t previous = 0;
  for (const RowPair& pair : pairs) {
    to = WritePair(pair.other - previous, pair.pair, to);
    previous = pair.other;
  }
  const auto used = static_cast<std::size_t>(to - packed.get());
  bytes_ = used > 0 ? std::make_unique_for_overwrite<std::uint8_t[]>(CapacityFor(used)) : nullptr;
  std::copy_n(packed.get(), used, bytes_.get());
  used_bytes_ = static_cast<std::uint32_t>(used);
  count_ = static_cast<std::uint32_t>(pairs.size());
}

void PackedPairs::Put(std::uint32_t other, const format::Pair& pair) {
  Reader reader(*this);
  reader.SkipTo(other);
  const std::uint32_t previous = reader.previous_;
  const std::uint8_t* from = reader.at_;
  std::uint8_t fresh[2 * kPackedMax];
  std::uint8_t* to = WritePair(other - previous, pair, fresh);
  RowPair next;
  if (reader.Next(&next) && next.other != other) {
    // The one behind is counted from the new one now.
    to = WritePair(next.other - other, next.pair, to);
    ++count_;
  } else if (from == reader.end_) {
    ++count_;
  }
  Splice(static_cast<std::size_t>(from - bytes_.get()), static_cast<std::size_t>(reader.at_ - from),
         {fresh, to});
}

bool PackedPairs::Erase(std::uint32_t other) {
  Reader reader(*this);
  reader.SkipTo(other);
  const std::uint32_t previous = reader.previous_;
  const std::uint8_t* from = reader.at_;
  RowPair gone;
  if (!reader.Next(&gone) || gone.other != other) {
    return false;
  }
  std::uint8_t fresh[kPackedMax];
  std::uint8_t* to = fresh;
  if (RowPair next; reader.Next(&next)) {
    to = WritePair(next.other - previous, next.pair, fresh);
  }
  Splice(static_cast<std::size_t>(from - bytes_.get()), static_cast<std::size_t>(reader.at_ - from),
         {fresh, to});
  --count_;
  return true;
}

std::optional<format::Pair> PackedPairs::Find(std::uint32_t other) const {
  Reader reader(*this);
  reader.SkipTo(other);
  if (reader.at_ == reader.end_ || reader.previous_ + ReadOther(reader.at_) != other) {
    return std::nullopt;
  }
  return ReadPair(reader.at_);
}

void PackedPairs::AppendTo(std::vector<RowPair>* out) const {
  out->reserve(out->size() + count_);
  Reader reader(*this);
  for (RowPair pair; reader.Next(&pair);) {
    out->push_back(pair);
  }
}

}  // namespace reco::engine
