// EventLog: what was acknowledged (D16). Records live in the `events` family, so RocksDB's own
// write-ahead log is the only file that is synced (D17). Owns group commit and the sync policy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "reco/options.h"
#include "reco/result.h"

#include "base/clock.h"
#include "base/function_ref.h"
#include "format/event.h"
#include "store/store.h"

namespace reco::wal {

// Changes that may wait for a commit before Stage() makes room itself.
inline constexpr std::size_t kStagedBytesMax = 64ULL << 20U;

struct LogStats {
  std::uint64_t commits = 0;  // batches written
  std::uint64_t changes = 0;  // records in them
  std::uint64_t syncs = 0;
  std::int64_t last_sync_us = 0;    // how long the last fsync took, under kAlways with its write
  std::uint64_t pending_bytes = 0;  // staged, not yet taken by a commit
};

// Thread-safe. Refers to a Store that must outlive it.
class EventLog {
 public:
  EventLog(store::Store& store, SyncPolicy policy, const Clock& clock);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Queues changes behind all queued before: `fill` runs at once, under the log's mutex, and must
  // not block or call the log. What it puts is written with one commit (I2). Answers a ticket;
  // tickets ascend. Callers that must be ordered among themselves call it under a lock of their
  // own. Refused (kIoError) after a failed commit until Reset(). When more than kStagedBytesMax
  // wait already, it first commits them itself, or waits for the commit in flight, so that memory
  // stays bounded however late callers commit.
  Result<std::uint64_t> Stage(FunctionRef<void(store::Batch&)> fill);
  // Puts the event of collection `cid` at `seq` into a batch that Stage() gave.
  static void PutEvent(store::Batch& batch, std::uint32_t cid, std::uint64_t seq,
                       std::string_view record);

  // Commits: returns when everything staged up to `ticket` is in the log (and synced under
  // kAlways). The first caller writes for all that waits (leader); others wait for it. After a
  // failure every ticket not yet committed fails with the same kIoError, also after Reset(). One
  // atomic load when the ticket is committed already.
  Status Commit(std::uint64_t ticket);
  // Of the calling thread: the newest ticket that it has staged or noted since it last took it; 0:
  // none. What it tells of the state is true for good once that is committed.
  static std::uint64_t TakeSeen();
  // Notes that the thread has read a state to which changes up to `ticket` belong.
  static void NoteSeen(std::uint64_t ticket);
  std::uint64_t last_staged() const;
  std::uint64_t last_committed() const;

  // Fsyncs what was written since the last time; the owner calls it each second under kEverySecond
  // and at close. An error makes the log refuse as a failed commit does.
  Status Sync();
  void SetPolicy(SyncPolicy policy);

  // Returns Ok, or the error of the first commit or sync that failed.
  Status Health() const;
  // Drops what is staged and uncommitted and takes writes again; the owner has made the store and
  // its own state consistent before.
  void Reset();
  LogStats stats() const;

  // Calls `visit` for the events of `cid` with seq > after, in order, until it returns false.
  // kCorruption when a number is missing or a record does not read back.
  static Status Replay(const store::Store& store, const store::Snapshot* snapshot,
                       std::uint32_t cid, std::uint64_t after,
                       FunctionRef<bool(std::uint64_t seq, const format::Event& event)> visit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reco::wal
