// Storage: the store and the log behind all collections of one database. They are closed and opened
// again together when the folder recovers from an I/O error, so users ask for them at each use and
// get an error while they are closed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "reco/options.h"
#include "reco/result.h"
#include "reco/types.h"

#include "base/clock.h"
#include "store/store.h"
#include "wal/event_log.h"

namespace reco::engine {

// Constant while the database's state lock is held shared; replaced under it exclusively.
struct Storage {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<wal::EventLog> log;

  // Returns kIoError while the folder is closed.
  Status Readable() const {
    return store != nullptr ? Status::Ok()
                            : Status::IoError("the folder is closed after an I/O error");
  }
};

constexpr Side Other(Side side) {
  return side == Side::kUser ? Side::kItem : Side::kUser;
}

// The family of the dictionary rows.
constexpr store::Family RecordFamily(Side side) {
  return side == Side::kUser ? store::Family::kUsers : store::Family::kItems;
}

// Memory of the rows of all collections against one budget. Thread-safe.
struct RowBudget {
  std::atomic<std::int64_t> used_bytes = 0;
  std::int64_t limit_bytes = 0;
  std::atomic<std::uint64_t> hits = 0;
  std::atomic<std::uint64_t> misses = 0;
  std::atomic<std::uint64_t> evictions = 0;
  bool over() const { return used_bytes.load(std::memory_order_relaxed) > limit_bytes; }
};

// What the database uses of the memory that it may. Thread-safe.
struct MemoryBudget {
  std::atomic<std::uint64_t> used_bytes = 0;   // counted by the maintenance thread
  std::atomic<std::uint64_t> limit_bytes = 0;  // 0: no limit
  // Returns Ok up to the limit, as of the last count; kResourceExhausted above it.
  Status Check() const {
    const std::uint64_t limit = limit_bytes.load(std::memory_order_relaxed);
    return limit != 0 && used_bytes.load(std::memory_order_relaxed) > limit
               ? Status::ResourceExhausted("memory limit of " + std::to_string(limit) +
                                           " bytes is reached")
               : Status::Ok();
  }
};

class HoldTimes;  // engine/state/holds.h

// What every collection borrows from its database.
struct CollectionContext {
  Storage& storage;
  const Options& options;
  const Clock& clock;
  RowBudget& row_budget;
  const MemoryBudget& memory;
  HoldTimes& holds;
  const std::size_t scan_step_rows;         // as in DatabaseHooks
  const std::size_t approximate_items_min;  // smaller catalogues get no graph of neighbours
};

}  // namespace reco::engine
