#include "engine/persist/recent_list_build.h"

#include <memory>
#include <unordered_set>
#include <utility>

#include "format/event_effect.h"

namespace reco::engine::persist {
namespace {

// While it is built a list may hold so many times its bound: some of that is removed later.
constexpr std::size_t kBuiltSlack = 4;

// Adds the events up to `last_seq`, without those of deleted users and items, whose ordinals never
// come back (I10).
Status ReplayInto(const SharedState& shared, const RecentListName& name, RecentList& list,
                  std::uint64_t last_seq) {
  std::unordered_set<std::uint32_t> users;
  std::unordered_set<std::uint32_t> items;
  const auto visit = [&](std::uint64_t seq, const format::Event& event) {
    format::MatchEffect(
        event,
        [&](const format::PairAdded& pair) {
          list.Add({pair.user, pair.item, event.weight, event.happened_ms(), event.arrival_ms,
                    format::Replaces(event.kind)});
        },
        [&](const format::PairRemoved& pair) { list.Remove(pair.user, pair.item); },
        [&](const format::Deleted& gone) {
          (gone.side == Side::kUser ? users : items).insert(gone.ordinal);
        },
        [](const format::RecordSet&) {}, [](const format::RowsSolved&) {},
        [](const format::NoEffect&) {});
    // Ends at the event where setting aside began, or as soon as the list has grown beyond its
    // bound.
    return seq < last_seq && RecentLists::CheckSize(name, list.size(), kBuiltSlack).ok();
  };
  // A snapshot, since the log is written on meanwhile.
  if (last_seq > 0) {
    const auto snapshot = shared.context().storage.store->TakeSnapshot();
    RECO_RETURN_IF_ERROR(wal::EventLog::Replay(*shared.context().storage.store, snapshot.get(),
                                               shared.cid(), 0, visit));
  }
  // Deleted users and items leave in one pass at the end: the list does not know the pairs of one
  // of them.
  list.RemoveIf([&](std::uint32_t user, std::uint32_t item) {
    return users.contains(user) || items.contains(item);
  });
  return Status::Ok();
}

}  // namespace

Status BuildRecent(const SharedState& shared, const RecentListName& list) {
  const TurnLock turn(shared.turns().recent);
  RecentLists& lists = shared.recent();
  if (lists.Has(list)) {
    return Status::Ok();  // another read has built it meanwhile
  }
  std::uint64_t last_seq = 0;
  std::uint64_t ticket = 0;
  {
    // What is applied from here on is set aside; the log up to here makes the list. Both under one
    // lock, or an event would be in both or in neither.
    ReadView view(shared);
    if (view.dropped()) {
      return Status::NotFound("the collection was deleted");
    }
    RECO_RETURN_IF_ERROR(shared.context().storage.Readable());
    last_seq = view.state().last_seq();
    ticket = shared.context().storage.log->last_staged();
    lists.Begin();
  }
  std::unique_ptr<RecentList> built = lists.Make(list);
  // Time is set before the events, so that those long past are passed over at once.
  built->Advance(shared.context().clock.NowMs());
  // The log is read from disk, and the last events may still be staged.
  Status status = shared.context().storage.log->Commit(ticket);
  if (status.ok()) {
    status = ReplayInto(shared, list, *built, last_seq);
  }
  if (status.ok()) {
    // The replay ends without an error when the list has grown too large.
    status = RecentLists::CheckSize(list, built->size(), kBuiltSlack);
  }
  if (status.code() == StatusCode::kResourceExhausted) {
    lists.Refuse(list, shared.context().clock.NowMs());
    return status;
  }
  // Without this changes would be set aside for ever.
  if (!status.ok()) {
    lists.Abandon();
    return status;
  }
  return lists.End(list, std::move(built), shared.context().clock.NowMs());
}

}  // namespace reco::engine::persist
