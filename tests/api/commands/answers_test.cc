// The bytes of the shapes that several commands answer, in both protocols.
#include "api/commands/answers.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/function_ref.h"

namespace reco::api {
namespace {

std::string Written(int protocol, FunctionRef<void(Reply&)> write) {
  std::string out;
  Reply reply(&out, protocol);
  write(reply);
  return out;
}

TEST(Answers, AnErrorIsAnsweredInPlaceOfTheValue) {
  const Status error = Status::InvalidArgument("no");
  const std::string expected = "-ERR no\r\n";
  EXPECT_EQ(Written(2, [&](Reply& r) { AnswerStatus(r, error); }), expected);
  EXPECT_EQ(Written(2, [&](Reply& r) { AnswerInteger(r, error); }), expected);
  EXPECT_EQ(Written(2, [&](Reply& r) { AnswerBoolean(r, error); }), expected);
  EXPECT_EQ(Written(2, [&](Reply& r) { AnswerScores(r, error); }), expected);
}

TEST(Answers, ScalarsOfBothProtocols) {
  EXPECT_EQ(Written(2, [](Reply& r) { AnswerStatus(r, Status::Ok()); }), "+OK\r\n");
  EXPECT_EQ(Written(2, [](Reply& r) { AnswerInteger(r, std::uint64_t{12}); }), ":12\r\n");
  EXPECT_EQ(Written(2, [](Reply& r) { AnswerBoolean(r, true); }), ":1\r\n");
  EXPECT_EQ(Written(3, [](Reply& r) { AnswerBoolean(r, false); }), "#f\r\n");
}

TEST(Answers, ScoresThatThereAreNotAreNull) {
  const std::vector<std::optional<double>> scores = {1.5, std::nullopt};
  EXPECT_EQ(Written(2, [&](Reply& r) { AnswerScores(r, scores); }), "*2\r\n$3\r\n1.5\r\n$-1\r\n");
  EXPECT_EQ(Written(3, [&](Reply& r) { AnswerScores(r, scores); }), "*2\r\n,1.5\r\n_\r\n");
}

TEST(Answers, AScanPageIsTheCursorAndTheNames) {
  ScanPage page;
  page.cursor = 7;
  page.names = {"a", "bc"};
  EXPECT_EQ(Written(2, [&](Reply& r) { AnswerScanPage(r, page); }),
            "*2\r\n$1\r\n7\r\n*2\r\n$1\r\na\r\n$2\r\nbc\r\n");
}

TEST(Answers, AJobHasItsElevenFieldsInOrder) {
  JobInfo job;
  job.id = 3;
  job.kind = JobKind::kEvaluate;
  job.key = "shop";
  job.state = JobState::kFailed;
  job.percent = 12.5;
  job.phase = "loading";
  job.eta_s = -1;
  job.started_ms = 5;
  job.finished_ms = 6;
  job.error = "disk full";
  job.result = {{"recall", 0.5}};
  EXPECT_EQ(Written(3, [&](Reply& r) { AnswerJob(r, job); }),
            "%11\r\n$2\r\nid\r\n:3\r\n$4\r\nkind\r\n$8\r\nevaluate\r\n$3\r\nkey\r\n$4\r\nshop\r\n"
            "$5\r\nstate\r\n$6\r\nfailed\r\n$7\r\npercent\r\n,12.5\r\n$5\r\nphase\r\n"
            "$7\r\nloading\r\n$11\r\neta-seconds\r\n,-1\r\n$10\r\nstarted-ms\r\n:5\r\n"
            "$11\r\nfinished-ms\r\n:6\r\n$5\r\nerror\r\n$9\r\ndisk full\r\n$6\r\nresult\r\n"
            "%1\r\n$6\r\nrecall\r\n,0.5\r\n");
}

TEST(Answers, StatesOfJobsAreWords) {
  const std::pair<JobState, std::string> cases[] = {{JobState::kQueued, "queued"},
                                                    {JobState::kRunning, "running"},
                                                    {JobState::kDone, "done"},
                                                    {JobState::kFailed, "failed"},
                                                    {JobState::kCancelled, "cancelled"}};
  for (const auto& [state, word] : cases) {
    JobInfo job;
    job.state = state;
    EXPECT_NE(Written(2,
                      [&](Reply& r) {
                        AnswerJobs(r, {&job, 1});
                      })
                  .find("\r\n" + word + "\r\n"),
              std::string::npos)
        << word;
  }
}

TEST(Answers, RowsAreNestedInResp3AndFlatInResp2) {
  const auto rows = [](Reply& r) {
    StartRows(r, 2, 2);
    for (int i = 0; i < 2; ++i) {
      StartRow(r, 2);
      r.Integer(i);
      r.Integer(i);
    }
  };
  EXPECT_EQ(Written(2, rows), "*4\r\n:0\r\n:0\r\n:1\r\n:1\r\n");
  EXPECT_EQ(Written(3, rows), "*2\r\n*2\r\n:0\r\n:0\r\n*2\r\n:1\r\n:1\r\n");
}

}  // namespace
}  // namespace reco::api
