// PackedPairs: the pairs of one row in memory, 9 to 15 bytes for most of them where RowPair takes
// 40. What is usual takes no room: a weight of 1, one event, no type. See doc/engine/rows.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "format/records.h"

namespace reco::engine {

struct RowPair {
  std::uint32_t other = 0;
  format::Pair pair;
  bool operator==(const RowPair&) const = default;
};

// Pairs by ascending partner. A pair is found by walking from the first, 1 to 3 ns each, which
// suits rows of up to a few thousand. Thread-compatible.
class PackedPairs {
 public:
  std::uint32_t size() const { return count_; }
  bool empty() const { return count_ == 0; }

  // Takes the place of what was here; `pairs` ascend by partner.
  void Assign(std::span<const RowPair> pairs);
  void Clear();
  // Inserts a pair, or replaces that of the same partner.
  void Put(std::uint32_t other, const format::Pair& pair);
  // Returns false when there is no such pair.
  bool Erase(std::uint32_t other);

  std::optional<format::Pair> Find(std::uint32_t other) const;
  // Appends all pairs to `out`.
  void AppendTo(std::vector<RowPair>* out) const;

  // Walks the pairs in order. Valid until the next change.
  class Reader {
   public:
    // Begins with the first pair.
    explicit Reader(const PackedPairs& pairs)
        : at_(pairs.bytes_.get()), end_(at_ + pairs.used_bytes_) {}
    // Returns false behind the last pair.
    bool Next(RowPair* pair);
    // Passes over the pairs with a partner below `other`.
    void SkipTo(std::uint32_t other);

   private:
    friend class PackedPairs;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    std::uint32_t previous_ = 0;  // partner of the pair in front of at_; 0 at the first
  };

  // Bytes on the heap.
  std::size_t memory_bytes() const { return CapacityFor(used_bytes_); }

 private:
  static std::size_t CapacityFor(std::size_t bytes);
  // Puts `fresh` in the place of `old_bytes` bytes at `at`.
  void Splice(std::size_t at, std::size_t old_bytes, std::span<const std::uint8_t> fresh);

  std::unique_ptr<std::uint8_t[]> bytes_;  // CapacityFor(used_bytes_) of them
  std::uint32_t used_bytes_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace reco::engine
