// Dictionary: the ids of one side of a collection (its users or its items) and the dense u32
// ordinals that stand for them everywhere else. In memory only; opening a folder rebuilds it from
// the rows of `users` and `items` (D1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/function_ref.h"
#include "base/hash_index.h"
#include "base/sparse_table.h"

namespace reco::engine {

// Ordinals are given out from 0 in order and never again (I10): an erased one stays a hole, and its
// id, when added again, gets a new one. In memory a live id takes its bytes + 2, 8 for the ordinal
// and 11 to 22 in the index; a hole takes half a byte. No call moves more than a block of ids, so
// no write waits for a table to grow or shrink.
//
// Thread-compatible. Ids are 1 to kIdBytesMax bytes.
class Dictionary {
 public:
  explicit Dictionary(std::uint64_t hash_seed = kHashSeed) : hash_seed_(hash_seed) {}

  std::optional<std::uint32_t> Find(std::string_view id) const;
  // Fetches what Find will look at from memory, for all ids at once, which hides most of the time
  // that it takes; a hint.
  void Prefetch(std::span<const std::string_view> ids) const;
  // Gives `id`, which must be new, the next ordinal and returns that. Needs end() < kOrdinalsMax.
  std::uint32_t Add(std::string_view id);
  // Puts back what was stored, in any order. Returns false, and changes nothing, when the ordinal
  // or the id is taken or out of range: the stored rows contradict each other.
  bool Restore(std::uint32_t ordinal, std::string_view id);
  // Counts all ordinals below `end` as given out.
  void Reserve(std::uint32_t end);
  // Wipes the id of an ordinal, which must be live and stays a hole. Other ids may move: at most a
  // block of them, about 0.1 ms, when half of it is gone.
  void Erase(std::uint32_t ordinal);

  // The id; empty when the ordinal is erased or unknown. Valid until an Erase.
  std::string_view id(std::uint32_t ordinal) const;
  // All ordinals ever given out are below.
  std::uint32_t end() const { return end_; }
  // Live ids.
  std::uint32_t size() const { return static_cast<std::uint32_t>(index_.size()); }
  std::size_t memory_bytes() const;

  // Compares the ids of two ordinals bytewise, which is how rankings break ties.
  bool Before(std::uint32_t a, std::uint32_t b) const { return id(a) < id(b); }

  // Looks at the next `count` ordinals (at least one) from `cursor` on, 0 being the start, visits
  // the live ones in ascending order and returns the cursor to go on with, 0 when complete.
  std::uint64_t Scan(std::uint64_t cursor, std::uint64_t count,
                     FunctionRef<void(std::uint32_t ordinal, std::string_view id)> visit) const;

  static constexpr std::uint32_t kOrdinalsMax = 0xfffffffeU;

 private:
  // Holds records, one behind the other: u16 length, bytes.
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    std::size_t used = 0;
    std::size_t live = 0;  // of `used`, by ids that are not erased
  };
  using Blocks = std::map<const char*, Block>;  // by where they begin

  // Returns null for a hole.
  char* record(std::uint32_t ordinal) const { return records_[ordinal]; }
  void Store(std::uint32_t ordinal, std::string_view id);
  // Returns a copy of the id that stays until MoveOut.
  char* Copy(std::string_view id);
  // Moves the block's live records elsewhere and frees it.
  void MoveOut(Blocks::iterator block);

  const std::uint64_t hash_seed_;
  std::uint32_t end_ = 0;
  HashIndex index_;
  SparseTable<char*> records_;  // by ordinal
  Blocks blocks_;
  Block* filling_ = nullptr;     // the one that new records go to; none before the first
  std::size_t block_bytes_ = 0;  // of all
};

}  // namespace reco::engine
