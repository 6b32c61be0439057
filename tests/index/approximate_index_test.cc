#include "index/approximate_index.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "index/score.h"

namespace reco::index {
namespace {

constexpr std::uint32_t kDim = 24;
constexpr std::uint32_t kRows = 3000;
constexpr std::size_t kAnswers = 10;
constexpr auto kAll = [](std::uint32_t) { return true; };
constexpr auto kAscending = [](std::uint32_t a, std::uint32_t b) { return a < b; };

// Clustered rows with their graph and the exact index.
class Catalogue {
 public:
  explicit Catalogue(Metric metric)
      : items_(kDim), exact_(items_), graph_(items_, {.metric = metric}), metric_(metric) {
    items_.Grow(kRows + 100);
    centres_.resize(40 * kDim);
    std::normal_distribution<float> normal;
    for (float& value : centres_) {
      value = normal(random_);
    }
    for (std::uint32_t i = 0; i < kRows; ++i) {
      Change(i);
    }
    CarryAll();
  }

  std::vector<float> Row(float spread) {
    std::normal_distribution<float> normal;
    std::vector<float> row(items_.stride(), 0.0F);
    const float* centre = &centres_[random_() % 40 * kDim];
    for (std::uint32_t j = 0; j < kDim; ++j) {
      row[j] = centre[j] + spread * normal(random_);
    }
    return row;
  }
  void Change(std::uint32_t ordinal) {
    const std::vector<float> row = Row(0.4F);
    std::copy(row.begin(), row.end(), items_.mutable_row(ordinal));
    exact_.Refresh(ordinal);
    graph_.Refresh(ordinal);
  }
  void Remove(std::uint32_t ordinal) {
    exact_.Remove(ordinal);
    graph_.Remove(ordinal);
  }
  void CarryAll() {
    while (graph_.pending() > 0) {
      ASSERT_TRUE(graph_.Insert(graph_.Copy(64)).ok());
    }
  }
  double Recall(std::size_t ef) {
    std::vector<std::vector<float>> queries;
    std::vector<const float*> rows;
    for (int q = 0; q < 100; ++q) {
      queries.push_back(Row(0.4F));
    }
    for (const auto& query : queries) {
      rows.push_back(query.data());
    }
    return graph_.MeasureRecall(exact_, rows, kAnswers, ef);
  }
  template <typename Accept>
  std::vector<Candidate> Search(const std::vector<float>& query, Accept accept) {
    std::vector<Candidate> out;
    EXPECT_TRUE(
        graph_.Search({query.data(), kAnswers, metric_, accept, kAscending}, 64, &out).ok());
    for (std::size_t i = 0; i < out.size(); ++i) {
      EXPECT_EQ(out[i].score,
                *ScoreRow(metric_, query.data(), items_.row(out[i].ordinal), items_.stride()));
      if (i > 0) {
        EXPECT_TRUE(out[i - 1].score > out[i].score ||
                    (out[i - 1].score == out[i].score && out[i - 1].ordinal < out[i].ordinal));
      }
    }
    return out;
  }

  model::FactorTable& items() { return items_; }
  ItemIndex& exact() { return exact_; }
  ApproximateIndex& graph() { return graph_; }

 private:
  std::mt19937_64 random_{1};
  std::vector<float> centres_;
  model::FactorTable items_;
  ItemIndex exact_;
  ApproximateIndex graph_;
  Metric metric_;
};

class ApproximateIndexTest : public ::testing::TestWithParam<Metric> {};

TEST_P(ApproximateIndexTest, FindsMostOfTheBestAndMoreWithAHigherEf) {
  Catalogue catalogue(GetParam());
  EXPECT_EQ(catalogue.graph().size(), kRows);
  const double narrow = catalogue.Recall(10);
  const double wide = catalogue.Recall(200);
  EXPECT_GE(wide, 0.9);
  EXPECT_GE(wide, narrow);
  EXPECT_LT(catalogue.graph().memory_bytes(), 3U << 20U);
  EXPECT_GT(catalogue.graph().memory_bytes(), kRows * catalogue.items().stride() * 4U);
}

TEST_P(ApproximateIndexTest, KeepsItsRecallThroughChangesAndRemovals) {
  Catalogue catalogue(GetParam());
  for (std::uint32_t i = 0; i < kRows; i += 5) {
    catalogue.Change(i);
  }
  for (std::uint32_t i = 2; i < kRows; i += 5) {
    catalogue.Remove(i);
  }
  for (std::uint32_t i = kRows; i < kRows + 100; ++i) {
    catalogue.Change(i);
  }
  catalogue.CarryAll();
  EXPECT_EQ(catalogue.graph().size(), kRows - kRows / 5 + 100);
  EXPECT_GE(catalogue.Recall(200), 0.9);
  catalogue.Change(2);  // back again
  catalogue.CarryAll();
  EXPECT_EQ(catalogue.graph().size(), kRows - kRows / 5 + 101);
}

TEST_P(ApproximateIndexTest, NeverAnswersWhatIsRemovedOrNotAccepted) {
  Catalogue catalogue(GetParam());
  std::set<std::uint32_t> removed;
  for (std::uint32_t i = 0; i < kRows; i += 3) {
    catalogue.Remove(i);
    removed.insert(i);
    if (i == kRows / 2) {
      catalogue.CarryAll();
    }
  }
  const auto accept = [](std::uint32_t i) { return i % 10 != 1; };
  for (int q = 0; q < 50; ++q) {
    const auto found = catalogue.Search(catalogue.Row(0.4F), accept);
    EXPECT_EQ(found.size(), kAnswers);
    for (const Candidate& candidate : found) {
      EXPECT_FALSE(removed.contains(candidate.ordinal));
      EXPECT_TRUE(accept(candidate.ordinal));
    }
  }
}

TEST_P(ApproximateIndexTest, SelectiveFilterWidensTheSearch) {
  Catalogue catalogue(GetParam());
  const auto rare = [](std::uint32_t i) { return i % 50 == 7; };
  for (int q = 0; q < 20; ++q) {
    EXPECT_EQ(catalogue.Search(catalogue.Row(0.4F), rare).size(), kAnswers);
    EXPECT_TRUE(catalogue.Search(catalogue.Row(0.4F), [](auto) { return false; }).empty());
  }
}

TEST_P(ApproximateIndexTest, SameRowsInTheSameOrderGiveTheSameAnswers) {
  Catalogue a(GetParam());
  Catalogue b(GetParam());
  for (int q = 0; q < 20; ++q) {
    const std::vector<float> query = a.Row(0.4F);
    const auto first = a.Search(query, kAll);
    const auto second = b.Search(query, kAll);
    ASSERT_EQ(first.size(), second.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(first[i].ordinal, second[i].ordinal);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Metrics, ApproximateIndexTest,
                         ::testing::Values(Metric::kInnerProduct, Metric::kCosine),
                         [](const auto& test) {
                           return test.param == Metric::kCosine ? "cosine" : "product";
                         });

TEST(ApproximateIndexRowsTest, WhatCannotBeRankedIsNotFound) {
  model::FactorTable items(4);
  items.Grow(4);
  items.mutable_row(0)[0] = 1;
  items.mutable_row(1)[0] = std::numeric_limits<float>::quiet_NaN();
  items.mutable_row(3)[0] = -1;
  ApproximateIndex graph(items, {.metric = Metric::kCosine});
  for (std::uint32_t i = 0; i < 4; ++i) {
    graph.Refresh(i);
  }
  ASSERT_TRUE(graph.Insert(graph.Copy(100)).ok());
  EXPECT_EQ(graph.size(), 2U);
  std::vector<float> query(items.stride(), 0.0F);
  query[0] = 2;
  std::vector<Candidate> out;
  ASSERT_TRUE(graph.Search({query.data(), 5, Metric::kCosine, kAll, kAscending}, 10, &out).ok());
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].ordinal, 0U);
  EXPECT_EQ(out[1].ordinal, 3U);
  EXPECT_FALSE(
      graph.Search({query.data(), 5, Metric::kInnerProduct, kAll, kAscending}, 10, &out).ok());
}

TEST(ApproximateIndexRowsTest, EmptyGraphAnswersNothingAndReturnedRowsArePendingAgain) {
  model::FactorTable items(4);
  items.Grow(1);
  ApproximateIndex graph(items, {});
  std::vector<float> query(items.stride(), 1.0F);
  std::vector<Candidate> out;
  EXPECT_TRUE(
      graph.Search({query.data(), 5, Metric::kInnerProduct, kAll, kAscending}, 10, &out).ok());
  EXPECT_TRUE(out.empty());
  graph.Refresh(0);
  const ApproximateBatch batch = graph.Copy(1);
  EXPECT_EQ(graph.pending(), 0U);
  graph.Return(batch);
  EXPECT_EQ(graph.pending(), 1U);
}

}  // namespace
}  // namespace reco::index
