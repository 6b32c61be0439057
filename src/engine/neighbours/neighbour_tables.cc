#include "engine/neighbours/neighbour_tables.h"

#include <span>

#include "format/event_effect.h"
#include "format/solved_rows.h"

namespace reco::engine {

NeighbourTables::NeighbourTables(std::uint64_t bytes_max)
    : rows_bytes_max_(bytes_max / 4),
      sessions_(SessionBytesMax(bytes_max), &pairs_),
      queue_(kWaitingMax) {}

void NeighbourTables::Follow(const format::Event& event) {
  format::MatchEffect(
      event,
      [&](const format::PairAdded& pair) {
        if (event.weight > 0) {
          sessions_.Add(pair.user, pair.item, event.happened_ms());
        } else {
          sessions_.Remove(pair.user, pair.item);
        }
        queue_.NoteEvent(pair.item, event.arrival_ms);
      },
      [&](const format::PairRemoved& pair) {
        sessions_.Remove(pair.user, pair.item);
        queue_.NoteEvent(pair.item, event.arrival_ms);
      },
      [&](const format::Deleted& gone) {
        while (ForgetSome(gone.side, gone.ordinal)) {
        }
      },
      [&](const format::RowsSolved&) {
        const auto replace = [&](std::uint32_t item, std::span<const ItemWeight> row) {
          rows_.Replace(item, row);
          queue_.Forget(item);
        };
        format::VisitSolvedRows(event.text, replace)
            .IgnoreError("the event was checked when it was read");
      },
      [](const format::RecordSet&) {}, [](const format::NoEffect&) {});
}

bool NeighbourTables::ForgetSome(Side side, std::uint32_t ordinal) {
  // A place in the middle of a history recounts the pairs around it, a whole session does not.
  constexpr std::size_t kPlacesAStep = 32;
  constexpr std::size_t kSessionsAStep = 8;
  if (side == Side::kUser) {
    return sessions_.RemoveUser(ordinal, kSessionsAStep);
  }
  if (sessions_.RemoveItem(ordinal, kPlacesAStep)) {
    return true;
  }
  rows_.Erase(ordinal);
  queue_.Forget(ordinal);
  return false;
}

bool NeighbourTables::HasRoomFor(std::uint32_t item) const {
  return !rows_.row(item).empty() || rows_.memory_bytes() < rows_bytes_max_;
}

}  // namespace reco::engine
