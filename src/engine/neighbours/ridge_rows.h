// RidgeRows: the solved rows of all items, and for each item the rows that it is in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/sparse_table.h"
#include "engine/neighbours/ridge_solver.h"

namespace reco::engine {

// Both directions always agree. A function of the rows as they stand. Thread-compatible.
class RidgeRows {
 public:
  // Sets B_ji of item i, ascending by item j; none takes the row away. `row` is not one of these.
  // First rows cost least when they come by ascending item.
  void Replace(std::uint32_t item, std::span<const ItemWeight> row);
  // Takes the item out, its row and its places in the rows of others.
  void Erase(std::uint32_t item);

  // Returns B_ji of item i, ascending by j.
  std::span<const ItemWeight> row(std::uint32_t item) const { return rows_[item]; }
  // Returns B_ji for the item j, ascending by i.
  std::span<const ItemWeight> rows_with(std::uint32_t item) const { return with_[item]; }
  // Returns B_ji, 0 where j is not in the row.
  float WeightOf(std::uint32_t item, std::uint32_t neighbour) const;

  std::uint64_t rows() const { return count_; }
  std::uint64_t weights() const { return weights_; }
  // About what all of it takes: by counts, so that it is the same in every process.
  std::uint64_t memory_bytes() const { return count_ * kRowBytes + weights_ * kWeightBytes; }

 private:
  using Weights = std::vector<ItemWeight>;
  static constexpr std::uint64_t kRowBytes = 96;  // and where it is in the rows of others
  static constexpr std::uint64_t kWeightBytes = 20;

  void Set(std::uint32_t neighbour, ItemWeight weight);
  void Unset(std::uint32_t neighbour, std::uint32_t item);

  SparseTable<Weights> rows_;  // none is empty
  SparseTable<Weights> with_;  // none is empty
  std::uint64_t count_ = 0;
  std::uint64_t weights_ = 0;
};

}  // namespace reco::engine
