// Lists from an index against those from the scores of all items.
#include "index/index_lister.h"

#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "index/brute_force.h"

namespace reco::index {
namespace {

using testing::FillRow;
using testing::Shape;

constexpr std::uint32_t kDim = 20;
constexpr auto kAll = [](std::uint32_t) { return true; };

// Random vectors, training pairs and held-out items. Every ninth user has a zero vector, and every
// seventh item too, as those have that no pair is known of.
struct Data {
  Data(Shape shape, std::size_t users_count, std::size_t items_count, std::uint64_t seed)
      : users(kDim), items(kDim), index(items) {
    std::mt19937_64 random(seed);
    users.Grow(users_count);
    items.Grow(items_count);
    for (std::size_t item = 0; item < items_count; ++item) {
      if (item % 7 != 0) {
        FillRow(shape, kDim, random, items.mutable_row(item));
      }
    }
    split.train.columns_count = items_count;
    for (std::size_t user = 0; user < users_count; ++user) {
      if (user % 9 != 0) {
        FillRow(shape, kDim, random, users.mutable_row(user));
      }
      std::set<std::uint32_t> known;
      for (std::size_t pair = random() % 60; pair > 0; --pair) {
        known.insert(static_cast<std::uint32_t>(random() % items_count));
      }
      split.held.emplace_back();
      for (std::size_t held = random() % 4; held > 0 && !known.empty(); --held) {
        split.held.back().push_back(*known.begin());
        known.erase(known.begin());
      }
      split.train.columns.insert(split.train.columns.end(), known.begin(), known.end());
      split.train.offsets.push_back(split.train.columns.size());
    }
    split.train.weights.assign(split.train.columns.size(), 1.0F);
    index.Build(items_count, kAll);
  }

  model::FactorTable users;
  model::FactorTable items;
  ItemIndex index;
  model::HoldOut split;
};

const struct {
  Shape shape;
  const char* name;
} kShapes[] = {
    {Shape::kGaussian, "gaussian"}, {Shape::kTrained, "trained"}, {Shape::kTied, "tied"}};

TEST(IndexLister, ListsAreThoseOfTheScorerTiesIncluded) {
  for (const auto& [shape, name] : kShapes) {
    const Data data(shape, model::kListedUsersMax, 700, 5);
    std::vector<std::uint32_t> users;
    for (std::uint32_t user = 0; user < model::kListedUsersMax; ++user) {
      users.push_back(user);
    }
    const auto lister = IndexLister(data.users, data.index, data.split.train);
    const auto reference =
        model::ScoredLister(data.split.train, model::FactorScorer(data.users, data.items));
    for (const std::size_t k : {1, 20, 300, 1'000}) {
      std::vector<std::vector<std::uint32_t>> lists(users.size());
      std::vector<std::vector<std::uint32_t>> expected(users.size());
      lister(users, k, lists);
      reference(users, k, expected);
      EXPECT_EQ(lists, expected) << name << " " << k;
    }
  }
}

TEST(IndexLister, MetricsAreThoseOfTheScorer) {
  const std::vector<std::uint32_t> cut_offs = {1, 10, 50};
  for (const auto& [shape, name] : kShapes) {
    SCOPED_TRACE(name);
    const Data data(shape, 301, 900, 6);
    const auto got = EvaluateRanking(
        data.split, IndexLister(data.users, data.index, data.split.train), cut_offs, 3, {});
    const auto expected =
        EvaluateRanking(data.split, model::FactorScorer(data.users, data.items), cut_offs, 1, {});
    ASSERT_TRUE(got.ok());
    ASSERT_TRUE(expected.ok());
    EXPECT_GT(expected->back().hit_rate.mean, 0);
    for (std::size_t cut = 0; cut < cut_offs.size(); ++cut) {
      const model::CutOffMetrics& at = (*got)[cut];
      const model::CutOffMetrics& want = (*expected)[cut];
      EXPECT_EQ(at.recall.mean, want.recall.mean);
      EXPECT_EQ(at.recall.half_width, want.recall.half_width);
      EXPECT_EQ(at.ndcg.mean, want.ndcg.mean);
      EXPECT_EQ(at.map.mean, want.map.mean);
      EXPECT_EQ(at.mrr.mean, want.mrr.mean);
      EXPECT_EQ(at.coverage, want.coverage);
      EXPECT_EQ(at.novelty, want.novelty);
    }
  }
}

}  // namespace
}  // namespace reco::index
