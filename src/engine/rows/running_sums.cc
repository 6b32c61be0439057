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
  if (row.building) {
    row.changes.push_back(change);
    rows_.Account(row);
  }
  // A row at the border, or one without sums in memory: Build makes or drops them as is right.
  const bool is_long = pairs > LongRow(partners_.dim());
  if (row.information == nullptr || !is_long) {
    if (row.information != nullptr || is_long) {
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
  row.information->Replace(factor, alpha_, before, after);
  // The successor has the pairs below its end; the others it will find with their new weight.
  if (row.successor != nullptr && change.other < row.successor_end) {
    row.successor->Replace(factor, alpha_, before, after);
  }
  ++row.sums_age;
  // An incomplete row has no list to renew from and waits for the background.
  if (row.complete) {
    Renew(row);
  }
  // Queued once (`sums_stale`), until the build is taken over.
  const bool aged = row.sums_age > pairs / 8;
  if ((!grows || (aged && !row.complete)) && !row.sums_stale) {
    row.sums_stale = true;
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
  if (row.successor == nullptr) {
    if (row.sums_age <= row.pairs.size() / 16) {
      return;
    }
    row.successor = std::make_unique<model::Information>(partners_.dim());
    row.successor_end = 0;
  }
  // Goes on by partner, not by place: pairs inserted in front have shifted the list.
  std::size_t at = LowerBound(row.pairs, row.successor_end);
  const std::size_t end = std::min(row.pairs.size(), at + kPairsAWrite);
  for (; at < end; ++at) {
    row.successor->Replace(partners_.row(row.pairs[at].other), alpha_, 0,
                           signal_.WeightOf(row.pairs[at].pair));
    row.successor_end = row.pairs[at].other + 1;
  }
  if (end == row.pairs.size()) {
    row.information = std::move(row.successor);
    row.sums_age = 0;
  }
  rows_.Account(row);
}

void RunningSums::Build(Row& row, std::uint32_t pairs) {
  row.DropSums();
  if (row.complete && row.pairs.size() <= RowTable::kInlinePairsMax &&
      pairs > LongRow(partners_.dim())) {
    row.information = std::make_unique<model::Information>(partners_.dim());
    for (const RowPair& pair : row.pairs) {
      row.information->Replace(partners_.row(pair.other), alpha_, 0, signal_.WeightOf(pair.pair));
    }
  }
  rows_.Account(row);
}

bool RunningSums::TakeOver(Row& row, std::uint32_t pairs,
                           std::unique_ptr<model::Information> sums) {
  // Taken in any case: the building is over, and they mean nothing to the next one.
  const std::vector<WeightChange> changes = std::exchange(row.changes, {});
  if (sums == nullptr || pairs <= LongRow(partners_.dim())) {
    return false;
  }
  // Applied in order: a pair that changed twice goes from its first weight to its last.
  for (const WeightChange& change : changes) {
    sums->Replace(partners_.row(change.other), alpha_, change.old_weight, change.new_weight);
  }
  row.DropSums();
  row.information = std::move(sums);
  return true;
}

}  // namespace reco::engine
