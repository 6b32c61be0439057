// RunningSums: the sums that a solve needs of a long row, kept up by rank-one updates, so that a
// write to it does not read the row (D4).
//
// The sums hold each pair with its partner's vector of the time it was added, so they age: a
// successor is built up from the current vectors, some pairs with each write. When a share shrinks,
// what is taken out is not quite what was put in: the sums are built again at once or, when that
// takes long, in the background.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/rows/row_table.h"
#include "engine/rows/signal.h"
#include "model/factor_table.h"
#include "model/fold_in.h"

namespace reco::engine {

// The sums of the rows of one side under one model. Made for each use; refers to what it is given.
class RunningSums {
 public:
  RunningSums(RowTable& rows, const model::FactorTable& partners, const model::SolveParams& solve,
              const ModelSignal& signal, std::uint32_t model)
      : rows_(rows), partners_(partners), alpha_(solve.alpha), signal_(signal), model_(model) {}

  // Rows longer than this keep sums. Shorter ones are solved from their pairs, which is exact and
  // at 4 pairs a dimension takes about 5 us (d = 64; bench/model_bench.cc).
  static constexpr std::uint32_t LongRow(std::uint32_t dim) { return 4 * dim; }
  // A long row of up to so many pairs gets its sums within the write that finds none, which takes
  // 60 us (d = 64); of a longer one the background makes them. After a training none has any.
  static constexpr std::uint32_t BuiltAtOnce(std::uint32_t dim) { return 2 * LongRow(dim); }

  // Follows changes of pairs of the row, which has all of them by now and `pairs` in all. A row
  // that grows past LongRow() gets its sums; later changes are rank-one updates. Returns true when
  // the caller must queue the row for a build in the background.
  bool Update(Row& row, std::uint32_t pairs, std::span<const WeightChange> changes);
  // Builds the sums of a long complete row that has none, if it is short enough for that; drops
  // those of a short one.
  void Build(Row& row, std::uint32_t pairs) { Build(row, pairs, BuiltAtOnce(partners_.dim())); }
  // Drops the sums of a row that the background will solve as a whole; a build that is under way is
  // told of the changes.
  void Drop(Row& row, std::span<const WeightChange> changes);
  // Ends a build in the background: adds to `sums` what changed meanwhile and takes them over.
  // Returns false when null was given, or the row is short by now. The caller accounts for the row.
  bool TakeOver(Row& row, std::uint32_t pairs, std::unique_ptr<model::Information> sums);

 private:
  // Replaces the weights of those changes that `chosen` names.
  template <typename Chosen>
  void Replace(std::span<const WeightChange> changes, const Chosen& chosen,
               model::Information* sums) const;
  void Build(Row& row, std::uint32_t pairs, std::uint32_t pairs_max);
  // Takes the next `steps` of the successor of a complete row, and takes it over with the last.
  void Renew(Row& row, std::size_t steps);

  RowTable& rows_;
  const model::FactorTable& partners_;
  const float alpha_;
  const ModelSignal& signal_;
  const std::uint32_t model_;
};

}  // namespace reco::engine
