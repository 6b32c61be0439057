// JobTable: the background jobs of a Database (trainings, evaluations): who runs, how far, and what
// came of the finished ones. The threads that run them belong to the caller. See
// doc/engine/jobs.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reco/result.h"
#include "reco/status.h"
#include "reco/types.h"

#include "base/clock.h"
#include "base/mutex.h"

namespace reco::engine {

class JobTable;

using JobResult = std::vector<std::pair<std::string, double>>;

// The change that is left to write when a job has finished: its record, and the jobs that were
// forgotten.
struct JobChange {
  JobInfo finished;
  std::vector<std::uint64_t> dropped;
};

// The running thread's handle on its job. One of Finish and Fail ends it; a handle that is
// destroyed before fails its job. Confined to the thread that runs the job, which must end it
// before the table goes.
class RunningJob {
 public:
  RunningJob(RunningJob&& other) noexcept;
  RunningJob& operator=(RunningJob&&) = delete;
  ~RunningJob();

  std::uint64_t id() const { return id_; }
  // The flag that turns true as soon as somebody wants the job to stop. Lives as long as the
  // handle.
  const std::atomic<bool>* cancel() const;
  bool cancelled() const { return cancel()->load(std::memory_order_relaxed); }

  // Goes from queued to running: time counts from here.
  void Begin();
  void SetPhase(std::string_view phase);
  // Sets how far the job is: `fraction` of the whole, 0 to 1; it never goes back. Cheap enough for
  // every row block.
  void SetProgress(double fraction);

  // Ends the job as done.
  JobChange Finish(JobResult result);
  // Ends the job as cancelled when `why` is kUnavailable and a cancel was asked for, otherwise as
  // failed with its message.
  JobChange Fail(const Status& why);

 private:
  friend class JobTable;
  struct Record;
  RunningJob(JobTable* table, std::shared_ptr<Record> record);

  JobTable* table_;  // null: ended or moved from
  std::shared_ptr<Record> record_;
  std::uint64_t id_;
};

// Thread-safe. Remembers every job until it has finished and `kept` finished ones, those that
// finished last.
class JobTable {
 public:
  // `clock` must outlive the table. Ids ascend from `first_id`.
  JobTable(const Clock& clock, std::uint64_t first_id, std::size_t kept);
  ~JobTable();
  JobTable(const JobTable&) = delete;
  JobTable& operator=(const JobTable&) = delete;

  // Puts back a finished job; later ids are above its id. Returns the jobs that this pushed out.
  std::vector<std::uint64_t> Restore(JobInfo finished) EXCLUDES(mutex_);

  // Adds a job, queued. `key`: as it is to be shown.
  RunningJob Create(JobKind kind, std::string_view key) EXCLUDES(mutex_);
  // The id that the next Create() gives.
  std::uint64_t next_id() const EXCLUDES(mutex_);

  // Returns all jobs by ascending id.
  std::vector<JobInfo> List() const EXCLUDES(mutex_);
  // Returns one job. kNotFound when there never was such a job or it is forgotten.
  Result<JobInfo> Get(std::uint64_t id) const EXCLUDES(mutex_);
  // Asks the job to stop. kFailedPrecondition when it has finished.
  Status Cancel(std::uint64_t id) EXCLUDES(mutex_);
  // Asks all to stop.
  void CancelAll() EXCLUDES(mutex_);
  // Waits until the job has finished or timeout_ms (0: without end) have passed; returns how it
  // stands then, also when it is forgotten at once.
  Result<JobInfo> Wait(std::uint64_t id, std::int64_t timeout_ms) const EXCLUDES(mutex_);
  // Has `ended` called when the job has finished, by the thread that ends it, or at once when it
  // has. Returns the watch, 0 when it was called already. `ended` must be short and call nothing of
  // the table.
  Result<std::uint64_t> Watch(std::uint64_t id, std::function<void(const JobInfo&)> ended)
      EXCLUDES(telling_, mutex_);
  // Behind it `ended` is not called and does not run any more. Nothing when it has been called.
  void Unwatch(std::uint64_t watch) EXCLUDES(telling_, mutex_);

 private:
  friend class RunningJob;
  using Record = RunningJob::Record;

  // The record as it is shown, with the time that is left by now.
  JobInfo Describe(const Record& record) const REQUIRES(mutex_);
  void Begin(Record* record) EXCLUDES(mutex_);
  void SetPhase(Record* record, std::string_view phase) EXCLUDES(mutex_);
  void SetProgress(Record* record, double fraction) EXCLUDES(mutex_);
  JobChange End(Record* record, JobState state, std::string error, JobResult result)
      EXCLUDES(telling_, mutex_);
  // Calls those who watch the job.
  void TellWatchers(const JobInfo& finished) EXCLUDES(telling_, mutex_);
  // Forgets finished jobs beyond `kept_` and returns their ids.
  std::vector<std::uint64_t> DropOldest() REQUIRES(mutex_);
  Result<std::shared_ptr<Record>> FindRecord(std::uint64_t id) const REQUIRES(mutex_);

  struct Watcher {
    std::uint64_t job = 0;
    std::function<void(const JobInfo&)> ended;
  };

  const Clock& clock_;
  const std::size_t kept_;
  Mutex telling_;  // held while a watcher is called; goes before mutex_
  mutable Mutex mutex_;
  mutable CondVar finished_;
  std::uint64_t next_id_ GUARDED_BY(mutex_);
  std::map<std::uint64_t, std::shared_ptr<Record>> records_ GUARDED_BY(mutex_);
  std::deque<std::uint64_t> finished_ids_ GUARDED_BY(mutex_);  // in the order they finished
  std::uint64_t next_watch_ GUARDED_BY(mutex_) = 1;
  std::map<std::uint64_t, Watcher> watchers_ GUARDED_BY(mutex_);
};

}  // namespace reco::engine
