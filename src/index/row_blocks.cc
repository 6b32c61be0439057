#include "index/row_blocks.h"

#include <algorithm>
#include <new>
#include <utility>

#include <sys/mman.h>

#include "base/check.h"
#include "index/quantizer.h"

namespace reco::index {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// A row whose norm stays within this factor of its block's range keeps its place: the block's bound
// then loosens by no more.
constexpr float kPlaceTolerance = 1.25F;
// Blocks that are made at once for rows that find no free slot, at most.
constexpr std::size_t kTailBlocks = 16;
// A scan of codes that no cache holds asks for memory about this far ahead.
constexpr std::size_t kAheadBytes = std::size_t{16} << 10U;
constexpr std::size_t kCachedBytes = std::size_t{4} << 20U;

std::size_t AheadFor(std::size_t stride) {
  const std::size_t block = BlockMemory::CodeBytes(stride);
  return (kAheadBytes + block - 1) / block * block;
}

}  // namespace

// --- BlockMemory --------------------------------------------------------------------------------

BlockMemory::BlockMemory(std::uint8_t* slab, std::size_t index, std::size_t count,
                         std::size_t stride)
    : codes_(slab + index * CodeBytes(stride)),
      heads_(reinterpret_cast<std::uint32_t*>(codes_ + kBlockRows * stride / 2)),
      norms_(reinterpret_cast<float*>(slab + count * CodeBytes(stride) + index * kNormBytes)),
      refinements_(slab + count * (CodeBytes(stride) + kNormBytes) +
                   index * RefinementBytes(stride)),
      refinement_bytes_(sizeof(Refinement) + stride / 2) {
  // A scan reads whole blocks, so free slots must hold something, and must never be selected.
  std::fill_n(codes_, CodeBytes(stride), std::uint8_t{0});
  std::fill_n(refinements_, RefinementBytes(stride), std::uint8_t{0});
  for (std::size_t row = 0; row < kBlockRows; ++row) {
    Free(row);
  }
}

void BlockMemory::Set(std::size_t row, std::uint32_t ordinal, const RowCode& code) {
  heads()[row] = PackHead(code);
  norms()[row] = code.norm;
  auto* refinement = reinterpret_cast<Refinement*>(refinements_ + row * refinement_bytes_);
  *refinement = {ordinal, code.finer_error};
}

void BlockMemory::Free(std::size_t row) {
  Set(row, kNoOrdinal, {0, -kInfinity, -kInfinity, 1, true});
}

// --- RowBlocks ----------------------------------------------------------------------------------

// Memory of consecutive blocks. A scan of many of them runs at the speed of memory, so they lie
// together and in huge pages where the system grants them.
class RowBlocks::Slab {
 public:
  explicit Slab(std::size_t bytes)
      : bytes_(bytes),
        alignment_(bytes >= kHugePage ? kHugePage : kLine),
        memory_(static_cast<std::uint8_t*>(::operator new (bytes, std::align_val_t{alignment_}))) {
    if (bytes >= kHugePage) {
      // Advice only: without it the scan is slower, not wrong.
      static_cast<void>(madvise(memory_, bytes, MADV_HUGEPAGE));
    }
  }
  ~Slab() { ::operator delete (memory_, std::align_val_t{alignment_}); }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  std::uint8_t* memory() { return memory_; }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20U;
  static constexpr std::size_t kLine = 64;

  const std::size_t bytes_;
  const std::size_t alignment_;
  std::uint8_t* const memory_;
};

RowBlocks::RowBlocks(const model::FactorTable& items)
    : items_(items),
      stride_(items.stride()),
      ahead_(AheadFor(stride_)),
      ahead_from_(kCachedBytes / BlockMemory::CodeBytes(stride_)) {
  RECO_CHECK(stride_ <= kStrideMax);
}

RowBlocks::~RowBlocks() = default;

std::size_t RowBlocks::memory_bytes() const {
  std::size_t bytes = blocks_.capacity() * sizeof(Block) +
                      (bounds_.capacity() + group_bounds_.capacity()) * sizeof(float) +
                      (slot_of_.capacity() + free_slots_.capacity()) * sizeof(std::uint32_t) +
                      displaced_.capacity() / 8;
  for (const auto& slab : slabs_) {
    bytes += slab->bytes();
  }
  return bytes;
}

void RowBlocks::AddBlocks(std::size_t count) {
  const std::size_t bytes = BlockMemory::Bytes(stride_);
  slabs_.push_back(std::make_unique<Slab>(count * bytes));
  const std::size_t first = blocks_.size() * kBlockRows;
  for (std::size_t i = 0; i < count; ++i) {
    blocks_.emplace_back(BlockMemory(slabs_.back()->memory(), i, count, stride_));
  }
  bounds_.resize(blocks_.size(), 0.0F);
  group_bounds_.resize((blocks_.size() + kGroupBlocks - 1) / kGroupBlocks, 0.0F);
  displaced_.resize(blocks_.size() * kBlockRows, false);
  // The first slot on top.
  for (std::size_t slot = blocks_.size() * kBlockRows; slot > first; --slot) {
    free_slots_.push_back(static_cast<std::uint32_t>(slot - 1));
  }
}

void RowBlocks::Clear(std::size_t ordinals, std::size_t rows) {
  blocks_.clear();
  slabs_.clear();
  bounds_.clear();
  group_bounds_.clear();
  free_slots_.clear();
  displaced_.clear();
  rows_ = 0;
  displaced_rows_ = 0;
  slot_of_.assign(ordinals, kNoOrdinal);
  if (rows > 0) {
    AddBlocks((rows + kBlockRows - 1) / kBlockRows);
  }
}

// Codes the ordinal's row into the slot. False, and nothing has changed: the row is not finite.
bool RowBlocks::Write(std::uint32_t slot, std::uint32_t ordinal) {
  const std::size_t b = slot / kBlockRows;
  const std::size_t row = slot % kBlockRows;
  BlockMemory& memory = blocks_[b].memory;
  const RowCode code = EncodeRow(items_.row(ordinal), stride_, memory.mutable_codes(row, stride_),
                                 memory.mutable_finer(row));
  if (!code.finite) {
    return false;
  }
  memory.Set(row, ordinal, code);
  // Only raised: lowering it would need a look at all rows of the block.
  bounds_[b] = std::max(bounds_[b], code.norm);
  float& group = group_bounds_[b / kGroupBlocks];
  group = std::max(group, code.norm);
  return true;
}

// Writes the row of an ordinal that has no slot into a free one, which it takes.
bool RowBlocks::Insert(std::uint32_t ordinal) {
  // In proportion, so that few are empty and growing is rare.
  if (free_slots_.empty()) {
    AddBlocks(std::clamp<std::size_t>(blocks_.size() / 8, 1, kTailBlocks));
  }
  const std::uint32_t slot = free_slots_.back();
  if (!Write(slot, ordinal)) {
    return false;
  }
  free_slots_.pop_back();
  slot_of_[ordinal] = slot;
  ++blocks_[slot / kBlockRows].used;
  ++rows_;
  return true;
}

bool RowBlocks::InPlace(std::uint32_t slot) const {
  const Block& block = blocks_[slot / kBlockRows];
  const float norm = block.memory.norm(slot % kBlockRows);
  return norm <= block.built_max * kPlaceTolerance && norm * kPlaceTolerance >= block.built_min;
}

void RowBlocks::MarkDisplaced(std::uint32_t slot) {
  displaced_rows_ += displaced_[slot] ? 0 : 1;
  displaced_[slot] = true;
}

bool RowBlocks::Append(std::uint32_t ordinal) {
  if (!Insert(ordinal)) {
    return false;
  }
  const std::uint32_t slot = slot_of_[ordinal];
  Block& block = blocks_[slot / kBlockRows];
  const float norm = block.memory.norm(slot % kBlockRows);
  block.built_min = std::min(block.built_min, norm);
  block.built_max = std::max(block.built_max, norm);
  return true;
}

bool RowBlocks::Put(std::uint32_t ordinal) {
  if (ordinal >= slot_of_.size()) {
    slot_of_.resize(ordinal + std::size_t{1}, kNoOrdinal);
  }
  const std::uint32_t slot = slot_of_[ordinal];
  if (slot == kNoOrdinal) {
    if (!Insert(ordinal)) {
      return false;
    }
    // The slot is behind the sorted rows, or one that was erased: in any case out of order.
    MarkDisplaced(slot_of_[ordinal]);
    return true;
  }
  if (!Write(slot, ordinal)) {
    // Its old codes must not stand for it.
    Erase(ordinal);
    return false;
  }
  if (!InPlace(slot)) {
    MarkDisplaced(slot);
  }
  return true;
}

void RowBlocks::Erase(std::uint32_t ordinal) {
  if (!Contains(ordinal)) {
    return;
  }
  const std::uint32_t slot = std::exchange(slot_of_[ordinal], kNoOrdinal);
  Block& block = blocks_[slot / kBlockRows];
  block.memory.Free(slot % kBlockRows);
  --block.used;
  --rows_;
  displaced_rows_ -= displaced_[slot] ? 1 : 0;
  displaced_[slot] = false;
  free_slots_.push_back(slot);
}

}  // namespace reco::index
