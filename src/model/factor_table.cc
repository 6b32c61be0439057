#include "model/factor_table.h"

#include <algorithm>
#include <new>

#include "model/aligned_vector.h"

namespace reco::model {

void FactorTable::Free::operator()(float* chunk) const {
  ::operator delete (chunk, std::align_val_t{kCacheLine});
}

FactorTable::FactorTable(std::uint32_t dim) : dim_(dim), stride_(StrideFor(dim)) {}

std::size_t FactorTable::memory_bytes() const {
  return chunks_.size() * kChunkRows * stride_ * sizeof(float) +
         chunks_.capacity() * sizeof(chunks_[0]);
}

void FactorTable::Grow(std::size_t rows) {
  const std::size_t chunk_floats = kChunkRows * stride_;
  while (chunks_.size() * kChunkRows < rows) {
    auto* chunk = static_cast<float*>(
        ::operator new (chunk_floats * sizeof(float), std::align_val_t{kCacheLine}));
    std::fill_n(chunk, chunk_floats, 0.0F);
    chunks_.emplace_back(chunk);
  }
  rows_ = std::max(rows_, rows);
}

}  // namespace reco::model
