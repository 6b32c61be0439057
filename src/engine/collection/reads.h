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

// Returns one weight for each item; nullopt where nothing is stored.
Result<std::vector<std::optional<double>>> Preferences(const SharedState& shared,
                                                       std::string_view user,
                                                       std::span<const std::string_view> items)
    EXCLUDES(shared);
// Returns the user's pairs, newest first. An as-of time is answered from the log: O(events of the
// collection).
Result<std::vector<HistoryEntry>> History(const SharedState& shared, std::string_view user,
                                          const HistoryOptions& options) EXCLUDES(shared);
// Returns what is stored of one user or item; nullopt when the id is not known.
std::optional<Record> GetRecord(const SharedState& shared, Side side, std::string_view id)
    EXCLUDES(shared);
// Returns the ids that match the glob `pattern` among the next `count` from `cursor` on
// (Dictionary::Scan).
ScanPage ScanRecords(const SharedState& shared, Side side, std::uint64_t cursor,
                     std::uint64_t count, std::string_view pattern) EXCLUDES(shared);
std::uint64_t CountRecords(const SharedState& shared, Side side) EXCLUDES(shared);
// Returns the current vector; zeros before the first training, nullopt when the id is not known.
std::optional<std::vector<float>> GetVector(const SharedState& shared, Side side,
                                            std::string_view id) EXCLUDES(shared);
// Returns the figures of RECO.INFO. They are of one moment, but for what synchronizes itself.
CollectionInfo Details(const SharedState& shared, std::uint64_t checkpoint_seq) EXCLUDES(shared);
// Returns what the collection counts for against the memory limit.
std::uint64_t MemoryBytes(const SharedState& shared) EXCLUDES(shared);

// The reasons for which a collection is to be trained again.
struct RetrainTrigger {
  std::uint64_t events_since = 0;
  std::int64_t trained_at_ms = 0;
  // The model weighs events by their age at its own time. From two half-lives on, the newest
  // would weigh more than four times what the rest of the model was trained for.
  bool faded = false;
};
RetrainTrigger TriggerOf(const SharedState& shared) EXCLUDES(shared);

}  // namespace reco::engine::reads
