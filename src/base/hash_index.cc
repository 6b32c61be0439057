#include "base/hash_index.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace reco {
namespace {

constexpr std::uint32_t kFirstSlotBits = 4;
constexpr std::uint32_t kSlotBitsMax = 9;  // then a segment splits
// A directory of 2^20 pointers serves 300 million handles; only beyond, or when somebody knows the
// seed and chooses names that collide, do segments outgrow kSlotBitsMax.
constexpr std::uint32_t kDepthMax = 20;

std::uint64_t FoldMultiply(std::uint64_t a, std::uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

// Far below the load at which segments grow, so that a handle that comes and goes moves nothing.
bool NearlyEmpty(std::size_t used, std::size_t capacity) {
  return used * 8 <= capacity;
}

// Up to eight bytes as a number.
std::uint64_t Load(const char* bytes, std::size_t size) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, std::min<std::size_t>(size, 8));
  return value;
}

}  // namespace

std::uint32_t HashTag(std::string_view name, std::uint64_t seed) {
  // Both factors of each product depend on the mixed seed, so that nobody who does not know it can
  // make one of them zero.
  const std::uint64_t key = FoldMultiply(seed ^ 0xa0761d6478bd642fULL, 0xe7037ed1a0b428dbULL);
  std::uint64_t hash = FoldMultiply(key, 0x8ebc6af09c88c6e3ULL);
  const char* bytes = name.data();
  std::size_t left = name.size();
  while (left > 16) {
    hash = FoldMultiply(Load(bytes, 8) ^ key, Load(bytes + 8, 8) ^ hash);
    bytes += 16;
    left -= 16;
  }
  const std::uint64_t low = left > 0 ? Load(bytes, left) : 0;
  const std::uint64_t high = left > 8 ? Load(bytes + 8, left - 8) : 0;
  hash = FoldMultiply(low ^ key, high ^ hash);
  // The length comes last: where it could meet bytes of the name they would cancel each other.
  return static_cast<std::uint32_t>(FoldMultiply(hash ^ name.size(), key | 1U) >> 32U);
}

HashIndex::Segment::Segment(std::uint32_t segment_depth, std::uint32_t slot_bits)
    : depth(segment_depth), bits(slot_bits), slots(std::make_unique<Slot[]>(capacity())) {}

void HashIndex::Segment::Put(Slot slot) {
  std::size_t i = Home(slot.tag);
  while (slots[i].handle != kNone) {
    i = Next(i);
  }
  slots[i] = slot;
  ++used;
}

void HashIndex::Segment::PutAll(const Segment& other) {
  for (std::size_t i = 0; i < other.capacity(); ++i) {
    if (other.slots[i].handle != kNone) {
      Put(other.slots[i]);
    }
  }
}

HashIndex::HashIndex() {
  Clear();
}

void HashIndex::Clear() {
  // New vectors, since clear() keeps the memory.
  segments_ = std::vector<std::unique_ptr<Segment>>();
  segments_.push_back(std::make_unique<Segment>(0, kFirstSlotBits));
  directory_ = std::vector<Segment*>(1, segments_.front().get());
  depth_ = 0;
  size_ = 0;
  slots_ = segments_.front()->capacity();
}

std::size_t HashIndex::memory_bytes() const {
  return slots_ * sizeof(Slot) + segments_.size() * sizeof(Segment) +
         segments_.capacity() * sizeof(segments_[0]) + directory_.capacity() * sizeof(void*);
}

void HashIndex::Insert(std::uint32_t tag, std::uint32_t handle) {
  RECO_CHECK(handle != kNone);
  Segment* segment = directory_[DirectoryIndex(tag)];
  // A split may leave everything on one side, hence the loop.
  while ((segment->used + 1) * 4 > segment->capacity() * 3) {
    Grow(tag);
    segment = directory_[DirectoryIndex(tag)];
  }
  segment->Put({tag, handle});
  ++size_;
}

void HashIndex::Erase(std::uint32_t tag, std::uint32_t handle) {
  Segment& segment = *directory_[DirectoryIndex(tag)];
  std::size_t hole = segment.Home(tag);
  while (segment.slots[hole].handle != handle) {
    RECO_CHECK(segment.slots[hole].handle != kNone);
    hole = segment.Next(hole);
  }
  // Moves back whatever probing would no longer reach across the hole.
  const std::size_t mask = segment.capacity() - 1;
  for (std::size_t i = segment.Next(hole); segment.slots[i].handle != kNone; i = segment.Next(i)) {
    const std::size_t home = segment.Home(segment.slots[i].tag);
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      segment.slots[hole] = segment.slots[i];
      hole = i;
    }
  }
  segment.slots[hole] = Slot{};
  --segment.used;
  --size_;
  Shrink(tag);
}

void HashIndex::Grow(std::uint32_t tag) {
  Segment& segment = *directory_[DirectoryIndex(tag)];
  // Small segments grow in place first, so that small indexes have one.
  if (segment.bits >= kSlotBitsMax && segment.depth < kDepthMax) {
    Split(tag);
    return;
  }
  RECO_CHECK(segment.bits < 31);
  Resize(segment, segment.bits + 1);
}

void HashIndex::Resize(Segment& segment, std::uint32_t bits) {
  Segment resized(segment.depth, bits);
  resized.PutAll(segment);
  slots_ += resized.capacity() - segment.capacity();
  segment = std::move(resized);
}

void HashIndex::Split(std::uint32_t tag) {
  Segment& segment = *directory_[DirectoryIndex(tag)];
  // The directory has no bit left by which the two halves would differ.
  if (segment.depth == depth_) {
    DoubleDirectory();
  }
  const std::uint32_t depth = segment.depth + 1;
  auto upper = std::make_unique<Segment>(depth, segment.bits);
  Segment lower(depth, segment.bits);
  for (std::size_t i = 0; i < segment.capacity(); ++i) {
    const Slot slot = segment.slots[i];
    if (slot.handle != kNone) {
      const bool bit = ((slot.tag >> (32U - depth)) & 1U) != 0;
      (bit ? *upper : lower).Put(slot);
    }
  }
  // The directory entries of the old segment are consecutive; the second half is the upper one's.
  const std::size_t half = std::size_t{1} << (depth_ - depth);
  const std::size_t first = DirectoryIndex(tag) & ~(2 * half - 1);
  std::fill_n(directory_.begin() + static_cast<std::ptrdiff_t>(first + half), half, upper.get());
  slots_ += upper->capacity();
  segment = std::move(lower);
  segments_.push_back(std::move(upper));
}

void HashIndex::Shrink(std::uint32_t tag) {
  // What is joined may be as empty as the one beside it.
  while (Join(tag)) {
  }
  Segment& segment = *directory_[DirectoryIndex(tag)];
  while (segment.bits > kFirstSlotBits && NearlyEmpty(segment.used, segment.capacity())) {
    Resize(segment, segment.bits - 1);
  }
}

bool HashIndex::Join(std::uint32_t tag) {
  Segment* lower = directory_[DirectoryIndex(tag)];
  const std::uint32_t depth = lower->depth;
  if (depth == 0) {
    return false;
  }
  const std::size_t buddy_bit = std::size_t{1} << (depth_ - depth);
  Segment* upper = directory_[DirectoryIndex(tag) ^ buddy_bit];
  // A deeper one has to be joined with its own buddy first.
  if (upper->depth != depth ||
      !NearlyEmpty(lower->used + upper->used, std::max(lower->capacity(), upper->capacity()))) {
    return false;
  }
  if ((DirectoryIndex(tag) & buddy_bit) != 0) {
    std::swap(lower, upper);
  }
  Segment joined(depth - 1, std::max(lower->bits, upper->bits));
  joined.PutAll(*lower);
  joined.PutAll(*upper);
  slots_ += joined.capacity() - lower->capacity() - upper->capacity();
  *lower = std::move(joined);
  std::replace(directory_.begin(), directory_.end(), upper, lower);
  segments_.erase(std::find_if(segments_.begin(), segments_.end(),
                               [upper](const auto& segment) { return segment.get() == upper; }));
  if (std::none_of(segments_.begin(), segments_.end(),
                   [this](const auto& segment) { return segment->depth == depth_; })) {
    HalveDirectory();
  }
  return true;
}

void HashIndex::HalveDirectory() {
  std::vector<Segment*> halved;
  halved.reserve(directory_.size() / 2);
  for (std::size_t i = 0; i < directory_.size(); i += 2) {
    halved.push_back(directory_[i]);
  }
  directory_ = std::move(halved);
  --depth_;
  segments_.shrink_to_fit();
}

void HashIndex::DoubleDirectory() {
  std::vector<Segment*> doubled;
  doubled.reserve(directory_.size() * 2);
  for (Segment* segment : directory_) {
    doubled.push_back(segment);
    doubled.push_back(segment);
  }
  directory_ = std::move(doubled);
  ++depth_;
}

std::uint64_t HashIndex::Scan(std::uint64_t cursor, std::uint64_t count,
                              FunctionRef<void(std::uint32_t handle)> visit) const {
  constexpr std::uint64_t kEnd = std::uint64_t{1} << 32U;  // behind the last tag
  std::uint64_t visited = 0;
  std::vector<Slot> found;
  while (cursor < kEnd) {
    const auto tag = static_cast<std::uint32_t>(cursor);
    const Segment& segment = *directory_[DirectoryIndex(tag)];
    found.clear();
    for (std::size_t i = 0; i < segment.capacity(); ++i) {
      const Slot slot = segment.slots[i];
      if (slot.handle != kNone && slot.tag >= tag) {
        found.push_back(slot);
      }
    }
    // Slots lie by probing, not quite by tag; a segment has at most some hundreds.
    std::sort(found.begin(), found.end(), [](Slot a, Slot b) { return a.tag < b.tag; });
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (visited >= std::max<std::uint64_t>(count, 1) && found[i].tag != found[i - 1].tag) {
        return found[i].tag;
      }
      visit(found[i].handle);
      ++visited;
    }
    // To the first tag behind this segment's.
    const std::uint64_t width = kEnd >> segment.depth;
    cursor = (cursor / width + 1) * width;
    if (visited >= std::max<std::uint64_t>(count, 1)) {
      break;
    }
  }
  return cursor < kEnd ? cursor : 0;
}

}  // namespace reco
