// FactorTable: the latent vectors of one side, one row per ordinal, float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace reco::model {

// Rows never move: memory comes in chunks of kChunkRows rows, so growing neither copies nor
// invalidates row pointers. Each row is padded with zeros to `stride`, a multiple of 16 floats, and
// aligned to 64 bytes; kernels run over the stride. New rows are zero.
//
// Thread-compatible: concurrent reads; a writer needs the table to itself, except that rows which
// nobody reads may be written from several threads.
class FactorTable {
 public:
  static constexpr std::size_t kChunkRows = 512;

  explicit FactorTable(std::uint32_t dim);

  std::uint32_t dim() const { return dim_; }
  std::uint32_t stride() const { return stride_; }
  std::size_t rows() const { return rows_; }
  std::size_t memory_bytes() const;

  // Grows to `rows` rows; never shrinks.
  void Grow(std::size_t rows);

  const float* row(std::size_t i) const {
    return chunks_[i / kChunkRows].get() + (i % kChunkRows) * stride_;
  }
  float* mutable_row(std::size_t i) {
    return chunks_[i / kChunkRows].get() + (i % kChunkRows) * stride_;
  }
  std::span<const float> values(std::size_t i) const { return {row(i), dim_}; }

 private:
  struct Free {
    void operator()(float* chunk) const;
  };
  std::uint32_t dim_;
  std::uint32_t stride_;
  std::size_t rows_ = 0;
  std::vector<std::unique_ptr<float[], Free>> chunks_;
};

// Length of a padded row.
constexpr std::uint32_t StrideFor(std::uint32_t dim) {
  return (dim + 15U) / 16U * 16U;
}

}  // namespace reco::model
