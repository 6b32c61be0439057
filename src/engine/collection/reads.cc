#include "engine/collection/reads.h"

#include <algorithm>
#include <map>

#include "base/glob.h"
#include "base/numbers.h"
#include "engine/rows/signal.h"
#include "engine/settings/parameters.h"
#include "format/event_effect.h"

namespace reco::engine::reads {
namespace {

constexpr double kFadedHalfLives = 2;

// Returns a user's pairs as of a point in time, by the log: O(events of the collection). Adds them
// up as Apply does, so as of now they are those in memory (I6).
Result<std::vector<RowPair>> PairsAsOf(const SharedState& shared, std::uint32_t user,
                                       std::int64_t as_of_ms) {
  std::map<std::uint32_t, format::Pair> pairs;
  const std::int64_t now_ms = shared.context().clock.NowMs();
  const auto visit = [&](std::uint64_t, const format::Event& event) {
    // What has arrived later than now came by a clock that was ahead.
    if (std::min(event.arrival_ms, now_ms) > as_of_ms) {
      return true;  // the clock may step back: later events may still count
    }
    format::MatchEffect(
        event,
        [&](const format::PairAdded& added) {
          if (added.user == user) {
            const auto known = pairs.find(added.item);
            pairs[added.item] = Accumulate(known != pairs.end() ? &known->second : nullptr, event,
                                           shared.signal_rules());
          }
        },
        [&](const format::PairRemoved& removed) {
          if (removed.user == user) {
            pairs.erase(removed.item);
          }
        },
        [&](const format::Deleted& gone) {
          if (gone.side == Side::kItem) {
            pairs.erase(gone.ordinal);
          } else if (gone.ordinal == user) {
            pairs.clear();
          }
        },
        [](const format::RecordSet&) {}, [](const format::RowsSolved&) {},
        [](const format::NoEffect&) {});
    return true;
  };
  // Without a view, so writes go on meanwhile; the scan shows the log as of when it began.
  RECO_RETURN_IF_ERROR(shared.context().storage.Readable());
  RECO_RETURN_IF_ERROR(
      wal::EventLog::Replay(*shared.context().storage.store, nullptr, shared.cid(), 0, visit));
  std::vector<RowPair> row;
  row.reserve(pairs.size());
  for (const auto& [item, pair] : pairs) {
    row.push_back({item, pair});
  }
  return row;
}

}  // namespace

Result<std::vector<std::optional<double>>> Preferences(const SharedState& shared,
                                                       std::string_view user,
                                                       std::span<const std::string_view> items) {
  std::vector<std::optional<double>> preferences(items.size());
  ReadView view(shared);
  const auto user_ordinal = view.state().users().ids.Find(user);
  for (std::size_t i = 0; user_ordinal && i < items.size(); ++i) {
    const auto item_ordinal = view.state().items().ids.Find(items[i]);
    if (!item_ordinal) {
      continue;
    }
    RECO_ASSIGN_OR_RETURN(const auto pair, view.state().LookUpPair(*user_ordinal, *item_ordinal));
    if (pair) {
      preferences[i] = Shown(pair->weight);
    }
  }
  return preferences;
}

Result<std::vector<HistoryEntry>> History(const SharedState& shared, std::string_view user,
                                          const HistoryOptions& options) {
  // Three parts: the ordinal and the row under a view, the log without one, the ids under another.
  std::optional<std::uint32_t> ordinal;
  std::uint16_t type = format::kNoType;
  std::vector<RowPair> row;
  {
    ReadView view(shared);
    ordinal = view.state().users().ids.Find(user);
    if (options.type) {
      RECO_ASSIGN_OR_RETURN(type, TypeIndex(view.options(), *options.type));
    }
    if (ordinal && !options.as_of_ms) {
      std::vector<RowPair> scratch;
      RECO_ASSIGN_OR_RETURN(const auto pairs, view.state().users().rows.Read(*ordinal, &scratch));
      // A copy, since the view ends before it is read.
      row.assign(pairs.begin(), pairs.end());
    }
  }
  if (ordinal && options.as_of_ms) {
    RECO_ASSIGN_OR_RETURN(row, PairsAsOf(shared, *ordinal, *options.as_of_ms));
  }
  // As in a list: the clock may have been ahead when a pair was written.
  const std::int64_t now_ms = shared.context().clock.NowMs();
  for (RowPair& known : row) {
    known.pair.last_ms = std::min(known.pair.last_ms, now_ms);
  }
  std::erase_if(row, [&](const RowPair& known) {
    return (options.type && known.pair.last_type != type) ||
           (options.since_ms && known.pair.last_ms < *options.since_ms) ||
           (options.until_ms && known.pair.last_ms > *options.until_ms);
  });
  ReadView view(shared);
  const Dictionary& ids = view.state().items().ids;
  // Items may have been deleted between the two views.
  std::erase_if(row, [&](const RowPair& known) { return ids.id(known.other).empty(); });
  std::sort(row.begin(), row.end(), [&](const RowPair& a, const RowPair& b) {
    return a.pair.last_ms != b.pair.last_ms ? a.pair.last_ms > b.pair.last_ms
                                            : ids.Before(a.other, b.other);
  });
  std::vector<HistoryEntry> entries;
  for (std::size_t i = options.offset; i < row.size() && entries.size() < options.count; ++i) {
    entries.push_back(
        {std::string(ids.id(row[i].other)), Shown(row[i].pair.weight), row[i].pair.last_ms});
  }
  return entries;
}

std::optional<Record> GetRecord(const SharedState& shared, Side side, std::string_view id) {
  ReadView view(shared);
  const SideState& own = view.state().side(side);
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
  const std::int64_t now_ms = shared.context().clock.NowMs();
  record.first_ms = std::min(entity.first_ms, now_ms);
  record.last_ms = std::min(entity.last_ms, now_ms);
  record.pairs = entity.pairs;
  record.events = entity.events;
  return record;
}

ScanPage ScanRecords(const SharedState& shared, Side side, std::uint64_t cursor,
                     std::uint64_t count, std::string_view pattern) {
  constexpr std::uint64_t kIdsAHold = 256;  // about 1 us each with a long pattern
  const Glob glob(pattern);
  ScanPage page;
  page.cursor = cursor;
  do {
    const std::uint64_t step = std::min(count, kIdsAHold);
    count -= step;
    ReadView view(shared);
    page.cursor = view.state().side(side).ids.Scan(page.cursor, step,
                                                   [&](std::uint32_t, std::string_view id) {
                                                     if (glob.Matches(id)) {
                                                       page.names.emplace_back(id);
                                                     }
                                                   });
  } while (page.cursor != 0 && count > 0);
  return page;
}

std::uint64_t CountRecords(const SharedState& shared, Side side) {
  ReadView view(shared);
  return view.state().side(side).ids.size();
}

std::optional<std::vector<float>> GetVector(const SharedState& shared, Side side,
                                            std::string_view id) {
  ReadView view(shared);
  const SideState& own = view.state().side(side);
  const auto ordinal = own.ids.Find(id);
  if (!ordinal) {
    return std::nullopt;
  }
  const auto values = own.factors->values(*ordinal);
  return std::vector<float>(values.begin(), values.end());
}

namespace {

std::vector<std::pair<std::string, double>> NeighbourFigures(const View& view) {
  const NeighbourTables* tables = view.state().neighbours().get();
  if (tables == nullptr) {
    return {};
  }
  const std::int64_t now_ms = view.shared().context().clock.NowMs();
  const std::pair<std::string, std::uint64_t> figures[] = {
      {"sessions", tables->sessions().sessions()},
      {"session-items", tables->sessions().items()},
      {"sessions-let-go", tables->sessions().let_go()},
      {"pair-counts", tables->pairs().pairs()},
      {"rows", tables->rows().rows()},
      {"waiting", tables->queue().size()},
      {"oldest-wait-ms", static_cast<std::uint64_t>(tables->queue().OldestAgeMs(now_ms))},
      {"solved", tables->queue().taken()},
      {"solved-late", tables->queue().taken_late()}};
  return {std::begin(figures), std::end(figures)};
}

}  // namespace

CollectionInfo Details(const SharedState& shared, std::uint64_t checkpoint_seq) {
  ReadView view(shared);
  CollectionInfo info;
  info.id = shared.cid();
  const SideState& users = view.state().users();
  const SideState& items = view.state().items();
  info.users = users.ids.size();
  info.items = items.ids.size();
  info.interactions = view.state().interactions();
  // Numbers ascend by one from 1 (I1), so the last one is also how many there are.
  info.events = info.last_seq = view.state().last_seq();
  info.checkpoint_seq = checkpoint_seq;
  // What was asked for, not the stored length, which with ratings is larger.
  info.dim = view.options().dim;
  info.model_id = view.state().model().id;
  info.model_seq = view.state().model().id != 0
                       ? view.state().last_seq() - view.state().model().trained_at_seq
                       : 0;
  info.times_usable = view.state().times_usable();
  info.gram_drift = view.state().model().id != 0
                        ? items.gram.RelativeDistance(view.state().trained_item_gram())
                        : 0;
  for (const SideState* own : {&users, &items}) {
    info.rows_pending += own->pending.size() + own->pending_taken + own->rows_building;
  }
  info.parameters = GetParameters(view.options());
  info.quality = view.state().quality;
  const std::uint64_t replaced_bytes = shared.replaced().memory_bytes();
  info.memory_bytes = {
      {"dictionaries", users.ids.memory_bytes() + items.ids.memory_bytes()},
      {"vectors", users.factors->memory_bytes() + items.factors->memory_bytes()},
      {"item-index", view.state().index() != nullptr ? view.state().index()->memory_bytes() : 0},
      {"approximate-index", view.state().approximate().memory_bytes},
      {"replaced-models", replaced_bytes},
      {"rows", users.rows.memory_bytes() + items.rows.memory_bytes()},
      {"popularity", view.state().rankings_bytes()},
      {"neighbours", view.state().neighbours().memory_bytes()},
      {"recent-lists", shared.recent().memory_bytes()},
      {"attribute-columns", users.columns.memory_bytes() + items.columns.memory_bytes()},
  };
  std::uint64_t known = 0;
  for (const auto& [name, bytes] : info.memory_bytes) {
    known += bytes;
  }
  const std::uint64_t total = view.state().memory_bytes() + replaced_bytes;
  // What is left is what has no figure of its own: entities, attributes, Grams. Some parts
  // synchronize themselves and change while this adds up, so it could come out below 0.
  info.memory_bytes.emplace_back("records", total > known ? total - known : 0);
  info.memory_bytes.emplace_back("total", total);
  info.approximate = view.state().approximate().Figures();
  info.neighbours = NeighbourFigures(view);
  return info;
}

std::uint64_t MemoryBytes(const SharedState& shared) {
  ReadView view(shared);
  return view.state().memory_bytes() + shared.replaced().memory_bytes() +
         view.tokens().memory_bytes();
}

RetrainTrigger TriggerOf(const SharedState& shared) {
  ReadView view(shared);
  const ActiveModel& model = view.state().model();
  // Event time is what weights decay by: a log of last year does not fade as it is read in.
  const std::int64_t newest_ms = std::min(view.state().newest_ms(), shared.context().clock.NowMs());
  const double age_ms = static_cast<double>(newest_ms - model.signal.reference_ms);
  const std::uint64_t since = view.state().last_seq() - (model.id != 0 ? model.trained_at_seq : 0);
  // Rows that were solved tell nothing new.
  const std::uint64_t solved = std::min(since, view.state().row_events_since_training());
  return {since - solved, view.trained_at_ms(),
          model.id != 0 && model.signal.halflife_ms > 0 &&
              age_ms > kFadedHalfLives * model.signal.halflife_ms};
}

}  // namespace reco::engine::reads
