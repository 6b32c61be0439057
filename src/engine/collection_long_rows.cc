// Long rows that a write could not solve: their running sums or vectors are made in the background.
#include <algorithm>
#include <utility>

#include "engine/collection.h"

namespace reco::engine {
namespace {

// Pairs that are worked on under one lock: about 50 us at d = 64.
constexpr std::size_t kPairsAStep = 1'024;
constexpr std::size_t kRatingsAStep = 128;

}  // namespace

Result<bool> Collection::BuildPendingRows() {
  bool any = false;
  for (const Side side : {Side::kUser, Side::kItem}) {
    std::vector<std::uint32_t> pending;
    {
      WriterLock lock(mutex_);
      pending.swap(state_.side(side).pending);
    }
    std::sort(pending.begin(), pending.end());
    pending.erase(std::unique(pending.begin(), pending.end()), pending.end());
    for (std::size_t i = 0; i < pending.size(); ++i) {
      if (const Status built = BuildPendingRow(side, pending[i]); !built.ok()) {
        WriterLock lock(mutex_);
        auto& waiting = state_.side(side).pending;
        waiting.insert(waiting.end(), pending.begin() + static_cast<std::ptrdiff_t>(i),
                       pending.end());
        return built;
      }
      any = true;
    }
  }
  return any;
}

void Collection::EvictRows() {
  constexpr std::size_t kWrites = 64;  // about 0.1 ms under the lock
  if (context_.row_budget.over()) {
    WriterLock lock(mutex_);
    state_.Evict(kWrites);
  }
}

// Reads the row as of a snapshot and sums it up in steps, so that no write waits for the whole; the
// row collects what changes meanwhile, and that is added at the end.
Status Collection::BuildPendingRow(Side side, std::uint32_t ordinal) {
  std::optional<RowCopy> row;
  std::unique_ptr<store::Snapshot> snapshot;
  std::uint32_t model = 0;
  {
    WriterLock lock(mutex_);
    row = dropped_ ? std::nullopt : state_.BeginInformation(side, ordinal);
    if (!row) {
      return Status::Ok();
    }
    snapshot = context_.storage.store->TakeSnapshot();
    model = state_.model().id;
  }
  if (explicit_feedback()) {
    const auto vector = SolveRatedRow(side, ordinal, *row, *snapshot, model);
    WriterLock lock(mutex_);
    const bool usable = vector.ok() && !dropped_ && state_.model().id == model;
    state_.EndRatedRow(side, ordinal,
                       usable ? std::span<const float>(*vector) : std::span<const float>());
    return vector.status();
  }
  Result<model::Information> sums = SumRow(side, ordinal, *row, *snapshot, model);
  WriterLock lock(mutex_);
  if (!sums.ok()) {
    state_.EndInformation(side, ordinal, nullptr);
    return sums.status();
  }
  const bool usable = !dropped_ && state_.model().id == model;
  state_.EndInformation(
      side, ordinal,
      usable ? std::make_unique<model::Information>(std::move(sums).value()) : nullptr);
  return Status::Ok();
}

// Calls visit(from, to) for `count` pairs in steps, each under the lock; ends early when the result
// will not be used any more.
void Collection::VisitInSteps(std::size_t count, std::size_t step, std::uint32_t model,
                              FunctionRef<void(std::size_t, std::size_t)> visit) const {
  for (std::size_t from = 0; from < count; from += step) {
    ReaderLock lock(mutex_);
    if (dropped_ || state_.model().id != model) {
      return;
    }
    visit(from, std::min(count, from + step));
  }
}

Result<model::Information> Collection::SumRow(Side side, std::uint32_t ordinal, const RowCopy& row,
                                              const store::Snapshot& snapshot,
                                              std::uint32_t model) const {
  const Side other = side == Side::kUser ? Side::kItem : Side::kUser;
  std::vector<RowPair> pairs;
  RECO_RETURN_IF_ERROR(RowTable::ReadSnapshot(*context_.storage.store, snapshot,
                                              {cid_, side, ordinal}, row, &pairs));
  model::Information sums(dim_);
  VisitInSteps(pairs.size(), kPairsAStep, model,
               [&](std::size_t from, std::size_t to) NO_THREAD_SAFETY_ANALYSIS {
                 for (std::size_t i = from; i < to; ++i) {
                   sums.Replace(state_.side(other).factors->row(pairs[i].other),
                                state_.model().solve.alpha, 0,
                                state_.model().signal.WeightOf(pairs[i].pair));
                 }
               });
  return sums;
}

// A long row of ratings: its normal equations are summed in steps and solved without a lock.
Result<std::vector<float>> Collection::SolveRatedRow(Side side, std::uint32_t ordinal,
                                                     const RowCopy& row,
                                                     const store::Snapshot& snapshot,
                                                     std::uint32_t model) const {
  const Side other = side == Side::kUser ? Side::kItem : Side::kUser;
  std::vector<RowPair> pairs;
  RECO_RETURN_IF_ERROR(RowTable::ReadSnapshot(*context_.storage.store, snapshot,
                                              {cid_, side, ordinal}, row, &pairs));
  model::RatingFoldIn folder(dim_ - model::kRatingExtras);
  folder.Start();
  model::RatingTerms terms;
  std::vector<model::RatedNeighbor> neighbors;
  VisitInSteps(pairs.size(), kRatingsAStep, model,
               [&](std::size_t from, std::size_t to) NO_THREAD_SAFETY_ANALYSIS {
                 terms = RatingTermsOf(state_.TermsOf(side));
                 neighbors.clear();
                 for (std::size_t i = from; i < to; ++i) {
                   neighbors.push_back(
                       {state_.side(other).factors->row(pairs[i].other), pairs[i].pair.weight});
                 }
                 folder.Add(terms, neighbors);
               });
  std::vector<float> vector(model::StrideFor(dim_));
  folder.Finish(terms, pairs.size(), vector.data());
  return vector;
}

}  // namespace reco::engine
