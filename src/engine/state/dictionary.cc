#include "engine/state/dictionary.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <utility>

#include "reco/types.h"

#include "base/check.h"

namespace reco::engine {
namespace {

// The first block is small, since a collection may hold few ids; each is twice the one before. What
// an Erase may have to move bounds them.
constexpr std::size_t kFirstBlockBytes = 512;
constexpr std::size_t kBlockBytesMax = 16'384;
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
      records_.PrefetchPage(handles[i]);
    }
    for (std::size_t i = 0; i < step.size(); ++i) {
      records_.PrefetchValue(handles[i]);
    }
    for (std::size_t i = 0; i < step.size(); ++i) {
      __builtin_prefetch(record(handles[i]));
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
}

void Dictionary::Store(std::uint32_t ordinal, std::string_view id) {
  RECO_CHECK(!id.empty() && id.size() <= kIdBytesMax);
  Reserve(ordinal + 1);
  RECO_DCHECK(record(ordinal) == nullptr, "I10");
  records_.Make(ordinal) = Copy(id);
  index_.Insert(HashTag(id, hash_seed_), ordinal);
}

char* Dictionary::Copy(std::string_view id) {
  const auto length = static_cast<std::uint16_t>(id.size());
  const std::size_t bytes = kLengthBytes + id.size();
  if (filling_ == nullptr || filling_->used + bytes > filling_->size) {
    // What is left of the last block is given up, at most an id's length.
    const std::size_t last = filling_ == nullptr ? 0 : filling_->size;
    const std::size_t size =
        std::max(bytes, std::clamp(last * 2, kFirstBlockBytes, kBlockBytesMax));
    Block block{std::make_unique<char[]>(size), size};
    const char* begin = block.bytes.get();
    filling_ = &blocks_.emplace(begin, std::move(block)).first->second;
    block_bytes_ += size;
  }
  char* copy = filling_->bytes.get() + filling_->used;
  std::memcpy(copy, &length, kLengthBytes);
  std::memcpy(copy + kLengthBytes, id.data(), id.size());
  filling_->used += bytes;
  filling_->live += bytes;
  return copy;
}

void Dictionary::Erase(std::uint32_t ordinal) {
  const std::string_view erased = id(ordinal);
  RECO_CHECK(!erased.empty());
  index_.Erase(HashTag(erased, hash_seed_), ordinal);
  // A deleted user's id may not linger in memory.
  char* bytes = record(ordinal);
  std::memset(bytes + kLengthBytes, 0, erased.size());
  records_.Erase(ordinal);
  const auto block = std::prev(blocks_.upper_bound(bytes));
  block->second.live -= kLengthBytes + erased.size();
  if (&block->second != filling_ && block->second.live * 2 <= block->second.used) {
    MoveOut(block);
  }
}

void Dictionary::MoveOut(Blocks::iterator block) {
  const Block old = std::move(block->second);
  blocks_.erase(block);
  block_bytes_ -= old.size;
  std::size_t next = 0;
  for (std::size_t at = 0; at < old.used; at = next) {
    const std::string_view id = ReadRecord(old.bytes.get() + at);
    next = at + kLengthBytes + id.size();
    // An erased one is zeros, which may be the id of another record.
    const std::optional<std::uint32_t> ordinal = Find(id);
    if (ordinal && record(*ordinal) == old.bytes.get() + at) {
      *records_.Find(*ordinal) = Copy(id);
    }
  }
  std::memset(old.bytes.get(), 0, old.used);
}

std::string_view Dictionary::id(std::uint32_t ordinal) const {
  const char* bytes = record(ordinal);
  return bytes != nullptr ? ReadRecord(bytes) : std::string_view();
}

std::size_t Dictionary::memory_bytes() const {
  constexpr std::size_t kNodeBytes = 4 * sizeof(void*) + sizeof(Blocks::value_type);
  return index_.memory_bytes() + records_.memory_bytes() + block_bytes_ +
         blocks_.size() * kNodeBytes;
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
