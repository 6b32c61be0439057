// Steps: Begin (an empty graph, into which writes note their items from then on), NoteItems (all
// that were there before), InsertNoted (copy under the lock, insert without it), Measure. Each asks
// anew whether its graph is still the live one, since a training drops it in between.
#include "engine/upkeep/graph_build.h"

#include <algorithm>

#include "base/work.h"
#include "engine/lists/by_vector.h"

namespace reco::engine::upkeep {
namespace {

constexpr std::int64_t kUnusedUs = 600'000'000;

// Work of one round of maintenance: 15 to 60 ms, so that checkpoints and expiry need not wait.
constexpr std::size_t kRowsARound = 64;
constexpr int kNoteStepsARound = 64;
constexpr std::uint32_t kItemsNotedAStep = 512;  // under the exclusive lock, 0.1 ms
constexpr std::uint32_t kUsersMeasuredARound = 4;

constexpr std::uint32_t kUsersMeasured = 64;
constexpr std::size_t kMeasuredCount = 20;

}  // namespace

void GraphBuild::Round(SharedState& shared) {
  if (!Wanted(shared)) {
    Drop(shared);
    return;
  }
  Begin(shared);
  NoteItems(shared);
  InsertNoted(shared);
  Measure(shared);
}

bool GraphBuild::Wanted(const SharedState& shared) {
  const std::int64_t asked_us = shared.hints().graph_asked_us.load(std::memory_order_relaxed);
  if (asked_us == SharedState::Hints::kNever ||
      shared.context().clock.MonotonicUs() - asked_us >= kUnusedUs) {
    return false;
  }
  ReadView view(shared, Holder::kGraph);
  // Only then is the exact scan slow enough (approximate_items.h).
  return !view.dropped() && view.state().index() != nullptr &&
         view.state().items().ids.size() >= shared.context().approximate_items_min;
}

void GraphBuild::Drop(SharedState& shared) {
  if (build_.graph == nullptr) {
    return;
  }
  {
    WriteView view(shared, Holder::kGraph);
    if (IsCurrent(view)) {
      view.state().mutable_approximate() = {};
    }
  }
  // The last reference goes without the lock: freeing the graph takes a while.
  build_ = {};
}

// Publishes an empty graph, into which writes note what they change from here on.
void GraphBuild::Begin(SharedState& shared) {
  {
    ReadView view(shared, Holder::kGraph);
    if (IsCurrent(view)) {
      return;
    }
  }
  build_ = {};  // of a model that has gone
  WriteView view(shared, Holder::kGraph);
  build_.graph = std::make_shared<index::ApproximateIndex>(*view.state().items().factors,
                                                           index::ApproximateOptions());
  // Figures of the old graph go with it.
  view.state().mutable_approximate() = {};
  view.state().mutable_approximate().graph = build_.graph;
}

// Notes the items that were there before.
void GraphBuild::NoteItems(SharedState& shared) {
  for (int step = 0; step < kNoteStepsARound && !build_.missing; ++step) {
    WriteView view(shared, Holder::kGraph);
    if (!IsCurrent(view)) {
      return;
    }
    const Dictionary& ids = view.state().items().ids;
    const std::uint32_t end = build_.noted + std::min(kItemsNotedAStep, ids.end() - build_.noted);
    CountWork(Work::kEntries, end - build_.noted);
    for (; build_.noted < end; ++build_.noted) {
      // Refresh only notes the item; a write's Refresh of the same one meanwhile is the same note.
      if (!ids.id(build_.noted).empty()) {
        build_.graph->Refresh(build_.noted);
      }
    }
    // Items that come later are noted by their own writes (CollectionState::Register).
    if (end == ids.end()) {
      build_.missing = build_.graph->pending();
    }
  }
}

void GraphBuild::InsertNoted(SharedState& shared) {
  {
    ReadView view(shared, Holder::kGraph);
    if (!IsCurrent(view) || (build_.built() && build_.graph->pending() == 0)) {
      return;
    }
  }
  index::ApproximateBatch batch;
  {
    // Exclusively, though it is short: others read how much is pending.
    WriteView view(shared, Holder::kGraph);
    if (!IsCurrent(view)) {
      return;
    }
    batch = build_.graph->Copy(kRowsARound);
    CountWork(Work::kRows, batch.ordinals.size());
  }
  // The slow part, from copied vectors. What writes change meanwhile is pending again behind it.
  const Status inserted = build_.graph->Insert(batch);
  WriteView view(shared, Holder::kGraph);
  if (!IsCurrent(view)) {
    return;
  }
  if (!inserted.ok()) {
    build_.graph->Return(batch);  // behind all others, for a round when there is memory
  }
  if (build_.missing) {
    // After a failure nothing is known of the order any more: all that is pending has to be
    // inserted.
    build_.missing = inserted.ok()
                         ? *build_.missing - std::min(*build_.missing, batch.ordinals.size())
                         : build_.graph->pending();
  }
  ApproximateItems& items = view.state().mutable_approximate();
  // From here on it may answer (ApproximateItems::answers).
  items.built = build_.built();
  items.rows = build_.graph->size();
  items.memory_bytes = build_.graph->memory_bytes();
}

void GraphBuild::Measure(SharedState& shared) {
  if (!build_.built() || build_.users_measured == kUsersMeasured) {
    return;
  }
  std::uint64_t users = 0;
  {
    ReadView view(shared, Holder::kGraph);
    users = view.state().users().ids.end();
  }
  for (std::uint32_t i = 0; i < kUsersMeasuredARound && build_.users_measured < kUsersMeasured;
       ++i) {
    // Evenly over all ordinals, so over old and new users.
    MeasureUser(shared,
                static_cast<std::uint32_t>(users * build_.users_measured++ / kUsersMeasured));
  }
  if (build_.users_measured < kUsersMeasured || build_.best == 0) {
    return;
  }
  WriteView view(shared, Holder::kGraph);
  if (IsCurrent(view)) {
    view.state().mutable_approximate().recall =
        static_cast<double>(build_.found) / static_cast<double>(build_.best);
  }
}

// Counts what the graph finds of one user's best items, seen ones and all. Vectors that writes move
// between the two searches count as missed.
void GraphBuild::MeasureUser(const SharedState& shared, std::uint32_t user) {
  ReadView view(shared, Holder::kGraph);
  const model::FactorTable& users = *view.state().users().factors;
  if (!IsCurrent(view) || user >= view.state().users().ids.end()) {
    return;
  }
  lists::Query query;
  query.vector.assign(users.row(user), users.row(user) + users.stride());
  if (!query.usable()) {
    return;
  }
  const auto all = [](std::uint32_t) { return true; };
  const auto ascending = [](std::uint32_t a, std::uint32_t b) { return a < b; };
  // The exact list as requests get it, in steps, which may give the lock back.
  const lists::FilterBindings none;
  const auto best = lists::SearchInSteps(view, query, kMeasuredCount, all, {.bindings = &none});
  if (query.stale || !IsCurrent(view)) {
    return;  // the search gave the lock back between its steps
  }
  std::vector<index::Candidate> near;
  const index::SearchRequest request{query.vector.data(), kMeasuredCount, query.metric, all,
                                     ascending};
  build_.graph->Search(request, kApproximateEfDefault, &near)
      .IgnoreError("finds nothing then, which counts as missed");
  build_.best += best.size();
  build_.found += static_cast<std::size_t>(
      std::count_if(best.begin(), best.end(), [&](const index::Candidate& expected) {
        return std::any_of(near.begin(), near.end(), [&](const index::Candidate& candidate) {
          return candidate.ordinal == expected.ordinal;
        });
      }));
}

}  // namespace reco::engine::upkeep
