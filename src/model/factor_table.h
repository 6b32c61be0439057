// FactorTable: the latent vectors of one side, float32, one row per ordinal.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/aligned_vector.h"

namespace reco::model {

// A row has a vector from its first mutable_row() until Release(). One without reads as zeros, and
// takes less than a byte (D35), none while no row behind it has a vector either. Each vector is
// padded with zeros to `stride`, a multiple of 16 floats, and aligned to 64 bytes; kernels run over
// the stride. It stays where it is, but for Compact() and a neighbor's first mutable_row().
//
// Thread-compatible: concurrent reads; a writer needs the table to itself, except that rows which
// have a vector, and which nobody reads, may be written from several threads.
class FactorTable {
 public:
  // Rows that have their memory together.
  static constexpr std::size_t kPageRows = 32;

  explicit FactorTable(std::uint32_t dim);

  std::uint32_t dim() const { return dim_; }
  std::uint32_t stride() const { return stride_; }
  std::size_t rows() const { return rows_; }
  std::size_t memory_bytes() const;

  // Grows to `rows` rows; never shrinks. The new ones have no vector. O(1).
  void Grow(std::size_t rows);
  // Grows an empty table to `rows` rows, each with a vector of zeros, all in one piece, which lies
  // in huge pages where the system grants them.
  void Allocate(std::size_t rows);
  // Returns them, `stride` floats each, as long as they are not renumbered; else null.
  const float* allocated() const { return numbered_ ? nullptr : allocated_.data(); }
  // Makes row k of an allocated table the row ordinals[k] of one of `rows` rows; these ascend. The
  // vectors stay where they are.
  void Renumber(std::span<const std::uint32_t> ordinals, std::size_t rows);
  // Takes the row's vector away, if it has one. Memory is given back with the last of a page, or
  // with the table where that was allocated.
  void Release(std::size_t i);
  // Gives back what pages hold beyond their vectors.
  void Compact();

  bool has_vector(std::size_t i) const {
    return i / kPageRows < pages_.size() && (pages_[i / kPageRows].used & BitOf(i)) != 0;
  }
  const float* row(std::size_t i) const {
    if (i / kPageRows >= pages_.size()) {
      return zeros_.data();
    }
    const Page& page = pages_[i / kPageRows];
    return (page.room & BitOf(i)) != 0 ? At(page, i) : zeros_.data();
  }
  // A row without a vector gets one, of zeros.
  float* mutable_row(std::size_t i) {
    if (!has_vector(i)) {
      Take(i);
    }
    return At(pages_[i / kPageRows], i);
  }
  std::span<const float> values(std::size_t i) const { return {row(i), dim_}; }

 private:
  struct Free {
    void operator()(float* rows) const;
  };
  using Memory = std::unique_ptr<float[], Free>;
  // A bit of each mask for a row. Behind `memory` lie those that there is room for, in order.
  struct Page {
    float* memory = nullptr;
    std::uint32_t room = 0;
    std::uint32_t used = 0;  // by a vector; other room is zeros
  };

  static constexpr std::uint32_t BitOf(std::size_t i) { return 1U << (i % kPageRows); }
  float* At(const Page& page, std::size_t i) const {
    return page.memory +
           static_cast<std::size_t>(std::popcount(page.room & (BitOf(i) - 1))) * stride_;
  }
  Memory MakeRows(std::size_t rows) const;
  void Take(std::size_t i);
  void GiveRoom(std::size_t p, std::uint32_t room);

  std::uint32_t dim_;
  std::uint32_t stride_;
  std::size_t rows_ = 0;
  std::vector<Page> pages_;  // up to the last that ever had a vector, at least
  std::vector<Memory> own_;  // of each page; null: none, or within the following
  AlignedVector<float> allocated_;
  bool numbered_ = false;       // by Renumber
  AlignedVector<float> zeros_;  // the row of those without a vector
  std::size_t room_rows_ = 0;   // of all pages and allocated_
};

// Length of a padded row.
constexpr std::uint32_t StrideFor(std::uint32_t dim) {
  return (dim + 15U) / 16U * 16U;
}

}  // namespace reco::model
