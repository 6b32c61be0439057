// Reads of a Collection that need no ranking: preferences, history, records, figures.
#include <algorithm>
#include <map>
#include <utility>

#include "base/glob.h"
#include "engine/collection.h"
#include "engine/settings/parameters.h"
#include "format/keys.h"

namespace reco::engine {

using format::Event;
using format::EventKind;

namespace {
constexpr double kFadedHalfLives = 2;
}

Result<std::vector<std::optional<double>>> Collection::Preferences(
    std::string_view user, std::span<const std::string_view> items) const {
  std::vector<std::optional<double>> preferences(items.size());
  ReaderLock lock(mutex_);
  const auto user_ordinal = state_.users().ids.Find(user);
  for (std::size_t i = 0; user_ordinal && i < items.size(); ++i) {
    const auto item_ordinal = state_.items().ids.Find(items[i]);
    if (!item_ordinal) {
      continue;
    }
    RECO_ASSIGN_OR_RETURN(const auto pair, state_.LookUpPair(*user_ordinal, *item_ordinal));
    if (pair) {
      preferences[i] = pair->weight;
    }
  }
  return preferences;
}

// The facts as of a point in time come from the log: O(events of the collection).
Result<std::vector<RowPair>> Collection::PairsAsOf(std::uint32_t user,
                                                   std::int64_t as_of_ms) const {
  std::map<std::uint32_t, format::Pair> pairs;
  const auto visit = [&](std::uint64_t, const Event& event) {
    if (event.arrival_ms > as_of_ms) {
      return true;  // the clock may step back: later events may still count
    }
    if (event.kind == EventKind::kItemDelete) {
      pairs.erase(event.item);
    }
    if (event.user != user) {
      return true;
    }
    if (event.kind == EventKind::kInteraction || event.kind == EventKind::kSet) {
      const auto known = pairs.find(event.item);
      pairs[event.item] =
          Accumulate(known != pairs.end() ? &known->second : nullptr, event, rules_);
    } else if (event.kind == EventKind::kRemove) {
      pairs.erase(event.item);
    } else if (event.kind == EventKind::kUserDelete) {
      pairs.clear();
    }
    return true;
  };
  RECO_RETURN_IF_ERROR(context_.storage.Readable());
  RECO_RETURN_IF_ERROR(wal::EventLog::Replay(*context_.storage.store, nullptr, cid_, 0, visit));
  std::vector<RowPair> row;
  row.reserve(pairs.size());
  for (const auto& [item, pair] : pairs) {
    row.push_back({item, pair});
  }
  return row;
}

Result<std::vector<HistoryEntry>> Collection::History(std::string_view user,
                                                      const HistoryOptions& options) const {
  std::vector<RowPair> row;
  std::uint16_t type = format::kNoType;
  {
    ReaderLock lock(mutex_);
    const auto ordinal = state_.users().ids.Find(user);
    if (options.type) {
      RECO_ASSIGN_OR_RETURN(type, TypeIndex(options_, *options.type));
    }
    if (!ordinal) {
      return std::vector<HistoryEntry>();
    }
    if (!options.as_of_ms) {
      std::vector<RowPair> scratch;
      RECO_ASSIGN_OR_RETURN(const auto pairs, state_.users().rows.Read(*ordinal, &scratch));
      row.assign(pairs.begin(), pairs.end());
    }
    if (options.as_of_ms) {
      row.push_back({*ordinal, {}});
    }
  }
  if (options.as_of_ms) {
    const std::uint32_t ordinal = row.front().other;
    RECO_ASSIGN_OR_RETURN(row, PairsAsOf(ordinal, *options.as_of_ms));
  }
  std::erase_if(row, [&](const RowPair& known) {
    return (options.type && known.pair.last_type != type) ||
           (options.since_ms && known.pair.last_ms < *options.since_ms) ||
           (options.until_ms && known.pair.last_ms > *options.until_ms);
  });
  ReaderLock lock(mutex_);
  const Dictionary& ids = state_.items().ids;
  std::erase_if(row, [&](const RowPair& known)
                         NO_THREAD_SAFETY_ANALYSIS { return ids.id(known.other).empty(); });
  std::sort(row.begin(), row.end(), [&](const RowPair& a, const RowPair& b) {
    return a.pair.last_ms != b.pair.last_ms ? a.pair.last_ms > b.pair.last_ms
                                            : ids.Before(a.other, b.other);
  });
  std::vector<HistoryEntry> entries;
  for (std::size_t i = options.offset; i < row.size() && entries.size() < options.count; ++i) {
    entries.push_back({std::string(ids.id(row[i].other)), row[i].pair.weight, row[i].pair.last_ms});
  }
  return entries;
}

std::optional<Record> Collection::GetRecord(Side side, std::string_view id) const {
  ReaderLock lock(mutex_);
  const SideState& own = state_.side(side);
  const auto ordinal = own.ids.Find(id);
  if (!ordinal) {
    return std::nullopt;
  }
  Record record;
  if (const Attributes* attributes = own.attributes.Find(*ordinal)) {
    record.attributes = attributes->json;
    record.hidden = attributes->hidden;
    record.expire_at_ms = attributes->expire_at_ms;
  }
  const Entity& entity = own.entities[*ordinal];
  record.first_ms = entity.first_ms;
  record.last_ms = entity.last_ms;
  record.pairs = entity.pairs;
  record.events = entity.events;
  return record;
}

ScanPage Collection::ScanRecords(Side side, std::uint64_t cursor, std::uint64_t count,
                                 std::string_view pattern) const {
  ReaderLock lock(mutex_);
  ScanPage page;
  page.cursor = state_.side(side).ids.Scan(cursor, count, [&](std::uint32_t, std::string_view id) {
    if (GlobMatch(pattern, id)) {
      page.names.emplace_back(id);
    }
  });
  return page;
}

std::uint64_t Collection::CountRecords(Side side) const {
  ReaderLock lock(mutex_);
  return state_.side(side).ids.size();
}

std::optional<std::vector<float>> Collection::GetVector(Side side, std::string_view id) const {
  ReaderLock lock(mutex_);
  const SideState& own = state_.side(side);
  const auto ordinal = own.ids.Find(id);
  if (!ordinal) {
    return std::nullopt;
  }
  const auto values = own.factors->values(*ordinal);
  return std::vector<float>(values.begin(), values.end());
}

CollectionInfo Collection::Details() const {
  ReaderLock lock(mutex_);
  CollectionInfo info;
  const SideState& users = state_.users();
  const SideState& items = state_.items();
  info.users = users.ids.size();
  info.items = items.ids.size();
  info.interactions = state_.interactions();
  info.events = info.last_seq = state_.last_seq();
  info.checkpoint_seq = checkpoint_seq_;
  info.dim = options_.dim;
  info.model_id = state_.model().id;
  info.model_seq = state_.model().id != 0 ? state_.last_seq() - state_.model().trained_at_seq : 0;
  info.gram_drift =
      state_.model().id != 0 ? items.gram.RelativeDistance(state_.trained_item_gram()) : 0;
  info.rows_pending =
      users.pending.size() + users.rows_building + items.pending.size() + items.rows_building;
  info.parameters = GetParameters(options_);
  info.quality = state_.quality;
  const std::uint64_t replaced_bytes = replaced_.memory_bytes();
  info.memory_bytes = {
      {"dictionaries", users.ids.memory_bytes() + items.ids.memory_bytes()},
      {"vectors", users.factors->memory_bytes() + items.factors->memory_bytes()},
      {"item-index", state_.index() != nullptr ? state_.index()->memory_bytes() : 0},
      {"approximate-index", state_.approximate().memory_bytes},
      {"replaced-models", replaced_bytes},
      {"rows", users.rows.memory_bytes() + items.rows.memory_bytes()},
      {"popularity", state_.rankings_bytes()},
      {"recent-lists", state_.recent().memory_bytes()},
      {"attribute-columns", users.columns.memory_bytes() + items.columns.memory_bytes()},
  };
  std::uint64_t known = 0;
  for (const auto& [name, bytes] : info.memory_bytes) {
    known += bytes;
  }
  const std::uint64_t total = state_.memory_bytes() + replaced_bytes;
  info.memory_bytes.emplace_back("records", total > known ? total - known : 0);
  info.memory_bytes.emplace_back("total", total);
  info.approximate = state_.approximate().Figures();
  return info;
}

std::uint64_t Collection::memory_bytes() const {
  ReaderLock lock(mutex_);
  constexpr std::uint64_t kTokenBytes = 160;  // in the map and in the queue, about
  return state_.memory_bytes() + replaced_.memory_bytes() + tokens_.size() * kTokenBytes;
}

Collection::RetrainTrigger Collection::retrain_trigger() const {
  ReaderLock lock(mutex_);
  const ActiveModel& model = state_.model();
  const double age_ms = static_cast<double>(state_.newest_ms() - model.signal.reference_ms);
  return {state_.last_seq() - (model.id != 0 ? model.trained_at_seq : 0), trained_at_ms_,
          model.id != 0 && model.signal.halflife_ms > 0 &&
              age_ms > kFadedHalfLives * model.signal.halflife_ms};
}

}  // namespace reco::engine
