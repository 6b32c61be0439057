// JobWatch: follows a background job of the server and shows its progress.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/admin/session.h"
#include "tools/terminal/progress.h"

namespace reco::admin {

// A job's map as RECO.JOB answers it, in the parts that are used here.
struct JobView {
  std::string id;
  std::string kind;
  std::string key;
  std::string state;  // queued, running, done, failed, cancelled
  double percent = 0;
  double eta_s = -1;
  std::string phase;
  std::int64_t started_ms = 0;
  std::int64_t finished_ms = 0;
  std::string error;
  client::Value result;  // a map

  bool finished() const { return state == "done" || state == "failed" || state == "cancelled"; }
};

JobView ToJobView(const client::Value& map);

// Shows the job's progress until it is finished. kFailedPrecondition when it failed or was
// cancelled, with the reason.
Result<JobView> WatchJob(Session& session, std::string_view id, terminal::ProgressMeter& meter);

// Returns the newest unfinished job of a collection; id is empty when there is none.
Result<JobView> FindRunningJob(Session& session, std::string_view key);

terminal::ProgressState ToProgress(const JobView& job);

}  // namespace reco::admin
