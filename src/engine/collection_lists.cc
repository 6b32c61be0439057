// Lists of a Collection that are not personal: popular, latest, active users, an item's audience.
#include <algorithm>
#include <utility>

#include "engine/collection.h"
#include "engine/collection_queries.h"

namespace reco::engine {

std::vector<ScoredItem> Collection::ListValues(Side side, const RankedValues& values, Source source,
                                               std::size_t count, AcceptItem accept,
                                               const Among& among) const {
  const Dictionary& ids = state_.side(side).ids;
  const auto before = [&ids](std::uint32_t a, std::uint32_t b) { return ids.Before(a, b); };
  PageQuery query{count, 0, accept, before};
  if (among.ordinals != nullptr) {
    query.among = *among.ordinals;
  }
  std::vector<ScoredItem> list;
  for (const RankedValue& found : values.Top(query)) {
    list.push_back({found.ordinal, found.value, source});
  }
  return list;
}

Result<Ranking> Collection::Popular(PopularBy by, const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckListOptions(options));
  ReaderLock lock(mutex_);
  const RankedValues& values = state_.popularity().by(by);
  return ItemPage(
      options, {},
      [&](std::size_t count, AcceptItem accept, const Among& among) NO_THREAD_SAFETY_ANALYSIS {
        return ListValues(Side::kItem, values, Source::kPopular, count, accept, among);
      });
}

Result<Ranking> Collection::Latest(const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckListOptions(options));
  ReaderLock lock(mutex_);
  const RankedValues& values = state_.latest_items();
  return ItemPage(
      options, {},
      [&](std::size_t count, AcceptItem accept, const Among& among) NO_THREAD_SAFETY_ANALYSIS {
        return ListValues(Side::kItem, values, Source::kLatest, count, accept, among);
      });
}

Result<Ranking> Collection::ActiveUsers(const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckListOptions(options));
  ReaderLock lock(mutex_);
  const RankedValues& values = state_.active_users();
  const auto lister = [&](std::size_t count, AcceptItem accept,
                          const Among& among) NO_THREAD_SAFETY_ANALYSIS {
    return ListValues(Side::kUser, values, Source::kActivity, count, accept, among);
  };
  RECO_ASSIGN_OR_RETURN(const auto list, List(Side::kUser, options, {}, {}, lister));
  return Page(Side::kUser, options, list);
}

// A row of any length without holding the lock for longer than it takes to copy what is in memory.
Result<std::vector<RowPair>> Collection::CopyRow(Side side, std::uint32_t ordinal) const {
  RowCopy newer;
  std::unique_ptr<store::Snapshot> snapshot;
  {
    ReaderLock lock(mutex_);
    const SideState& own = state_.side(side);
    if (ordinal >= own.entities.size() || own.entities[ordinal].pairs == 0) {
      return std::vector<RowPair>();
    }
    if (const Row* row = own.rows.Find(ordinal); row != nullptr) {
      newer.pairs = row->pairs;
      if (row->complete) {
        return std::move(newer.pairs);
      }
      newer.dirty = row->dirty;
    }
    RECO_RETURN_IF_ERROR(context_.storage.Readable());
    snapshot = context_.storage.store->TakeSnapshot();
  }
  std::vector<RowPair> pairs;
  RECO_RETURN_IF_ERROR(RowTable::ReadSnapshot(*context_.storage.store, *snapshot,
                                              {cid_, side, ordinal}, newer, &pairs));
  return pairs;
}

Result<std::vector<AudienceEntry>> Collection::Audience(std::string_view item,
                                                        const AudienceOptions& options) const {
  std::optional<std::uint32_t> ordinal;
  {
    ReaderLock lock(mutex_);
    ordinal = state_.items().ids.Find(item);
  }
  std::vector<AudienceEntry> entries;
  if (!ordinal) {
    return entries;
  }
  RECO_ASSIGN_OR_RETURN(std::vector<RowPair> pairs, CopyRow(Side::kItem, *ordinal));
  std::sort(pairs.begin(), pairs.end(),
            [](const RowPair& a, const RowPair& b) { return a.pair.last_ms > b.pair.last_ms; });
  const std::int64_t now_ms = context_.clock.NowMs();
  ReaderLock lock(mutex_);
  const Dictionary& users = state_.users().ids;
  std::size_t seen = 0;
  for (std::size_t from = 0, to = 0; from < pairs.size() && entries.size() < options.count;
       from = to) {
    while (to < pairs.size() && pairs[to].pair.last_ms == pairs[from].pair.last_ms) {
      ++to;
    }
    const auto first = pairs.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last = pairs.begin() + static_cast<std::ptrdiff_t>(to);
    std::sort(first, last,
              [&](const RowPair& a, const RowPair& b) { return users.Before(a.other, b.other); });
    for (std::size_t i = from; i < to && entries.size() < options.count; ++i) {
      const std::uint32_t user = pairs[i].other;
      if (users.id(user).empty() || !Visible(Side::kUser, user, now_ms)) {
        continue;  // deleted meanwhile, or not to be shown
      }
      if (seen++ >= options.offset) {
        entries.push_back(
            {std::string(users.id(user)), pairs[i].pair.weight, pairs[i].pair.last_ms});
      }
    }
  }
  return entries;
}

}  // namespace reco::engine
