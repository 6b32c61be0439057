#include "engine/jobs/jobs.h"

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class JobTableTest : public testing::Test {
 protected:
  JobInfo Get(std::uint64_t id) {
    Result<JobInfo> job = jobs_.Get(id);
    EXPECT_TRUE(job.ok()) << job.status().ToString();
    return job.ok() ? *job : JobInfo{};
  }
  std::vector<std::uint64_t> Ids() {
    std::vector<std::uint64_t> ids;
    for (const JobInfo& job : jobs_.List()) {
      ids.push_back(job.id);
    }
    return ids;
  }
  RunningJob Create() { return jobs_.Create(JobKind::kRetrain, "shop"); }

  ManualClock clock_{1'000};
  JobTable jobs_{clock_, 7, 2};
};

JobInfo FinishedJob(std::uint64_t id, std::int64_t finished_ms) {
  JobInfo job;
  job.id = id;
  job.state = JobState::kDone;
  job.finished_ms = finished_ms;
  return job;
}

TEST_F(JobTableTest, IdsAscendFromTheFirst) {
  EXPECT_EQ(jobs_.next_id(), 7U);
  RunningJob a = Create();
  RunningJob b = Create();
  EXPECT_EQ(a.id(), 7U);
  EXPECT_EQ(b.id(), 8U);
  EXPECT_EQ(jobs_.next_id(), 9U);
  EXPECT_THAT(Ids(), ElementsAre(7, 8));
}

TEST_F(JobTableTest, ANewJobIsQueued) {
  RunningJob running = jobs_.Create(JobKind::kEvaluate, "shop");
  const JobInfo job = Get(7);
  EXPECT_EQ(job.kind, JobKind::kEvaluate);
  EXPECT_EQ(job.key, "shop");
  EXPECT_EQ(job.state, JobState::kQueued);
  EXPECT_EQ(job.percent, 0);
  EXPECT_EQ(job.eta_s, -1);
  EXPECT_EQ(job.started_ms, 1'000);
  EXPECT_EQ(job.finished_ms, 0);
}

TEST_F(JobTableTest, ProgressGivesPercentAndTimeLeft) {
  RunningJob running = Create();
  clock_.AdvanceMs(5'000);
  running.Begin();
  running.SetPhase("training");
  EXPECT_EQ(Get(7).started_ms, 6'000);
  EXPECT_EQ(Get(7).eta_s, -1);
  clock_.AdvanceMs(2'000);
  running.SetProgress(0.25);
  EXPECT_EQ(Get(7).state, JobState::kRunning);
  EXPECT_EQ(Get(7).phase, "training");
  EXPECT_DOUBLE_EQ(Get(7).percent, 25);
  EXPECT_DOUBLE_EQ(Get(7).eta_s, 6);
  // Without news the time left goes on shrinking, to zero at most.
  clock_.AdvanceMs(1'500);
  EXPECT_DOUBLE_EQ(Get(7).eta_s, 4.5);
  clock_.AdvanceMs(100'000);
  EXPECT_DOUBLE_EQ(Get(7).eta_s, 0);
}

TEST_F(JobTableTest, ProgressNeverGoesBackAndStaysInRange) {
  RunningJob running = Create();
  running.Begin();
  running.SetProgress(0.5);
  for (const double fraction : {0.4, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    running.SetProgress(fraction);
    EXPECT_DOUBLE_EQ(Get(7).percent, 50);
  }
  running.SetProgress(7);
  EXPECT_DOUBLE_EQ(Get(7).percent, 100);
}

TEST_F(JobTableTest, AFinishedJobKeepsItsResult) {
  RunningJob running = Create();
  running.Begin();
  running.SetProgress(0.5);
  clock_.AdvanceMs(10);
  const JobChange change = running.Finish({{"model", 3}, {"objective", 0.5}});
  const JobInfo job = Get(7);
  EXPECT_EQ(job.state, JobState::kDone);
  EXPECT_EQ(job.percent, 100);
  EXPECT_EQ(job.eta_s, -1);
  EXPECT_EQ(job.finished_ms, 1'010);
  EXPECT_THAT(job.result, ElementsAre(Pair("model", 3), Pair("objective", 0.5)));
  EXPECT_EQ(change.finished.id, 7U);
  EXPECT_EQ(change.finished.state, JobState::kDone);
  EXPECT_EQ(change.finished.result, job.result);
  EXPECT_THAT(change.dropped, IsEmpty());
}

TEST_F(JobTableTest, AFailedJobSaysWhy) {
  RunningJob running = Create();
  running.Begin();
  running.Fail(Status::ResourceExhausted("out of memory"));
  EXPECT_EQ(Get(7).state, JobState::kFailed);
  EXPECT_EQ(Get(7).error, "out of memory");
}

TEST_F(JobTableTest, AJobThatStopsWhenAskedToIsCancelled) {
  RunningJob running = Create();
  EXPECT_FALSE(running.cancelled());
  EXPECT_TRUE(jobs_.Cancel(7).ok());
  EXPECT_TRUE(running.cancel()->load());
  const JobChange change = running.Fail(Status::Unavailable("cancelled"));
  EXPECT_EQ(change.finished.state, JobState::kCancelled);
  EXPECT_EQ(Get(7).state, JobState::kCancelled);
  EXPECT_EQ(Get(7).error, "");
}

TEST_F(JobTableTest, AnErrorAfterACancelIsAFailure) {
  RunningJob running = Create();
  EXPECT_TRUE(jobs_.Cancel(7).ok());
  running.Fail(Status::IoError("disk gone"));
  EXPECT_EQ(Get(7).state, JobState::kFailed);
  EXPECT_EQ(Get(7).error, "disk gone");
}

TEST_F(JobTableTest, UnavailableWithoutACancelIsAFailure) {
  RunningJob running = Create();
  running.Fail(Status::Unavailable("closing"));
  EXPECT_EQ(Get(7).state, JobState::kFailed);
  EXPECT_EQ(Get(7).error, "closing");
}

TEST_F(JobTableTest, OnlyUnfinishedJobsCanBeCancelled) {
  EXPECT_EQ(jobs_.Cancel(7).code(), StatusCode::kNotFound);
  Create().Finish({});
  EXPECT_EQ(jobs_.Cancel(7).code(), StatusCode::kFailedPrecondition);
}

TEST_F(JobTableTest, CancelAllAsksEveryJobToStop) {
  RunningJob a = Create();
  RunningJob b = Create();
  jobs_.CancelAll();
  EXPECT_TRUE(a.cancelled());
  EXPECT_TRUE(b.cancelled());
}

TEST_F(JobTableTest, AHandleThatIsLostFailsItsJobOnce) {
  {
    std::optional<RunningJob> running(Create());
    const RunningJob moved(std::move(*running));
    running.reset();
    EXPECT_EQ(Get(7).state, JobState::kQueued);
  }
  EXPECT_EQ(Get(7).state, JobState::kFailed);
  EXPECT_EQ(Get(7).error, "stopped before it finished");
}

TEST_F(JobTableTest, TheJobsThatFinishedLastAreKept) {
  RunningJob a = Create();
  RunningJob b = Create();
  RunningJob c = Create();
  RunningJob unfinished = Create();
  EXPECT_THAT(c.Finish({}).dropped, IsEmpty());
  EXPECT_THAT(a.Finish({}).dropped, IsEmpty());
  EXPECT_THAT(b.Finish({}).dropped, ElementsAre(9));
  EXPECT_THAT(Ids(), ElementsAre(7, 8, 10));
  EXPECT_EQ(jobs_.Get(9).status().code(), StatusCode::kNotFound);
}

TEST_F(JobTableTest, RestoredJobsAreKeptByTheirTimeAndRaiseTheNextId) {
  EXPECT_THAT(jobs_.Restore(FinishedJob(20, 300)), IsEmpty());
  EXPECT_THAT(jobs_.Restore(FinishedJob(21, 100)), IsEmpty());
  EXPECT_THAT(jobs_.Restore(FinishedJob(4, 200)), ElementsAre(21));
  EXPECT_THAT(jobs_.Restore(FinishedJob(5, 50)), ElementsAre(5));
  EXPECT_THAT(Ids(), ElementsAre(4, 20));
  EXPECT_EQ(jobs_.next_id(), 22U);
  EXPECT_EQ(Get(20).finished_ms, 300);
  // Restoring twice changes nothing.
  EXPECT_THAT(jobs_.Restore(FinishedJob(20, 300)), IsEmpty());
  EXPECT_THAT(Ids(), ElementsAre(4, 20));
}

TEST_F(JobTableTest, WaitingForAFinishedOrUnknownJobReturnsAtOnce) {
  Create().Finish({});
  EXPECT_EQ(jobs_.Wait(7, 0)->state, JobState::kDone);
  EXPECT_EQ(jobs_.Wait(8, 0).status().code(), StatusCode::kNotFound);
}

TEST_F(JobTableTest, WaitReturnsWhenTheJobFinishesEvenIfItIsForgottenAtOnce) {
  JobTable forgetful(clock_, 1, 0);
  RunningJob running = forgetful.Create(JobKind::kRetrain, "shop");
  std::optional<Result<JobInfo>> forever;
  std::optional<Result<JobInfo>> bounded;
  std::thread waits_forever([&] { forever = forgetful.Wait(1, 0); });
  std::thread waits_bounded(
      [&] { bounded = forgetful.Wait(1, std::numeric_limits<std::int64_t>::max()); });
  // A waiter that comes too late finds nothing, which is right as well.
  EXPECT_THAT(running.Finish({{"model", 1}}).dropped, ElementsAre(1));
  waits_forever.join();
  waits_bounded.join();
  for (const Result<JobInfo>& waited : {*forever, *bounded}) {
    if (waited.ok()) {
      EXPECT_EQ(waited->state, JobState::kDone);
    } else {
      EXPECT_EQ(waited.status().code(), StatusCode::kNotFound);
    }
  }
}

TEST(JobTable, AWaitThatTimesOutAnswersHowTheJobStands) {
  JobTable jobs(SystemClock(), 1, 10);
  RunningJob running = jobs.Create(JobKind::kRetrain, "shop");
  running.Begin();
  EXPECT_EQ(jobs.Wait(1, 1)->state, JobState::kRunning);
}

TEST(JobTable, AWatcherIsToldOnceWhenTheJobHasEnded) {
  JobTable jobs(SystemClock(), 1, 0);  // 0: forgotten as soon as it has ended
  RunningJob running = jobs.Create(JobKind::kRetrain, "shop");
  std::vector<JobState> told;
  const auto note = [&](const JobInfo& job) { told.push_back(job.state); };
  ASSERT_TRUE(jobs.Watch(1, note).ok());
  ASSERT_TRUE(jobs.Watch(1, note).ok());
  const auto third = jobs.Watch(1, note);
  running.Begin();
  EXPECT_TRUE(told.empty());
  jobs.Unwatch(*third);
  RunningJob other = jobs.Create(JobKind::kEvaluate, "shop");
  static_cast<void>(other.Finish({}));
  EXPECT_TRUE(told.empty());
  static_cast<void>(running.Finish({}));
  EXPECT_EQ(told, std::vector<JobState>(2, JobState::kDone));
  jobs.Unwatch(*third);
  EXPECT_EQ(jobs.Watch(1, note).status().code(), StatusCode::kNotFound);
}

TEST(JobTable, AWatcherOfAnEndedJobIsToldAtOnce) {
  JobTable jobs(SystemClock(), 1, 10);
  RunningJob running = jobs.Create(JobKind::kRetrain, "shop");
  static_cast<void>(running.Fail(Status::IoError("broken")));
  std::string told;
  ASSERT_TRUE(jobs.Watch(1, [&](const JobInfo& job) { told = job.error; }).ok());
  EXPECT_EQ(told, "broken");
}

// Behind Unwatch a watcher is neither called nor still running.
TEST(JobTable, UnwatchWaitsForTheCallUnderWay) {
  for (int i = 0; i < 200; ++i) {
    JobTable jobs(SystemClock(), 1, 10);
    RunningJob running = jobs.Create(JobKind::kRetrain, "shop");
    auto told = std::make_unique<int>(0);
    const auto watch = jobs.Watch(1, [&told](const JobInfo&) { ++*told; });
    std::thread ender([&running] { static_cast<void>(running.Finish({})); });
    jobs.Unwatch(*watch);
    told.reset();  // a call from here on would be found by the sanitizers, and crash
    ender.join();
  }
}

TEST(JobTable, ManyThreadsMayUseItAtOnce) {
  JobTable jobs(SystemClock(), 1, 1'000);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&jobs] {
      for (int i = 0; i < 50; ++i) {
        RunningJob running = jobs.Create(JobKind::kRetrain, "shop");
        running.Begin();
        running.SetPhase("training");
        running.SetProgress(0.5);
        static_cast<void>(jobs.List());
        jobs.Cancel(running.id()).IgnoreError("the flag is what is tested");
        EXPECT_TRUE(running.cancelled());
        running.Finish({});
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const std::vector<JobInfo> all = jobs.List();
  ASSERT_EQ(all.size(), 200U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].id, i + 1);
    EXPECT_EQ(all[i].state, JobState::kDone);
  }
}

}  // namespace
}  // namespace reco::engine
