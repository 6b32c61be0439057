// Counts are gathered under the shared lock, systems solved without any, and rows set as an event
// of the log, so that a replay has the same ones (I6).
#include "engine/upkeep/ridge_solves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/work.h"
#include "format/solved_rows.h"
#include "wal/event_log.h"

namespace reco::engine::upkeep {
namespace {

constexpr std::int64_t kRoundUs = 8'000;

struct SolvedRow {
  std::uint32_t item = 0;
  std::vector<ItemWeight> weights;  // ascending by item
};

// Sets the rows, but for those of items that have been deleted, or that there is no room for.
Status SetRows(SharedState& shared, std::span<SolvedRow> rows) {
  TurnLock turn(shared.turns().writes);
  WriteView view(shared, Holder::kRidge);
  if (view.dropped()) {
    return Status::Ok();
  }
  RECO_RETURN_IF_ERROR(shared.context().storage.Readable());
  const NeighbourTables* tables = view.state().neighbours().get();
  if (tables == nullptr) {
    return Status::Ok();
  }
  const auto gone = [&view](std::uint32_t item) {
    return view.state().items().ids.id(item).empty();
  };
  std::string text;
  for (SolvedRow& row : rows) {
    std::erase_if(row.weights, [&](const ItemWeight& one) {
      return gone(one.item) || !std::isfinite(one.weight);
    });
    // Equal counts give equal rows: most of a training's are what they were.
    const bool changes = !std::ranges::equal(row.weights, tables->rows().row(row.item));
    if (changes && !gone(row.item) && tables->HasRoomFor(row.item)) {
      format::AppendSolvedRow(row.item, row.weights, &text);
    }
  }
  if (text.empty()) {
    return Status::Ok();
  }
  format::Event event;
  event.kind = format::EventKind::kSolvedRows;
  event.arrival_ms = event.time_ms = shared.context().clock.NowMs();
  event.has_text = true;
  event.text = text;
  const std::uint64_t seq = view.state().last_seq() + 1;
  std::string record;
  format::EncodeEvent(event, &record);
  RECO_RETURN_IF_ERROR(view.StageUntold(
      [&](store::Batch& batch) { wal::EventLog::PutEvent(batch, shared.cid(), seq, record); }));
  view.state().Apply(seq, event, std::nullopt);
  return Status::Ok();
}

// Takes the next items from the queue.
std::vector<std::uint32_t> TakeWaiting(SharedState& shared) {
  std::vector<std::uint32_t> items;
  WriteView view(shared, Holder::kRidge);
  NeighbourTables* tables = view.state().neighbours().get();
  while (tables != nullptr && items.size() < kRowsAnEvent) {
    const auto item = tables->queue().Pop();
    if (!item) {
      break;
    }
    items.push_back(*item);
  }
  return items;
}

void PutBack(SharedState& shared, std::span<const std::uint32_t> items) {
  WriteView view(shared, Holder::kRidge);
  NeighbourTables* tables = view.state().neighbours().get();
  for (const std::uint32_t item : items) {
    if (tables != nullptr) {
      tables->queue().Push(item, view.shared().context().clock.NowMs());
    }
  }
}

bool AnyWait(const SharedState& shared) {
  const ReadView view(shared, Holder::kRidge);
  const NeighbourTables* tables = view.state().neighbours().get();
  return tables != nullptr && tables->queue().size() > 0 && view.state().times_usable();
}

}  // namespace

Status SolveRidgeRows(SharedState& shared, std::span<const std::uint32_t> items) {
  std::vector<SolvedRow> rows;
  shared.ridge_solvers().With([&](RidgeSolvers& solvers) {
    {
      const ReadView view(shared, Holder::kRidge);
      const NeighbourTables* tables = view.state().neighbours().get();
      if (tables == nullptr) {
        return;
      }
      CountWork(Work::kSolves, items.size());
      for (std::size_t i = 0; i < items.size(); ++i) {
        solvers[i].Gather(tables->pairs(), items[i]);
      }
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::span<const ItemWeight> row = solvers[i].Solve();
      rows.push_back({items[i], {row.begin(), row.end()}});
    }
  });
  return SetRows(shared, rows);
}

void SolveWaitingRows(SharedState& shared) {
  const Clock& clock = shared.context().clock;
  const std::int64_t end_us = clock.MonotonicUs() + kRoundUs;
  // A long write would keep this thread waiting for its turn.
  while (!shared.HoldsUpWrites() && AnyWait(shared) && clock.MonotonicUs() < end_us) {
    const std::vector<std::uint32_t> items = TakeWaiting(shared);
    if (!SolveRidgeRows(shared, items).ok()) {
      PutBack(shared, items);
      return;  // whoever refuses writes has said so
    }
  }
}

}  // namespace reco::engine::upkeep
