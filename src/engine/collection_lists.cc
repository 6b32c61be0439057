// Lists of a Collection that are not personal: popular, trending, latest, active users, audience.
#include <algorithm>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "engine/collection.h"
#include "engine/collection_queries.h"

namespace reco::engine {

namespace {

// While it is built a list may hold so many times its bound: some of that is removed later.
constexpr std::size_t kBuiltSlack = 4;

}  // namespace

// One call of a Lister for values of one side.
struct Collection::ValueList {
  Side side;
  Source source;
  std::size_t count;
  AcceptItem accept;
  const std::vector<std::uint32_t>* among;
};

std::vector<ScoredItem> Collection::ListTop(
    const ValueList& values, FunctionRef<std::vector<RankedValue>(const PageQuery&)> top) const {
  const Dictionary& ids = state_.side(values.side).ids;
  const auto before = [&ids](std::uint32_t a, std::uint32_t b) { return ids.Before(a, b); };
  PageQuery query{values.count, 0, values.accept, before};
  if (values.among != nullptr) {
    query.among = *values.among;
  }
  std::vector<ScoredItem> list;
  for (const RankedValue& found : top(query)) {
    list.push_back({found.ordinal, found.value, values.source});
  }
  return list;
}

std::vector<ScoredItem> Collection::ListValues(Side side, const RankedValues& values, Source source,
                                               std::size_t count, AcceptItem accept,
                                               const Among& among) const {
  return ListTop({side, source, count, accept, among.ordinals},
                 [&](const PageQuery& query) { return values.Top(query); });
}

Result<Ranking> Collection::Popular(PopularBy by, const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  ReaderLock lock(mutex_);
  const RankedValues& values = state_.popularity().by(by);
  return ItemPage(
      options, {},
      [&](std::size_t count, AcceptItem accept, const Among& among) NO_THREAD_SAFETY_ANALYSIS {
        return ListValues(Side::kItem, values, Source::kPopular, count, accept, among);
      });
}

Result<Ranking> Collection::Latest(const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  ReaderLock lock(mutex_);
  const RankedValues& values = state_.latest_items();
  return ItemPage(
      options, {},
      [&](std::size_t count, AcceptItem accept, const Among& among) NO_THREAD_SAFETY_ANALYSIS {
        return ListValues(Side::kItem, values, Source::kLatest, count, accept, among);
      });
}

Result<Ranking> Collection::ActiveUsers(const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  ReaderLock lock(mutex_);
  const RankedValues& values = state_.active_users();
  const auto lister = [&](std::size_t count, AcceptItem accept,
                          const Among& among) NO_THREAD_SAFETY_ANALYSIS {
    return ListValues(Side::kUser, values, Source::kActivity, count, accept, among);
  };
  RECO_ASSIGN_OR_RETURN(const auto list, List(Side::kUser, options, {}, {}, lister));
  return Page(Side::kUser, options, list);
}

// Reads a list that passes with time, and builds it first when nobody has asked for it yet.
Result<Ranking> Collection::Recent(const RecentListName& list, PopularBy by,
                                   const RankingOptions& options) const {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  if (list.seconds < 1 || list.seconds > kRecentSecondsMax) {
    return Status::InvalidArgument("a window or half-life must be 1 to " +
                                   std::to_string(kRecentSecondsMax) + " seconds");
  }
  constexpr int kAttempts = 3;  // others may drop it again by asking for four more
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::optional<Status> found;
    Result<Ranking> ranking = RecentPage(list, by, options, &found);
    if (found) {
      RECO_RETURN_IF_ERROR(*found);
    }
    if (found || !ranking.ok()) {
      return ranking;
    }
    if (Status built = BuildRecent(list); !built.ok()) {
      return built.code() == StatusCode::kNotFound ? Result<Ranking>(Ranking()) : built;
    }
  }
  return Status::Unavailable("too many windows and half-lives are in use at once");
}

// `*found` says how the list was read; nullopt when it has to be built first.
Result<Ranking> Collection::RecentPage(const RecentListName& list, PopularBy by,
                                       const RankingOptions& options,
                                       std::optional<Status>* found) const {
  const Source source =
      list.kind == RecentListName::Kind::kWindow ? Source::kPopular : Source::kTrending;
  const std::int64_t now_ms = context_.clock.NowMs();
  ReaderLock lock(mutex_);
  bool missing = false;  // at any of several searches
  const auto top = [&](const PageQuery& query) NO_THREAD_SAFETY_ANALYSIS {
    auto answer = state_.recent().Top(list, by, now_ms, query);
    missing = missing || !answer;
    *found = missing ? std::nullopt : std::optional(answer->status());
    return *found && (*found)->ok() ? std::move(*answer).value() : std::vector<RankedValue>();
  };
  return ItemPage(options, {},
                  [&](std::size_t count, AcceptItem accept, const Among& among)
                      NO_THREAD_SAFETY_ANALYSIS {
                        return ListTop({Side::kItem, source, count, accept, among.ordinals}, top);
                      });
}

Status Collection::BuildRecent(const RecentListName& list) const {
  MutexLock build(recent_mutex_);
  RecentLists& lists = recent_lists();
  if (lists.Has(list)) {
    return Status::Ok();  // another read has built it meanwhile
  }
  std::uint64_t last_seq = 0;
  std::uint64_t ticket = 0;
  {
    ReaderLock lock(mutex_);
    if (dropped_) {
      return Status::NotFound("the collection was deleted");
    }
    RECO_RETURN_IF_ERROR(context_.storage.Readable());
    last_seq = state_.last_seq();
    ticket = context_.storage.log->last_staged();
    lists.Begin();
  }
  std::unique_ptr<RecentList> built = lists.Make(list);
  built->Advance(context_.clock.NowMs());
  Status status = context_.storage.log->Commit(ticket);
  if (status.ok()) {
    status = ReplayInto(list, *built, last_seq);
  }
  if (status.ok()) {
    status = RecentLists::CheckSize(list, built->size(), kBuiltSlack);
  }
  if (status.code() == StatusCode::kResourceExhausted) {
    lists.Refuse(list, context_.clock.NowMs());
    return status;
  }
  if (!status.ok()) {
    lists.Abandon();
    return status;
  }
  return lists.End(list, std::move(built), context_.clock.NowMs());
}

// The events up to `last_seq`, without those of deleted users and items, whose ordinals never come
// back.
Status Collection::ReplayInto(const RecentListName& name, RecentList& list,
                              std::uint64_t last_seq) const {
  std::unordered_set<std::uint32_t> users;
  std::unordered_set<std::uint32_t> items;
  const auto visit = [&](std::uint64_t seq, const format::Event& event) {
    switch (event.kind) {
      case format::EventKind::kInteraction:
      case format::EventKind::kSet:
        list.Add({event.user, event.item, event.weight, event.time_ms, event.arrival_ms,
                  event.kind == format::EventKind::kSet});
        break;
      case format::EventKind::kRemove:
        list.Remove(event.user, event.item);
        break;
      case format::EventKind::kUserDelete:
        users.insert(event.user);
        break;
      case format::EventKind::kItemDelete:
        items.insert(event.item);
        break;
      case format::EventKind::kItemRecord:
      case format::EventKind::kUserRecord:
      case format::EventKind::kParameters:
        break;
    }
    return seq < last_seq && RecentLists::CheckSize(name, list.size(), kBuiltSlack).ok();
  };
  if (last_seq > 0) {
    const auto snapshot = context_.storage.store->TakeSnapshot();
    RECO_RETURN_IF_ERROR(
        wal::EventLog::Replay(*context_.storage.store, snapshot.get(), cid_, 0, visit));
  }
  list.RemoveIf([&](std::uint32_t user, std::uint32_t item) {
    return users.contains(user) || items.contains(item);
  });
  return Status::Ok();
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
