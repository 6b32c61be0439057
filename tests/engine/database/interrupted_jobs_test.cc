// Numbers of jobs, and what a start says of those that the one before did not end.
#include <string>

#include <gtest/gtest.h>

#include "reco/engine.h"

#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;

TEST(InterruptedJobs, AJobThatNeverEndedIsInterruptedAtTheNextStart) {
  Shop shop(false);  // nobody runs jobs
  shop.Fill(20, 4, 4, 1);
  const std::uint64_t id = *shop.db->Retrain("shop", {});
  EXPECT_EQ(shop.db->Job(id)->state, JobState::kQueued);
  for (int start = 0; start < 2; ++start) {
    shop.Reopen();
    const JobInfo job = *shop.db->WaitJob(id, 0);
    EXPECT_EQ(job.state, JobState::kInterrupted);
    EXPECT_EQ(job.error, "the server stopped before it ended");
    EXPECT_EQ(job.key, "shop");
    EXPECT_EQ(job.kind, JobKind::kRetrain);
    EXPECT_EQ(shop.db->CancelJob(id).code(), StatusCode::kFailedPrecondition);
  }
  // Its collection takes another one, which has a number of its own.
  EXPECT_EQ(*shop.db->Retrain("shop", {}), id + 1);
}

TEST(InterruptedJobs, NumbersGoOnWhenNoJobIsKept) {
  Shop shop;
  shop.options.jobs_kept = 0;
  shop.Reopen();
  shop.Fill(40, 4, 8, 1);
  for (std::uint64_t id = 1; id <= 3; ++id) {
    ASSERT_EQ(*shop.db->Retrain("shop", {}), id);
    // Forgotten as soon as it has ended.
    while (shop.db->Job(id).ok()) {
      shop.db->WaitJob(id, 0).status().IgnoreError("it may be forgotten already");
    }
    // Collections and jobs share the row of next numbers.
    ASSERT_TRUE(*shop.db->Create("c" + std::to_string(id), {}));
    shop.Reopen();
    EXPECT_TRUE(shop.db->Jobs().empty());
  }
}

TEST(InterruptedJobs, WhatIsForgottenAtAStartStaysSo) {
  Shop shop(false);
  shop.Fill(20, 4, 4, 1);
  const std::uint64_t id = *shop.db->Retrain("shop", {});
  shop.options.jobs_kept = 0;
  shop.Reopen();
  EXPECT_EQ(shop.db->Job(id).status().code(), StatusCode::kNotFound);
  shop.options.jobs_kept = 10;
  shop.Reopen();
  EXPECT_TRUE(shop.db->Jobs().empty());
  EXPECT_EQ(*shop.db->Retrain("shop", {}), id + 1);
}

}  // namespace
}  // namespace reco
