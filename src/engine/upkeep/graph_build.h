// GraphBuild: the graph of neighbours behind APPROX. Built beside live traffic once a request has
// asked for it, kept up with the writes, dropped when it is unused.
#pragma once

#include <cstdint>

#include "engine/state/approximate_items.h"
#include "engine/state/shared_state.h"

namespace reco::engine::upkeep {

// Confined to the thread that calls Round. Its reference is the last one to the graph, so that
// nobody frees one with the lock held.
class GraphBuild {
 public:
  // Builds the graph while requests ask for it, carries changes into it and drops it when it is
  // unused, some rows a call.
  void Round(SharedState& shared) EXCLUDES(shared);

 private:
  // Returns true iff requests have asked for the graph lately and the collection is large enough.
  static bool Wanted(const SharedState& shared) EXCLUDES(shared);
  // Returns true iff the live graph is the one that this builds: a new model has dropped it else.
  bool IsCurrent(const View& view) const {
    return build_.graph != nullptr && view.state().approximate().graph == build_.graph;
  }
  void Drop(SharedState& shared) EXCLUDES(shared);
  void Begin(SharedState& shared) EXCLUDES(shared);
  void NoteItems(SharedState& shared) EXCLUDES(shared);
  void InsertNoted(SharedState& shared) EXCLUDES(shared);
  void Measure(SharedState& shared) EXCLUDES(shared);
  void MeasureUser(const SharedState& shared, std::uint32_t user) EXCLUDES(shared);

  ApproximateBuild build_;
};

}  // namespace reco::engine::upkeep
