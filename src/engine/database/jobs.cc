// Jobs of a Database: one thread runs them in the order they were asked for (D18). Also Info().
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "engine/collection/reads.h"
#include "engine/database/database.h"
#include "engine/settings/parameters.h"
#include "engine/training/evaluate.h"
#include "engine/training/retrain.h"
#include "format/keys.h"
#include "format/records.h"

namespace reco {
namespace {

using engine::Collection;
namespace training = engine::training;
using engine::JobResult;
using engine::RunningJob;

constexpr std::size_t kJobQueueMax = 100;
constexpr std::int64_t kReturnMemoryUs = 10'000'000;  // at most so often

// Gives what a training has freed back to the system: glibc keeps it otherwise, for 1M users and
// 100k items 600 MB. Its arenas are locked one at a time.
void ReturnFreedMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// Returns "holds=3,usec=40,max_usec=21,lt_16=2,lt_32=1": lt_N are the holds shorter than N and not
// than N / 2; `longer` those that no bucket has.
std::string HoldsText(const engine::HoldTimes::Totals& totals) {
  std::string text = "holds=" + std::to_string(totals.holds) +
                     ",usec=" + std::to_string(totals.ns / 1'000) +
                     ",max_usec=" + std::to_string(totals.longest_ns / 1'000);
  for (std::size_t i = 0; i < totals.buckets.size(); ++i) {
    if (totals.buckets[i] != 0) {
      const bool last = i + 1 == totals.buckets.size();
      text += (last ? ",longer" : ",lt_" + std::to_string(std::uint64_t{1} << i)) + "=" +
              std::to_string(totals.buckets[i]);
    }
  }
  return text;
}

}  // namespace

Result<std::uint64_t> Database::Impl::StartJob(JobKind kind, KeyRef key, JobBody run) {
  RECO_ASSIGN_OR_RETURN(const std::uint64_t write_generation, BeginWrite());
  std::shared_ptr<Collection> collection;
  {
    ReaderLock lock(state_mutex);
    RECO_ASSIGN_OR_RETURN(collection, FindCollection(key));
  }
  if (collection == nullptr) {
    return Status::NotFound("no such collection '" + std::string(key.name.substr(0, 128)) +
                            "'; create it with RECO.CREATE or RECO.ADD");
  }
  {
    MutexLock lock(threads_mutex);
    if (stopping) {
      return Status::Unavailable("the database is closing");
    }
    if (busy_collections.size() > kJobQueueMax) {
      return Status::ResourceExhausted("100 jobs are waiting already");
    }
    // The number stands for the collection, as its key may be renamed. One job at a time, because a
    // training's model number and its list of touched rows are the collection's.
    if (!busy_collections.insert(collection->cid()).second) {
      return Status::FailedPrecondition(
          "a job of this collection is already queued or running; see RECO.JOB LIST");
    }
  }
  std::optional<RunningJob> job;
  Status status;
  {
    // Nobody is told of it before that is staged (NoteJobsRead).
    MutexLock lock(job_mutex);
    job.emplace(jobs->Create(kind, key.name));
    status = StoreStart(job->id());
  }
  // Committed before the number is told, so that it is never given to another job.
  if (status.ok()) {
    status = Commit(write_generation);
  }
  MutexLock lock(threads_mutex);
  if (status.ok() && !stopping) {
    const std::uint64_t id = job->id();
    job_queue.push_back({std::move(*job), std::move(collection), std::move(run)});
    threads_wake.NotifyAll();
    return id;
  }
  busy_collections.erase(collection->cid());
  return status.ok() ? Status::Unavailable("the database is closing") : status;
}

// Stages the record of a job that waits: the next start finds it so, and calls it interrupted.
Status Database::Impl::StoreStart(std::uint64_t id) {
  ReaderLock lock(state_mutex);
  RECO_RETURN_IF_ERROR(storage.Readable());
  RECO_ASSIGN_OR_RETURN(const JobInfo job, jobs->Get(id));
  const std::string record = format::EncodeJob(job);
  // Collections are created under the same lock: both numbers of the row only grow in the log.
  WriterLock keyspace_lock(keyspace_mutex);
  const std::string numbers = NextNumbers(next_cid);
  return storage.log
      ->Stage([&](store::Batch& batch) {
        batch.Put(store::Family::kJobs, format::JobKey(id), record);
        batch.Put(store::Family::kDefault, format::kNextNumbersKey, numbers);
      })
      .status();
}

// Returns the row of next numbers. The jobs' is there for those that are forgotten.
std::string Database::Impl::NextNumbers(std::uint32_t cid) const {
  return format::EncodeNextNumbers({cid, jobs->next_id()});
}

void Database::Impl::RunJobs() {
  for (;;) {
    {
      MutexLock lock(threads_mutex);
      while (!stopping && job_queue.empty()) {
        threads_wake.Wait(threads_mutex);
      }
      if (stopping) {
        return;
      }
    }
    RunNextJob();
  }
}

bool Database::Impl::RunNextJob() {
  std::unique_ptr<QueuedJob> next;
  {
    MutexLock lock(threads_mutex);
    if (job_queue.empty()) {
      return false;
    }
    // Runs without the mutex, so that others may queue meanwhile.
    next = std::make_unique<QueuedJob>(std::move(job_queue.front()));
    job_queue.pop_front();
  }
  JobResult result;
  Status status = Status::Unavailable("cancelled");
  const std::uint32_t cid = next->collection->cid();
  if (!next->job.cancelled()) {
    next->job.Begin();
    // Held for the whole job: a recovery, which would close the folder under it, cancels it first.
    ReaderLock lock(state_mutex);
    status = next->run(*next->collection, next->job, &result);
  }
  // A collection that was deleted meanwhile is freed here, before the job shows as finished.
  next->collection.reset();
  {
    MutexLock lock(threads_mutex);
    // The collection is free before the job shows as finished, so whoever waited for it can start
    // the next.
    busy_collections.erase(cid);
  }
  Log(LogLevel::kNotice, "job " + std::to_string(next->job.id()) +
                             " ended: " + (status.ok() ? "done" : std::string(status.message())));
  {
    // Nobody is told how it ended before that is staged (NoteJobsRead).
    MutexLock lock(job_mutex);
    StoreJob(status.ok() ? next->job.Finish(std::move(result)) : next->job.Fail(status));
  }
  // Recover takes state_mutex exclusively, and it is given back by now.
  if (status.code() == StatusCode::kIoError) {
    Recover(status);
  }
  const std::int64_t now_us = clock.MonotonicUs();
  // Many small trainings in a row would ask for the same pages again at once.
  if (status.ok() && now_us - memory_returned_us >= kReturnMemoryUs) {
    memory_returned_us = now_us;
    ReturnFreedMemory();
  }
  return true;
}

void Database::Impl::StoreJob(const engine::JobChange& change) {
  ReaderLock lock(state_mutex);
  if (storage.log == nullptr) {
    return;
  }
  const std::string record = format::EncodeJob(change.finished);
  const auto stage = [&](store::Batch& batch) {
    batch.Put(store::Family::kJobs, format::JobKey(change.finished.id), record);
    for (const std::uint64_t dropped : change.dropped) {
      batch.Delete(store::Family::kJobs, format::JobKey(dropped));
    }
  };
  // This only stages: the record goes with the next commit, and no data depends on it.
  storage.log->Stage(stage).status().IgnoreError("the job's outcome is in memory and in the log");
}

void Database::Impl::StartDueRetrains() {
  // A training ends with a write, which would be refused.
  if (degraded) {
    return;
  }
  struct Due {
    std::uint32_t db;
    std::string name;
  };
  std::vector<Due> due;
  {
    ReaderLock state(state_mutex);
    ReaderLock lock(keyspace_mutex);
    const std::int64_t now_ms = clock.NowMs();
    keyspace.ForEachCollection(
        [&](std::uint32_t db, std::string_view name, const engine::KeyEntry& entry) {
          const CollectionOptions parameters = entry.collection->options();
          const auto since = engine::reads::TriggerOf(entry.collection->shared());
          const bool by_events =
              parameters.retrain_every != 0 && since.events_since >= parameters.retrain_every;
          // Time alone is no reason: without new events the model would be the same.
          // A training from further ahead than that was one by a clock that was wrong.
          const bool by_age = parameters.retrain_interval_s != 0 && since.events_since > 0 &&
                              std::abs(now_ms - since.trained_at_ms) >=
                                  static_cast<std::int64_t>(parameters.retrain_interval_s) * 1'000;
          if (by_events || by_age || since.faded) {
            due.push_back({db, std::string(name)});
          }
        });
  }
  // StartJob takes these locks itself, so they are given back.
  for (const Due& key : due) {
    StartJob(JobKind::kRetrain, KeyRef(key.name, key.db),
             [](Collection& collection, RunningJob& job, JobResult* result) {
               return training::Retrain(collection.shared(), collection.checkpointer(),
                                        collection.options(), job, result);
             })
        .status()
        .IgnoreError("one is running already, or the next second tries again");
  }
}

Result<std::uint64_t> Database::Retrain(KeyRef key, Parameters parameters) {
  CollectionOptions checked;
  // Checked at once, so that a mistake is the caller's answer and not a failed job. The
  // collection's own parameters are read when the job begins: they may change while it waits.
  RECO_RETURN_IF_ERROR(engine::SetTrainingParameters(&checked, parameters));
  std::vector<std::pair<std::string, std::string>> given(parameters.begin(), parameters.end());
  return impl_->StartJob(
      JobKind::kRetrain, key,
      [given = std::move(given)](Collection& collection, RunningJob& job, JobResult* result) {
        CollectionOptions options = collection.options();
        RECO_RETURN_IF_ERROR(engine::SetTrainingParameters(&options, given));
        return training::Retrain(collection.shared(), collection.checkpointer(), options, job,
                                 result);
      });
}

Result<std::uint64_t> Database::Evaluate(KeyRef key, const EvaluationOptions& options) {
  if (options.holdout_last < 1 || options.holdout_last > kHoldoutLastMax) {
    return Status::InvalidArgument("HOLDOUT LAST must be 1 to 10000");
  }
  if (options.at.empty() || options.at.size() > kCutoffsMax ||
      std::any_of(options.at.begin(), options.at.end(),
                  [](std::uint32_t k) { return k < 1 || k > kCutoffMax; })) {
    return Status::InvalidArgument("AT takes 1 to 8 cut-offs of 1 to 1000");
  }
  CollectionOptions checked;
  RECO_RETURN_IF_ERROR(engine::SetTrainingParameters(&checked, options.parameters));
  return impl_->StartJob(
      JobKind::kEvaluate, key,
      [options](Collection& collection, RunningJob& job, JobResult* result) {
        CollectionOptions parameters = collection.options();
        RECO_RETURN_IF_ERROR(engine::SetTrainingParameters(&parameters, options.parameters));
        return training::Evaluate(collection.shared(), collection.checkpointer(), parameters,
                                  options, job, result);
      });
}

// What jobs came to, once it is staged, is told when that is committed.
void Database::Impl::NoteJobsRead() const {
  {
    // What was read may be a beginning or an end whose record is only being staged.
    MutexLock lock(job_mutex);
  }
  ReaderLock lock(state_mutex);
  if (storage.log != nullptr) {
    wal::EventLog::NoteSeen(storage.log->last_staged());
  }
}

std::vector<JobInfo> Database::Jobs() const {
  std::vector<JobInfo> jobs = impl_->jobs->List();
  impl_->NoteJobsRead();
  return jobs;
}

Result<JobInfo> Database::Job(std::uint64_t id) const {
  Result<JobInfo> job = impl_->jobs->Get(id);
  impl_->NoteJobsRead();
  return job;
}

Status Database::CancelJob(std::uint64_t id) {
  return impl_->jobs->Cancel(id);
}

Result<JobInfo> Database::WaitJob(std::uint64_t id, std::int64_t timeout_ms) const {
  Result<JobInfo> job = impl_->jobs->Wait(id, timeout_ms);
  impl_->NoteJobsRead();
  return job;
}

Result<std::uint64_t> Database::WatchJob(std::uint64_t id,
                                         std::function<void(const JobInfo&)> ended) {
  return impl_->jobs->Watch(id, std::move(ended));
}

void Database::UnwatchJob(std::uint64_t watch) {
  impl_->jobs->Unwatch(watch);
}

std::vector<InfoField> Database::Info() const {
  std::vector<InfoField> fields;
  const auto add = [&fields](std::string_view section, std::string_view name, auto value) {
    fields.push_back({std::string(section), std::string(name), std::to_string(value)});
  };
  Impl& impl = *impl_;
  add("memory", "used_memory_dataset", impl.memory.used_bytes.load());
  add("memory", "row_cache_bytes", impl.row_budget.used_bytes.load());
  add("memory", "row_cache_limit_bytes", impl.row_budget.limit_bytes);
  add("memory", "block_cache_limit_bytes", impl.options.block_cache_bytes);
  add("persistence", "writes_refused", impl.degraded ? 1 : 0);
  add("persistence", "recoveries_from_errors", impl.recoveries.load());
  add("persistence", "checkpoints", impl.checkpoints.load());
  add("persistence", "last_checkpoint_ms", impl.last_checkpoint_ms.load());
  add("stats", "row_cache_hits", impl.row_budget.hits.load());
  add("stats", "row_cache_misses", impl.row_budget.misses.load());
  add("stats", "row_cache_evictions", impl.row_budget.evictions.load());
  add("stats", "expired_keys", impl.expired_keys.load());
  for (const engine::HoldBound& bound : engine::kHoldBounds) {
    if (const auto totals = impl.holds.Of(bound.holder); totals.holds != 0) {
      fields.push_back({"holds", "hold_" + std::string(bound.name), HoldsText(totals)});
    }
  }
  // The fields above are atomics, which need no lock: they are shown during a recovery too.
  if (impl.recoverers > 0) {
    return fields;
  }
  ReaderLock state(impl.state_mutex);
  if (impl.storage.log != nullptr) {
    const wal::LogStats log = impl.storage.log->stats();
    add("persistence", "log_commits", log.commits);
    add("persistence", "log_changes", log.changes);
    add("persistence", "log_syncs", log.syncs);
    add("persistence", "log_last_sync_us", log.last_sync_us);
    add("persistence", "log_pending_bytes", log.pending_bytes);
    add("memory", "store_memory_bytes", impl.storage.store->memory_bytes());
    add("persistence", "disk_bytes", impl.storage.store->disk_bytes());
  }
  ReaderLock lock(impl.keyspace_mutex);
  impl.NoteKeysRead();
  const std::int64_t now_ms = impl.clock.NowMs();
  add("memory", "keyspace_bytes", impl.keyspace.memory_bytes());
  add("reco", "collections", impl.keyspace.collections());
  for (std::uint32_t db = 0; db < impl.keyspace.databases(); ++db) {
    const std::uint64_t keys = impl.keyspace.Size(db, now_ms);
    if (keys == 0) {
      continue;
    }
    const auto expiries = impl.keyspace.Expiries(db, now_ms);
    fields.push_back({"keyspace", "db" + std::to_string(db),
                      "keys=" + std::to_string(keys) + ",expires=" + std::to_string(expiries.keys) +
                          ",avg_ttl=" + std::to_string(expiries.average_ttl_ms)});
  }
  return fields;
}

void Database::ResetStatistics() {
  for (std::atomic<std::uint64_t>* counter : {&impl_->row_budget.hits, &impl_->row_budget.misses,
                                              &impl_->row_budget.evictions, &impl_->expired_keys}) {
    counter->store(0);
  }
  impl_->holds.Reset();
}

}  // namespace reco
