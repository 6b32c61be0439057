// The records of jobs, shared by the table, the running threads and those who wait. The table is
// the only one to lock: a handle passes its record back to it.
#include "engine/jobs/jobs.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/check.h"

namespace reco::engine {

// Shared by the table, the handle and those who wait. Everything but `cancel` is guarded by the
// table's mutex.
struct RunningJob::Record {
  JobInfo info;
  double fraction = 0;
  std::int64_t begun_us = 0;     // monotonic
  std::int64_t progress_us = 0;  // when `fraction` last moved
  std::atomic<bool> cancel = false;
};

namespace {

bool Finished(JobState state) {
  return state != JobState::kQueued && state != JobState::kRunning;
}

Status NoSuchJob(std::uint64_t id) {
  return Status::NotFound("no such job " + std::to_string(id));
}

}  // namespace

RunningJob::RunningJob(JobTable* table, std::shared_ptr<Record> record)
    : table_(table), record_(std::move(record)), id_(record_->info.id) {}

RunningJob::RunningJob(RunningJob&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)),
      record_(std::move(other.record_)),
      id_(other.id_) {}

RunningJob::~RunningJob() {
  // Its thread left early; a job that nobody runs must not look as if it ran.
  if (table_ != nullptr) {
    static_cast<void>(Fail(Status::Unavailable("stopped before it finished")));
  }
}

const std::atomic<bool>* RunningJob::cancel() const {
  return &record_->cancel;
}

void RunningJob::Begin() {
  table_->Begin(record_.get());
}

void RunningJob::SetPhase(std::string_view phase) {
  table_->SetPhase(record_.get(), phase);
}

void RunningJob::SetProgress(double fraction) {
  table_->SetProgress(record_.get(), fraction);
}

JobChange RunningJob::Finish(JobResult result) {
  // The table is let go of first, so that the destructor does not end the job again.
  return std::exchange(table_, nullptr)->End(record_.get(), JobState::kDone, "", std::move(result));
}

JobChange RunningJob::Fail(const Status& why) {
  // A cancel explains kUnavailable only: a disk that fails meanwhile is still told.
  const bool stopped = cancelled() && why.code() == StatusCode::kUnavailable;
  return std::exchange(table_, nullptr)
      ->End(record_.get(), stopped ? JobState::kCancelled : JobState::kFailed,
            stopped ? "" : std::string(why.message()), {});
}

JobTable::JobTable(const Clock& clock, std::uint64_t first_id, std::size_t kept)
    : clock_(clock), kept_(kept), next_id_(first_id) {}

JobTable::~JobTable() = default;

std::vector<std::uint64_t> JobTable::Restore(JobInfo finished) {
  RECO_CHECK(Finished(finished.state));
  auto record = std::make_shared<Record>();
  record->info = std::move(finished);
  const std::uint64_t id = record->info.id;
  const std::int64_t at_ms = record->info.finished_ms;
  MutexLock lock(mutex_);
  next_id_ = std::max(next_id_, id + 1);
  // The first record of an id stands.
  if (!records_.emplace(id, std::move(record)).second) {
    return {};
  }
  // Records come by id, but those that finished first are forgotten first.
  auto later = finished_ids_.end();
  while (later != finished_ids_.begin()) {
    const std::uint64_t before = *std::prev(later);
    const std::int64_t before_ms = records_.at(before)->info.finished_ms;
    if (std::pair(before_ms, before) < std::pair(at_ms, id)) {
      break;
    }
    --later;
  }
  finished_ids_.insert(later, id);
  return DropOldest();
}

RunningJob JobTable::Create(JobKind kind, std::string_view key) {
  auto record = std::make_shared<Record>();
  record->info.kind = kind;
  record->info.key = key;
  record->info.started_ms = clock_.NowMs();
  MutexLock lock(mutex_);
  record->info.id = next_id_++;
  records_.emplace(record->info.id, record);
  return RunningJob(this, std::move(record));
}

std::uint64_t JobTable::next_id() const {
  MutexLock lock(mutex_);
  return next_id_;
}

JobInfo JobTable::Describe(const Record& record) const {
  JobInfo info = record.info;
  if (info.state == JobState::kRunning && record.fraction > 0) {
    // Extrapolated from the last progress, and shrinking since.
    const auto took_us = static_cast<double>(record.progress_us - record.begun_us);
    const auto since_us = static_cast<double>(clock_.MonotonicUs() - record.progress_us);
    const double left_us = took_us * (1 - record.fraction) / record.fraction - since_us;
    info.eta_s = std::max(left_us, 0.0) / 1e6;
  }
  return info;
}

std::vector<JobInfo> JobTable::List() const {
  std::vector<JobInfo> jobs;
  MutexLock lock(mutex_);
  jobs.reserve(records_.size());
  for (const auto& [id, record] : records_) {
    jobs.push_back(Describe(*record));
  }
  return jobs;
}

Result<std::shared_ptr<JobTable::Record>> JobTable::FindRecord(std::uint64_t id) const {
  const auto found = records_.find(id);
  if (found == records_.end()) {
    return NoSuchJob(id);
  }
  return found->second;
}

Result<JobInfo> JobTable::Get(std::uint64_t id) const {
  MutexLock lock(mutex_);
  RECO_ASSIGN_OR_RETURN(const std::shared_ptr<Record> record, FindRecord(id));
  return Describe(*record);
}

Status JobTable::Cancel(std::uint64_t id) {
  MutexLock lock(mutex_);
  RECO_ASSIGN_OR_RETURN(const std::shared_ptr<Record> record, FindRecord(id));
  if (Finished(record->info.state)) {
    return Status::FailedPrecondition("job " + std::to_string(id) + " has finished");
  }
  // Nothing but the flag itself is passed on by it, here and where it is read.
  record->cancel.store(true, std::memory_order_relaxed);
  return Status::Ok();
}

void JobTable::CancelAll() {
  MutexLock lock(mutex_);
  for (const auto& [id, record] : records_) {
    record->cancel.store(true, std::memory_order_relaxed);
  }
}

Result<JobInfo> JobTable::Wait(std::uint64_t id, std::int64_t timeout_ms) const {
  // Keeps waits without end, and arithmetic on them, far from overflow.
  constexpr std::int64_t kLongestMs = 1'000'000'000;
  const std::int64_t start_us = clock_.MonotonicUs();
  MutexLock lock(mutex_);
  // Held by the wait, so it stays readable when the table forgets it in the meantime.
  RECO_ASSIGN_OR_RETURN(const std::shared_ptr<Record> record, FindRecord(id));
  while (!Finished(record->info.state)) {
    if (timeout_ms <= 0) {
      finished_.Wait(mutex_);
      continue;
    }
    const std::int64_t passed_ms = (clock_.MonotonicUs() - start_us) / 1000;
    if (passed_ms >= timeout_ms) {
      break;
    }
    finished_.WaitFor(mutex_,
                      std::chrono::milliseconds(std::min(timeout_ms - passed_ms, kLongestMs)));
  }
  return Describe(*record);
}

void JobTable::Begin(Record* record) {
  MutexLock lock(mutex_);
  record->info.state = JobState::kRunning;
  // Until now it said when the job was queued.
  record->info.started_ms = clock_.NowMs();
  record->begun_us = clock_.MonotonicUs();
}

void JobTable::SetPhase(Record* record, std::string_view phase) {
  MutexLock lock(mutex_);
  record->info.phase = phase;
}

void JobTable::SetProgress(Record* record, double fraction) {
  MutexLock lock(mutex_);
  // Also false for NaN.
  if (fraction > record->fraction) {
    record->fraction = std::min(fraction, 1.0);
    record->info.percent = 100 * record->fraction;
    record->progress_us = clock_.MonotonicUs();
  }
}

JobChange JobTable::End(Record* record, JobState state, std::string error, JobResult result) {
  JobChange change;
  {
    MutexLock lock(mutex_);
    record->info.state = state;
    record->info.error = std::move(error);
    record->info.result = std::move(result);
    record->info.finished_ms = clock_.NowMs();
    if (state == JobState::kDone) {
      record->info.percent = 100;
    }
    finished_ids_.push_back(record->info.id);
    change = {.finished = Describe(*record), .dropped = DropOldest()};
  }
  TellWatchers(change.finished);
  finished_.NotifyAll();
  return change;
}

void JobTable::TellWatchers(const JobInfo& finished) {
  // Held over the calls, so that Unwatch can wait for the one under way.
  MutexLock telling(telling_);
  std::vector<Watcher> told;
  {
    MutexLock lock(mutex_);
    std::erase_if(watchers_, [&](auto& entry) {
      const bool of_it = entry.second.job == finished.id;
      if (of_it) {
        told.push_back(std::move(entry.second));
      }
      return of_it;
    });
  }
  for (const Watcher& watcher : told) {
    watcher.ended(finished);
  }
}

Result<std::uint64_t> JobTable::Watch(std::uint64_t id, std::function<void(const JobInfo&)> ended) {
  JobInfo finished;
  {
    MutexLock lock(mutex_);
    RECO_ASSIGN_OR_RETURN(const std::shared_ptr<Record> record, FindRecord(id));
    if (!Finished(record->info.state)) {
      watchers_.emplace(next_watch_, Watcher{id, std::move(ended)});
      return next_watch_++;
    }
    finished = Describe(*record);
  }
  ended(finished);
  return 0;
}

void JobTable::Unwatch(std::uint64_t watch) {
  {
    MutexLock lock(mutex_);
    if (watchers_.erase(watch) != 0) {
      return;
    }
  }
  MutexLock telling(telling_);  // it may be called right now
}

std::vector<std::uint64_t> JobTable::DropOldest() {
  std::vector<std::uint64_t> dropped;
  while (finished_ids_.size() > kept_) {
    dropped.push_back(finished_ids_.front());
    records_.erase(finished_ids_.front());
    finished_ids_.pop_front();
  }
  return dropped;
}

}  // namespace reco::engine
