// HashIndex: finds u32 handles by a 32-bit tag of their hashed name, and walks them in tag order.
// The names themselves stay with the owner (Dictionary, Keyspace), who compares them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/function_ref.h"

namespace reco {

// Seed of the hash when the owner draws none. With a secret seed nobody can choose names that
// collide.
inline constexpr std::uint64_t kHashSeed = 0x9e3779b97f4a7c15ULL;

// Returns the tag that a HashIndex wants of a name: 32 well-mixed bits. About 5 ns for 16 bytes.
std::uint32_t HashTag(std::string_view name, std::uint64_t seed);

// Extendible hashing (Fagin et al. 1979): a directory over the tag's leading bits leads to segments
// of at most 512 open-addressing slots; a full segment splits in two, two that have become nearly
// empty are one again. So no call moves more than one segment (a few microseconds) however large
// the index is, and segments stand in tag order, which gives Scan a cursor that neither disturbs.
//
// Memory: 8 bytes a slot, 11 to 22 bytes a handle while handles come, up to 64 while they go.
// Thread-compatible.
class HashIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffU;  // no handle; may not be inserted

  HashIndex();

  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const;

  // Returns the handle with this tag for which same(handle) holds, or kNone.
  template <typename Same>
  std::uint32_t Find(std::uint32_t tag, Same&& same) const {
    const Segment& segment = *directory_[DirectoryIndex(tag)];
    for (std::size_t i = segment.Home(tag);; i = segment.Next(i)) {
      const Slot slot = segment.slots[i];
      if (slot.handle == kNone || (slot.tag == tag && same(slot.handle))) {
        return slot.handle;
      }
    }
  }

  // Asks the processor for the memory that Find(tag) will look at; a hint.
  void Prefetch(std::uint32_t tag) const {
    const Segment& segment = *directory_[DirectoryIndex(tag)];
    __builtin_prefetch(&segment.slots[segment.Home(tag)]);
  }

  // Adds a handle, which must not be there yet.
  void Insert(std::uint32_t tag, std::uint32_t handle);
  // Takes out a handle that was inserted with this tag.
  void Erase(std::uint32_t tag, std::uint32_t handle);
  void Clear();

  // Visits about `count` handles (at least one) in tag order from `cursor` on, 0 being the start,
  // and returns the cursor to go on with, 0 when all were visited. The cursor is the next tag, and
  // handles of one tag are visited together: a handle that is there from the first call to the last
  // is visited exactly once, whatever is inserted or erased between the calls. Costs at most one
  // segment (about 5 us) more than what it visits.
  std::uint64_t Scan(std::uint64_t cursor, std::uint64_t count,
                     FunctionRef<void(std::uint32_t handle)> visit) const;

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t handle = kNone;
  };
  // Holds the tags that begin with the same `depth` bits. A slot's home follows from the next
  // `bits` bits; at least a quarter of the slots is free.
  struct Segment {
    Segment(std::uint32_t segment_depth, std::uint32_t slot_bits);
    std::size_t capacity() const { return std::size_t{1} << bits; }
    std::size_t Home(std::uint32_t tag) const {
      return static_cast<std::uint32_t>(tag << depth) >> (32U - bits);
    }
    std::size_t Next(std::size_t slot) const { return (slot + 1) & (capacity() - 1); }
    void Put(Slot slot);
    void PutAll(const Segment& other);

    std::uint32_t depth;
    std::uint32_t bits;
    std::size_t used = 0;
    std::unique_ptr<Slot[]> slots;
  };

  std::size_t DirectoryIndex(std::uint32_t tag) const {
    return static_cast<std::size_t>(std::uint64_t{tag} >> (32U - depth_));
  }
  // Makes room in the segment of `tag`, which is full.
  void Grow(std::uint32_t tag);
  void Split(std::uint32_t tag);
  void Resize(Segment& segment, std::uint32_t bits);
  void DoubleDirectory();
  // Makes less room where the segment of `tag` is nearly empty.
  void Shrink(std::uint32_t tag);
  // Makes one segment of that of `tag` and its neighbor where they are nearly empty.
  bool Join(std::uint32_t tag);
  void HalveDirectory();

  std::uint32_t depth_ = 0;
  std::size_t size_ = 0;
  std::size_t slots_ = 0;  // of all segments
  std::vector<std::unique_ptr<Segment>> segments_;
  std::vector<Segment*> directory_;  // 2^depth_
};

}  // namespace reco
