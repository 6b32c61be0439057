// When sums are kept, renewed and rebuilt. A change is added with the partner's vector of now,
// taken out with a vector that may have moved since it was added; the guards below bound what that
// does.
#include "engine/rows/running_sums.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace reco::engine {

bool RunningSums::Update(Row& row, std::uint32_t pairs, const WeightChange& change) {
  const float before = change.old_weight;
  const float after = change.new_weight;
  if (row.building()) {
    row.sums->changes.push_back(change);
    rows_.Account(row);
  }
  // A row at the border, or one without sums in memory: Build makes or drops them as is right.
  const bool is_long = pairs > LongRow(partners_.dim());
  if (row.information() == nullptr || !is_long) {
    if (row.information() != nullptr || is_long) {
      Build(row, pairs);
    }
    return false;
  }
  // Then no share shrinks. In all other cases what is taken out is not quite what was put in.
  const bool grows = before == 0 || (std::signbit(before) == std::signbit(after) &&
                                     std::abs(after) >= std::abs(before));
  // A row of up to 2,048 pairs is short enough to be built anew within a write.
  if (!grows && row.complete && row.pairs.size() <= RowTable::kInlinePairsMax) {
    Build(row, pairs);
    return false;
  }
  const float* factor = partners_.row(change.other);
  RowSums& sums = *row.sums;
  sums.current->Replace(factor, alpha_, before, after);
  // The successor has the pairs below its end; the others it will find with their new weight.
  if (sums.successor != nullptr && change.other < sums.successor_end) {
    sums.successor->Replace(factor, alpha_, before, after);
  }
  ++sums.age;
  // An incomplete row has no list to renew from and waits for the background.
  if (row.complete) {
    Renew(row);
  }
  // Queued once (`stale`), until the build is taken over.
  const bool aged = sums.age > pairs / 8;
  if ((!grows || (aged && !row.complete)) && !sums.stale) {
    sums.stale = true;
    return true;
  }
  return false;
}

// Builds on at the successor. Once the sums hold a sixteenth of the row in new events, 32 pairs a
// write go into it, and it takes over before an eighth is reached: 1.6 us a write at d = 64 and no
// write that pays for the whole row.
void RunningSums::Renew(Row& row) {
  // Its speed: a row of n pairs is through after n / 32 writes, before the age goes from a
  // sixteenth to an eighth of n.
  constexpr std::size_t kPairsAWrite = 32;
  RowSums& sums = *row.sums;
  if (sums.successor == nullptr) {
    if (sums.age <= row.pairs.size() / 16) {
      return;
    }
    sums.successor = std::make_unique<model::Information>(partners_.dim());
    sums.successor_end = 0;
  }
  // Goes on by partner, not by place: pairs inserted in front have shifted the list.
  PackedPairs::Reader reader(row.pairs);
  reader.SkipTo(sums.successor_end);
  RowPair pair;
  std::size_t taken = 0;
  for (; taken < kPairsAWrite && reader.Next(&pair); ++taken) {
    sums.successor->Replace(partners_.row(pair.other), alpha_, 0, signal_.WeightOf(pair.pair));
    sums.successor_end = pair.other + 1;
  }
  if (taken < kPairsAWrite) {
    sums.current = std::move(sums.successor);
    sums.age = 0;
  }
  rows_.Account(row);
}

void RunningSums::Build(Row& row, std::uint32_t pairs) {
  row.DropSums();
  if (row.complete && row.pairs.size() <= RowTable::kInlinePairsMax &&
      pairs > LongRow(partners_.dim())) {
    auto sums = std::make_unique<model::Information>(partners_.dim());
    PackedPairs::Reader reader(row.pairs);
    for (RowPair pair; reader.Next(&pair);) {
      sums->Replace(partners_.row(pair.other), alpha_, 0, signal_.WeightOf(pair.pair));
    }
    row.EnsureSums().current = std::move(sums);
  }
  rows_.Account(row);
}

bool RunningSums::TakeOver(Row& row, std::uint32_t pairs,
                           std::unique_ptr<model::Information> sums) {
  // Taken in any case: the building is over, and they mean nothing to the next one.
  const std::vector<WeightChange> changes = std::exchange(row.EnsureSums().changes, {});
  if (sums == nullptr || pairs <= LongRow(partners_.dim())) {
    return false;
  }
  // Applied in order: a pair that changed twice goes from its first weight to its last.
  for (const WeightChange& change : changes) {
    sums->Replace(partners_.row(change.other), alpha_, change.old_weight, change.new_weight);
  }
  row.DropSums();
  row.EnsureSums().current = std::move(sums);
  return true;
}

}  // namespace reco::engine
