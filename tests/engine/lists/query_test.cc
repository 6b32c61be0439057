// What lists are made from: vectors solved on read, and what they leave out.
#include "engine/lists/query.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/catalogue.h"

namespace reco::engine::lists {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Ids = std::vector<std::string_view>;

CollectionOptions Small(Feedback feedback = Feedback::kImplicit) {
  CollectionOptions options;
  options.dim = 4;
  options.iterations = 3;
  options.feedback = feedback;
  options.recency = 1;
  return options;
}

class QueryTest : public ::testing::Test {
 protected:
  QueryTest() : catalogue_(Small()) {
    catalogue_.Fill(12, 15);
    catalogue_.Train();
  }

  std::uint32_t Item(const View& view, std::string_view id) {
    return *view.state().items().ids.Find(id);
  }
  // The row solved by hand.
  std::vector<float> Solved(const View& view,
                            const std::vector<std::pair<std::string, float>>& row) {
    const CollectionState& state = view.state();
    std::vector<model::Neighbor> neighbors;
    neighbors.reserve(row.size());
    for (const auto& [id, weight] : row) {
      neighbors.push_back({state.items().factors->row(Item(view, id)), weight});
    }
    model::AlignedVector<float> x(state.items().factors->stride());
    RowFolder folder(state.dim(), Feedback::kImplicit);
    folder.Solve({Side::kUser, state.items().gram, state.model().solve}, neighbors, x.data());
    return {x.begin(), x.end()};
  }
  // Both are solutions within 1e-3 of their norm (I13).
  static void ExpectNear(const Query& query, const std::vector<float>& expected) {
    ASSERT_EQ(query.vector.size(), expected.size());
    double squares = 0;
    double apart = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      squares += std::pow(static_cast<double>(expected[i]), 2);
      apart += std::pow(static_cast<double>(query.vector[i] - expected[i]), 2);
    }
    EXPECT_GT(squares, 0);
    EXPECT_LE(std::sqrt(apart), 2e-3 * std::sqrt(squares));
  }

  testing::Catalogue catalogue_;
};

TEST_F(QueryTest, ABasketIsSolvedFromItsItemsAndLeavesThemOut) {
  ReadView view(catalogue_.shared());
  const double weights[] = {2, -1};
  const auto query = BasketQuery(view, {.items = Ids{"i4", "i1"}, .weights = weights}, {});
  ASSERT_TRUE(query.ok());
  ExpectNear(*query, Solved(view, {{"i1", -1.0F}, {"i4", 2.0F}}));
  EXPECT_THAT(query->left_out, UnorderedElementsAre(Item(view, "i1"), Item(view, "i4")));
  EXPECT_TRUE(query->folded);
}

TEST_F(QueryTest, AnItemNamedTwiceWeighsTwiceAndUnknownOnesNothing) {
  ReadView view(catalogue_.shared());
  const auto twice = BasketQuery(view, {.items = Ids{"i4", "nothing", "i4"}}, {});
  ASSERT_TRUE(twice.ok());
  ExpectNear(*twice, Solved(view, {{"i4", 2.0F}}));
  EXPECT_FALSE(BasketQuery(view, {.items = Ids{"nothing"}}, {})->usable());
  EXPECT_FALSE(BasketQuery(view, {}, {})->usable());
}

TEST_F(QueryTest, BadBasketsAreRefused) {
  ReadView view(catalogue_.shared());
  const auto code = [&](const Ids& items, const std::vector<double>& weights) {
    return BasketQuery(view, {.items = items, .weights = weights}, {}).status().code();
  };
  EXPECT_EQ(code(Ids(10'001, "i1"), {}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"i1", "i2"}, {1}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"i1"}, {NAN}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"i1"}, {1'000'001}), StatusCode::kInvalidArgument);
  EXPECT_TRUE(
      BasketQuery(view, {.items = Ids{"i1"}, .weights = std::vector<double>{-1'000'000}}, {}).ok());
}

TEST_F(QueryTest, WithRecencyEachOlderPairCountsAPowerLess) {
  for (const char* item : {"i1", "i4", "i7"}) {
    catalogue_.Add("new", item, 2);
  }
  ReadView view(catalogue_.shared());
  RankingOptions options;
  options.recency = 0.5;
  const auto query = UserQuery(view, "new", options);
  ASSERT_TRUE(query.ok());
  ExpectNear(*query, Solved(view, {{"i7", 2.0F}, {"i4", 1.0F}, {"i1", 0.5F}}));
}

TEST_F(QueryTest, ByAgeEachPairCountsByItsAgeInPaces) {
  for (const char* item : {"i1", "i4", "i7"}) {
    catalogue_.clock.AdvanceMs(30'000 - 1);  // Add takes one
    catalogue_.Add("new", item, 2);
  }
  ReadView view(catalogue_.shared());
  ScoreOptions options;
  options.recency = Recency();
  // 30 s apart: the pace is 60 + 2 x 30 s. Asked right away, the newest is of now.
  ExpectNear(*UserQuery(view, "new", options),
             Solved(view, {{"i7", 2.0F}, {"i4", 1.6F}, {"i1", 2 / 1.5F}}));
  // Two minutes after the newest these count 1/2, 1/(1 + 150/120) and 1/(1 + 180/120).
  options.now_ms = catalogue_.clock.NowMs() + 120'000;
  const std::vector<float> later =
      Solved(view, {{"i7", 2.0F}, {"i4", 4 / 2.25F}, {"i1", 4 / 2.5F}});
  ExpectNear(*UserQuery(view, "new", options), later);
  // A log that stands still stays at one pace behind its newest event.
  options.now_ms.reset();
  catalogue_.clock.AdvanceMs(86'400'000);
  ExpectNear(*UserQuery(view, "new", options), later);
  // What is looked at counts in full, and is nothing of the pace.
  const Ids context = {"i10"};
  options.context = context;
  ExpectNear(*UserQuery(view, "new", options),
             Solved(view, {{"i10", 1.0F}, {"i7", 1.0F}, {"i4", 2 / 2.25F}, {"i1", 2 / 2.5F}}));
}

TEST_F(QueryTest, ByAgeNeedsUsableTimesUnlessARequestNamesIt) {
  for (const char* item : {"i1", "i4"}) {
    catalogue_.Add("new", item, 2);
    catalogue_.clock.AdvanceMs(120'000);
  }
  {
    WriteView view(catalogue_.shared());
    CollectionOptions changed = view.options();
    changed.recency = Recency();
    view.set_options(changed);
  }
  const auto asked = [&](const std::optional<Recency>& recency) {
    ReadView view(catalogue_.shared());
    ScoreOptions options;
    options.recency = recency;
    return UserQuery(view, "new", options)->vector;
  };
  ASSERT_FALSE(ReadView(catalogue_.shared()).state().times_usable());
  EXPECT_EQ(asked({}), asked(kRecencyByPlace));
  EXPECT_NE(asked({}), asked(Recency()));
  for (int i = 0; i < 101; ++i) {
    catalogue_.Add("other", "i" + std::to_string(i % 15));
  }
  ASSERT_TRUE(ReadView(catalogue_.shared()).state().times_usable());
  EXPECT_EQ(asked({}), asked(Recency()));
}

TEST_F(QueryTest, ABasketWithTimesCountsByThem) {
  ReadView view(catalogue_.shared());
  const std::int64_t now_ms = 1'600'000'000'000;
  const Ids items = {"i4", "nothing", "i1"};
  const std::int64_t times_ms[] = {now_ms - 60'000, now_ms, now_ms};
  ScoreOptions options;
  options.now_ms = now_ms;
  options.recency = Recency();
  const Basket basket = {.items = items, .times_ms = times_ms};
  // One gap of a minute: a pace of three.
  ExpectNear(*BasketQuery(view, basket, options), Solved(view, {{"i1", 1.0F}, {"i4", 0.75F}}));
  options.recency = 0.5;
  ExpectNear(*BasketQuery(view, basket, options), Solved(view, {{"i1", 1.0F}, {"i4", 0.5F}}));
  // Without times the order says nothing.
  ExpectNear(*BasketQuery(view, {.items = items}, options),
             Solved(view, {{"i1", 1.0F}, {"i4", 1.0F}}));
}

TEST(Query, AnItemTwiceInABasketWithTimesIsTheSameInAnyOrder) {
  CollectionOptions fading = Small();
  fading.halflife_s = 86'400;
  for (const CollectionOptions& options : {fading, Small(Feedback::kExplicit)}) {
    testing::Catalogue catalogue(options);
    catalogue.Fill(12, 15);
    catalogue.Train();
    ReadView view(catalogue.shared());
    const std::int64_t now_ms = catalogue.clock.NowMs();
    const Ids items = {"i4", "i4"};
    const std::int64_t times_ms[] = {now_ms - 5 * 86'400'000LL, now_ms};
    const std::int64_t turned_ms[] = {times_ms[1], times_ms[0]};
    const double weights[] = {1, 5};
    const double turned[] = {5, 1};
    EXPECT_EQ(BasketQuery(view, {items, weights, times_ms}, {})->vector,
              BasketQuery(view, {items, turned, turned_ms}, {})->vector);
  }
}

TEST_F(QueryTest, BadTimesAreRefused) {
  ReadView view(catalogue_.shared());
  const Ids items = {"i4", "i1"};
  for (const std::vector<std::int64_t>& times_ms :
       {std::vector<std::int64_t>{1}, {1, -1}, {1, kTimeMsMax + 1}, {1, 2, 3}}) {
    EXPECT_EQ(BasketQuery(view, {.items = items, .times_ms = times_ms}, {}).status().code(),
              StatusCode::kInvalidArgument);
  }
  ScoreOptions options;
  options.now_ms = -1;
  EXPECT_EQ(CheckScoreOptions(catalogue_.shared(), options).code(), StatusCode::kInvalidArgument);
  options.now_ms = kTimeMsMax + 1;
  EXPECT_EQ(CheckScoreOptions(catalogue_.shared(), options).code(), StatusCode::kInvalidArgument);
  options.now_ms = 0;
  EXPECT_TRUE(CheckScoreOptions(catalogue_.shared(), options).ok());
}

TEST_F(QueryTest, AContextHasABound) {
  const Ids longest(10'000, "i1");
  const Ids too_long(10'001, "i1");
  ScoreOptions options;
  options.context = longest;
  EXPECT_TRUE(CheckScoreOptions(catalogue_.shared(), options).ok());
  options.context = too_long;
  EXPECT_EQ(CheckScoreOptions(catalogue_.shared(), options).code(), StatusCode::kInvalidArgument);
}

TEST_F(QueryTest, RecencyHasBounds) {
  const auto checked = [&](const Recency& recency) {
    ScoreOptions options;
    options.recency = recency;
    return CheckScoreOptions(catalogue_.shared(), options).code();
  };
  for (const Recency& good : {Recency(), Recency(0.01), Recency(1)}) {
    EXPECT_EQ(checked(good), StatusCode::kOk);
  }
  for (const double bad : {0.009, 1.1, 0.0, -1.0, static_cast<double>(NAN)}) {
    EXPECT_EQ(checked(bad), StatusCode::kInvalidArgument);
  }
}

TEST_F(QueryTest, ContextCountsAsAnEventOfWeightOneAndIsLeftOut) {
  catalogue_.Add("new", "i1", 2);
  const Ids context = {"i4", "i1"};
  ReadView view(catalogue_.shared());
  RankingOptions options;
  options.context = context;
  const auto query = UserQuery(view, "new", options);
  ASSERT_TRUE(query.ok());
  ExpectNear(*query, Solved(view, {{"i1", 3.0F}, {"i4", 1.0F}}));
  EXPECT_THAT(query->left_out, UnorderedElementsAre(Item(view, "i1"), Item(view, "i4")));
  // A stranger has the context alone.
  ExpectNear(*UserQuery(view, "stranger", options), Solved(view, {{"i1", 1.0F}, {"i4", 1.0F}}));
}

TEST_F(QueryTest, ItemsOfAContextHaveOneTimeHoweverLongItTakesToReadThem) {
  catalogue_.Add("new", "i1", 2);
  catalogue_.clock.AdvanceMs(1);
  catalogue_.clock.set_tick_ms(1);
  ReadView view(catalogue_.shared());
  const auto asked = [&](const Ids& context) {
    RankingOptions options;
    options.recency = 0.5;
    options.context = context;
    return UserQuery(view, "new", options)->vector;
  };
  EXPECT_EQ(asked({"i4", "i7"}), asked({"i7", "i4"}));
}

TEST_F(QueryTest, AGroupIsTheMeanOfItsMembersThatHaveAVectorAndLeavesOutWhatAnyHasSeen) {
  ReadView view(catalogue_.shared());
  const auto first = UserQuery(view, "u1", {});
  const auto second = UserQuery(view, "u2", {});
  const auto group = GroupQuery(view, Ids{"u2", "u1", "u1", "nobody"}, {});
  ASSERT_TRUE(first.ok() && second.ok() && group.ok());
  std::vector<float> mean;
  for (std::size_t i = 0; i < first->vector.size(); ++i) {
    mean.push_back((first->vector[i] + second->vector[i]) / 2);
  }
  ExpectNear(*group, mean);
  for (const Query* member : {&*first, &*second}) {
    for (const std::uint32_t item : member->left_out) {
      EXPECT_THAT(group->left_out, ::testing::Contains(item));
    }
  }
  EXPECT_FALSE(GroupQuery(view, Ids{"nobody"}, {})->usable());
}

TEST_F(QueryTest, ADirectionIsTheMeanOfUnitVectorsAtLengthOne) {
  ReadView view(catalogue_.shared());
  const std::uint32_t a = Item(view, "i1");
  const std::uint32_t b = Item(view, "i5");
  const Query query = DirectionQuery(view, Side::kItem, {b, a, b});
  EXPECT_THAT(query.left_out, ElementsAre(std::min(a, b), std::max(a, b)));
  EXPECT_EQ(query.metric, index::Metric::kCosine);
  const model::FactorTable& items = *view.state().items().factors;
  std::vector<double> expected(items.stride());
  for (const std::uint32_t item : {a, b}) {
    double squares = 0;
    for (std::uint32_t i = 0; i < items.stride(); ++i) {
      squares += static_cast<double>(items.row(item)[i]) * static_cast<double>(items.row(item)[i]);
    }
    for (std::uint32_t i = 0; i < items.stride(); ++i) {
      expected[i] += static_cast<double>(items.row(item)[i]) / std::sqrt(squares);
    }
  }
  double squares = 0;
  for (const double value : expected) {
    squares += value * value;
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(query.vector[i], expected[i] / std::sqrt(squares), 1e-5);
  }
  EXPECT_FALSE(DirectionQuery(view, Side::kItem, {}).usable());
}

TEST_F(QueryTest, FoldedSaysWhetherTheVectorIsTheTrainedOne) {
  catalogue_.Add("u2", "i1", 1);
  ReadView view(catalogue_.shared());
  EXPECT_FALSE(UserQuery(view, "u1", {})->folded);
  EXPECT_TRUE(UserQuery(view, "u2", {})->folded);
}

TEST(Query, ASessionOfRatingsNeedsThem) {
  testing::Catalogue catalogue(Small(Feedback::kExplicit));
  catalogue.Add("u", "i", 4);
  ReadView view(catalogue.shared());
  EXPECT_EQ(BasketQuery(view, {.items = Ids{"i"}}, {}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(BasketQuery(view, {.items = Ids{"i"}, .weights = std::vector<double>{4}}, {}).ok());
  EXPECT_TRUE(BasketQuery(view, {}, {}).ok());
}

TEST(Query, WithoutAModelThereIsNoVectorButWhatWasSeen) {
  testing::Catalogue catalogue(Small());
  catalogue.Add("u", "i", 4);
  ReadView view(catalogue.shared());
  const auto query = UserQuery(view, "u", {});
  ASSERT_TRUE(query.ok());
  EXPECT_FALSE(query->usable());
  EXPECT_THAT(query->left_out, ElementsAre(0U));
  EXPECT_THAT(Ordinals(view, Side::kItem, Ids{"j"}), IsEmpty());
}

}  // namespace
}  // namespace reco::engine::lists
