// Database::Impl: what a Database owns. The public class's methods are in database.cc (life,
// commit, background), keys.cc, collections.cc, jobs.cc, rankings.cc and persist/verify.cc.
//
// Lock order: state_mutex, keyspace_mutex, then a collection's, then the log's. See
// doc/engine/database.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "reco/engine.h"

#include "base/mutex.h"
#include "engine/collection/collection.h"
#include "engine/database/key_tickets.h"
#include "engine/database/keyspace.h"
#include "engine/jobs/jobs.h"
#include "engine/rows/storage.h"
#include "engine/state/approximate_items.h"
#include "engine/state/holds.h"
#include "index/stepped_search.h"
#include "store/directory_lock.h"

namespace rocksdb {
class Env;
}

namespace reco::engine {

// The parts that tests put under a database.
struct DatabaseHooks {
  const Clock* clock = nullptr;
  rocksdb::Env* env = nullptr;
  bool background_threads = true;  // false: checkpoints and jobs only when asked for
  // Rows that a scan visits before it gives the collection's lock back.
  std::size_t scan_step_rows = index::SteppedSearch::kStepRows;
  std::size_t approximate_items_min = kApproximateItemsMin;
};

// The way behind the public class, for tests.
class DatabaseAccess {
 public:
  static Result<std::unique_ptr<Database>> Open(const Options& options, const DatabaseHooks& hooks);
  // For databases without threads: does one round of background work; trains `key` from start to
  // end, whose outcome the jobs show; attempts once to take writes again.
  static void Maintain(Database& database);
  static void RunJob(Database& database, std::string_view key);
  static void Recover(Database& database);
  // The number of times that the item index of `key` was re-sorted.
  static std::uint64_t IndexResorts(const Database& database, std::string_view key);
  static const HoldTimes& Holds(const Database& database);
};

}  // namespace reco::engine

namespace reco {

// Thread-safe. Every operation holds state_mutex shared for its whole length, so that recovery from
// an I/O error, which holds it exclusively, finds nobody inside.
class Database::Impl {
 public:
  using JobBody =
      std::function<Status(engine::Collection&, engine::RunningJob&, engine::JobResult*)>;

  Impl(const Options& options, const engine::DatabaseHooks& hooks);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status Open() EXCLUDES(state_mutex);
  void StartThreads();
  // Waits `us`. Returns false when the threads are to stop.
  bool Pause(std::int64_t us) EXCLUDES(threads_mutex);
  void SyncLog() EXCLUDES(state_mutex);
  void StopThreads();

  // Closes the folder, opens it again and replaces the whole state by what is stored. No-op when
  // another thread has done so. On an error writes stay refused and this is tried again later (D8).
  void Recover(const Status& reason) EXCLUDES(state_mutex);
  void RecoverLocked(const Status& reason) REQUIRES(state_mutex);
  // Returns Ok, or why writes are refused (I9).
  Status CheckWritable() const;
  // Begins a write: CheckWritable, and the generation that its end commits.
  Result<std::uint64_t> BeginWrite() const;
  // Ends a write: commits unless deferred.
  Status Finish(const WriteOptions& write, std::uint64_t write_generation) EXCLUDES(state_mutex);
  // Commits everything staged. kIoError when the generation is over: what the write did is undone
  // (I15).
  Status Commit(std::uint64_t write_generation) EXCLUDES(state_mutex);
  // Checkpoints what is due (`all`: everything); recovers from a failure.
  Status CheckpointCollections(bool all) EXCLUDES(state_mutex);
  // Does one round of the maintenance thread.
  void Maintain(std::int64_t now_us) EXCLUDES(state_mutex);
  void FlushIfOld(std::int64_t now_us) EXCLUDES(state_mutex);
  void KeepInventory(std::int64_t now_us) EXCLUDES(state_mutex);
  void ExpireKeys() EXCLUDES(state_mutex);
  void StartDueRetrains() EXCLUDES(state_mutex);
  void DropReplacedModels() EXCLUDES(state_mutex, keyspace_mutex);
  std::uint64_t CountMemory() const EXCLUDES(state_mutex, keyspace_mutex);
  void Log(LogLevel level, std::string_view message) const;
  // Warns of a time (0: none) before 2001, which is likely one in seconds. At most every ten
  // seconds.
  void WarnOfSeconds(std::string_view what, std::int64_t time_ms);

  // Finds a key and notes that the thread has read it; null when it is absent or expired. Valid
  // until the key changes.
  const engine::KeyEntry* ReadKey(KeyRef key) const REQUIRES_SHARED(keyspace_mutex);
  // Notes so for who looks a key up in order to change it: that there was nothing to change is read
  // too.
  void NoteKeyRead(KeyRef key) const REQUIRES_SHARED(keyspace_mutex);
  // Notes that the thread has read many keys, or which there are.
  void NoteKeysRead() const REQUIRES_SHARED(keyspace_mutex);
  // Returns the collection of a key; null when the key is absent, kWrongType when it holds a
  // string.
  Result<std::shared_ptr<engine::Collection>> FindCollection(KeyRef key) const
      REQUIRES_SHARED(state_mutex) EXCLUDES(keyspace_mutex);
  // Returns the collection of a key, and creates a missing one with the server's defaults.
  Result<std::shared_ptr<engine::Collection>> NeedCollection(KeyRef key)
      REQUIRES_SHARED(state_mutex) EXCLUDES(keyspace_mutex);
  // One write on the collection of a key.
  template <typename T>
  struct CollectionWrite {
    FunctionRef<Result<T>(engine::Collection&)> run;
    // Checks the input before a missing collection is created; null: the write creates none.
    std::optional<FunctionRef<Status()>> check_new = std::nullopt;
  };
  Result<bool> ChangeKeyRecord(KeyRef key, const WriteOptions& write,
                               FunctionRef<Result<bool>(engine::Collection&)> change,
                               FunctionRef<void(engine::Collection&)> undo) EXCLUDES(state_mutex);
  static Status LoadRules(const std::vector<Rule>& rules, engine::Collection& collection);
  // Reads the collection of a key; returns `missing` without one.
  template <typename T>
  Result<T> ReadCollection(KeyRef key, T missing,
                           FunctionRef<Result<T>(const engine::Collection&)> read) const
      EXCLUDES(state_mutex) {
    ReaderLock lock(state_mutex);
    RECO_ASSIGN_OR_RETURN(const auto collection, FindCollection(key));
    return collection != nullptr ? read(*collection) : Result<T>(std::move(missing));
  }
  // Runs a write. Returns T() for a missing collection that is not to be created. Looks the key up
  // again when the collection was deleted in between.
  template <typename T>
  Result<T> WriteCollection(KeyRef key, const WriteOptions& write, const CollectionWrite<T>& body)
      EXCLUDES(state_mutex);
  Result<std::shared_ptr<engine::Collection>> CreateCollection(KeyRef key,
                                                               const CollectionOptions& options)
      REQUIRES_SHARED(state_mutex) REQUIRES(keyspace_mutex);
  Result<std::uint64_t> StartJob(JobKind kind, KeyRef key, JobBody run)
      EXCLUDES(job_mutex, state_mutex);
  void RunJobs();
  // Runs the next queued job. Returns false when there is none.
  bool RunNextJob() EXCLUDES(job_mutex, state_mutex, threads_mutex);
  Status StoreStart(std::uint64_t id) EXCLUDES(state_mutex, keyspace_mutex);
  std::string NextNumbers(std::uint32_t cid) const;
  void StoreJob(const engine::JobChange& change) EXCLUDES(state_mutex);
  void NoteJobsRead() const EXCLUDES(job_mutex, state_mutex);
  // Returns all collections with their keys' names, to work on without the key space's lock.
  std::vector<std::pair<std::string, std::shared_ptr<engine::Collection>>> Collections() const
      EXCLUDES(keyspace_mutex);

  // Stages a change of keys; memory has it already, so when it is refused whoever reads a key waits
  // for the recovery.
  Result<std::uint64_t> StageChange(FunctionRef<void(store::Batch&)> fill)
      REQUIRES_SHARED(state_mutex) REQUIRES(keyspace_mutex);
  // The rows of the keys family, encoded and staged.
  static std::string EncodeKey(const engine::KeyEntry& entry);
  Status StageKey(KeyRef key, const engine::KeyEntry& entry) REQUIRES_SHARED(state_mutex)
      REQUIRES(keyspace_mutex);
  Status StageSet(KeyRef key, const engine::Keyspace::SetResult& result, std::int64_t now_ms)
      REQUIRES_SHARED(state_mutex) REQUIRES(keyspace_mutex);
  // Marks a collection as deleted, and has it freed later. Waits for no checkpoint.
  void Drop(const std::shared_ptr<engine::Collection>& collection) REQUIRES_SHARED(state_mutex)
      REQUIRES(keyspace_mutex) EXCLUDES(erased_mutex, threads_mutex);
  Status StageFlush(std::uint32_t db) REQUIRES_SHARED(state_mutex) REQUIRES(keyspace_mutex);
  // Removes the key's row and, for a collection, everything of it.
  Status StageErase(KeyRef key, const engine::KeyEntry& entry) REQUIRES_SHARED(state_mutex)
      REQUIRES(keyspace_mutex);

  Options options;
  std::unique_ptr<store::DirectoryLock> folder_lock;  // over every store that is opened in between
  const engine::DatabaseHooks hooks;
  const Clock& clock;
  engine::Storage storage;  // replaced under state_mutex
  engine::RowBudget row_budget;
  engine::MemoryBudget memory;
  engine::HoldTimes holds;
  engine::CollectionContext context;

  mutable SharedMutex state_mutex;
  mutable SharedMutex keyspace_mutex;
  engine::Keyspace keyspace GUARDED_BY(keyspace_mutex);
  engine::KeyTickets key_tickets GUARDED_BY(keyspace_mutex);
  std::uint32_t next_cid GUARDED_BY(keyspace_mutex) = 1;
  std::unique_ptr<engine::JobTable> jobs;
  mutable Mutex job_mutex;  // held while a job comes or ends, until that is staged; before others

  mutable Mutex health_mutex;
  Status health GUARDED_BY(health_mutex);
  std::atomic<bool> degraded = false;  // mirrors health; checked by every write
  std::atomic<SyncPolicy> sync_policy;
  // Memory may hold changes of a commit that failed: it has to be loaded again.
  bool memory_is_stale GUARDED_BY(state_mutex) = false;

  // Counts the states that recovery has put in the place of another: a write is durable only when
  // it is committed in the generation that it was made in (I15).
  std::atomic<std::uint64_t> generation = 1;
  std::atomic<std::uint64_t> recoveries = 0;
  std::atomic<int> recoverers = 0;  // threads in Recover()
  std::atomic<std::uint64_t> expired_keys = 0;
  std::atomic<std::uint64_t> checkpoints = 0;
  std::atomic<std::int64_t> last_checkpoint_ms = 0;
  std::atomic<std::int64_t> warn_after_us = 0;  // of seconds; monotonic. Only has to be a hint

  struct QueuedJob {
    engine::RunningJob job;
    std::shared_ptr<engine::Collection> collection;
    JobBody run;
  };
  // Collections that were deleted, for the maintenance thread to free: that takes 0.3 us a pair.
  struct Erased {
    std::shared_ptr<engine::Collection> collection;
    // A checkpoint or job was at work on it: rows that it has written behind their deletion are to
    // be deleted again, once nobody works on it any more.
    bool written_behind = false;
  };
  Mutex erased_mutex;
  std::vector<Erased> erased GUARDED_BY(erased_mutex);

  Mutex threads_mutex;
  CondVar threads_wake;
  bool stopping GUARDED_BY(threads_mutex) = false;
  std::deque<QueuedJob> job_queue GUARDED_BY(threads_mutex);
  std::int64_t memory_returned_us = 0;                                 // confined to RunNextJob
  std::set<std::uint32_t> busy_collections GUARDED_BY(threads_mutex);  // cids with a job to run
  std::int64_t housekeeping_us = 0;                                    // confined to Maintain
  std::int64_t second_us = 0;                                          // confined to Maintain
  std::int64_t recover_after_us = 0;                                   // confined to Maintain
  std::int64_t flushed_us = 0;                                         // confined to Maintain
  std::thread sync_thread;
  std::thread maintenance_thread;
  std::thread job_thread;

 private:
  Status OpenStore(bool read_only) REQUIRES(state_mutex);
  // Opens the folder for writing and loads what is stored.
  Status Reopen() REQUIRES(state_mutex);
  void ServeReadOnly() REQUIRES(state_mutex);
  // Nothing is written of a folder that is open `read_only`: the next start catches up on it.
  Status CheckFormatVersion(bool read_only) REQUIRES(state_mutex);
  Status LoadAll(bool read_only) REQUIRES(state_mutex);
  Status LoadKeys() REQUIRES(state_mutex) EXCLUDES(keyspace_mutex);
  Status LoadJobs(bool read_only) REQUIRES(state_mutex);
  Status ProbeWrite() REQUIRES(state_mutex);
  void SetHealth(const Status& status);
  void SolvePutOff() EXCLUDES(state_mutex);
  void FreeErased() EXCLUDES(state_mutex, keyspace_mutex, erased_mutex);
  void TryToRecover(std::int64_t now_us) EXCLUDES(state_mutex);
};

}  // namespace reco
