#include "format/keys.h"

#include "base/coding.h"

namespace reco::format {
namespace {

// The widest fixed key is 13 bytes, so reserving keeps them all within std::string's own buffer.
std::string Prefixed(std::uint32_t cid, std::size_t more_bytes) {
  std::string key;
  key.reserve(sizeof(cid) + more_bytes);
  AppendBigEndian(&key, cid);
  return key;
}

}  // namespace

std::string KeysKey(std::uint32_t db, std::string_view name) {
  std::string key;
  key.reserve(1 + name.size());
  AppendBigEndian(&key, static_cast<std::uint8_t>(db));
  key.append(name);
  return key;
}

std::string CollectionPrefix(std::uint32_t cid) {
  return Prefixed(cid, 0);
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  // A last byte of 0xff has no successor: the one before it is raised.
  while (!end.empty()) {
    const auto last = static_cast<std::uint8_t>(end.back());
    if (last != 0xff) {
      end.back() = static_cast<char>(last + 1);
      return end;
    }
    end.pop_back();
  }
  return end;
}

std::string EventKey(std::uint32_t cid, std::uint64_t seq) {
  std::string key = Prefixed(cid, sizeof(seq));
  AppendBigEndian(&key, seq);
  return key;
}

std::string RecordKey(std::uint32_t cid, std::uint32_t ordinal) {
  std::string key = Prefixed(cid, sizeof(ordinal));
  AppendBigEndian(&key, ordinal);
  return key;
}

std::string PairKey(std::uint32_t cid, std::uint32_t owner, std::uint32_t other) {
  std::string key = PairPrefix(cid, owner);
  AppendBigEndian(&key, other);
  return key;
}

std::string PairPrefix(std::uint32_t cid, std::uint32_t owner) {
  std::string key = Prefixed(cid, 2 * sizeof(owner));
  AppendBigEndian(&key, owner);
  return key;
}

std::string VectorKey(std::uint32_t cid, std::uint32_t model, Side side, std::uint32_t ordinal) {
  std::string key = VectorPrefix(cid, model, side);
  AppendBigEndian(&key, ordinal);
  return key;
}

std::string VectorPrefix(std::uint32_t cid, std::uint32_t model, Side side) {
  std::string key = VectorModelPrefix(cid, model);
  AppendBigEndian(&key, static_cast<std::uint8_t>(side));
  return key;
}

std::string VectorModelPrefix(std::uint32_t cid, std::uint32_t model) {
  std::string key = Prefixed(cid, 2 * sizeof(model) + 1);
  AppendBigEndian(&key, model);
  return key;
}

std::string ModelKey(std::uint32_t cid, std::uint32_t model) {
  std::string key = Prefixed(cid, sizeof(model));
  AppendBigEndian(&key, model);
  return key;
}

std::string TokenKey(std::uint32_t cid, std::string_view token) {
  std::string key = Prefixed(cid, token.size());
  key.append(token);
  return key;
}

std::string JobKey(std::uint64_t id) {
  std::string key;
  AppendBigEndian(&key, id);
  return key;
}

std::string CheckpointKey(std::uint32_t cid) {
  std::string key = "counters";
  AppendBigEndian(&key, cid);
  return key;
}

std::uint32_t TrailingOrdinal(std::string_view key) {
  if (key.size() < sizeof(std::uint32_t)) {
    return 0;
  }
  return ReadBigEndian<std::uint32_t>(key, key.size() - sizeof(std::uint32_t));
}

}  // namespace reco::format
