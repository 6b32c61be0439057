#include "engine/lists/stored_row.h"

#include <memory>
#include <utility>

namespace reco::engine::lists {

Result<std::vector<RowPair>> CopyRow(const SharedState& shared, Side side, std::uint32_t ordinal) {
  RowCopy newer;
  std::unique_ptr<store::Snapshot> snapshot;
  {
    ReadView view(shared);
    const SideState& own = view.state().side(side);
    if (own.entities[ordinal].pairs == 0) {
      return std::vector<RowPair>();
    }
    if (const Row* row = own.rows.Find(ordinal); row != nullptr) {
      newer = RowCopy(*row);
      // All of it is here: no read.
      if (newer.complete) {
        return std::move(newer.pairs);
      }
    }
    RECO_RETURN_IF_ERROR(shared.context().storage.Readable());
    // Taken under the view, so that disk and copied marks are of the same moment; read without it.
    snapshot = shared.context().storage.store->TakeSnapshot();
  }
  std::vector<RowPair> pairs;
  RECO_RETURN_IF_ERROR(RowTable::ReadSnapshot(*shared.context().storage.store, snapshot.get(),
                                              {shared.cid(), side, ordinal}, newer, &pairs));
  return pairs;
}

}  // namespace reco::engine::lists
