// A row scores the same bits in every place that shows a score, and that is the sum of its parts.
#include "engine/lists/scorer.h"

#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/lists/by_vector.h"
#include "engine/lists/explain.h"
#include "engine/lists/similar.h"
#include "engine/lists/why.h"
#include "testing/catalogue.h"

namespace reco::engine::lists {
namespace {

using testing::Catalogue;

constexpr int kUsers = 24;
constexpr int kItems = 30;

CollectionOptions Small(Feedback feedback) {
  CollectionOptions options;
  options.dim = 8;
  options.iterations = 4;
  options.feedback = feedback;
  options.neighbours = Neighbours::kOff;
  options.reg = 0.05;  // so that so few ratings leave more than biases
  return options;
}

class ScorerTest : public ::testing::TestWithParam<Feedback> {
 protected:
  ScorerTest() : catalogue(Small(GetParam())) {
    catalogue.Fill(kUsers, kItems);
    catalogue.Train();
    catalogue.Add("u1", "i2", 2);  // folded in
  }

  // The list of all items, those seen too.
  Ranking All(const std::string& user) {
    RankingOptions options;
    options.count = 1'000;
    options.with_seen = true;
    return *TopK(catalogue.shared(), user, options);
  }

  Catalogue catalogue;
};

TEST_P(ScorerTest, ScoreIsTheProductInFloat64WithinFloat32) {
  ReadView view(catalogue.shared());
  const CollectionState& state = view.state();
  const auto query = ServingVector(view, *state.users().ids.Find("u1"), {});
  const Scorer scorer(view, Side::kItem, *query);
  ASSERT_TRUE(scorer.usable());
  for (std::uint32_t item = 0; item < state.items().ids.end(); ++item) {
    double expected = query->mean;
    const float* row = state.items().factors->row(item);
    for (std::uint32_t i = 0; i < catalogue.shared().dim(); ++i) {
      expected += static_cast<double>(query->vector[i]) * static_cast<double>(row[i]);
    }
    EXPECT_NEAR(*scorer.Of(item), expected, 1e-5) << item;
  }
}

// A new part gets a line here: what it is, by an independent reference.
TEST_P(ScorerTest, ScoreIsTheSumOfItsParts) {
  ReadView view(catalogue.shared());
  const CollectionState& state = view.state();
  const auto query = ServingVector(view, *state.users().ids.Find("u1"), {});
  const Scorer scorer(view, Side::kItem, *query);
  double ratings = 0;
  std::uint64_t count = 0;
  for (std::uint32_t user = 0; user < state.users().ids.end(); ++user) {
    std::vector<RowPair> scratch;
    const auto row = state.users().rows.Read(user, &scratch);
    for (const RowPair& pair : *row) {
      const bool trained = pair.pair.last_ms < catalogue.clock.NowMs();  // u1's newest came later
      ratings += trained ? static_cast<double>(pair.pair.weight) : 0;
      count += trained ? 1 : 0;
    }
  }
  const double mean = GetParam() == Feedback::kExplicit ? ratings / count : 0;
  for (std::uint32_t item = 0; item < state.items().ids.end(); ++item) {
    const ScoreParts parts = *scorer.PartsOf(item);
    const float* row = state.items().factors->row(item);
    EXPECT_EQ(parts.product,
              model::Dot(query->vector.data(), row, state.items().factors->stride()));
    EXPECT_NEAR(parts.mean, mean, 1e-6);
    EXPECT_EQ(*scorer.Of(item), parts.product + parts.mean);
  }
}

TEST_P(ScorerTest, ListScoreAndWhyShowTheSameBits) {
  const Ranking list = All("u1");
  ASSERT_GT(list.entries.size(), 20U);
  for (const Ranking::Entry& entry : list.entries) {
    const std::string_view id = entry.id;
    EXPECT_EQ(*(*Score(catalogue.shared(), "u1", {&id, 1}, {}))[0], entry.score) << id;
    EXPECT_EQ(*Why(catalogue.shared(), "u1", id, {})->score, entry.score) << id;
    EXPECT_EQ(Explain(catalogue.shared(), "u1", id, 100, {})->score, entry.score) << id;
  }
}

TEST_P(ScorerTest, SharesAndRemainderMakeUpTheScore) {
  const auto explained = Explain(catalogue.shared(), "u1", "i4", 100, {});
  ASSERT_TRUE(explained.ok());
  double sum = explained->remainder;
  for (const auto& share : explained->shares) {
    sum += share.share;
  }
  EXPECT_NEAR(sum, explained->score, 1e-9);
  if (GetParam() == Feedback::kImplicit) {  // a rating has biases and the mean beside
    EXPECT_NEAR(explained->remainder, 0, 1e-5);
  }
}

TEST_P(ScorerTest, SimilarUsersAreRankedByCosinesOfTheirVectors) {
  RankingOptions options;
  options.count = 5;
  const Ranking list = *SimilarUsers(catalogue.shared(), "u2", options);
  ASSERT_EQ(list.entries.size(), 5U);
  ReadView view(catalogue.shared());
  const SideState& users = view.state().users();
  for (const Ranking::Entry& entry : list.entries) {
    const float* a = users.factors->row(*users.ids.Find("u2"));
    const float* b = users.factors->row(*users.ids.Find(entry.id));
    EXPECT_NEAR(entry.score, Cosine(catalogue.shared(), a, b), 1e-6) << entry.id;
  }
}

TEST_P(ScorerTest, WithoutAModelItemsAreListedByTheirUsers) {
  Catalogue fresh(Small(GetParam()));
  fresh.Add("u", "i");
  fresh.Add("v", "i");
  fresh.Add("v", "j");
  ReadView view(fresh.shared());
  const auto query = ServingVector(view, 0, {});
  const Scorer scorer(view, Side::kItem, *query);
  EXPECT_FALSE(scorer.usable());
  EXPECT_EQ(scorer.Listed(*view.state().items().ids.Find("i")), 2.0);
  EXPECT_EQ(scorer.Listed(*view.state().items().ids.Find("j")), 1.0);
}

INSTANTIATE_TEST_SUITE_P(Feedback, ScorerTest,
                         ::testing::Values(Feedback::kImplicit, Feedback::kExplicit),
                         [](const auto& one) {
                           return one.param == Feedback::kImplicit ? "Implicit" : "Explicit";
                         });

// An item that nobody has rated has no row to predict from: what is left is the user's own mean.
TEST(Scorer, UnratedItemIsPredictedByTheUsersBiasAndInNoList) {
  Catalogue catalogue(Small(Feedback::kExplicit));
  catalogue.Fill(kUsers, kItems);
  catalogue.Train();
  ASSERT_TRUE(writer::SetRecord(catalogue.shared(), Side::kItem, "bare", {}).ok());
  ReadView view(catalogue.shared());
  const CollectionState& state = view.state();
  const std::uint32_t bare = *state.items().ids.Find("bare");
  const auto query = ServingVector(view, *state.users().ids.Find("u3"), {});
  const Scorer scorer(view, Side::kItem, *query);
  const float bias = query->vector[model::RatingBiasAt(model::RatingSide::kUser,
                                                       catalogue.shared().compared_dim())];
  EXPECT_FALSE(scorer.Scorable(bare));
  EXPECT_EQ(scorer.Listed(bare), std::nullopt);
  EXPECT_NEAR(*scorer.Of(bare), query->mean + bias, 1e-6);
}

}  // namespace
}  // namespace reco::engine::lists
