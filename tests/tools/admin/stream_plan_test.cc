#include "tools/admin/stream_plan.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Line {
  std::uint32_t user;
  std::uint32_t item;
  std::int64_t time_ms;
  double weight = 1;
};

StreamPlan Plan(const std::vector<Line>& lines, const StreamPlanOptions& options) {
  std::vector<StreamEvent> events;
  std::vector<double> weights;
  for (const Line& line : lines) {
    events.push_back({.user = line.user, .item = line.item, .time_ms = line.time_ms, .weight = {}});
    weights.push_back(line.weight);
  }
  return MakeStreamPlan(events, weights, options);
}

std::vector<std::size_t> Asked(const StreamPlan& plan) {
  std::vector<std::size_t> events;
  for (const StreamQuestion& question : plan.questions) {
    events.push_back(question.event);
  }
  return events;
}

// By hand: events 0 to 3 train; user 0 then has items 0 and 1, user 1 has item 0.
TEST(StreamPlan, AsksForPositiveEventsOfNewPairs) {
  const StreamPlan plan = Plan({{0, 0, 1},
                                {0, 1, 2},
                                {0, 0, 3},
                                {1, 0, 4},
                                {0, 0, 5},       // a repeat
                                {0, 2, 6},       // asked; nobody has item 2 yet
                                {1, 2, 7, -1},   // negative
                                {1, 2, 8},       // the pair is there, although negative: a repeat
                                {2, 2, 9},       // asked of a new user
                                {2, 0, 10},      // asked
                                {1, 1, 11, 0}},  // weight 0
                               {.train_share = 0.4});
  EXPECT_EQ(plan.training, 4U);
  EXPECT_THAT(Asked(plan), ElementsAre(5, 8, 9));
  EXPECT_EQ(plan.repeats, 2U);
  EXPECT_EQ(plan.negatives, 2U);
  EXPECT_EQ(plan.new_items, 1U);
  EXPECT_EQ(plan.inside_baskets, 0U);
}

TEST(StreamPlan, CountsDistinctItemsAndKnowsWhoWasThereAtTheTraining) {
  const StreamPlan plan =
      Plan({{0, 0, 1}, {0, 1, 2}, {0, 1, 3}, {1, 5, 4}, {0, 2, 5}, {0, 3, 6}, {2, 0, 7}, {2, 1, 8}},
           {.train_share = 0.5});
  ASSERT_EQ(Asked(plan), (std::vector<std::size_t>{4, 5, 6, 7}));
  const std::vector<std::uint32_t> history = {2, 3, 0, 1};
  const std::vector<bool> warm = {true, true, false, false};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(plan.questions[i].history, history[i]) << i;
    EXPECT_EQ(plan.questions[i].warm, warm[i]) << i;
  }
}

TEST(StreamPlan, AsksForTheFirstCountedEventOfEachBasket) {
  const std::vector<Line> lines = {{0, 0, 10},     {1, 0, 10},
                                   {1, 1, 10},      // of a basket that began in the training
                                   {0, 0, 20},      // a repeat opens the basket ...
                                   {0, 1, 20},      // ... and this is its first counted event
                                   {1, 2, 20},      // asked: another user's basket
                                   {0, 2, 20},      // inside
                                   {0, 3, 25},      // asked, or inside with a gap of 5 ms
                                   {0, 4, 29},      // likewise
                                   {0, 5, 40, -1},  // negative
                                   {0, 6, 40}};     // asked
  const double share = 2.0 / 11 + 1e-9;
  const StreamPlan exact = Plan(lines, {share, true, 0});
  ASSERT_EQ(exact.training, 2U);
  EXPECT_THAT(Asked(exact), ElementsAre(4, 5, 7, 8, 10));
  EXPECT_EQ(exact.inside_baskets, 2U);
  EXPECT_EQ(exact.repeats, 1U);
  EXPECT_EQ(exact.negatives, 1U);
  // Each event at most 5 ms behind the one before it: 20, 25 and 29 are one basket.
  const StreamPlan within_gap = Plan(lines, {share, true, 5});
  EXPECT_THAT(Asked(within_gap), ElementsAre(4, 5, 10));
  EXPECT_EQ(within_gap.inside_baskets, 4U);
}

TEST(StreamPlan, AccountsForEveryEventBehindTheTraining) {
  std::vector<Line> lines;
  for (std::uint32_t i = 0; i < 500; ++i) {
    lines.push_back({i / 3 % 13, i * 7 % 61, i / 4, i % 11 == 0 ? -1.0 : 1.0});
  }
  for (const bool baskets : {false, true}) {
    const StreamPlan plan = Plan(lines, {0.3, baskets, 1});
    EXPECT_EQ(plan.training, 150U);
    EXPECT_EQ(
        plan.training + plan.questions.size() + plan.repeats + plan.negatives + plan.inside_baskets,
        500U);
    EXPECT_EQ(plan.inside_baskets > 0, baskets);
  }
}

TEST(StreamPlan, TrainsOnNothingOrEverythingWhenToldSo) {
  const std::vector<Line> lines = {{0, 0, 1}, {0, 1, 2}};
  EXPECT_EQ(Plan(lines, {.train_share = 0}).training, 0U);
  EXPECT_THAT(Plan(lines, {.train_share = 1}).questions, IsEmpty());
}

}  // namespace
}  // namespace reco::admin
