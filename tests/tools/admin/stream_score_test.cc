#include "tools/admin/stream_score.h"

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace reco::admin {
namespace {

std::size_t Split(std::string_view name) {
  for (std::size_t split = 0; split < kStreamSplits.size(); ++split) {
    if (kStreamSplits[split] == name) {
      return split;
    }
  }
  ADD_FAILURE() << name;
  return 0;
}

// The mean and 1.96 s / sqrt(n), from the values themselves.
StreamFigure Reference(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return {mean, 1.959964 * std::sqrt(squares / (n - 1) / n)};
}

TEST(StreamScore, RecallAndReciprocalRankAreThoseCountedByHand) {
  StreamScore score({2, 5});
  const StreamQuestion question{0, 3, true};
  for (const std::size_t rank : {1, 0, 3, 2, 5}) {
    score.Add(question, rank);
  }
  EXPECT_EQ(score.questions(kAllQuestions), 5U);
  EXPECT_DOUBLE_EQ(score.Recall(kAllQuestions, 0).value, 2.0 / 5);
  EXPECT_DOUBLE_EQ(score.ReciprocalRank(kAllQuestions, 0).value, (1 + 0.5) / 5);
  EXPECT_DOUBLE_EQ(score.Recall(kAllQuestions, 1).value, 4.0 / 5);
  EXPECT_DOUBLE_EQ(score.ReciprocalRank(kAllQuestions, 1).value, (1 + 1.0 / 3 + 0.5 + 0.2) / 5);
}

TEST(StreamScore, HalfWidthsAreThoseOfTheSample) {
  StreamScore score({10});
  std::vector<double> hits;
  std::vector<double> reciprocals;
  for (std::size_t i = 0; i < 400; ++i) {
    const std::size_t rank = i * i % 17;
    score.Add({i, 0, false}, rank);
    const bool hit = rank >= 1 && rank <= 10;
    hits.push_back(hit ? 1 : 0);
    reciprocals.push_back(hit ? 1 / static_cast<double>(rank) : 0);
  }
  const StreamFigure recall = score.Recall(kAllQuestions, 0);
  EXPECT_NEAR(recall.value, Reference(hits).value, 1e-12);
  EXPECT_NEAR(recall.half_width, Reference(hits).half_width, 1e-9);
  const StreamFigure reciprocal = score.ReciprocalRank(kAllQuestions, 0);
  EXPECT_NEAR(reciprocal.value, Reference(reciprocals).value, 1e-12);
  EXPECT_NEAR(reciprocal.half_width, Reference(reciprocals).half_width, 1e-9);
}

TEST(StreamScore, EveryQuestionCountsUnderItsSplits) {
  const struct {
    std::uint32_t history;
    bool warm;
    const char* split;
  } rows[] = {{0, false, "0"},     {1, true, "1-4"},    {4, false, "1-4"},
              {5, true, "5-19"},   {19, false, "5-19"}, {20, true, "20-99"},
              {99, true, "20-99"}, {100, true, "100+"}, {5'000, false, "100+"}};
  for (const auto& row : rows) {
    StreamScore score({10});
    score.Add({0, row.history, row.warm}, 1);
    for (std::size_t split = 0; split < kStreamSplits.size(); ++split) {
      const std::string_view name = kStreamSplits[split];
      const bool expected =
          name == "all" || name == row.split || name == (row.warm ? "warm" : "new");
      EXPECT_EQ(score.questions(split), expected ? 1U : 0U) << name << ' ' << row.history;
    }
  }
}

TEST(StreamScore, SplitsKeepTheirOwnFigures) {
  StreamScore score({10});
  score.Add({0, 7, true}, 1);
  score.Add({1, 7, true}, 2);
  score.Add({2, 0, false}, 0);
  EXPECT_DOUBLE_EQ(score.Recall(Split("warm"), 0).value, 1);
  EXPECT_DOUBLE_EQ(score.ReciprocalRank(Split("5-19"), 0).value, 0.75);
  EXPECT_DOUBLE_EQ(score.Recall(Split("new"), 0).value, 0);
  EXPECT_DOUBLE_EQ(score.Recall(kAllQuestions, 0).value, 2.0 / 3);
}

TEST(StreamScore, TooFewQuestionsHaveNoFigures) {
  StreamScore score({10});
  EXPECT_TRUE(std::isnan(score.Recall(kAllQuestions, 0).value));
  score.Add({0, 0, false}, 4);
  EXPECT_DOUBLE_EQ(score.ReciprocalRank(kAllQuestions, 0).value, 0.25);
  EXPECT_TRUE(std::isnan(score.Recall(kAllQuestions, 0).half_width));
}

TEST(StreamScore, GainsAreThoseOfTheSameQuestions) {
  const std::vector<std::uint32_t> base = {0, 2, 4, 0, 11};
  const std::vector<std::uint32_t> ranks = {1, 2, 0, 12, 10};
  const StreamFigure recall = RecallGain(ranks, base, 10);
  EXPECT_DOUBLE_EQ(recall.value, Reference({1, 0, -1, 0, 1}).value);
  EXPECT_NEAR(recall.half_width, Reference({1, 0, -1, 0, 1}).half_width, 1e-12);
  const StreamFigure reciprocal = ReciprocalRankGain(ranks, base, 10);
  EXPECT_NEAR(reciprocal.value, Reference({1, 0, -0.25, 0, 0.1}).value, 1e-12);
  EXPECT_NEAR(reciprocal.half_width, Reference({1, 0, -0.25, 0, 0.1}).half_width, 1e-12);
}

}  // namespace
}  // namespace reco::admin
