// RidgeSolver: which items say how much for an item, by a ridge regression on its neighbours, as
// EASE does on all items (Steck 2019):
//
//   B_Ni = (C_NN + diag(10 + .5 f_N))^-1 C_Ni
//
// C: PairCounts in units of two neighbours, with f_j, the number of places with j, on its diagonal;
// N: the kRidgeNeighbours items of highest C_ij / sqrt(f_i f_j), ties by item. See doc/model.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/neighbours/pair_counts.h"
#include "format/solved_rows.h"

namespace reco::engine {

inline constexpr std::size_t kRidgeNeighbours = 50;

using format::ItemWeight;

// Owns scratch memory, so one object serves one thread at a time. Results depend on the counts
// alone, not on how they came to be.
class RidgeSolver {
 public:
  RidgeSolver();
  ~RidgeSolver();
  RidgeSolver(const RidgeSolver&) = delete;
  RidgeSolver& operator=(const RidgeSolver&) = delete;

  // Takes over what the row of `item` is solved from. Some 40 us.
  void Gather(const PairCounts& counts, std::uint32_t item);
  // Returns B_ji of the neighbours j of the item gathered last, ascending by item; finite, and none
  // for an item without counts. To be called once for each; valid until the next call. Some 60 us.
  std::span<const ItemWeight> Solve();

 private:
  struct Neighbour {
    double rank = 0;  // by which the nearest are found
    std::uint32_t item = 0;
    std::uint32_t count = 0;  // C_ij
  };
  struct System;

  void FindNeighbours(const PairCounts& counts, std::uint32_t item);

  std::vector<Neighbour> neighbours_;
  std::vector<ItemWeight> row_;
  std::unique_ptr<System> system_;
};

}  // namespace reco::engine
