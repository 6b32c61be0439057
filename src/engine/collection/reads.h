// Reads of a collection that need no ranking: preferences, history, records, figures. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "engine/state/shared_state.h"

namespace reco::engine::reads {

// One for each item; nullopt where nothing is stored.
Result<std::vector<std::optional<double>>> Preferences(const SharedState& shared,
                                                       std::string_view user,
                                                       std::span<const std::string_view> items)
    EXCLUDES(shared);
// Newest first. An as-of time is answered from the log: O(events of the collection).
Result<std::vector<HistoryEntry>> History(const SharedState& shared, std::string_view user,
                                          const HistoryOptions& options) EXCLUDES(shared);
std::optional<Record> GetRecord(const SharedState& shared, Side side, std::string_view id)
    EXCLUDES(shared);
ScanPage ScanRecords(const SharedState& shared, Side side, std::uint64_t cursor,
                     std::uint64_t count, std::string_view pattern) EXCLUDES(shared);
std::uint64_t CountRecords(const SharedState& shared, Side side) EXCLUDES(shared);
std::optional<std::vector<float>> GetVector(const SharedState& shared, Side side,
                                            std::string_view id) EXCLUDES(shared);
CollectionInfo Details(const SharedState& shared, std::uint64_t checkpoint_seq) EXCLUDES(shared);
std::uint64_t MemoryBytes(const SharedState& shared) EXCLUDES(shared);

// What says that a collection is to be trained again.
struct RetrainTrigger {
  std::uint64_t events_since = 0;
  std::int64_t trained_at_ms = 0;
  // The model weighs events by their age at its own time. From two half-lives on, the newest
  // would weigh more than four times what the rest of the model was trained for.
  bool faded = false;
};
RetrainTrigger TriggerOf(const SharedState& shared) EXCLUDES(shared);

}  // namespace reco::engine::reads
