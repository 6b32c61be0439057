// The graph of neighbours behind APPROX: built beside live traffic once a request has asked for it,
// kept up with the writes, dropped when it is unused.
#include <algorithm>
#include <atomic>
#include <utility>

#include "engine/collection.h"
#include "engine/collection_queries.h"

namespace reco::engine {
namespace {

constexpr std::int64_t kUnusedUs = 600'000'000;
// Longer lists are exact: one search of the graph keeps the lock, and looks at as many items.
constexpr std::size_t kGraphCountMax = 10'000;

// Work of one round of maintenance: 15 to 60 ms, so that checkpoints and expiry need not wait.
constexpr std::size_t kRowsARound = 64;
constexpr int kNoteStepsARound = 64;
constexpr std::uint32_t kItemsNotedAStep = 512;  // under the exclusive lock, 0.1 ms
constexpr std::uint32_t kUsersMeasuredARound = 4;

constexpr std::uint32_t kUsersMeasured = 64;
constexpr std::size_t kMeasuredCount = 20;

}  // namespace

std::optional<std::vector<index::Candidate>> Collection::SearchGraph(const Query& query,
                                                                     std::size_t count,
                                                                     AcceptItem accept,
                                                                     const Among& among) const {
  if (!query.approximate_ef || query.replaced != nullptr || among.ordinals != nullptr ||
      query.metric != index::Metric::kInnerProduct || count > kGraphCountMax) {
    return std::nullopt;
  }
  approximate_asked_us_.store(context_.clock.MonotonicUs(), std::memory_order_relaxed);
  if (!state_.approximate().answers()) {
    return std::nullopt;
  }
  const auto before = [this](std::uint32_t a, std::uint32_t b)
                          NO_THREAD_SAFETY_ANALYSIS { return state_.items().ids.Before(a, b); };
  index::SearchRequest request{query.vector.data(), count, query.metric, accept, before};
  if (among.filter != nullptr) {
    request.among = among.filter->bound->words();
  }
  std::vector<index::Candidate> found;
  const Status status = state_.approximate().graph->Search(request, *query.approximate_ef, &found);
  if (!status.ok() || found.size() < count) {
    return std::nullopt;
  }
  return found;
}

void Collection::UpdateApproximateIndex() {
  if (!ApproximateWanted()) {
    DropApproximate();
    return;
  }
  BeginApproximate();
  NoteItems();
  InsertNoted();
  MeasureApproximate();
}

bool Collection::ApproximateWanted() const {
  const std::int64_t asked_us = approximate_asked_us_.load(std::memory_order_relaxed);
  if (asked_us == kNever || context_.clock.MonotonicUs() - asked_us >= kUnusedUs) {
    return false;
  }
  ReaderLock lock(mutex_);
  return !dropped_ && state_.index() != nullptr &&
         state_.items().ids.size() >= context_.approximate_items_min;
}

void Collection::DropApproximate() {
  if (approximate_.graph == nullptr) {
    return;
  }
  {
    WriterLock lock(mutex_);
    if (ApproximateIsCurrent()) {
      state_.mutable_approximate() = {};
    }
  }
  approximate_ = {};
}

// From here on writes note what they change.
void Collection::BeginApproximate() {
  {
    ReaderLock lock(mutex_);
    if (ApproximateIsCurrent()) {
      return;
    }
  }
  approximate_ = {};  // of a model that has gone
  WriterLock lock(mutex_);
  approximate_.graph = std::make_shared<index::ApproximateIndex>(*state_.items().factors,
                                                                 index::ApproximateOptions());
  state_.mutable_approximate() = {};
  state_.mutable_approximate().graph = approximate_.graph;
}

// The items that were there before.
void Collection::NoteItems() {
  for (int step = 0; step < kNoteStepsARound && !approximate_.missing; ++step) {
    WriterLock lock(mutex_);
    if (!ApproximateIsCurrent()) {
      return;
    }
    const Dictionary& ids = state_.items().ids;
    const std::uint32_t end =
        approximate_.noted + std::min(kItemsNotedAStep, ids.end() - approximate_.noted);
    for (; approximate_.noted < end; ++approximate_.noted) {
      if (!ids.id(approximate_.noted).empty()) {
        approximate_.graph->Refresh(approximate_.noted);
      }
    }
    if (end == ids.end()) {
      approximate_.missing = approximate_.graph->pending();
    }
  }
}

void Collection::InsertNoted() {
  {
    ReaderLock lock(mutex_);
    if (!ApproximateIsCurrent() || (approximate_.built() && approximate_.graph->pending() == 0)) {
      return;
    }
  }
  index::ApproximateBatch batch;
  {
    // Exclusively, though it is short: others read how much is pending.
    WriterLock lock(mutex_);
    if (!ApproximateIsCurrent()) {
      return;
    }
    batch = approximate_.graph->Copy(kRowsARound);
  }
  const Status inserted = approximate_.graph->Insert(batch);
  WriterLock lock(mutex_);
  if (!ApproximateIsCurrent()) {
    return;
  }
  if (!inserted.ok()) {
    approximate_.graph->Return(batch);  // behind all others, for a round when there is memory
  }
  if (approximate_.missing) {
    approximate_.missing = inserted.ok() ? *approximate_.missing - std::min(*approximate_.missing,
                                                                            batch.ordinals.size())
                                         : approximate_.graph->pending();
  }
  ApproximateItems& items = state_.mutable_approximate();
  items.built = approximate_.built();
  items.rows = approximate_.graph->size();
  items.memory_bytes = approximate_.graph->memory_bytes();
}

void Collection::MeasureApproximate() {
  if (!approximate_.built() || approximate_.users_measured == kUsersMeasured) {
    return;
  }
  std::uint64_t users = 0;
  {
    ReaderLock lock(mutex_);
    users = state_.users().ids.end();
  }
  for (std::uint32_t i = 0;
       i < kUsersMeasuredARound && approximate_.users_measured < kUsersMeasured; ++i) {
    MeasureUser(static_cast<std::uint32_t>(users * approximate_.users_measured++ / kUsersMeasured));
  }
  if (approximate_.users_measured < kUsersMeasured || approximate_.best == 0) {
    return;
  }
  WriterLock lock(mutex_);
  if (ApproximateIsCurrent()) {
    state_.mutable_approximate().recall =
        static_cast<double>(approximate_.found) / static_cast<double>(approximate_.best);
  }
}

// Counts what the graph finds of one user's best items, seen ones and all. Vectors that writes move
// between the two searches count as missed.
void Collection::MeasureUser(std::uint32_t user) {
  ReaderLock lock(mutex_);
  const model::FactorTable& users = *state_.users().factors;
  if (!ApproximateIsCurrent() || user >= state_.users().ids.end()) {
    return;
  }
  Query query;
  query.vector.assign(users.row(user), users.row(user) + users.stride());
  if (!query.usable()) {
    return;
  }
  const auto all = [](std::uint32_t) { return true; };
  const auto ascending = [](std::uint32_t a, std::uint32_t b) { return a < b; };
  const FilterBindings none;
  const auto best = SearchInSteps(query, kMeasuredCount, all, {.bindings = &none});
  if (query.stale || !ApproximateIsCurrent()) {
    return;  // the search gave the lock back between its steps
  }
  std::vector<index::Candidate> near;
  const index::SearchRequest request{query.vector.data(), kMeasuredCount, query.metric, all,
                                     ascending};
  approximate_.graph->Search(request, kApproximateEfDefault, &near)
      .IgnoreError("finds nothing then, which counts as missed");
  approximate_.best += best.size();
  approximate_.found += static_cast<std::size_t>(
      std::count_if(best.begin(), best.end(), [&](const index::Candidate& expected) {
        return std::any_of(near.begin(), near.end(), [&](const index::Candidate& candidate) {
          return candidate.ordinal == expected.ordinal;
        });
      }));
}

}  // namespace reco::engine
