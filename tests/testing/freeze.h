// What a checkpoint copies, at once.
#pragma once

#include "base/sorted.h"
#include "engine/state/collection_state.h"

namespace reco::testing {

inline engine::FrozenRows Freeze(engine::CollectionState& state) {
  engine::FrozenRows frozen = state.BeginFreeze();
  SortUnique(&frozen.changed_pairs);
  static_cast<void>(state.CopyFrozen(frozen.size(), &frozen));
  static_cast<void>(state.EndFreeze(&frozen));
  return frozen;
}

}  // namespace reco::testing
