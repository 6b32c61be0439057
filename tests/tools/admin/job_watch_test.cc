#include "tools/admin/job_watch.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using client::Value;

Value Bulk(const std::string& text) {
  return {Value::Kind::kBulk, 0, text, {}};
}
Value List(std::vector<Value> elements) {
  return {Value::Kind::kArray, 0, {}, std::move(elements)};
}

TEST(ToJobView, TakesWhatTheMapSays) {
  const JobView job =
      ToJobView(List({Bulk("id"),          Bulk("7"),
                      Bulk("kind"),        Bulk("retrain"),
                      Bulk("key"),         Bulk("shop"),
                      Bulk("state"),       Bulk("failed"),
                      Bulk("percent"),     Bulk("41.5"),
                      Bulk("eta-seconds"), Bulk("12"),
                      Bulk("phase"),       Bulk("training"),
                      Bulk("started-ms"),  Bulk("1700000000123"),
                      Bulk("finished-ms"), Value{Value::Kind::kInteger, 1'700'000'000'456, {}, {}},
                      Bulk("error"),       Bulk("disk full"),
                      Bulk("result"),      List({Bulk("model"), Bulk("3")})}));
  EXPECT_EQ(job.id, "7");
  EXPECT_EQ(job.kind, "retrain");
  EXPECT_EQ(job.key, "shop");
  EXPECT_EQ(job.state, "failed");
  EXPECT_EQ(job.percent, 41.5);
  EXPECT_EQ(job.eta_s, 12);
  EXPECT_EQ(job.phase, "training");
  EXPECT_EQ(job.started_ms, 1'700'000'000'123);
  EXPECT_EQ(job.finished_ms, 1'700'000'000'456);
  EXPECT_EQ(job.error, "disk full");
  ASSERT_NE(job.result.Find("model"), nullptr);
  EXPECT_EQ(job.result.Find("model")->text, "3");
}

TEST(ToJobView, WhatIsMissingIsNotKnown) {
  const JobView job = ToJobView(List({}));
  EXPECT_EQ(job.id, "");
  EXPECT_EQ(job.percent, 0);
  EXPECT_EQ(job.eta_s, -1);
  EXPECT_EQ(job.started_ms, 0);
}

TEST(JobView, IsFinishedInTheThreeLastStates) {
  for (const auto& [state, finished] :
       std::vector<std::pair<std::string, bool>>{{"queued", false},
                                                 {"running", false},
                                                 {"done", true},
                                                 {"failed", true},
                                                 {"cancelled", true},
                                                 {"", false}}) {
    JobView job;
    job.state = state;
    EXPECT_EQ(job.finished(), finished) << state;
  }
}

TEST(ToProgress, IsAShareOfOne) {
  JobView job;
  job.percent = 25;
  job.eta_s = 3;
  job.phase = "training";
  const terminal::ProgressState progress = ToProgress(job);
  EXPECT_EQ(progress.fraction, 0.25);
  EXPECT_EQ(progress.eta_s, 3);
  EXPECT_EQ(progress.phase, "training");
}

}  // namespace
}  // namespace reco::admin
