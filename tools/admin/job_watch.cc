#include "tools/admin/job_watch.h"

#include <cmath>

namespace reco::admin {
namespace {

using client::Value;

// The server waits that long, so that the end of a job is seen at once.
constexpr std::string_view kWaitMs = "200";

std::string TextOf(const Value& map, std::string_view name) {
  const Value* value = map.Find(name);
  return value == nullptr ? std::string() : value->ToText();
}

double NumberOf(const Value& map, std::string_view name, double otherwise) {
  const Value* value = map.Find(name);
  return value == nullptr ? otherwise : value->ToDouble(otherwise);
}

}  // namespace

JobView ToJobView(const Value& map) {
  JobView job;
  job.id = TextOf(map, "id");
  job.kind = TextOf(map, "kind");
  job.key = TextOf(map, "key");
  job.state = TextOf(map, "state");
  job.percent = NumberOf(map, "percent", 0);
  job.eta_s = NumberOf(map, "eta-seconds", -1);
  job.phase = TextOf(map, "phase");
  job.started_ms = std::llround(NumberOf(map, "started-ms", 0));
  job.finished_ms = std::llround(NumberOf(map, "finished-ms", 0));
  job.error = TextOf(map, "error");
  if (const Value* result = map.Find("result"); result != nullptr) {
    job.result = *result;
  }
  return job;
}

terminal::ProgressState ToProgress(const JobView& job) {
  return {0, job.percent / 100, job.eta_s, job.phase};
}

Result<JobView> WatchJob(Session& session, std::string_view id, terminal::ProgressMeter& meter) {
  while (true) {
    RECO_ASSIGN_OR_RETURN(const Value map, session.Call({"RECO.JOB", "WAIT", id, kWaitMs}));
    JobView job = ToJobView(map);
    if (!job.finished()) {
      meter.Update(ToProgress(job));
      continue;
    }
    meter.Finish(ToProgress(job));
    if (job.state != "done") {
      return Status::FailedPrecondition("job " + std::string(id) + ' ' + job.state +
                                        (job.error.empty() ? "" : ": " + job.error));
    }
    return job;
  }
}

Result<JobView> FindRunningJob(Session& session, std::string_view key) {
  RECO_ASSIGN_OR_RETURN(const Value list, session.Call({"RECO.JOB", "LIST"}));
  JobView newest;
  for (const Value& map : list.elements) {
    JobView job = ToJobView(map);
    // Ids are numbers without leading zeros, so the longer one is the newer one.
    if (job.key == key && !job.finished() && job.id.size() >= newest.id.size() &&
        job.id >= newest.id) {
      newest = std::move(job);
    }
  }
  return newest;
}

}  // namespace reco::admin
