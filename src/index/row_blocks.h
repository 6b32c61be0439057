// RowBlocks: the coded rows of an index in blocks, and which ordinal lies where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "index/code_block.h"
#include "model/factor_table.h"

namespace reco::index {

constexpr std::uint32_t kNoOrdinal = std::numeric_limits<std::uint32_t>::max();

// The arrays of one block: codes and heads, norms, refinements. A view into a slab.
class BlockMemory {
 public:
  // Takes its part of a slab of `count` blocks over and frees all slots. What a scan goes through
  // lies side by side for all blocks, so that the processor's own prefetching finds no gaps.
  BlockMemory(std::uint8_t* slab, std::size_t index, std::size_t count, std::size_t stride);

  static std::size_t Bytes(std::size_t stride) {
    return CodeBytes(stride) + kNormBytes + RefinementBytes(stride);
  }
  // The bytes from a block's codes to those of the next one in its slab.
  static std::size_t CodeBytes(std::size_t stride) {
    return kBlockRows * (stride / 2 + sizeof(std::uint32_t));
  }

  CodeBlock View(float bound, std::size_t ahead) const {
    return {codes_, heads(), norms(), bound, ahead};
  }
  float norm(std::size_t row) const { return norms()[row]; }
  // kNoOrdinal: a free slot.
  std::uint32_t ordinal(std::size_t row) const { return refinement(row).ordinal; }
  float step(std::size_t row) const { return StepOf(heads()[row]); }
  // Its codes follow it.
  const Refinement& refinement(std::size_t row) const {
    return *reinterpret_cast<const Refinement*>(refinements_ + row * refinement_bytes_);
  }
  std::uint8_t* mutable_codes(std::size_t row, std::size_t stride) {
    return codes_ + CodeOffset(row, stride);
  }

  std::uint8_t* mutable_finer(std::size_t row) {
    return refinements_ + row * refinement_bytes_ + sizeof(Refinement);
  }

  void Set(std::size_t row, std::uint32_t ordinal, const RowCode& code);
  void Free(std::size_t row);

 private:
  static constexpr std::size_t kNormBytes = kBlockRows * sizeof(float);
  static std::size_t RefinementBytes(std::size_t stride) {
    return kBlockRows * (sizeof(Refinement) + stride / 2);
  }
  std::uint32_t* heads() const { return heads_; }
  float* norms() const { return norms_; }

  std::uint8_t* codes_;
  std::uint32_t* heads_;
  float* norms_;
  std::uint8_t* refinements_;
  std::size_t refinement_bytes_;
};

// A slot is a place in a block: block x kBlockRows + row. A row keeps its slot until it is erased
// or all are cleared. Refers to a FactorTable that must outlive it.
// Thread-compatible.
class RowBlocks {
 public:
  // Blocks that share a group bound, so that a scan passes over many with one comparison.
  static constexpr std::size_t kGroupBlocks = 64;

  explicit RowBlocks(const model::FactorTable& items);
  ~RowBlocks();
  RowBlocks(const RowBlocks&) = delete;
  RowBlocks& operator=(const RowBlocks&) = delete;

  const model::FactorTable& items() const { return items_; }
  std::size_t stride() const { return stride_; }
  std::size_t size() const { return blocks_.size(); }  // in blocks
  std::size_t rows() const { return rows_; }
  std::size_t displaced_rows() const { return displaced_rows_; }
  std::size_t memory_bytes() const;

  const BlockMemory& memory(std::size_t b) const { return blocks_[b].memory; }
  CodeBlock View(std::size_t b) const {
    return blocks_[b].memory.View(bounds_[b], blocks_.size() < ahead_from_ ? 0 : ahead_);
  }
  std::size_t used(std::size_t b) const { return blocks_[b].used; }
  // The bound that no row's norm is above. Raised by Put, never lowered before Clear.
  float bound(std::size_t b) const { return bounds_[b]; }
  float group_bound(std::size_t group) const { return group_bounds_[group]; }

  bool Contains(std::uint32_t ordinal) const {
    return ordinal < slot_of_.size() && slot_of_[ordinal] != kNoOrdinal;
  }
  // The norm of a contained row, rounded up.
  float NormOf(std::uint32_t ordinal) const {
    const std::uint32_t slot = slot_of_[ordinal];
    return blocks_[slot / kBlockRows].memory.norm(slot % kBlockRows);
  }
  std::size_t ordinals_end() const { return slot_of_.size(); }

  // Empties it and makes room for `rows` in one piece.
  void Clear(std::size_t ordinals, std::size_t rows);
  // Puts an ordinal that is not contained behind all others, as part of the norm order, which the
  // caller keeps. Returns false, and changes nothing, when its row is not finite.
  bool Append(std::uint32_t ordinal);
  // Codes the ordinal's row anew, in its slot or in a free one. Returns false when its row is not
  // finite: it is not contained any more.
  bool Put(std::uint32_t ordinal);
  void Erase(std::uint32_t ordinal);

 private:
  class Slab;

  void AddBlocks(std::size_t count);
  bool Write(std::uint32_t slot, std::uint32_t ordinal);
  bool Insert(std::uint32_t ordinal);
  bool InPlace(std::uint32_t slot) const;
  void MarkDisplaced(std::uint32_t slot);

  const model::FactorTable& items_;
  const std::size_t stride_;
  const std::size_t ahead_;
  const std::size_t ahead_from_;  // in blocks
  std::vector<std::unique_ptr<Slab>> slabs_;
  struct Block {
    explicit Block(BlockMemory arrays) : memory(arrays) {}
    BlockMemory memory;
    std::size_t used = 0;
    // Norms of its rows in the order of Append; the empty range for a block of later rows.
    float built_min = std::numeric_limits<float>::infinity();
    float built_max = -std::numeric_limits<float>::infinity();
  };
  std::vector<Block> blocks_;
  std::vector<float> bounds_;
  std::vector<float> group_bounds_;
  std::vector<std::uint32_t> slot_of_;     // by ordinal; kNoOrdinal: not contained
  std::vector<std::uint32_t> free_slots_;  // a stack
  std::vector<bool> displaced_;            // by slot, since Clear
  std::size_t rows_ = 0;
  std::size_t displaced_rows_ = 0;
};

}  // namespace reco::index
