// When sums are kept, renewed and rebuilt. A change is added with the partner's vector of now,
// taken out with a vector that may have moved since it was added; the guards below bound what that
// does.
#include "engine/rows/running_sums.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "base/work.h"

namespace reco::engine {

template <typename Chosen>
void RunningSums::Replace(std::span<const WeightChange> changes, const Chosen& chosen,
                          model::Information* sums) const {
  thread_local std::vector<model::Information::Change> replaced;
  replaced.clear();
  for (const WeightChange& change : changes) {
    if (chosen(change)) {
      replaced.push_back({partners_.row(change.other), change.old_weight, change.new_weight});
    }
  }
  sums->ReplaceAll(replaced, alpha_);
}

namespace {

void TellBuild(Row& row, std::span<const WeightChange> changes) {
  if (row.building()) {
    row.sums->changes.insert(row.sums->changes.end(), changes.begin(), changes.end());
  }
}

}  // namespace

void RunningSums::Drop(Row& row, std::span<const WeightChange> changes) {
  TellBuild(row, changes);
  row.DropSums();
  rows_.Account(row);
}

bool RunningSums::Update(Row& row, std::uint32_t pairs, std::span<const WeightChange> changes) {
  if (row.building()) {
    TellBuild(row, changes);
    rows_.Account(row);
  }
  row.DropOldSums(model_);
  // A row at the border, or one without sums in memory: Build makes or drops them as is right.
  const bool is_long = pairs > LongRow(partners_.dim());
  if (row.information(model_) == nullptr || !is_long) {
    if (row.information(model_) != nullptr || is_long) {
      Build(row, pairs);
    }
    return false;
  }
  // Then no share shrinks. In all other cases what is taken out is not quite what was put in.
  const bool grow = std::all_of(changes.begin(), changes.end(), [](const WeightChange& change) {
    const auto [other, before, after] = change;
    return before == 0 ||
           (std::signbit(before) == std::signbit(after) && std::abs(after) >= std::abs(before));
  });
  // A row of up to 2,048 pairs is short enough to be built anew within a write.
  if (!grow && row.complete && row.pairs.size() <= RowTable::kInlinePairsMax) {
    Build(row, pairs, RowTable::kInlinePairsMax);
    return false;
  }
  RowSums& sums = *row.sums;
  const auto all = [](const WeightChange&) { return true; };
  Replace(changes, all, sums.current.get());
  // The successor has the pairs below its end; the others it will find with their new weight.
  if (sums.successor != nullptr) {
    const auto taken = [&](const WeightChange& change) {
      return change.other < sums.successor_end;
    };
    Replace(changes, taken, sums.successor.get());
  }
  sums.age += static_cast<std::uint32_t>(changes.size());
  // An incomplete row has no list to renew from and waits for the background.
  if (row.complete) {
    Renew(row, changes.size());
  }
  // Queued once (`stale`), until the build is taken over.
  const bool aged = sums.age > pairs / 8;
  if ((!grow || (aged && !row.complete)) && !sums.stale) {
    sums.stale = true;
    return true;
  }
  return false;
}

// Builds on at the successor. Once the sums hold a sixteenth of the row in new events, 32 pairs a
// write go into it, and it takes over before an eighth is reached: 1.6 us a write at d = 64 and no
// write that pays for the whole row.
void RunningSums::Renew(Row& row, std::size_t steps) {
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
  const std::size_t wanted = kPairsAWrite * steps;
  std::size_t taken = 0;
  thread_local std::vector<model::Information::Change> pairs;
  pairs.clear();
  for (; taken < wanted && reader.Next(&pair); ++taken) {
    pairs.push_back({partners_.row(pair.other), 0, signal_.WeightOf(pair.pair)});
    sums.successor_end = pair.other + 1;
  }
  sums.successor->ReplaceAll(pairs, alpha_);
  if (taken < wanted) {
    sums.current = std::move(sums.successor);
    sums.age = 0;
  }
  rows_.Account(row);
}

void RunningSums::Build(Row& row, std::uint32_t pairs, std::uint32_t pairs_max) {
  row.DropSums();
  if (row.complete && row.pairs.size() <= pairs_max && pairs > LongRow(partners_.dim())) {
    auto sums = std::make_unique<model::Information>(partners_.dim());
    std::vector<model::Information::Change> added;
    added.reserve(pairs);
    PackedPairs::Reader reader(row.pairs);
    for (RowPair pair; reader.Next(&pair);) {
      added.push_back({partners_.row(pair.other), 0, signal_.WeightOf(pair.pair)});
    }
    sums->ReplaceAll(added, alpha_);
    row.EnsureSums(model_).current = std::move(sums);
  }
  rows_.Account(row);
}

bool RunningSums::TakeOver(Row& row, std::uint32_t pairs,
                           std::unique_ptr<model::Information> sums) {
  // Taken in any case: the building is over, and they mean nothing to the next one.
  const std::vector<WeightChange> changes = std::exchange(row.EnsureSums(model_).changes, {});
  if (sums == nullptr || row.sums->given_up || pairs <= LongRow(partners_.dim())) {
    return false;
  }
  CountWork(Work::kPairs, changes.size());
  // A pair that changed twice goes from its first weight to its last.
  Replace(
      changes, [](const WeightChange&) { return true; }, sums.get());
  row.DropSums();
  row.EnsureSums(model_).current = std::move(sums);
  return true;
}

}  // namespace reco::engine
