// Measures of an evaluation among the figures of its job.
#include "engine/jobs/measures.h"

#include <vector>

#include <gtest/gtest.h>

#include "reco/engine.h"

namespace reco::engine {
namespace {

TEST(Measures, ComeBackFromTheFiguresInTheirOrder) {
  const std::vector<Measure> measures = {{"model", "recall@20", 0.25, 0.01},
                                         {"model", "coverage@20", 0.5},
                                         {"cosine", "recall@20", 0.125, 0.02},
                                         {"mean", "rmse", 1.5, 0.25}};
  JobInfo job;
  job.kind = JobKind::kEvaluate;
  job.result = {{"users", 10}};
  for (const Measure& measure : measures) {
    AppendMeasure(measure, &job.result);
  }
  job.result.emplace_back("seconds", 3);
  EXPECT_EQ(Measures(job), measures);
}

TEST(Measures, AreStoredUnderTheNamesOfTheProtocol) {
  JobInfo job;
  AppendMeasure({"model", "recall@20", 0.25, 0.01}, &job.result);
  const std::vector<std::pair<std::string, double>> named = {{"model.recall@20", 0.25},
                                                             {"model.recall@20.ci", 0.01}};
  EXPECT_EQ(job.result, named);
}

TEST(Measures, OfATrainingAreNone) {
  JobInfo job;
  job.result = {{"model-id", 3}, {"objective.1", 12.5}};
  EXPECT_TRUE(Measures(job).empty());
}

}  // namespace
}  // namespace reco::engine
