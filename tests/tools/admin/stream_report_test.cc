#include "tools/admin/stream_report.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::HasSubstr;

StreamReport Report() {
  StreamScore score({1, 20});
  score.Add({4, 3, true}, 1);
  score.Add({5, 0, false}, 4);
  return {.key = "shop",
          .path = "clicks.csv",
          .seed = 42,
          .train_share = 0.5,
          .users = 2,
          .items = 1'700,
          .events = 9,
          .plan = {.training = 4, .questions = {{4, 3, true}, {5, 0, false}}, .repeats = 3},
          .rows = {{.mode = "both",
                    .recency = "0.9",
                    .neighbours = "auto",
                    .retrain_every = 5'000,
                    .seconds = 1.5,
                    .parameters = {{"dim", "64"}, {"unobserved", "auto"}},
                    .score = score}}};
}

TEST(StreamReport, TextHasTheFiguresOfEveryRowAndSplit) {
  const std::string text = ToText(Report());
  EXPECT_THAT(text, HasSubstr("9 events of 2 users and 1,700 items; trained on the first 4\n"));
  EXPECT_THAT(text, HasSubstr("2 next items asked for, 0 of them never seen before; told only: 3 "
                              "repeats, 0 negative\n"));
  // Hits 1 and 0, so 0.5 with a half-width of 1.96 x 0.7071 / 1.4142.
  EXPECT_THAT(text, HasSubstr("both         0.9  auto                5,000  0.5000 +-0.9800"));
  EXPECT_THAT(text, HasSubstr("recall@20 of users"));
  EXPECT_THAT(text, HasSubstr("MRR@20 of users"));
  EXPECT_THAT(text, HasSubstr("1.0000  0.2500  0.2500  1.0000"));
}

TEST(StreamReport, JsonHasEveryCutOffAndSplit) {
  const std::string json = ToJson(Report());
  EXPECT_THAT(json, HasSubstr(R"("questions": 2, "new-items": 0, "repeats": 3,)"));
  EXPECT_THAT(
      json,
      HasSubstr(R"("mode": "both", "recency": 0.9, "neighbours": "auto", "retrain-every": 5000,)"));
  EXPECT_THAT(json, HasSubstr(R"("parameters": {"dim": 64, "unobserved": "auto"})"));
  EXPECT_THAT(json, HasSubstr(R"("at": {"1": {"all": {"questions": 2, "recall": 0.5,)"));
  EXPECT_THAT(json, HasSubstr(R"("20-99": {"questions": 0, "recall": null,)"));
}

}  // namespace
}  // namespace reco::admin
