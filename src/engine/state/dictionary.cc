#include "engine/state/dictionary.h"

#include <algorithm>
#include <cstring>

#include "reco/types.h"

#include "base/check.h"

namespace reco::engine {
namespace {

// Records lie in blocks that never move, so a view of an id stays valid while others are added. The
// first is small, since a collection may hold few ids; each is twice the one before.
constexpr std::size_t kFirstBlockBytes = 512;
constexpr std::size_t kBlockBytesMax = 65'536;
constexpr std::size_t kLengthBytes = 2;
static_assert(kIdBytesMax <= 0xffff);

// Returns a view of the id in a record.
std::string_view ReadRecord(const char* record) {
  std::uint16_t length = 0;
  std::memcpy(&length, record, kLengthBytes);
  return {record + kLengthBytes, length};
}

}  // namespace

std::optional<std::uint32_t> Dictionary::Find(std::string_view id) const {
  // The index knows ordinals by 32 bits of their ids' hash; the id itself decides.
  const std::uint32_t ordinal = index_.Find(
      HashTag(id, hash_seed_),
      [this, id](std::uint32_t candidate) { return ReadRecord(record(candidate)) == id; });
  return ordinal == HashIndex::kNone ? std::nullopt : std::optional(ordinal);
}

void Dictionary::Prefetch(std::span<const std::string_view> ids) const {
  // Each step waits for nothing but what the step before has asked for.
  constexpr std::size_t kIdsAStep = 64;
  std::array<std::uint32_t, kIdsAStep> handles{};
  for (std::size_t from = 0; from < ids.size(); from += kIdsAStep) {
    const auto step = ids.subspan(from, std::min(kIdsAStep, ids.size() - from));
    for (std::size_t i = 0; i < step.size(); ++i) {
      handles[i] = HashTag(step[i], hash_seed_);
      index_.Prefetch(handles[i]);
    }
    for (std::size_t i = 0; i < step.size(); ++i) {
      handles[i] = index_.Find(handles[i], [](std::uint32_t) { return true; });
      if (handles[i] != HashIndex::kNone) {
        __builtin_prefetch(&(*chunks_[handles[i] / kChunkOrdinals])[handles[i] % kChunkOrdinals]);
      }
    }
    for (std::size_t i = 0; i < step.size(); ++i) {
      if (handles[i] != HashIndex::kNone) {
        __builtin_prefetch(record(handles[i]));
      }
    }
  }
}

std::uint32_t Dictionary::Add(std::string_view id) {
  const std::uint32_t ordinal = end_;
  RECO_CHECK(ordinal < kOrdinalsMax);
  Store(ordinal, id);
  return ordinal;
}

bool Dictionary::Restore(std::uint32_t ordinal, std::string_view id) {
  // Rows from disk are input: damage must come out as an error, not as a broken invariant.
  if (ordinal >= kOrdinalsMax || id.empty() || id.size() > kIdBytesMax ||
      !this->id(ordinal).empty() || Find(id).has_value()) {
    return false;
  }
  Store(ordinal, id);
  return true;
}

void Dictionary::Reserve(std::uint32_t end) {
  end_ = std::max(end_, end);
  const std::size_t chunks = (std::size_t{end_} + kChunkOrdinals - 1) / kChunkOrdinals;
  while (chunks_.size() < chunks) {
    chunks_.push_back(std::make_unique<Chunk>());
  }
}

void Dictionary::Store(std::uint32_t ordinal, std::string_view id) {
  RECO_CHECK(!id.empty() && id.size() <= kIdBytesMax);
  Reserve(ordinal + 1);
  RECO_DCHECK(record(ordinal) == nullptr, "I10");
  const auto length = static_cast<std::uint16_t>(id.size());
  char* bytes = Allocate(kLengthBytes + id.size());
  std::memcpy(bytes, &length, kLengthBytes);
  std::memcpy(bytes + kLengthBytes, id.data(), id.size());
  (*chunks_[ordinal / kChunkOrdinals])[ordinal % kChunkOrdinals] = bytes;
  index_.Insert(HashTag(id, hash_seed_), ordinal);
}

char* Dictionary::Allocate(std::size_t bytes) {
  if (block_used_ + bytes > block_bytes_) {
    // What is left of the last block is given up, at most an id's length.
    block_bytes_ = std::max(bytes, std::clamp(block_bytes_ * 2, kFirstBlockBytes, kBlockBytesMax));
    block_used_ = 0;
    arena_.push_back(std::make_unique<char[]>(block_bytes_));
    arena_bytes_ += block_bytes_;
  }
  char* result = arena_.back().get() + block_used_;
  block_used_ += bytes;
  return result;
}

void Dictionary::Erase(std::uint32_t ordinal) {
  const std::string_view erased = id(ordinal);
  RECO_CHECK(!erased.empty());
  index_.Erase(HashTag(erased, hash_seed_), ordinal);
  // A deleted user's id may not linger in memory.
  std::memset(record(ordinal) + kLengthBytes, 0, erased.size());
  (*chunks_[ordinal / kChunkOrdinals])[ordinal % kChunkOrdinals] = nullptr;
}

std::string_view Dictionary::id(std::uint32_t ordinal) const {
  if (ordinal >= end_ || record(ordinal) == nullptr) {
    return {};
  }
  return ReadRecord(record(ordinal));
}

std::size_t Dictionary::memory_bytes() const {
  return index_.memory_bytes() + arena_bytes_ + chunks_.size() * sizeof(Chunk) +
         chunks_.capacity() * sizeof(chunks_[0]) + arena_.capacity() * sizeof(arena_[0]);
}

std::uint64_t Dictionary::Scan(
    std::uint64_t cursor, std::uint64_t count,
    FunctionRef<void(std::uint32_t ordinal, std::string_view id)> visit) const {
  if (cursor >= end_) {
    return 0;
  }
  // Counts the ordinals it looks at, not those it finds, so a call's time is bounded in a
  // dictionary of holes. A cursor is an ordinal: ids added or erased between calls move no other.
  const std::uint64_t steps = std::clamp<std::uint64_t>(count, 1, end_ - cursor);
  const auto stop = static_cast<std::uint32_t>(cursor + steps);
  for (auto ordinal = static_cast<std::uint32_t>(cursor); ordinal < stop; ++ordinal) {
    const std::string_view name = id(ordinal);
    if (!name.empty()) {
      visit(ordinal, name);
    }
  }
  return stop < end_ ? stop : 0;
}

}  // namespace reco::engine
