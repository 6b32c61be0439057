// Sessions: what users had to do with in one sitting, the newest of them, and which of them hold an
// item. What lists by sessions are made of; kept current event by event and never read from disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/sparse_table.h"
#include "engine/neighbours/pair_counts.h"

namespace reco::engine {

// A session is a run of a user's events without a gap of more than a day, cut at 50 items; an item
// stands at its first place in it. Sessions are numbered in the order in which they begin, and that
// is what "newest" means. Once they take more memory than they may, the oldest go.
//
// A user's history is what the kept sessions hold, one behind the other. Pairs of its items are
// counted where that is wanted: PairCounts follows each place that comes or goes.
//
// A function of the calls, so that a replay gives the same ones. Times need not ascend: an event
// more than a day before the user's newest session begins another one. Thread-compatible.
class Sessions {
 public:
  static constexpr std::size_t kItemsMax = 50;
  static constexpr std::int64_t kGapMs = 86'400'000;
  static constexpr std::uint32_t kNobody = 0xffffffff;

  // bytes_max: counted as by memory_bytes(). `pairs`: follows the histories, and counts in the
  // same bound; null where nobody wants it; borrowed.
  explicit Sessions(std::uint64_t bytes_max, PairCounts* pairs = nullptr)
      : bytes_max_(bytes_max), pairs_(pairs) {}

  // Takes in that the user had to do with the item.
  void Add(std::uint32_t user, std::uint32_t item, std::int64_t time_ms);
  // Take out what was taken in of a pair, a user, an item. Where a session was cut, or whether one
  // event bridged a gap, is not looked at anew. Histories close up, which can bring new pairs near:
  // the next Add sees to the bound.
  void Remove(std::uint32_t user, std::uint32_t item);
  // Of so many sessions at most. Return true while there are more.
  bool RemoveUser(std::uint32_t user, std::size_t most = SIZE_MAX);
  bool RemoveItem(std::uint32_t item, std::size_t most = SIZE_MAX);

  // A session as a list sees it.
  struct Session {
    std::uint64_t number = 0;
    std::span<const std::uint32_t> items;  // in the order of their first events
  };
  // Calls visit(session) for the newest `count` that hold the item, newest first, but not for those
  // of `user`. Nothing may change meanwhile.
  template <typename Visit>
  void VisitNewest(std::uint32_t item, std::size_t count, std::uint32_t user, Visit visit) const {
    const std::vector<std::uint64_t>& holding = holding_[item];
    for (auto number = holding.rbegin(); number != holding.rend() && count > 0; ++number) {
      if (*number < first_) {
        return;  // let go, as are all before it
      }
      const Stored& session = sessions_[*number - first_];
      if (session.user != user) {
        visit(Session{*number, session.items});
        --count;
      }
    }
  }
  // Returns how many sessions of a user are kept.
  std::size_t SessionsOf(std::uint32_t user) const { return of_user_[user].size(); }
  // Returns the sessions of a user that are kept, oldest first.
  std::vector<Session> OfUser(std::uint32_t user) const;

  std::uint64_t sessions() const { return live_; }
  std::uint64_t items() const { return entries_; }  // over all sessions
  std::uint64_t let_go() const { return let_go_; }  // sessions, for want of memory
  // About what all of it takes: by counts, so that it is the same in every process.
  std::uint64_t memory_bytes() const {
    return live_ * kSessionBytes + entries_ * kEntryBytes +
           (pairs_ != nullptr ? pairs_->memory_bytes() : 0);
  }

 private:
  struct Stored {
    std::uint32_t user = kNobody;  // kNobody: it is gone
    std::int64_t last_ms = 0;
    std::vector<std::uint32_t> items;
  };
  static constexpr std::uint64_t kSessionBytes = 96;  // itself and its place with its user
  static constexpr std::uint64_t kEntryBytes = 16;    // in the session, and in what holds the item

  Stored& At(std::uint64_t number) { return sessions_[number - first_]; }
  const Stored& At(std::uint64_t number) const { return sessions_[number - first_]; }
  void TakeOut(std::uint64_t number, std::uint32_t item);
  void TakeFromItem(std::uint64_t number, std::uint32_t item);
  void End(std::uint64_t number);
  void LetOldestGo();
  bool AboveBound() const {
    return memory_bytes() > bytes_max_ || (pairs_ != nullptr && pairs_->overfull());
  }
  // Tell the counts, if any, of the place that has just been put at the end of a session, of one
  // that is about to be taken out, and of the first `count` of a user, about to go.
  void CountLast(std::uint64_t number);
  void UncountOne(std::uint64_t number, std::size_t place);
  void UncountFirst(std::uint32_t user, std::size_t count);
  // The items of the user's history around a place, nearest first, as PairCounts wants them.
  std::vector<std::uint32_t> Before(std::uint64_t number, std::size_t place) const;
  std::vector<std::uint32_t> Behind(std::uint64_t number, std::size_t place) const;

  const std::uint64_t bytes_max_;
  PairCounts* const pairs_;
  std::uint64_t first_ = 0;                          // the number of sessions_.front()
  std::deque<Stored> sessions_;                      // with holes; the first is none
  SparseTable<std::vector<std::uint64_t>> of_user_;  // numbers, ascending
  // Numbers, ascending; those below first_ are let go.
  SparseTable<std::vector<std::uint64_t>> holding_;
  std::uint64_t live_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t let_go_ = 0;
};

}  // namespace reco::engine
