#include "api/server/job_waiter.h"

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "reco/engine.h"

#include "testing/temp_dir.h"

namespace reco::api {
namespace {

class JobWaiterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Options options;
    options.path = folder_.path();
    auto opened = Database::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
    std::vector<std::string> ids;
    for (int i = 0; i < 200; ++i) {
      ids.push_back("id" + std::to_string(i));
    }
    std::vector<Interaction> interactions;
    for (int i = 0; i < 8'000; ++i) {
      interactions.push_back({.user = ids[i % 200], .item = ids[i / 200 * 7 % 200]});
    }
    ASSERT_TRUE(database_->AddMany("shop", interactions).ok());
  }
  // A training that takes far longer than the test.
  std::uint64_t StartLongJob() {
    const std::pair<std::string, std::string> parameters[] = {{"iterations", "1000"}};
    const auto job = database_->Retrain("shop", parameters);
    EXPECT_TRUE(job.ok()) << job.status().ToString();
    return job.ok() ? *job : 0;
  }
  // Runs what is queued until `over` has been called.
  void RunUntilOver() {
    while (over_.empty()) {
      context_.restart();
      context_.run_one();
    }
    context_.restart();
    context_.poll();
  }

  testing::TempDir folder_;
  std::unique_ptr<Database> database_;
  boost::asio::io_context context_;
  std::vector<Result<JobInfo>> over_;
  JobWaiter::Over note_ = [this](const Result<JobInfo>& job) { over_.push_back(job); };
};

TEST_F(JobWaiterTest, TellsOfTheEnd) {
  const std::uint64_t job = StartLongJob();
  const auto work = boost::asio::make_work_guard(context_);
  const JobWaiter waiter(context_, *database_, job, 0, note_);
  const JobWaiter patient(context_, *database_, job, 3'600'000, [](const Result<JobInfo>&) {});
  EXPECT_EQ(context_.poll(), 0U);
  ASSERT_TRUE(database_->CancelJob(job).ok());
  RunUntilOver();
  ASSERT_EQ(over_.size(), 1U);
  EXPECT_EQ(over_[0]->state, JobState::kCancelled);
}

TEST_F(JobWaiterTest, TellsHowTheJobStandsAtTheEndOfTheTime) {
  const std::uint64_t job = StartLongJob();
  const JobWaiter waiter(context_, *database_, job, 5, note_);
  RunUntilOver();
  ASSERT_EQ(over_.size(), 1U);
  EXPECT_NE(over_[0]->state, JobState::kDone);
  EXPECT_EQ(over_[0]->id, job);
  ASSERT_TRUE(database_->CancelJob(job).ok());
}

TEST_F(JobWaiterTest, TellsOfNoSuchJobAndOfAnEndedOneFromTheContext) {
  const JobWaiter none(context_, *database_, 77, 0, note_);
  EXPECT_TRUE(over_.empty());
  RunUntilOver();
  ASSERT_EQ(over_.size(), 1U);
  EXPECT_EQ(over_[0].status().code(), StatusCode::kNotFound);
  const auto job = database_->Retrain("shop", {});
  ASSERT_TRUE(database_->WaitJob(*job, 0).ok());
  over_.clear();
  const JobWaiter ended(context_, *database_, *job, 1, note_);
  EXPECT_TRUE(over_.empty());
  RunUntilOver();
  ASSERT_EQ(over_.size(), 1U);
  EXPECT_EQ(over_[0]->state, JobState::kDone);
}

TEST_F(JobWaiterTest, IsSilentOnceItIsGone) {
  const std::uint64_t job = StartLongJob();
  auto waiter = std::make_unique<JobWaiter>(context_, *database_, job, 1, note_);
  waiter.reset();
  ASSERT_TRUE(database_->CancelJob(job).ok());
  ASSERT_TRUE(database_->WaitJob(job, 0).ok());
  // Told, and gone before the context runs what was queued.
  waiter = std::make_unique<JobWaiter>(context_, *database_, job, 0, note_);
  waiter.reset();
  context_.run();
  EXPECT_TRUE(over_.empty());
}

TEST_F(JobWaiterTest, MayBeDestroyedByWhatItCalls) {
  std::unique_ptr<JobWaiter> waiter;
  waiter =
      std::make_unique<JobWaiter>(context_, *database_, 77, 0, [&](const Result<JobInfo>& job) {
        waiter.reset();
        over_.push_back(job);
      });
  RunUntilOver();
  EXPECT_EQ(over_.size(), 1U);
}

}  // namespace
}  // namespace reco::api
