// Lists of a Collection that are not personal: popular, latest, active users, an item's audience.
#include <algorithm>
#include <utility>

#include "engine/collection.h"

namespace reco::engine {
namespace {

void SortUnique(std::vector<std::uint32_t>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

std::vector<std::uint32_t> SortedOrdinals(const Dictionary& ids,
                                          std::span<const std::string_view> names) {
  std::vector<std::uint32_t> ordinals;
  for (const std::string_view name : names) {
    if (const auto ordinal = ids.Find(name)) {
      ordinals.push_back(*ordinal);
    }
  }
  SortUnique(&ordinals);
  return ordinals;
}

}  // namespace

bool Collection::Visible(Side side, std::uint32_t ordinal, std::int64_t now_ms) const {
  const auto& attributes = state_.side(side).attributes;
  if (attributes.empty()) {
    return true;
  }
  const auto found = attributes.find(ordinal);
  return found == attributes.end() ||
         (!found->second.hidden &&
          (found->second.expire_at_ms == 0 || found->second.expire_at_ms > now_ms));
}

Ranking Collection::RankPage(Side side, Source source, const RankingOptions& options,
                             FunctionRef<bool(std::uint32_t)> accept, TopValues top) const {
  const Dictionary& ids = state_.side(side).ids;
  const auto before = [&ids](std::uint32_t a, std::uint32_t b) { return ids.Before(a, b); };
  PageQuery query{options.count, options.offset, accept, before};
  std::vector<std::uint32_t> candidates;
  if (options.include) {
    candidates = SortedOrdinals(ids, *options.include);
    query.among = candidates;
  }
  Ranking ranking;
  for (const RankedValue& found : top(query)) {
    ranking.entries.push_back({std::string(ids.id(found.ordinal)), found.value, source});
  }
  return ranking;
}

Ranking Collection::ListPage(Side side, Source source, const RankingOptions& options,
                             TopValues top) const {
  const std::int64_t now_ms = context_.clock.NowMs();
  const std::vector<std::uint32_t> left_out =
      SortedOrdinals(state_.side(side).ids, options.exclude);
  const auto accept = [&](std::uint32_t ordinal) NO_THREAD_SAFETY_ANALYSIS {
    return !std::binary_search(left_out.begin(), left_out.end(), ordinal) &&
           Visible(side, ordinal, now_ms);
  };
  return RankPage(side, source, options, accept, top);
}

Ranking Collection::RankPopular(PopularBy by, const RankingOptions& options,
                                FunctionRef<bool(std::uint32_t)> accept) const {
  const RankedValues& values = state_.popularity().by(by);
  return RankPage(Side::kItem, Source::kPopular, options, accept,
                  [&](const PageQuery& query) { return values.Top(query); });
}

Result<Ranking> Collection::Popular(PopularBy by, const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckRankingOptions(options));
  ReaderLock lock(mutex_);
  const RankedValues& values = state_.popularity().by(by);
  return ListPage(Side::kItem, Source::kPopular, options,
                  [&](const PageQuery& query) { return values.Top(query); });
}

Result<Ranking> Collection::Latest(const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckRankingOptions(options));
  ReaderLock lock(mutex_);
  const RankedValues& values = state_.latest_items();
  return ListPage(Side::kItem, Source::kLatest, options,
                  [&](const PageQuery& query) { return values.Top(query); });
}

Result<Ranking> Collection::ActiveUsers(const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckRankingOptions(options));
  ReaderLock lock(mutex_);
  const RankedValues& values = state_.active_users();
  return ListPage(Side::kUser, Source::kActivity, options,
                  [&](const PageQuery& query) { return values.Top(query); });
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
