// Group commit: whoever comes first while nobody writes leads, takes all that is staged and writes
// it as one batch; others wait on `decided`. Tickets say what a commit has covered:
// `last_committed` for what is there, `lost` for what never will be.
#include "wal/event_log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/coding.h"
#include "base/mutex.h"
#include "format/keys.h"

namespace reco::wal {
namespace {

// Ranges of lost tickets remembered one by one; older ones are merged.
constexpr std::size_t kLostRangesMax = 64;

// A leader that is about to sync waits at most this share of the last sync's time, and at most so
// long, for as many changes as came around the last one.
constexpr std::int64_t kGatherShare = 4;
constexpr std::int64_t kGatherUsMax = 1'000;

// A larger batch gives its memory back once it is written.
constexpr std::size_t kBatchBytesKept = 4U << 20U;

thread_local std::uint64_t seen = 0;  // TakeSeen()

Status AsIoError(const Status& status) {
  return status.code() == StatusCode::kIoError ? status
                                               : Status::IoError(std::string(status.message()));
}

}  // namespace

struct EventLog::Impl {
  Impl(store::Store& the_store, SyncPolicy the_policy, const Clock& the_clock)
      : store(the_store), clock(the_clock), policy(the_policy) {}

  // Tickets [first, last] were dropped by a Reset().
  struct LostRange {
    std::uint64_t first;
    std::uint64_t last;
  };

  // Writes what is staged; the mutex is released meanwhile. Needs !leading.
  void Lead() REQUIRES(mutex);
  // Gives those whose writes the last sync answered, or who came while it ran, the time to be in
  // this one. Without it two threads take turns, each with half of the clients in its sync (D19).
  void Gather() REQUIRES(mutex);
  // Returns Ok when `ticket` is committed, an error when it never will be, nullopt while that is
  // not decided.
  std::optional<Status> Outcome(std::uint64_t ticket) const REQUIRES(mutex);
  void Fail(const Status& status) REQUIRES(mutex);
  // Makes room for another change.
  Status Admit() REQUIRES(mutex);

  store::Store& store;
  const Clock& clock;

  mutable Mutex mutex;
  CondVar decided;                             // a commit has ended
  CondVar gathered;                            // as many changes as expected are staged
  std::size_t expected GUARDED_BY(mutex) = 0;  // changes of the last sync and of those behind it
  bool gathering GUARDED_BY(mutex) = false;
  store::Batch staged GUARDED_BY(mutex);
  store::Batch writing;  // of the leader alone; `leading` hands it on under the mutex
  bool leading GUARDED_BY(mutex) = false;
  bool unsynced GUARDED_BY(mutex) = false;  // something was written without a sync
  SyncPolicy policy GUARDED_BY(mutex);
  Status failure GUARDED_BY(mutex);
  std::vector<LostRange> lost GUARDED_BY(mutex);
  LogStats counted GUARDED_BY(mutex);

  // Written under the mutex. Release/acquire: who reads a committed ticket also sees what the
  // commit did.
  std::atomic<std::uint64_t> last_staged = 0;
  std::atomic<std::uint64_t> last_committed = 0;
  // Tickets up to here may be lost; stored before last_committed passes them.
  std::atomic<std::uint64_t> last_lost = 0;
};

void EventLog::Impl::Fail(const Status& status) {
  if (failure.ok()) {
    failure = AsIoError(status);
  }
}

void EventLog::Impl::Gather() {
  std::int64_t left_us = std::min(counted.last_sync_us / kGatherShare, kGatherUsMax);
  gathering = true;
  // `expected` is who was there at the last sync: under the same load they are on their way.
  while (left_us > 0 && staged.count() < expected) {
    const std::int64_t begin_us = clock.MonotonicUs();
    if (!gathered.WaitFor(mutex, std::chrono::microseconds(left_us))) {
      break;
    }
    left_us -= clock.MonotonicUs() - begin_us;
  }
  gathering = false;
}

void EventLog::Impl::Lead() {
  leading = true;
  if (policy == SyncPolicy::kAlways) {
    Gather();
  }
  // Swapped under the mutex, so that what is staged from here on goes with the next batch.
  writing.Clear();
  std::swap(writing, staged);
  const std::uint64_t ticket = last_staged.load(std::memory_order_relaxed);
  const std::size_t changes = writing.count();
  const bool sync = policy == SyncPolicy::kAlways;

  mutex.Unlock();
  const std::int64_t begin_us = clock.MonotonicUs();
  Status status;
  if (changes > 0) {
    status = store.Write(writing, sync);
  }
  const std::int64_t end_us = clock.MonotonicUs();
  mutex.Lock();

  // What was written is what was staged together, and nothing staged before is still to come.
  RECO_DCHECK(writing.count() == changes, "I2");
  RECO_DCHECK(ticket >= last_committed.load(std::memory_order_relaxed), "I1");
  leading = false;
  if (writing.size_bytes() > kBatchBytesKept) {
    writing = store::Batch();
  }
  if (status.ok()) {
    last_committed.store(ticket, std::memory_order_release);
    if (changes > 0) {
      ++counted.commits;
      counted.changes += changes;
      if (sync) {
        ++counted.syncs;
        counted.last_sync_us = end_us - begin_us;
        expected = changes + (staged.empty() ? 0 : staged.count());
      } else {
        unsynced = true;
      }
    }
  } else {
    Fail(status);
  }
  decided.NotifyAll();
}

std::optional<Status> EventLog::Impl::Outcome(std::uint64_t ticket) const {
  // Lost ranges first: Reset() has moved last_committed over them.
  for (const LostRange& range : lost) {
    if (ticket >= range.first && ticket <= range.last) {
      return Status::IoError("the write was dropped after a failed commit");
    }
  }
  if (ticket <= last_committed.load(std::memory_order_relaxed)) {
    return Status();
  }
  if (!failure.ok()) {
    return failure;
  }
  return std::nullopt;
}

Status EventLog::Impl::Admit() {
  while (failure.ok() && staged.size_bytes() > kStagedBytesMax) {
    if (leading) {
      decided.Wait(mutex);
    } else {
      Lead();
    }
  }
  return failure;
}

EventLog::EventLog(store::Store& store, SyncPolicy policy, const Clock& clock)
    : impl_(std::make_unique<Impl>(store, policy, clock)) {}

EventLog::~EventLog() = default;

Result<std::uint64_t> EventLog::Stage(FunctionRef<void(store::Batch&)> fill) {
  MutexLock lock(impl_->mutex);
  RECO_RETURN_IF_ERROR(impl_->Admit());
  // Behind Admit, the last thing that may fail: callers change their memory in `fill` (I5).
  fill(impl_->staged);
  const std::uint64_t ticket = impl_->last_staged.load(std::memory_order_relaxed) + 1;
  impl_->last_staged.store(ticket, std::memory_order_release);
  NoteSeen(ticket);
  if (impl_->gathering && impl_->staged.count() >= impl_->expected) {
    impl_->gathered.NotifyOne();
  }
  return ticket;
}

void EventLog::PutEvent(store::Batch& batch, std::uint32_t cid, std::uint64_t seq,
                        std::string_view record) {
  RECO_DCHECK(seq > 0, "I1");  // 0 stands for the state before the first event
  batch.Put(store::Family::kEvents, format::EventKey(cid, seq), record);
}

Status EventLog::Commit(std::uint64_t ticket) {
  // last_committed first: once it covers a lost ticket, last_lost is seen to cover it as well.
  if (ticket <= impl_->last_committed.load(std::memory_order_acquire) &&
      ticket > impl_->last_lost.load(std::memory_order_relaxed)) {
    return {};
  }
  MutexLock lock(impl_->mutex);
  if (ticket > impl_->last_staged.load(std::memory_order_relaxed)) {
    return Status::InvalidArgument("ticket " + std::to_string(ticket) + " was never staged");
  }
  while (true) {
    // Asked anew after each batch: this ticket may have been in it, or behind it.
    if (std::optional<Status> outcome = impl_->Outcome(ticket)) {
      return *std::move(outcome);
    }
    if (impl_->leading) {
      impl_->decided.Wait(impl_->mutex);
    } else {
      impl_->Lead();
    }
  }
}

std::uint64_t EventLog::TakeSeen() {
  return std::exchange(seen, 0);
}

void EventLog::NoteSeen(std::uint64_t ticket) {
  seen = std::max(seen, ticket);
}

std::uint64_t EventLog::last_staged() const {
  return impl_->last_staged.load(std::memory_order_acquire);
}

std::uint64_t EventLog::last_committed() const {
  return impl_->last_committed.load(std::memory_order_acquire);
}

Status EventLog::Sync() {
  {
    MutexLock lock(impl_->mutex);
    RECO_RETURN_IF_ERROR(impl_->failure);
    if (!impl_->unsynced) {
      return {};
    }
    // Cleared before the sync: what is written while it runs is for the next one.
    impl_->unsynced = false;
  }
  const std::int64_t begin_us = impl_->clock.MonotonicUs();
  const Status status = impl_->store.SyncLog();
  const std::int64_t end_us = impl_->clock.MonotonicUs();

  MutexLock lock(impl_->mutex);
  if (!status.ok()) {
    impl_->unsynced = true;
    impl_->Fail(status);
    return impl_->failure;
  }
  ++impl_->counted.syncs;
  impl_->counted.last_sync_us = end_us - begin_us;
  return {};
}

void EventLog::SetPolicy(SyncPolicy policy) {
  MutexLock lock(impl_->mutex);
  impl_->policy = policy;
}

Status EventLog::Health() const {
  MutexLock lock(impl_->mutex);
  return impl_->failure;
}

void EventLog::Reset() {
  MutexLock lock(impl_->mutex);
  // The leader writes without the mutex, from a batch that must not be taken from under it.
  while (impl_->leading) {
    impl_->decided.Wait(impl_->mutex);
  }
  const std::uint64_t committed = impl_->last_committed.load(std::memory_order_relaxed);
  const std::uint64_t last = impl_->last_staged.load(std::memory_order_relaxed);
  if (last > committed) {
    std::vector<Impl::LostRange>& lost = impl_->lost;
    lost.push_back({committed + 1, last});
    if (lost.size() > kLostRangesMax) {
      // Also disowns the committed tickets between the two, whose callers have long gone.
      lost[1].first = lost[0].first;
      lost.erase(lost.begin());
    }
    // In this order: whoever sees last_committed cover a lost ticket sees that it is lost (Commit).
    impl_->last_lost.store(last, std::memory_order_relaxed);
    impl_->last_committed.store(last, std::memory_order_release);
  }
  impl_->staged.Clear();
  impl_->failure = {};
}

LogStats EventLog::stats() const {
  MutexLock lock(impl_->mutex);
  LogStats stats = impl_->counted;
  stats.pending_bytes = impl_->staged.empty() ? 0 : impl_->staged.size_bytes();
  return stats;
}

Status EventLog::Replay(const store::Store& store, const store::Snapshot* snapshot,
                        std::uint32_t cid, std::uint64_t after,
                        FunctionRef<bool(std::uint64_t seq, const format::Event& event)> visit) {
  if (after == std::numeric_limits<std::uint64_t>::max()) {
    return {};
  }
  const std::string prefix = format::CollectionPrefix(cid);
  const auto where = [cid](std::uint64_t seq) {
    return "event " + std::to_string(seq) + " of collection " + std::to_string(cid);
  };
  const auto events = store.Scan(store::Family::kEvents, prefix, snapshot);
  std::uint64_t expected = after + 1;
  for (events->Seek(format::EventKey(cid, expected)); events->Valid(); events->Next()) {
    const std::string_view key = events->key();
    if (key.size() != prefix.size() + sizeof(std::uint64_t)) {
      return Status::Corruption("family events: a key of " + std::to_string(key.size()) +
                                " bytes in collection " + std::to_string(cid));
    }
    const auto seq = ReadBigEndian<std::uint64_t>(key, prefix.size());
    // What commits have written has no gap (I1), so one is damage.
    if (seq != expected) {
      return Status::Corruption("family events: " + where(expected) + " is missing, found " +
                                std::to_string(seq));
    }
    const Result<format::Event> event = format::DecodeEvent(events->value());
    if (!event.ok()) {
      return Status::Corruption("family events: " + where(seq) + ": " +
                                std::string(event.status().message()));
    }
    if (!visit(seq, *event)) {
      return {};
    }
    ++expected;
  }
  return events->status();
}

}  // namespace reco::wal
