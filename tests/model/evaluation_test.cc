// Hold-out rules, metrics worked out by hand, and the scorers against plain loops.
#include "model/evaluation.h"

#include <atomic>
#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "model/reference.h"

namespace reco::model::testing {
namespace {

using Row = std::vector<std::uint32_t>;

struct TimedPair {
  std::uint32_t item;
  float weight;
  std::int64_t last_ms;
};

TimedInteractions MakeTimed(std::size_t items, const std::vector<std::vector<TimedPair>>& users) {
  TimedInteractions data;
  data.matrix.columns_count = items;
  for (const auto& user : users) {
    for (const TimedPair& pair : user) {
      data.matrix.columns.push_back(pair.item);
      data.matrix.weights.push_back(pair.weight);
      data.time_ms.push_back(pair.last_ms);
    }
    data.matrix.offsets.push_back(data.matrix.columns.size());
  }
  return data;
}

InteractionMatrix MakeMatrix(std::size_t items, const std::vector<Row>& users) {
  InteractionMatrix matrix;
  matrix.columns_count = items;
  for (const Row& user : users) {
    matrix.columns.insert(matrix.columns.end(), user.begin(), user.end());
    matrix.offsets.push_back(matrix.columns.size());
  }
  matrix.weights.assign(matrix.columns.size(), 1.0F);
  return matrix;
}

Row TrainRow(const HoldOut& split, std::size_t user) {
  const auto row = split.train.row_columns(user);
  return {row.begin(), row.end()};
}

TEST(LeaveLastOut, TakesTheNewestPositivePairsNewestFirst) {
  const auto data = MakeTimed(6, {{{0, 1, 50}, {1, -3, 99}, {2, 1, 10}, {3, 2, 70}, {5, 0, 98}}});
  const HoldOut split = LeaveLastOut(data, 2, false, 0);
  EXPECT_EQ(split.held[0], (Row{3, 0}));
  EXPECT_EQ(TrainRow(split, 0), (Row{1, 2, 5}));
  EXPECT_EQ(split.train.weights, (std::vector<float>{-3, 1, 0}));
  EXPECT_EQ(split.train.columns_count, 6U);
}

TEST(LeaveLastOut, UserWithNoMoreThanLastPositivePairsKeepsAll) {
  const auto data = MakeTimed(4, {{{0, 1, 1}, {1, 1, 2}}, {}, {{0, 1, 1}, {1, 1, 2}, {2, -1, 3}}});
  const HoldOut split = LeaveLastOut(data, 2, false, 0);
  for (const Row& held : split.held) {
    EXPECT_TRUE(held.empty());
  }
  EXPECT_EQ(split.train.offsets, data.matrix.offsets);
  EXPECT_EQ(split.train.columns, data.matrix.columns);
}

TEST(LeaveLastOut, TiesGoByItemOrByTheSeed) {
  std::vector<TimedPair> same_time;
  for (std::uint32_t item = 0; item < 50; ++item) {
    same_time.push_back({item, 1, 7});
  }
  const auto data = MakeTimed(50, {same_time});
  EXPECT_EQ(LeaveLastOut(data, 3, false, 1).held[0], (Row{49, 48, 47}));
  EXPECT_EQ(LeaveLastOut(data, 3, true, 1).held[0], LeaveLastOut(data, 3, true, 1).held[0]);
  std::set<std::uint32_t> newest;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    newest.insert(LeaveLastOut(data, 1, true, seed).held[0][0]);
  }
  EXPECT_GT(newest.size(), 15U);
}

TEST(LeaveLastOut, ShufflingNeverCrossesTimes) {
  const auto data = MakeTimed(4, {{{0, 1, 5}, {1, 1, 5}, {2, 1, 6}, {3, 1, 4}}});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(LeaveLastOut(data, 1, true, seed).held[0], Row{2});
    EXPECT_NE(LeaveLastOut(data, 3, true, seed).held[0].back(), 3U);
  }
}

// Scores every item the same for all users.
UserScorer Fixed(std::vector<float> fixed) {
  return [fixed = std::move(fixed)](std::uint32_t, std::span<float> scores) {
    std::copy(fixed.begin(), fixed.end(), scores.begin());
  };
}

TEST(EvaluateRanking, MetricsAreThoseWorkedOutByHand) {
  HoldOut split;
  split.train = MakeMatrix(6, {{0, 1}, {0}, {0}});
  split.held = {{3, 5}, {4}, {}};
  // User 0 sees 2 3 4 5, user 1 sees 1 2 3 4 5.
  const auto scorer = Fixed({9, 8, 7, 6, 5, 4});
  const std::vector<std::uint32_t> cut_offs = {2, 4};
  const auto metrics = EvaluateRanking(split, scorer, cut_offs, 1, {});
  ASSERT_TRUE(metrics.ok());
  const CutOffMetrics& at2 = (*metrics)[0];
  EXPECT_EQ(at2.k, 2U);
  EXPECT_DOUBLE_EQ(at2.recall.mean, (0.5 + 0) / 2);
  EXPECT_DOUBLE_EQ(at2.precision.mean, (0.5 + 0) / 2);
  EXPECT_DOUBLE_EQ(at2.hit_rate.mean, 0.5);
  EXPECT_DOUBLE_EQ(at2.mrr.mean, (0.5 + 0) / 2);
  EXPECT_DOUBLE_EQ(at2.map.mean, (0.5 / 2 + 0) / 2);
  EXPECT_DOUBLE_EQ(at2.ndcg.mean, (1 / std::log2(3) / (1 + 1 / std::log2(3))) / 2);
  EXPECT_DOUBLE_EQ(at2.coverage, 3.0 / 6);
  // Shares: item 0 has 3 of 4 pairs, item 1 one, the others count as one.
  EXPECT_DOUBLE_EQ(at2.novelty, 2.0);
  const CutOffMetrics& at4 = (*metrics)[1];
  EXPECT_DOUBLE_EQ(at4.recall.mean, 1.0);
  EXPECT_DOUBLE_EQ(at4.precision.mean, (2.0 / 4 + 1.0 / 4) / 2);
  EXPECT_DOUBLE_EQ(at4.mrr.mean, (1.0 / 2 + 1.0 / 4) / 2);
  EXPECT_DOUBLE_EQ(at4.map.mean, ((1.0 / 2 + 2.0 / 4) / 2 + 1.0 / 4) / 2);
  const double ideal = 1 + 1 / std::log2(3);
  EXPECT_DOUBLE_EQ(at4.ndcg.mean,
                   ((1 / std::log2(3) + 1 / std::log2(5)) / ideal + 1 / std::log2(5)) / 2);
  EXPECT_DOUBLE_EQ(at4.coverage, 5.0 / 6);
  // Values 1/2 and 1/4: standard error = |difference| / 2.
  EXPECT_DOUBLE_EQ(at4.mrr.half_width, 1.96 * 0.125);
  EXPECT_DOUBLE_EQ(at4.recall.half_width, 0);
}

TEST(EvaluateRanking, EqualScoresRankByItem) {
  HoldOut split;
  split.train = MakeMatrix(5, {{}});
  split.held = {{2}};
  const std::vector<std::uint32_t> cut_offs = {2, 3};
  const auto metrics = EvaluateRanking(split, Fixed({1, 1, 1, 1, 1}), cut_offs, 1, {});
  ASSERT_TRUE(metrics.ok());
  EXPECT_EQ((*metrics)[0].recall.mean, 0);
  EXPECT_DOUBLE_EQ((*metrics)[1].mrr.mean, 1.0 / 3);
}

TEST(EvaluateRanking, ListShorterThanTheCutOffIsNoFailure) {
  HoldOut split;
  split.train = MakeMatrix(2, {{0}});
  split.held = {{1}};
  const std::vector<std::uint32_t> cut_offs = {10};
  const auto metrics = EvaluateRanking(split, Fixed({1, 1}), cut_offs, 1, {});
  ASSERT_TRUE(metrics.ok());
  EXPECT_DOUBLE_EQ((*metrics)[0].recall.mean, 1);
  EXPECT_DOUBLE_EQ((*metrics)[0].ndcg.mean, 1);
}

TEST(EvaluateRanking, ThreadsDoNotChangeTheResult) {
  const FactorTable users = RandomTable(8, 500, 1, 1);
  const FactorTable items = RandomTable(8, 90, 1, 2);
  HoldOut split;
  split.train = MakeMatrix(90, std::vector<Row>(500, Row{1, 5}));
  for (std::uint32_t user = 0; user < 500; ++user) {
    split.held.push_back(user % 7 == 0 ? Row{} : Row{(user % 80) + 6});
  }
  const std::vector<std::uint32_t> cut_offs = {10};
  const auto scorer = FactorScorer(users, items);
  const auto one = EvaluateRanking(split, scorer, cut_offs, 1, {});
  const auto three = EvaluateRanking(split, scorer, cut_offs, 3, {});
  ASSERT_TRUE(one.ok());
  ASSERT_TRUE(three.ok());
  EXPECT_GT(one->front().recall.mean, 0);
  EXPECT_EQ(one->front().recall.mean, three->front().recall.mean);
  EXPECT_EQ(one->front().ndcg.half_width, three->front().ndcg.half_width);
  EXPECT_EQ(one->front().coverage, three->front().coverage);
  EXPECT_EQ(one->front().novelty, three->front().novelty);
}

TEST(EvaluateRanking, CancelAndBadCutOffsAreErrors) {
  HoldOut split;
  split.train = MakeMatrix(2, {{0}});
  split.held = {{1}};
  const std::atomic<bool> cancel{true};
  TrainingControl control;
  control.cancel = &cancel;
  const std::vector<std::uint32_t> good = {1};
  const std::vector<std::uint32_t> zero = {1, 0};
  EXPECT_EQ(EvaluateRanking(split, Fixed({1, 1}), good, 2, control).status().code(),
            StatusCode::kUnavailable);
  EXPECT_EQ(EvaluateRanking(split, Fixed({1, 1}), zero, 2, {}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(EvaluateRanking(split, Fixed({1, 1}), {}, 2, {}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(EvaluateRanking, NobodyHeldOutGivesZeros) {
  HoldOut split;
  split.train = MakeMatrix(2, {{0}});
  split.held = {{}};
  const std::vector<std::uint32_t> cut_offs = {5};
  const auto metrics = EvaluateRanking(split, Fixed({1, 1}), cut_offs, 2, {});
  ASSERT_TRUE(metrics.ok());
  EXPECT_EQ(metrics->front().recall.mean, 0);
  EXPECT_EQ(metrics->front().coverage, 0);
}

TEST(FactorScorer, IsTheInnerProduct) {
  const FactorTable users = RandomTable(20, 5, 1, 1);
  const FactorTable items = RandomTable(20, 30, 1, 2);
  std::vector<float> scores(30);
  FactorScorer(users, items)(3, scores);
  for (std::size_t item = 0; item < 30; ++item) {
    EXPECT_NEAR(scores[item], Widen(users.row(3), 20).dot(Widen(items.row(item), 20)), 1e-5);
  }
}

TEST(PopularityScorer, CountsPairs) {
  std::vector<float> scores(4);
  PopularityScorer(MakeMatrix(4, {{0, 1}, {1, 3}, {1}}))(0, scores);
  EXPECT_EQ(scores, (std::vector<float>{1, 3, 0, 1}));
}

TEST(CosineScorer, SumsTheCosinesOfTheUsersItems) {
  const InteractionMatrix train =
      MakeMatrix(6, {{0, 1, 2}, {1, 2}, {0, 2, 3}, {3}, {}, {0, 1, 2, 3, 4}});
  const InteractionMatrix by_item = Transpose(train);
  const auto scorer = CosineScorer(train, by_item);
  std::vector<float> scores(6);
  for (std::uint32_t user = 0; user < 6; ++user) {
    scorer(user, scores);
    for (std::size_t item = 0; item < 6; ++item) {
      double expected = 0;
      const auto own = by_item.row_columns(item);
      for (const std::uint32_t known : train.row_columns(user)) {
        const auto theirs = by_item.row_columns(known);
        double both = 0;
        for (const std::uint32_t u : own) {
          both += static_cast<double>(std::count(theirs.begin(), theirs.end(), u));
        }
        expected += own.empty() ? 0 : both / std::sqrt(own.size() * theirs.size());
      }
      EXPECT_NEAR(scores[item], expected, 1e-5) << user << " " << item;
    }
  }
}

}  // namespace
}  // namespace reco::model::testing
