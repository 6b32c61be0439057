// A row is read from a snapshot, summed up in steps under the shared lock, and taken over under the
// exclusive one. What is written meanwhile is collected by the row (RowCopy, Row::changes).
#include "engine/upkeep/long_rows.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/sorted.h"
#include "base/work.h"
#include "engine/rows/row_table.h"

namespace reco::engine::upkeep {
namespace {

// Pairs that are worked on under one lock: about 50 us at d = 64.
constexpr std::size_t kPairsAStep = 1'024;
// Fewer, since each adds to a matrix of float64.
constexpr std::size_t kRatingsAStep = 128;
// Changes since the copy that are added under the lock of the end; more are added before.
constexpr std::size_t kLastChanges = 64;
// A round ends behind the row at which so long has passed: checkpoints and expiry wait for it.
constexpr std::int64_t kRoundUs = 50'000;
constexpr int kChangeRoundsMax = 20;  // then the row waits for the next round of upkeep

// Calls visit(from, to) for `count` pairs in steps, each under the lock; ends early when the result
// will not be used any more.
void VisitInSteps(const SharedState& shared, std::size_t count, std::size_t step,
                  std::uint32_t model,
                  FunctionRef<void(const View&, std::size_t, std::size_t)> visit) {
  for (std::size_t from = 0; from < count; from += step) {
    ReadView view(shared, Holder::kLongRow);
    // Sums over vectors of two models mean nothing; EndSums gives them up.
    if (view.dropped() || view.state().model().id != model) {
      return;
    }
    const std::size_t to = std::min(count, from + step);
    CountWork(Work::kPairs, to - from);
    visit(view, from, to);
  }
}

// Sums the row up with the vectors as they are at each step.
Result<model::Information> SumRow(const SharedState& shared, Side side, std::uint32_t ordinal,
                                  const RowCopy& row, const store::Snapshot* snapshot,
                                  std::uint32_t model) {
  std::vector<RowPair> pairs;
  RECO_RETURN_IF_ERROR(RowTable::ReadSnapshot(*shared.context().storage.store, snapshot,
                                              {shared.cid(), side, ordinal}, row, &pairs));
  model::Information sums(shared.dim());
  std::vector<model::Information::Change> added;
  VisitInSteps(shared, pairs.size(), kPairsAStep, model,
               [&](const View& view, std::size_t from, std::size_t to) {
                 added.clear();
                 for (std::size_t i = from; i < to; ++i) {
                   added.push_back({view.state().side(Other(side)).factors->row(pairs[i].other), 0,
                                    view.state().model().signal.WeightOf(pairs[i].pair)});
                 }
                 sums.ReplaceAll(added, view.state().model().solve.alpha);
               });
  return sums;
}

// Adds what has changed since the copy, until little enough is left, and ends the build. Returns
// false when writes were faster.
bool FinishSums(SharedState& shared, Side side, std::uint32_t ordinal, std::uint32_t model,
                model::Information sums) {
  std::vector<model::Information::Change> added;
  for (int round = 0; round <= kChangeRoundsMax; ++round) {
    std::vector<WeightChange> changes;
    {
      WriteView view(shared, Holder::kLongRow);
      const bool usable = !view.dropped() && view.state().model().id == model;
      changes = view.state().TakeBuildChanges(side, ordinal, kLastChanges);
      const bool caught_up = changes.empty();
      if (!usable || caught_up || round == kChangeRoundsMax) {
        view.state().EndSums(
            side, ordinal,
            usable && caught_up ? std::make_unique<model::Information>(std::move(sums)) : nullptr);
        return !usable || caught_up;
      }
    }
    VisitInSteps(shared, changes.size(), kPairsAStep, model,
                 [&](const View& view, std::size_t from, std::size_t to) {
                   added.clear();
                   for (std::size_t i = from; i < to; ++i) {
                     added.push_back({view.state().side(Other(side)).factors->row(changes[i].other),
                                      changes[i].old_weight, changes[i].new_weight});
                   }
                   sums.ReplaceAll(added, view.state().model().solve.alpha);
                 });
  }
  return false;
}

// A long row of ratings: its normal equations are summed in steps and solved without a lock.
Result<std::vector<float>> SolveRatedRow(const SharedState& shared, Side side,
                                         std::uint32_t ordinal, const RowCopy& row,
                                         const store::Snapshot* snapshot, std::uint32_t model) {
  std::vector<RowPair> pairs;
  RECO_RETURN_IF_ERROR(RowTable::ReadSnapshot(*shared.context().storage.store, snapshot,
                                              {shared.cid(), side, ordinal}, row, &pairs));
  model::RatingFoldIn folder(shared.dim() - model::kRatingExtras);
  folder.Start();
  model::RatingTerms terms;
  std::vector<model::RatedNeighbor> neighbors;
  VisitInSteps(shared, pairs.size(), kRatingsAStep, model,
               [&](const View& view, std::size_t from, std::size_t to) {
                 // The mean and the regulariser are the model's, so the same at each step.
                 terms = RatingTermsOf(view.state().TermsOf(side));
                 neighbors.clear();
                 for (std::size_t i = from; i < to; ++i) {
                   neighbors.push_back({view.state().side(Other(side)).factors->row(pairs[i].other),
                                        pairs[i].pair.weight});
                 }
                 folder.Add(terms, neighbors);
               });
  std::vector<float> vector(model::StrideFor(shared.dim()));
  folder.Finish(terms, pairs.size(), vector.data());
  return vector;
}

// Reads the row as of a snapshot and sums it up in steps, so that no write waits for the whole; the
// row collects what changes meanwhile, and that is added at the end.
Status BuildPendingRow(SharedState& shared, Side side, std::uint32_t ordinal) {
  std::optional<RowCopy> row;
  std::unique_ptr<store::Snapshot> snapshot;
  std::uint32_t model = 0;
  {
    WriteView view(shared, Holder::kLongRow);
    --view.state().side(side).pending_taken;
    if (view.dropped() || view.state().side(side).ids.id(ordinal).empty()) {
      return Status::Ok();
    }
    // What a long write has changed of it may not have come to its sums yet, and would be added
    // twice.
    if (view.state().unfinished()) {
      view.state().side(side).pending.push_back(ordinal);
      return Status::Ok();
    }
    if (!view.state().IsLong(side, ordinal)) {
      return view.state().SolvePending(side, ordinal);
    }
    row = view.state().BeginBuild(side, ordinal);
    if (!row) {
      return Status::Ok();
    }
    // Taken under the view of the copy: what that lacks of the row, the snapshot has.
    snapshot = shared.context().storage.store->TakeSnapshot();
    model = view.state().model().id;
  }
  if (shared.rated()) {
    const auto vector = SolveRatedRow(shared, side, ordinal, *row, snapshot.get(), model);
    WriteView view(shared, Holder::kLongRow);
    const bool usable = vector.ok() && !view.dropped() && view.state().model().id == model;
    // Ends the building in any case: the row would stay pinned as being built.
    view.state().EndRatedRow(side, ordinal,
                             usable ? std::span<const float>(*vector) : std::span<const float>());
    return vector.status();
  }
  Result<model::Information> sums = SumRow(shared, side, ordinal, *row, snapshot.get(), model);
  if (!sums.ok()) {
    WriteView view(shared, Holder::kLongRow);
    // Ends the building here too; BuildPendingRows queues the row again.
    view.state().EndSums(side, ordinal, nullptr);
    return sums.status();
  }
  if (!FinishSums(shared, side, ordinal, model, std::move(sums).value())) {
    WriteView view(shared, Holder::kLongRow);
    view.state().side(side).pending.push_back(ordinal);
  }
  return Status::Ok();
}

}  // namespace

Result<bool> BuildPendingRows(SharedState& shared) {
  const Clock& clock = shared.context().clock;
  const std::int64_t end_us = clock.MonotonicUs() + kRoundUs;
  bool any = false;
  for (const Side side : {Side::kUser, Side::kItem}) {
    {
      // Mostly there are none: who waits to write keeps new readers out behind a long list.
      ReadView view(shared, Holder::kLongRow);
      if (view.state().side(side).pending.empty() || view.state().unfinished()) {
        continue;
      }
    }
    std::vector<std::uint32_t> pending;
    {
      WriteView view(shared, Holder::kLongRow);
      // Taken as a whole: rows that writes put off from here on are of the next round.
      pending.swap(view.state().side(side).pending);
      view.state().side(side).pending_taken = pending.size();
    }
    // A row may have been put off by several writes.
    SortUnique(&pending);
    {
      WriteView view(shared, Holder::kLongRow);
      view.state().side(side).pending_taken = pending.size();
    }
    const auto put_back_from = [&](std::size_t i) {
      WriteView view(shared, Holder::kLongRow);
      view.state().side(side).pending_taken = 0;
      auto& waiting = view.state().side(side).pending;
      waiting.insert(waiting.end(), pending.begin() + static_cast<std::ptrdiff_t>(i),
                     pending.end());
    };
    for (std::size_t i = 0; i < pending.size(); ++i) {
      if (any && clock.MonotonicUs() >= end_us) {
        put_back_from(i);
        return true;
      }
      if (const Status built = BuildPendingRow(shared, side, pending[i]); !built.ok()) {
        put_back_from(i);
        return built;
      }
      any = true;
    }
  }
  return any;
}

}  // namespace reco::engine::upkeep
