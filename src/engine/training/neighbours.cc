#include "engine/training/neighbours.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/sorted.h"
#include "engine/rows/recency.h"
#include "engine/training/part_scale.h"
#include "engine/training/train.h"
#include "engine/upkeep/ridge_solves.h"
#include "model/random.h"

namespace reco::engine::training {
namespace {

// Returns places of users in the run's data who have pairs, chosen by the seed.
std::vector<std::size_t> SampledUsers(const TrainingRun& run) {
  std::vector<std::size_t> users;
  for (std::size_t place = 0; place < run.user_ordinals.size(); ++place) {
    if (!run.data.matrix.row_columns(place).empty()) {
      users.push_back(place);
    }
  }
  SampleUsers(run.parameters.seed, &users);
  return users;
}

// Returns what lists would take of the user, as of the user's last moment.
std::vector<ProfileItem> ProfileOf(const TrainingRun& run, std::size_t place,
                                   const Recency& recency) {
  const model::InteractionMatrix& matrix = run.data.matrix;
  std::vector<TimedItem> newest;
  for (std::uint64_t at = matrix.offsets[place]; at < matrix.offsets[place + 1]; ++at) {
    if (matrix.weights[at] > 0) {
      newest.push_back({run.item_ordinals[matrix.columns[at]], run.data.time_ms[at]});
    }
  }
  KeepNewest(&newest, kServedPairsMax);
  std::vector<ProfileItem> profile;
  if (newest.empty()) {
    return profile;
  }
  const double pace_ms = PaceMs(newest);
  const std::vector<double> shares = SharesByTime(
      newest, recency, newest.front().time_ms + static_cast<std::int64_t>(pace_ms), pace_ms);
  for (std::size_t i = 0; i < newest.size() && profile.size() < kProfileItems; ++i) {
    if (shares[i] > 0) {
      profile.push_back({newest[i].item, shares[i]});
    }
  }
  return profile;
}

double MeanByVectors(const TrainingRun& run, std::uint32_t user,
                     const std::vector<std::uint32_t>& seen) {
  const auto unseen = [&seen](std::uint32_t item) { return !Contains(seen, item); };
  const auto before = [](std::uint32_t a, std::uint32_t b) { return a < b; };
  std::vector<index::Candidate> found;
  run.index->Search(
      {run.user_factors->row(user), kScaleBest, index::Metric::kInnerProduct, unseen, before},
      &found);
  std::vector<double> scores;
  scores.reserve(found.size());
  for (const index::Candidate& candidate : found) {
    scores.push_back(candidate.score);
  }
  return MeanOfBest(std::move(scores));
}

// Returns the mean of the best parts of unseen items.
double BestUnseen(const std::vector<ItemPart>& parts, const std::vector<std::uint32_t>& seen) {
  std::vector<double> scores;
  for (const ItemPart& part : parts) {
    if (!Contains(seen, part.item)) {
      scores.push_back(part.value);
    }
  }
  return MeanOfBest(std::move(scores));
}

// The items of the collection that have been counted, by ordinal.
std::vector<std::uint32_t> CountedItems(const SharedState& shared) {
  const ReadView view(shared, Holder::kTrain);
  const NeighbourTables* tables = view.state().neighbours().get();
  std::vector<std::uint32_t> items;
  if (tables != nullptr && view.state().times_usable() &&
      view.options().neighbours != Neighbours::kOff) {
    for (std::uint32_t item = 0; item < view.state().items().ids.end(); ++item) {
      // A row whose sessions are gone is to go, too.
      if (tables->pairs().places(item) > 0 || !tables->rows().row(item).empty()) {
        items.push_back(item);
      }
    }
  }
  return items;
}

// The rows of many items, solved by as many threads as call Run().
class RowSolving {
 public:
  RowSolving(SharedState& shared, RunningJob& job, std::span<const std::uint32_t> items)
      : shared_(shared), job_(job), items_(items) {}

  // Solves rows until there are none left, the job is cancelled or some thread has failed.
  void Run() EXCLUDES(shared_) {
    constexpr double kShare = 0.05;  // of the training
    for (std::size_t from = next_.fetch_add(upkeep::kRowsAnEvent);
         from < items_.size() && !failed_ && !job_.cancelled();
         from = next_.fetch_add(upkeep::kRowsAnEvent)) {
      const auto some = items_.subspan(from, std::min(upkeep::kRowsAnEvent, items_.size() - from));
      if (Status solved = upkeep::SolveRidgeRows(shared_, some); !solved.ok()) {
        std::call_once(once_, [&] { failure_ = std::move(solved); });
        failed_ = true;
      }
      job_.SetProgress(kShare * static_cast<double>(from) / static_cast<double>(items_.size()));
    }
  }
  // Once all threads are done.
  Status failure() { return std::move(failure_); }

 private:
  SharedState& shared_;
  RunningJob& job_;
  const std::span<const std::uint32_t> items_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::once_flag once_;
  Status failure_;
};

}  // namespace

Status SolveAllRows(SharedState& shared, RunningJob& job) {
  const std::vector<std::uint32_t> items = CountedItems(shared);
  if (items.empty()) {
    return Status::Ok();
  }
  job.SetPhase("solving neighbours");
  RowSolving solving(shared, job, items);
  {
    std::vector<std::jthread> helpers;
    for (std::uint32_t i = 1; i < TrainingThreads(shared.context().options); ++i) {
      helpers.emplace_back([&solving] { solving.Run(); });
    }
    solving.Run();
  }
  return job.cancelled() ? Status::Unavailable("cancelled") : solving.failure();
}

void BeginNeighbours(WriteView& view, TrainingRun& run) {
  FollowedNeighbours& neighbours = view.state().neighbours();
  if (view.options().neighbours == Neighbours::kOff) {
    run.dropped_neighbours = neighbours.Drop();
  } else if (neighbours.get() == nullptr) {
    neighbours.BeginRead();
    run.read_neighbours = true;
  }
}

Status ReadNeighbours(SharedState& shared, TrainingRun& run, RunningJob& job) {
  run.dropped_neighbours.reset();
  if (!run.read_neighbours) {
    return Status::Ok();
  }
  job.SetPhase("reading neighbours");
  auto tables = std::make_unique<NeighbourTables>(shared.context().options.neighbours_bytes);
  const auto follow = [&](std::uint64_t seq, const format::Event& event) {
    tables->Follow(event);
    return seq < run.seq && !job.cancelled();
  };
  RECO_RETURN_IF_ERROR(wal::EventLog::Replay(*shared.context().storage.store, run.snapshot.get(),
                                             shared.cid(), 0, follow));
  if (job.cancelled()) {
    return Status::Unavailable("cancelled");
  }
  {
    WriteView view(shared, Holder::kTrain);
    view.state().neighbours().EndRead(std::move(tables));
  }
  return SolveAllRows(shared, job);
}

void ScaleParts(const SharedState& shared, TrainingRun& run) {
  Recency recency = run.parameters.recency;
  {
    const ReadView view(shared, Holder::kTrain);
    if (view.state().neighbours().get() == nullptr) {
      return;
    }
    if (recency.by_age() && !view.state().times_usable()) {
      recency = kRecencyByPlace;
    }
  }
  PartScale sessions;
  PartScale ridge;
  SessionScores session_scores;
  RidgeScores ridge_scores;
  for (const std::size_t place : SampledUsers(run)) {
    const std::uint32_t user = run.user_ordinals[place];
    std::vector<std::uint32_t> seen;
    for (const std::uint32_t column : run.data.matrix.row_columns(place)) {
      seen.push_back(run.item_ordinals[column]);
    }
    SortUnique(&seen);
    const double by_vectors = MeanByVectors(run, user, seen);
    const std::vector<ProfileItem> profile = ProfileOf(run, place, recency);
    const ReadView view(shared, Holder::kTrain);
    const NeighbourTables* tables = view.state().neighbours().get();
    if (tables == nullptr) {
      return;
    }
    const auto users_of = [&](std::uint32_t item) {
      return std::max(1U, view.state().items().entities[item].pairs);
    };
    sessions.Add(BestUnseen(session_scores.Of(tables->sessions(), profile, user, users_of), seen),
                 by_vectors);
    ridge.Add(BestUnseen(ridge_scores.Of(tables->rows(), profile), seen), by_vectors);
  }
  run.scales = {sessions.value(), ridge.value()};
}

}  // namespace reco::engine::training
