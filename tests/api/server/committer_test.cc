#include "api/server/committer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "reco/engine.h"

#include "testing/temp_dir.h"

namespace reco::api {
namespace {

class CommitterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Options options;
    options.path = folder_.path();
    auto opened = Database::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
  }

  testing::TempDir folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(CommitterTest, CommitsWhatWasSubmittedBeforeItStops) {
  Committer committer(database_.get());
  std::vector<int> ended;  // the committer's thread alone, until it is joined
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(database_->Set("k" + std::to_string(i), "v", {}, {.defer_commit = true}).ok());
    const std::uint64_t seen = Database::TakeSeen();
    ASSERT_TRUE(committer.Submit(database_->generation(), seen, [&, i, seen](const Status& status) {
      EXPECT_TRUE(status.ok()) << status.ToString();
      EXPECT_GE(database_->CommittedUpTo(database_->generation()), seen);
      ended.push_back(i);
    }));
  }
  committer.Stop();
  ASSERT_EQ(ended.size(), 100U);
  EXPECT_TRUE(std::is_sorted(ended.begin(), ended.end()));
}

TEST_F(CommitterTest, TellsOfAGenerationThatIsOver) {
  Committer committer(database_.get());
  Status told;
  ASSERT_TRUE(committer.Submit(database_->generation() + 1, 1, [&](const Status& s) { told = s; }));
  committer.Stop();
  EXPECT_EQ(told.code(), StatusCode::kIoError);
}

TEST_F(CommitterTest, TakesNothingOnceItHasStopped) {
  Committer committer(database_.get());
  committer.Stop();
  committer.Stop();
  EXPECT_FALSE(committer.Submit(1, 1, [](const Status&) { FAIL(); }));
}

}  // namespace
}  // namespace reco::api
