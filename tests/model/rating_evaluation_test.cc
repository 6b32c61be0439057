// Errors of predicted ratings and the hold-out, against examples worked by hand.
#include "model/rating_evaluation.h"

#include <atomic>
#include <cmath>
#include <cstddef>
#include <set>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "model/rating_fold_in.h"

namespace reco::model::testing {
namespace {

struct Line {
  std::uint32_t user;
  std::uint32_t item;
  float rating;
  std::int64_t time_ms;
};

// `lines` by user and item.
TimedInteractions Timed(std::size_t users, std::size_t items, const std::vector<Line>& lines) {
  TimedInteractions data;
  data.matrix.columns_count = items;
  auto line = lines.begin();
  for (std::uint32_t user = 0; user < users; ++user) {
    for (; line != lines.end() && line->user == user; ++line) {
      data.matrix.columns.push_back(line->item);
      data.matrix.weights.push_back(line->rating);
      data.time_ms.push_back(line->time_ms);
    }
    data.matrix.offsets.push_back(data.matrix.columns.size());
  }
  return data;
}

using HeldSet = std::vector<std::tuple<std::uint32_t, std::uint32_t, float>>;

HeldSet Held(const RatingHoldOut& split) {
  HeldSet out;
  for (const HeldRating& each : split.held) {
    out.emplace_back(each.user, each.item, each.rating);
  }
  return out;
}

TEST(LeaveLastRatingsOut, TakesTheNewestOfWhateverSignFromUsersThatHaveMore) {
  const TimedInteractions data = Timed(3, 5,
                                       {{0, 0, 5, 40},
                                        {0, 1, 4, 10},
                                        {0, 2, -2, 50},
                                        {0, 3, 0, 60},
                                        {1, 0, 3, 1},
                                        {1, 4, 2, 2},
                                        {2, 4, 1, 7}});
  const RatingHoldOut split = LeaveLastRatingsOut(data, 2, false, 1);
  EXPECT_EQ(Held(split), (HeldSet{{0, 3, 0}, {0, 2, -2}}));
  EXPECT_EQ(split.train.offsets, (std::vector<std::uint64_t>{0, 2, 4, 5}));
  EXPECT_EQ(split.train.columns, (std::vector<std::uint32_t>{0, 1, 0, 4, 4}));
  EXPECT_EQ(split.train.weights, (std::vector<float>{5, 4, 3, 2, 1}));
  EXPECT_EQ(split.train.columns_count, 5U);
}

TEST(LeaveLastRatingsOut, TiesGoByItemOrAreShuffledByTheSeed) {
  std::vector<Line> lines;
  for (std::uint32_t item = 0; item < 20; ++item) {
    lines.push_back({0, item, static_cast<float>(item), item < 10 ? 1 : 2});
  }
  const TimedInteractions data = Timed(1, 20, lines);
  EXPECT_EQ(Held(LeaveLastRatingsOut(data, 2, false, 1)), (HeldSet{{0, 19, 19}, {0, 18, 18}}));
  std::set<std::uint32_t> first;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const HeldSet held = Held(LeaveLastRatingsOut(data, 1, true, seed));
    EXPECT_EQ(held, Held(LeaveLastRatingsOut(data, 1, true, seed)));
    first.insert(std::get<1>(held.front()));
  }
  EXPECT_GT(first.size(), 3U);
  EXPECT_GE(*first.begin(), 10U);
}

TEST(LeaveLastRatingsOut, NothingIsHeldWhenNothingIsAskedFor) {
  const TimedInteractions data = Timed(1, 2, {{0, 0, 5, 1}, {0, 1, 4, 2}});
  const RatingHoldOut split = LeaveLastRatingsOut(data, 0, true, 1);
  EXPECT_TRUE(split.held.empty());
  EXPECT_EQ(split.train.pairs(), 2U);
}

TEST(MeasureRatings, GivesTheErrorsOfAnExampleWorkedByHand) {
  const std::vector<HeldRating> held = {{0, 0, 4}, {0, 1, 1}, {1, 0, 3}, {1, 1, 6}};
  const RatingErrors errors = MeasureRatings(held, [](std::uint32_t, std::uint32_t) { return 3; });
  // Misses 1, -2, 0, 3. Variances of the squares 49/3, of the absolutes 5/3.
  EXPECT_NEAR(errors.rmse.mean, std::sqrt(3.5), 1e-12);
  EXPECT_NEAR(errors.rmse.half_width, 1.96 * std::sqrt(49.0 / 3 / 4) / (2 * std::sqrt(3.5)), 1e-12);
  EXPECT_NEAR(errors.mae.mean, 1.5, 1e-12);
  EXPECT_NEAR(errors.mae.half_width, 1.96 * std::sqrt(5.0 / 3 / 4), 1e-12);
}

TEST(MeasureRatings, AsksForEachHeldPair) {
  const std::vector<HeldRating> held = {{2, 7, 4}, {3, 1, 1}};
  const RatingErrors errors = MeasureRatings(
      held, [](std::uint32_t user, std::uint32_t item) { return user == 2 && item == 7 ? 4 : 3; });
  EXPECT_DOUBLE_EQ(errors.mae.mean, 1);
}

TEST(MeasureRatings, WithoutSpreadThereIsNoInterval) {
  const auto three = [](std::uint32_t, std::uint32_t) { return 3.0; };
  const std::vector<HeldRating> exact = {{0, 0, 3}, {0, 1, 3}};
  const std::vector<HeldRating> single = {{0, 0, 5}};
  const RatingErrors of_none = MeasureRatings({}, three);
  EXPECT_EQ(of_none.rmse.mean, 0);
  EXPECT_EQ(of_none.mae.half_width, 0);
  const RatingErrors of_exact = MeasureRatings(exact, three);
  EXPECT_EQ(of_exact.rmse.mean, 0);
  EXPECT_EQ(of_exact.rmse.half_width, 0);
  const RatingErrors of_single = MeasureRatings(single, three);
  EXPECT_EQ(of_single.rmse.mean, 2);
  EXPECT_EQ(of_single.rmse.half_width, 0);
}

// Ratings of 8 users by 6 items; r = 3 + user bias + item bias + taste, the taste +-`taste`.
TimedInteractions TasteData(double taste) {
  std::vector<Line> lines;
  for (std::uint32_t user = 0; user < 8; ++user) {
    for (std::uint32_t item = 0; item < 6; ++item) {
      const double sign = (user / 2 % 2 == item % 2) ? 1 : -1;
      const double rating = 3 + 0.5 * (user % 2) - 0.25 * (item % 3) + sign * taste;
      lines.push_back({user, item, static_cast<float>(rating), (user * 7 + item * 5) % 11});
    }
  }
  return Timed(8, 6, lines);
}

RatingComparison Compare(const TimedInteractions& data) {
  const RatingHoldOut split = LeaveLastRatingsOut(data, 1, false, 1);
  TrainingParams params;
  params.dim = 1;
  params.solve.reg = 1e-3F;
  params.solve.regn = 0;
  params.iterations = 50;
  const auto model = TrainRatings(split.train, Transpose(split.train), params, {});
  const auto errors = EvaluateRatings(split, *model, params, {});
  EXPECT_TRUE(errors.ok());
  EXPECT_EQ(errors->held, 8U);
  double sum = 0;
  for (const HeldRating& each : split.held) {
    sum += std::abs(static_cast<double>(each.rating) - model->mean);
  }
  EXPECT_NEAR(errors->mean.mae.mean, sum / 8, 1e-12);
  return *errors;
}

TEST(EvaluateRatings, BiasesExplainAdditiveRatingsAndTheModelTasteToo) {
  const RatingComparison additive = Compare(TasteData(0));
  EXPECT_LT(additive.biases.rmse.mean, 0.01);
  EXPECT_GT(additive.mean.rmse.mean, 0.2);
  const RatingComparison taste = Compare(TasteData(1));
  EXPECT_LT(taste.model.rmse.mean, 0.05);
  EXPECT_GT(taste.biases.rmse.mean, 0.8);
  EXPECT_GT(taste.mean.rmse.mean, 0.8);
}

TEST(EvaluateRatings, ColdItemIsPredictedByTheMeanAndTheUsersBias) {
  // Only user 0 rated item 1, and that is held out.
  const TimedInteractions data = Timed(2, 2, {{0, 0, 5, 1}, {0, 1, 4, 2}, {1, 0, 1, 1}});
  const RatingHoldOut split = LeaveLastRatingsOut(data, 1, false, 1);
  TrainingParams params;
  params.dim = 2;
  const auto model = TrainRatings(split.train, Transpose(split.train), params, {});
  ASSERT_TRUE(model.ok());
  const auto errors = EvaluateRatings(split, *model, params, {});
  ASSERT_TRUE(errors.ok());
  const double bias = model->users.row(0)[RatingBiasAt(RatingSide::kUser, 2)];
  EXPECT_GT(bias, 0.1);
  EXPECT_NEAR(errors->model.mae.mean, std::abs(4 - (3 + bias)), 1e-12);
  EXPECT_NEAR(errors->mean.mae.mean, 1, 1e-12);
}

TEST(EvaluateRatings, CancelStopsIt) {
  const RatingHoldOut split = LeaveLastRatingsOut(TasteData(1), 1, false, 1);
  TrainingParams params;
  params.dim = 2;
  const auto model = TrainRatings(split.train, Transpose(split.train), params, {});
  ASSERT_TRUE(model.ok());
  const std::atomic<bool> cancel{true};
  const auto errors = EvaluateRatings(split, *model, params, {nullptr, &cancel});
  ASSERT_FALSE(errors.ok());
  EXPECT_EQ(errors.status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace reco::model::testing
