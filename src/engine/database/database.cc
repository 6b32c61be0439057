// The life of a Database: opening, committing, recovering from I/O errors, background threads. The
// rule behind all of it: whoever works holds state_mutex shared, recovery holds it exclusively, so
// nobody sees a state that is half replaced (D8).
#include "engine/database/database.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/background.h"
#include "base/check.h"
#include "base/thread_name.h"
#include "engine/collection/reads.h"
#include "engine/persist/model_reader.h"
#include "format/keys.h"
#include "format/records.h"

namespace reco {
namespace {

using engine::Collection;
using engine::DatabaseHooks;

constexpr std::int64_t kMaintenanceUs = 10'000;       // between two looks at what is due
constexpr std::int64_t kHousekeepingUs = 100'000;     // expiry and memory accounting
constexpr std::int64_t kSecondUs = 1'000'000;         // retrain triggers, recovery attempts
constexpr std::int64_t kUnflushedUsMax = 60'000'000;  // age of what a crash would take from tables
constexpr std::size_t kExpiredPerRound = 1'000;
constexpr std::uint64_t kFlushAtCloseBytes = 8ULL << 20U;
constexpr std::string_view kProbeKey = "probe";

}  // namespace

// --- Opening ------------------------------------------------------------------------------------

Database::Impl::Impl(const Options& database_options, const DatabaseHooks& database_hooks)
    : options(database_options),
      hooks(database_hooks),
      clock(hooks.clock != nullptr ? *hooks.clock : SystemClock()),
      context{storage,
              options,
              clock,
              row_budget,
              memory,
              holds,
              hooks.scan_step_rows,
              hooks.approximate_items_min},
      keyspace(options.databases),
      sync_policy(options.sync) {
  memory.limit_bytes = options.memory_bytes_max;
  row_budget.limit_bytes = static_cast<std::int64_t>(options.row_cache_bytes);
}

Database::Impl::~Impl() {
  // The order matters: no thread may work on what is closed; checkpoints leave the next start
  // little to replay; what they staged must be in the log before that goes to the disk.
  StopThreads();
  // While writes are refused memory may hold what was never committed.
  if (!degraded) {
    SolvePutOff();
    FreeErased();
    CheckpointCollections(true).IgnoreError("the log holds everything");
    Commit(generation).IgnoreError("nobody is left to tell");
    if (storage.log != nullptr) {
      storage.log->Sync().IgnoreError("nobody is left to tell");
    }
    // What the next start would replay; and RocksDB's log is read back some times slower than its
    // tables are written now.
    if (storage.store != nullptr && (storage.store->has_unflushed_groups() ||
                                     storage.store->unflushed_bytes() > kFlushAtCloseBytes)) {
      storage.store->Flush().IgnoreError("the log holds everything");
    }
    if (storage.store != nullptr) {
      storage.store->WriteInventory(/*sync=*/true).IgnoreError("the one before is true as well");
    }
  }
}

void Database::Impl::Log(LogLevel level, std::string_view message) const {
  if (options.log) {
    options.log(level, message);
  }
}

void Database::Impl::WarnOfSeconds(std::string_view what, std::int64_t time_ms) {
  constexpr std::int64_t k2001Ms = 978'307'200'000;  // in seconds a time of the year 32970
  constexpr std::int64_t kPauseUs = 10'000'000;
  if (time_ms <= 0 || time_ms >= k2001Ms) {
    return;
  }
  const std::int64_t now_us = clock.MonotonicUs();
  std::int64_t after_us = warn_after_us.load();
  // One of several threads at a time.
  if ((after_us != 0 && now_us < after_us) ||
      !warn_after_us.compare_exchange_strong(after_us, now_us + kPauseUs)) {
    return;
  }
  Log(LogLevel::kWarning, std::string(what) + " is " + std::to_string(time_ms) +
                              " ms, which is before 2001: times are in milliseconds, not seconds");
}

Status Database::Impl::OpenStore(bool read_only) {
  store::StoreOptions store_options;
  store_options.path = options.path;
  store_options.block_cache_bytes = options.block_cache_bytes;
  store_options.open_files_max = options.open_files_max;
  store_options.write_buffer_bytes = options.write_buffer_bytes;
  store_options.read_only = read_only;
  store_options.env = hooks.env;
  store_options.log = options.log;
  RECO_ASSIGN_OR_RETURN(storage.store, store::Store::Open(store_options));
  // Each store gets a new log, whose tickets and failures are those of one open folder.
  storage.log = std::make_unique<wal::EventLog>(*storage.store, sync_policy.load(), clock);
  {
    WriterLock lock(keyspace_mutex);
    key_tickets.Clear();
  }
  return Status::Ok();
}

Status Database::Impl::CheckFormatVersion(bool read_only) {
  RECO_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                        storage.store->Get(store::Family::kDefault, format::kFormatVersionKey));
  const auto put_version = [this] {
    store::Batch batch;
    batch.Put(store::Family::kDefault, format::kFormatVersionKey,
              format::EncodeFormatVersion(format::kFormatVersion));
    return storage.store->Write(batch, true);
  };
  // A new folder gets its number first, synced, so that no data is ever there without it.
  if (!stored) {
    return put_version();
  }
  RECO_ASSIGN_OR_RETURN(const std::uint32_t version, format::DecodeFormatVersion(*stored));
  if (version > format::kFormatVersion) {
    return Status::FailedPrecondition(
        "the folder has format version " + std::to_string(version) + ", this program reads up to " +
        std::to_string(format::kFormatVersion) + "; use a newer program");
  }
  // Nothing of an older version reads otherwise in a newer one: events say by their kind which
  // rules they follow, and what a record lacks is summed up by the loader. Synced as above, before
  // the first event of a kind that an older program would take for something else.
  if (version < format::kFormatVersion && !read_only) {
    return put_version();
  }
  return Status::Ok();
}

Status Database::Impl::LoadRules(const std::vector<Rule>& rules, Collection& collection) {
  std::vector<engine::CompiledRule> compiled;
  for (const Rule& rule : rules) {
    Result<engine::CompiledRule> one = engine::Compile(rule);
    if (!one.ok()) {
      // A rule is compiled when it is set, so one that does not compile was not stored as it is
      // now.
      return Status::Corruption("rule '" + rule.name +
                                "' of a collection: " + std::string(one.status().message()));
    }
    compiled.push_back(std::move(*one));
  }
  collection.SetRules(std::move(compiled));
  return Status::Ok();
}

Status Database::Impl::LoadKeys() {
  RECO_ASSIGN_OR_RETURN(const std::optional<std::string> numbers,
                        storage.store->Get(store::Family::kDefault, format::kNextNumbersKey));
  WriterLock lock(keyspace_mutex);
  if (numbers) {
    RECO_ASSIGN_OR_RETURN(const format::NextNumbers next, format::DecodeNextNumbers(*numbers));
    // This is above the numbers of deleted collections too, which are not given out again (I10).
    next_cid = next.cid;
  }
  const auto rows = storage.store->Scan(store::Family::kKeys, "");
  for (; rows->Valid(); rows->Next()) {
    RECO_ASSIGN_OR_RETURN(format::KeyRecord record, format::DecodeKeyRecord(rows->value()));
    const auto db = static_cast<std::uint8_t>(rows->key()[0]);
    // An error, since dropping these keys would lose data because of a setting.
    if (db >= options.databases) {
      return Status::FailedPrecondition("the folder has keys in database " + std::to_string(db) +
                                        "; raise 'databases' above it");
    }
    engine::KeyEntry entry;
    entry.expire_at_ms = record.expire_at_ms;
    if (record.kind == KeyKind::kCollection) {
      RECO_ASSIGN_OR_RETURN(entry.collection,
                            Collection::Open(context, record.cid, record.options));
      RECO_RETURN_IF_ERROR(LoadRules(record.rules, *entry.collection));
      // Folders of early versions have no row of next numbers.
      next_cid = std::max(next_cid, record.cid + 1);
    } else {
      entry.value = std::move(record.value);
    }
    keyspace.Put(KeyRef(rows->key().substr(1), db), std::move(entry));
  }
  return rows->status();
}

Status Database::Impl::LoadJobs(bool read_only) {
  if (jobs != nullptr) {
    return Status::Ok();  // after a recovery the table in memory is the newer one
  }
  RECO_ASSIGN_OR_RETURN(const std::optional<std::string> numbers,
                        storage.store->Get(store::Family::kDefault, format::kNextNumbersKey));
  format::NextNumbers next;
  if (numbers) {
    RECO_ASSIGN_OR_RETURN(next, format::DecodeNextNumbers(*numbers));
  }
  jobs = std::make_unique<engine::JobTable>(clock, next.job, options.jobs_kept);
  store::Batch changes;
  const auto rows = storage.store->Scan(store::Family::kJobs, "");
  for (; rows->Valid(); rows->Next()) {
    RECO_ASSIGN_OR_RETURN(JobInfo job, format::DecodeJob(rows->value()));
    if (job.state == JobState::kQueued || job.state == JobState::kRunning) {
      job.state = JobState::kInterrupted;
      job.error = "the server stopped before it ended";
      job.finished_ms = clock.NowMs();
      changes.Put(store::Family::kJobs, rows->key(), format::EncodeJob(job));
    }
    for (const std::uint64_t dropped : jobs->Restore(std::move(job))) {
      changes.Delete(store::Family::kJobs, format::JobKey(dropped));
    }
  }
  RECO_RETURN_IF_ERROR(rows->status());
  return changes.count() > 0 && !read_only ? storage.store->Write(changes, true) : Status::Ok();
}

Status Database::Impl::LoadAll(bool read_only) {
  RECO_RETURN_IF_ERROR(CheckFormatVersion(read_only));
  {
    WriterLock lock(keyspace_mutex);
    for (std::uint32_t db = 0; db < options.databases; ++db) {
      // A recovery finds the old state here, and nobody uses it: state_mutex is held exclusively.
      keyspace.Flush(db);
    }
  }
  {
    // A recovery may have undone their deletion.
    MutexLock lock(erased_mutex);
    erased.clear();
  }
  RECO_RETURN_IF_ERROR(LoadKeys());
  return LoadJobs(read_only);
}

Status Database::Impl::Open() {
  WriterLock lock(state_mutex);
  RECO_ASSIGN_OR_RETURN(folder_lock, store::DirectoryLock::Take(options.path, /*create=*/true));
  Status opened = OpenStore(/*read_only=*/false);
  if (opened.ok()) {
    return LoadAll(/*read_only=*/false);
  }
  if (!store::IsDiskFull(opened)) {
    return opened;
  }
  // Opening to read writes nothing. From here on it is as if the disk had filled up while running.
  SetHealth(opened);
  memory_is_stale = true;
  ServeReadOnly();
  if (memory_is_stale) {
    return opened;
  }
  Log(LogLevel::kWarning, "writes are refused: " + std::string(opened.message()));
  return Status::Ok();
}

// --- Committing and recovering ------------------------------------------------------------------

void Database::Impl::SetHealth(const Status& status) {
  MutexLock lock(health_mutex);
  // One code whatever the cause, also a damaged block: for who writes, the disk takes no writes.
  health = status.ok() ? status : Status::IoError(std::string(status.message()));
  // Set under the mutex, so that whoever sees it finds the reason as well (I9).
  degraded = !status.ok();
}

Status Database::Impl::CheckWritable() const {
  if (!degraded.load(std::memory_order_relaxed)) {
    return Status::Ok();
  }
  MutexLock lock(health_mutex);
  RECO_DCHECK(degraded == !health.ok(), "I9");
  return health;
}

Result<std::uint64_t> Database::Impl::BeginWrite() const {
  // Read before the check: a recovery between the two then makes the commit fail.
  const std::uint64_t current = generation.load();
  RECO_RETURN_IF_ERROR(CheckWritable());
  return current;
}

Status Database::Impl::Commit(std::uint64_t write_generation) {
  Status status;
  {
    ReaderLock lock(state_mutex);
    // The state that the write changed is gone; a commit now would succeed without it (I15).
    if (write_generation != generation.load()) {
      return Status::IoError("the change was undone by an I/O error");
    }
    if (storage.log == nullptr) {
      return CheckWritable();
    }
    // Commits all that is staged, not this write alone: one batch for a turn of an io thread (D12).
    status = storage.log->Commit(storage.log->last_staged());
    // Recovery waits for state_mutex, so it has not come between the two.
    RECO_DCHECK(write_generation == generation.load(), "I15");
  }
  if (!status.ok()) {
    Recover(status);
  }
  return status;
}

Status Database::Impl::Finish(const WriteOptions& write, std::uint64_t write_generation) {
  return write.defer_commit ? Status::Ok() : Commit(write_generation);
}

// A write that shows that the folder takes writes again.
Status Database::Impl::ProbeWrite() {
  store::Batch batch;
  batch.Put(store::Family::kDefault, kProbeKey, "");
  return storage.store->Write(batch, true);
}

Status Database::Impl::Reopen() {
  RECO_RETURN_IF_ERROR(OpenStore(/*read_only=*/false));
  RECO_RETURN_IF_ERROR(LoadAll(/*read_only=*/false));
  memory_is_stale = false;
  return ProbeWrite();
}

void Database::Impl::Recover(const Status& reason) {
  if (jobs != nullptr) {
    jobs->CancelAll();  // a job stays inside state_mutex for its whole length
  }
  // Told before the lock is waited for, and until it is given back.
  recoverers.fetch_add(1);
  {
    WriterLock lock(state_mutex);
    RecoverLocked(reason);
  }
  recoverers.fetch_sub(1);
}

void Database::Impl::RecoverLocked(const Status& reason) {
  // Several threads may have seen the same error; those that come later find the folder healthy.
  const bool was_degraded = degraded;
  if (storage.store != nullptr && storage.log->Health().ok() && storage.store->Health().ok() &&
      !degraded) {
    return;
  }
  if (!was_degraded) {
    Log(LogLevel::kWarning, "writes are refused: " + std::string(reason.message()));
  }
  SetHealth(reason);
  // Counted before anything is replaced: from here on no write of the old state is acknowledged
  // (I15).
  generation.fetch_add(1);
  // Memory has changes that were never committed after the first failure only: from then on writes
  // are refused.
  memory_is_stale |= !was_degraded;
  // The log goes first, since it refers to the store; the store before Reopen, since RocksDB opens
  // a folder only once at a time.
  storage.log.reset();
  storage.store.reset();
  if (const Status status = Reopen(); !status.ok()) {
    SetHealth(status);
    ServeReadOnly();
    return;
  }
  // Writes are taken again only now: the probe is on disk, and memory is what the disk says.
  SetHealth(Status::Ok());
  recoveries.fetch_add(1);
  Log(LogLevel::kWarning, "the folder takes writes again");
}

// Undoes in memory what was not committed and goes on with reads, when the folder cannot be opened
// for writing. When it cannot be read either, the state in memory serves without what lies on disk.
void Database::Impl::ServeReadOnly() {
  // Reopen has opened it and failed later; reads use that store.
  if (storage.store != nullptr) {
    return;
  }
  Status status = OpenStore(/*read_only=*/true);
  // Loading once is enough: while writes are refused neither disk nor memory changes.
  if (status.ok() && memory_is_stale) {
    status = LoadAll(/*read_only=*/true);
    memory_is_stale = !status.ok();
  }
  if (!status.ok()) {
    Log(LogLevel::kWarning, "the folder cannot be read: " + std::string(status.message()));
  }
}

// --- Background ---------------------------------------------------------------------------------

std::vector<std::pair<std::string, std::shared_ptr<Collection>>> Database::Impl::Collections()
    const {
  std::vector<std::pair<std::string, std::shared_ptr<Collection>>> collections;
  ReaderLock lock(keyspace_mutex);
  keyspace.ForEachCollection(
      [&](std::uint32_t, std::string_view name, const engine::KeyEntry& entry) {
        collections.emplace_back(name, entry.collection);
      });
  return collections;
}

Status Database::Impl::CheckpointCollections(bool all) {
  RECO_RETURN_IF_ERROR(CheckWritable());
  Status failure;
  {
    ReaderLock lock(state_mutex);
    for (const auto& [name, collection] : Collections()) {
      // Age makes it due as well as the number of events.
      if (!all && !collection->checkpointer().Due(true)) {
        continue;
      }
      // A collection that was deleted in the meantime is no failure.
      if (Status status = collection->checkpointer().Checkpoint();
          !status.ok() && status.code() != StatusCode::kNotFound) {
        failure = std::move(status);
        break;
      }
      checkpoints.fetch_add(1);
      last_checkpoint_ms = clock.NowMs();
    }
  }
  if (!failure.ok()) {
    Recover(failure);
  }
  return failure;
}

// Small folders would otherwise never flush, and lose with a crash what no event stands for, such
// as the figures of an evaluation.
void Database::Impl::FlushIfOld(std::int64_t now_us) {
  Status status;
  {
    ReaderLock lock(state_mutex);
    if (storage.store == nullptr || !storage.store->has_unflushed_groups()) {
      flushed_us = now_us;
      return;
    }
    if (now_us - flushed_us < kUnflushedUsMax) {
      return;
    }
    status = storage.store->Flush();
  }
  if (!status.ok()) {
    Recover(status);
  }
}

void Database::Impl::ExpireKeys() {
  if (degraded) {
    return;
  }
  ReaderLock state(state_mutex);
  WriterLock lock(keyspace_mutex);
  // At most kExpiredPerRound, since every command waits for the exclusive lock.
  for (const auto& expired : keyspace.CollectExpired(clock.NowMs(), kExpiredPerRound)) {
    expired_keys.fetch_add(1);
    StageErase(KeyRef(expired.name, expired.db), expired.entry)
        .IgnoreError("the key is invisible already and is found again after a restart");
  }
}

void Database::Impl::DropReplacedModels() {
  ReaderLock lock(state_mutex);
  for (const auto& [name, collection] : Collections()) {
    engine::persist::DropReplacedModels(collection->shared());
  }
}

std::uint64_t Database::Impl::CountMemory() const {
  ReaderLock state(state_mutex);
  std::uint64_t bytes = storage.store != nullptr ? storage.store->memory_bytes() : 0;
  for (const auto& [name, collection] : Collections()) {
    bytes += engine::reads::MemoryBytes(collection->shared());
  }
  ReaderLock lock(keyspace_mutex);
  return bytes + keyspace.memory_bytes();
}

// What is put off is in memory only: a checkpoint says that the rows are as their events.
void Database::Impl::SolvePutOff() {
  ReaderLock lock(state_mutex);
  for (const auto& [name, collection] : Collections()) {
    collection->SolvePutOff().IgnoreError("a row that cannot be read is as it was");
  }
}

// What is on disk is written down a little later, so that its loss shows (D49).
void Database::Impl::KeepInventory(std::int64_t now_us) {
  ReaderLock lock(state_mutex);
  if (storage.store == nullptr || degraded) {
    return;
  }
  const Status kept = storage.store->KeepInventory(now_us, sync_policy.load() != SyncPolicy::kNo);
  if (!kept.ok()) {
    Log(LogLevel::kWarning, "no inventory of the folder: " + std::string(kept.message()));
  }
}

// A try holds the state, so that nothing is answered meanwhile; with a damaged file it may take
// seconds. Tries are at least a second apart and leave ten times as long as they take.
void Database::Impl::TryToRecover(std::int64_t now_us) {
  constexpr std::int64_t kApartMaxUs = 60'000'000;
  if (!degraded || now_us < recover_after_us) {
    return;
  }
  Recover(CheckWritable());
  const std::int64_t ended_us = clock.MonotonicUs();
  recover_after_us = ended_us + std::min(10 * (ended_us - now_us), kApartMaxUs);
}

void Database::Impl::Maintain(std::int64_t now_us) {
  // Checkpoints go first: writers may be waiting for one.
  CheckpointCollections(false).IgnoreError("logged, and writes are refused until it works again");
  {
    ReaderLock lock(state_mutex);
    for (const auto& [name, collection] : Collections()) {
      if (const Status done = collection->Maintain(!degraded); !done.ok()) {
        Log(LogLevel::kWarning, "a long row cannot be read: " + done.ToString());
      }
    }
  }
  FreeErased();
  KeepInventory(now_us);
  if (now_us - housekeeping_us >= kHousekeepingUs) {
    housekeeping_us = now_us;
    ExpireKeys();
    // Writes compare with this figure, so they may overshoot by what comes in within 100 ms.
    memory.used_bytes = CountMemory();
  }
  if (now_us - second_us >= kSecondUs) {
    second_us = now_us;
    DropReplacedModels();
    StartDueRetrains();
    FlushIfOld(now_us);
    // The folder may have become writable: a disk that was full, a mount that is back.
    TryToRecover(clock.MonotonicUs());
  }
}

bool Database::Impl::Pause(std::int64_t us) {
  MutexLock lock(threads_mutex);
  if (!stopping) {
    threads_wake.WaitFor(threads_mutex, std::chrono::milliseconds(us / 1'000));
  }
  return !stopping;
}

void Database::Impl::SyncLog() {
  Status status;
  {
    ReaderLock lock(state_mutex);
    if (storage.log != nullptr && sync_policy == SyncPolicy::kEverySecond) {
      status = storage.log->Sync();
    }
  }
  // Recover takes state_mutex exclusively, so it is given back before.
  if (!status.ok()) {
    Recover(status);
  }
}

void Database::Impl::StartThreads() {
  if (!hooks.background_threads) {
    return;
  }
  sync_thread = std::thread([this] {
    NameThread("sync");
    while (Pause(kSecondUs)) {
      SyncLog();
    }
  });
  maintenance_thread = std::thread([this] {
    NameThread("maintenance");
    while (Pause(kMaintenanceUs)) {
      Maintain(clock.MonotonicUs());
    }
  });
  job_thread = std::thread([this] {
    NameThread("job");
    // Training gives way to queries: the scheduler sees to it (D18).
    LowerThreadPriority();
    std::optional<BackgroundCpu> background;
    if (options.job_cpu_percent < 100) {
      background.emplace(options.job_cpu_percent);
    }
    RunJobs();
  });
}

void Database::Impl::StopThreads() {
  {
    MutexLock lock(threads_mutex);
    // Set before the jobs are cancelled: the job thread asks for it before it takes the next one.
    stopping = true;
  }
  if (jobs != nullptr) {
    jobs->CancelAll();
  }
  threads_wake.NotifyAll();
  for (std::thread* thread : {&sync_thread, &maintenance_thread, &job_thread}) {
    if (thread->joinable()) {
      thread->join();
    }
  }
  MutexLock lock(threads_mutex);
  // The handles of jobs that were never begun end them as cancelled when they go.
  job_queue.clear();
}

// --- The public class ---------------------------------------------------------------------------

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> engine::DatabaseAccess::Open(const Options& options,
                                                               const DatabaseHooks& hooks) {
  RECO_RETURN_IF_ERROR(options.Validate());
  auto impl = std::make_unique<Database::Impl>(options, hooks);
  // Threads start when all is loaded: they use it from the first moment.
  RECO_RETURN_IF_ERROR(impl->Open());
  impl->StartThreads();
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

void engine::DatabaseAccess::Maintain(Database& database) {
  database.impl_->Maintain(database.impl_->clock.MonotonicUs());
}

void engine::DatabaseAccess::RunJob(Database& database, std::string_view key) {
  database.Retrain(key, {}).status().IgnoreError("the jobs show what came of it");
  while (database.impl_->RunNextJob()) {
  }
}

void engine::DatabaseAccess::Recover(Database& database) {
  database.impl_->Recover(database.impl_->CheckWritable());
}

std::uint64_t engine::DatabaseAccess::IndexResorts(const Database& database, std::string_view key) {
  ReaderLock lock(database.impl_->state_mutex);
  const auto collection = database.impl_->FindCollection(KeyRef(key));
  return collection.ok() ? (*collection)->resorts() : 0;
}

const engine::HoldTimes& engine::DatabaseAccess::Holds(const Database& database) {
  return database.impl_->holds;
}

Result<std::unique_ptr<Database>> Database::Open(const Options& options) {
  return engine::DatabaseAccess::Open(options, {});
}

Status Database::Commit(std::uint64_t generation) {
  return impl_->Commit(generation);
}

std::uint64_t Database::generation() const {
  return impl_->generation;
}

std::uint64_t Database::TakeSeen() {
  return wal::EventLog::TakeSeen();
}

std::uint64_t Database::CommittedUpTo(std::uint64_t generation) const {
  ReaderLock lock(impl_->state_mutex);
  if (generation != impl_->generation.load()) {
    return 0;
  }
  // While writes are refused nothing is staged: what there is to read stays as it is.
  return impl_->degraded ? std::numeric_limits<std::uint64_t>::max()
                         : impl_->storage.log->last_committed();
}

Status Database::Checkpoint() {
  RECO_RETURN_IF_ERROR(impl_->CheckWritable());
  return impl_->CheckpointCollections(true);
}

void Database::SetSyncPolicy(SyncPolicy policy) {
  impl_->sync_policy = policy;
  ReaderLock lock(impl_->state_mutex);
  if (impl_->storage.log != nullptr) {
    impl_->storage.log->SetPolicy(policy);
  }
}

void Database::SetMemoryLimit(std::uint64_t bytes_max) {
  impl_->memory.limit_bytes = bytes_max;
}

bool Database::Recovering() const {
  return impl_->recoverers > 0;
}

Status Database::Health() const {
  return impl_->CheckWritable();
}

std::uint64_t Database::memory_used_bytes() const {
  return impl_->memory.used_bytes;
}

}  // namespace reco
