// VisitRows: a scan of the rows of one side that lets writes through (D11).
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/function_ref.h"
#include "engine/lists/bound_filters.h"
#include "engine/state/shared_state.h"
#include "index/stepped_search.h"

namespace reco::engine::lists {

struct RowScan {
  Side side;
  const FilterBindings* bindings;  // bound again each time when the lock was given back
  bool in_steps;                   // false: the lock is kept to the end
  bool interrupted = false;        // the lock was given back
};

// MAY GIVE THE LOCK BACK. Shows positions 0 .. end() - 1 to `visit`, piece by piece. Returns false
// when another model has taken over while the lock was given back; the rest was not shown then.
inline bool VisitRows(ReadView& view, RowScan* scan, FunctionRef<std::size_t()> end,
                      FunctionRef<void(std::size_t, std::size_t)> visit) {
  const std::size_t step = std::max<std::size_t>(
      view.shared().context().scan_step_rows / index::SteppedSearch::kScoreCost, 1);
  const std::uint32_t model = view.state().model().id;
  for (std::size_t begin = 0; begin < end();) {
    if (begin > 0 && scan->in_steps) {
      scan->interrupted = true;
      view.Yield();
      if (view.state().model().id != model) {
        return false;
      }
      BindAgain(view, scan->side, *scan->bindings);
    }
    const std::size_t last = scan->in_steps ? std::min(begin + step, end()) : end();
    visit(begin, last);
    begin = last;
  }
  return true;
}

}  // namespace reco::engine::lists
