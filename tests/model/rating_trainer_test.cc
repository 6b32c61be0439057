// TrainRatings: what it promises, whatever the threads, and that it minimises its objective.
#include "model/rating_trainer.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "model/rating_fold_in.h"
#include "model/rating_reference.h"

namespace reco::model::testing {
namespace {

struct Pairs {
  InteractionMatrix by_user;
  InteractionMatrix by_item;
};

void AddPair(InteractionMatrix* matrix, std::uint32_t item, double rating) {
  matrix->columns.push_back(item);
  matrix->weights.push_back(static_cast<float>(rating));
}

// Stars by user, item and taste, with noise; user 3 of every 50 and the last item have no rating,
// user 7 of every 50 has one.
Pairs StarPairs() {
  constexpr std::uint32_t kUsers = 300;
  constexpr std::uint32_t kItems = 200;
  Pairs out;
  std::mt19937 random(5);
  out.by_user.columns_count = kItems;
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    for (std::uint32_t item = 0; item + 1 < kItems; ++item) {
      const bool chosen = user % 50 == 7 ? item == user % kItems : random() % (2 + item / 4) == 0;
      if (user % 50 != 3 && chosen) {
        const double liking = (user % 2 == item % 2 ? 4.0 : 2.0) + (random() % 3) - 1.0;
        AddPair(&out.by_user, item, liking);
      }
    }
    out.by_user.offsets.push_back(out.by_user.columns.size());
  }
  out.by_item = Transpose(out.by_user);
  return out;
}

TrainingParams SmallParams() {
  TrainingParams params;
  params.dim = 20;
  params.iterations = 5;
  params.solve.reg = 0.5F;
  params.solve.regn = 0.05F;
  return params;
}

RatingTerms TermsOf(RatingSide side, const RatingModel& model, const TrainingParams& params) {
  return {side, model.mean, params.solve.reg, params.solve.regn};
}

bool SameBits(const FactorTable& a, const FactorTable& b) {
  for (std::size_t i = 0; i < a.rows(); ++i) {
    if (std::memcmp(a.row(i), b.row(i), a.stride() * sizeof(float)) != 0) {
      return false;
    }
  }
  return a.rows() == b.rows();
}

bool IsFinite(const FactorTable& table) {
  for (std::size_t i = 0; i < table.rows(); ++i) {
    if (!std::all_of(table.row(i), table.row(i) + table.stride(),
                     [](float v) { return std::isfinite(v); })) {
      return false;
    }
  }
  return true;
}

double ReferencePenalty(RatingSide side, const InteractionMatrix& matrix, const FactorTable& table,
                        const TrainingParams& params) {
  double sum = 0;
  for (std::size_t row = 0; row < matrix.rows(); ++row) {
    const double ridge = static_cast<double>(params.solve.reg) +
                         static_cast<double>(params.solve.regn) *
                             static_cast<double>(matrix.row_columns(row).size());
    const double bias = table.row(row)[RatingBiasAt(side, params.dim)];
    sum += ridge * (Widen(table.row(row), params.dim).squaredNorm() + bias * bias);
  }
  return sum;
}

double ReferenceObjective(const Pairs& pairs, const RatingModel& model,
                          const TrainingParams& params) {
  double sum = ReferencePenalty(RatingSide::kUser, pairs.by_user, model.users, params) +
               ReferencePenalty(RatingSide::kItem, pairs.by_item, model.items, params);
  for (std::size_t user = 0; user < pairs.by_user.rows(); ++user) {
    const auto columns = pairs.by_user.row_columns(user);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const std::uint32_t dim = params.dim + kRatingExtras;
      const double score =
          model.mean +
          Widen(model.users.row(user), dim).dot(Widen(model.items.row(columns[j]), dim));
      sum += std::pow(static_cast<double>(pairs.by_user.row_weights(user)[j]) - score, 2);
    }
  }
  return sum;
}

TEST(TrainRatings, SameSeedGivesTheSameBitsForAnyNumberOfThreads) {
  const Pairs pairs = StarPairs();
  TrainingParams params = SmallParams();
  params.threads = 1;
  const auto first = TrainRatings(pairs.by_user, pairs.by_item, params, {});
  ASSERT_TRUE(first.ok());
  for (const std::uint32_t threads : {0U, 1U, 2U, 5U}) {
    params.threads = threads;
    const auto again = TrainRatings(pairs.by_user, pairs.by_item, params, {});
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(SameBits(first->users, again->users)) << threads;
    EXPECT_TRUE(SameBits(first->items, again->items)) << threads;
    EXPECT_EQ(first->objectives, again->objectives) << threads;
    EXPECT_EQ(first->mean, again->mean) << threads;
  }
  params.seed = 43;
  const auto other = TrainRatings(pairs.by_user, pairs.by_item, params, {});
  EXPECT_FALSE(SameBits(first->users, other->users));
}

TEST(TrainRatings, ObjectiveNeverRises) {
  const Pairs pairs = StarPairs();
  TrainingParams params = SmallParams();
  params.iterations = 30;
  const auto model = TrainRatings(pairs.by_user, pairs.by_item, params, {});
  ASSERT_TRUE(model.ok());
  ASSERT_EQ(model->objectives.size(), 30U);
  EXPECT_EQ(model->iterations, 30U);
  for (std::size_t i = 1; i < model->objectives.size(); ++i) {
    EXPECT_LE(model->objectives[i], model->objectives[i - 1] * (1 + 1e-6)) << i;
  }
  EXPECT_LT(model->objectives.back(), 0.98 * model->objectives.front());
}

TEST(TrainRatings, ReportedObjectiveIsThatOfTheFinalRows) {
  const Pairs pairs = StarPairs();
  const auto model = TrainRatings(pairs.by_user, pairs.by_item, SmallParams(), {});
  ASSERT_TRUE(model.ok());
  const double expected = ReferenceObjective(pairs, *model, SmallParams());
  EXPECT_NEAR(model->objectives.back(), expected, 1e-9 * expected);
}

TEST(TrainRatings, UsersEndAsExactFoldInsOfTheItems) {
  const Pairs pairs = StarPairs();
  const TrainingParams params = SmallParams();
  const auto model = TrainRatings(pairs.by_user, pairs.by_item, params, {});
  ASSERT_TRUE(model.ok());
  const RatingTerms terms = TermsOf(RatingSide::kUser, *model, params);
  RatingFoldIn solver(params.dim);
  std::vector<float> x(model->users.stride());
  for (std::size_t user = 0; user < pairs.by_user.rows(); ++user) {
    std::vector<RatedNeighbor> neighbors;
    const auto columns = pairs.by_user.row_columns(user);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      neighbors.push_back({model->items.row(columns[j]), pairs.by_user.row_weights(user)[j]});
    }
    solver.Solve(terms, neighbors, x.data());
    EXPECT_EQ(std::memcmp(x.data(), model->users.row(user), x.size() * sizeof(float)), 0) << user;
    if (!neighbors.empty()) {
      EXPECT_LE(RatingRowError(RatingSide::kUser, params.dim, model->users.row(user),
                               ReferenceRatingSolution(terms, params.dim, neighbors)),
                1e-4)
          << user;
    }
  }
}

TEST(TrainRatings, EveryRowWithPairsHasItsConstantAndEveryOtherIsZero) {
  const Pairs pairs = StarPairs();
  const TrainingParams params = SmallParams();
  const auto model = TrainRatings(pairs.by_user, pairs.by_item, params, {});
  ASSERT_TRUE(model.ok());
  const auto expect_rows = [&](RatingSide side, const InteractionMatrix& matrix,
                               const FactorTable& table) {
    ASSERT_EQ(table.rows(), matrix.rows());
    for (std::size_t row = 0; row < matrix.rows(); ++row) {
      const bool known = !matrix.row_columns(row).empty();
      EXPECT_EQ(table.row(row)[RatingConstantAt(side, params.dim)], known ? 1 : 0) << row;
      EXPECT_EQ(std::any_of(table.row(row), table.row(row) + table.stride(),
                            [](float v) { return v != 0; }),
                known)
          << row;
    }
  };
  expect_rows(RatingSide::kUser, pairs.by_user, model->users);
  expect_rows(RatingSide::kItem, pairs.by_item, model->items);
}

TEST(TrainRatings, ItRecoversAMatrixOfLowRankWithBiases) {
  constexpr std::uint32_t kUsers = 200;
  constexpr std::uint32_t kItems = 150;
  constexpr std::uint32_t kRank = 3;
  const FactorTable users = RandomRatingRows(RatingSide::kUser, kRank, kUsers, 1, 1);
  const FactorTable items = RandomRatingRows(RatingSide::kItem, kRank, kItems, 1, 2);
  InteractionMatrix known;
  known.columns_count = kItems;
  std::mt19937 random(3);
  std::vector<bool> is_known;
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    for (std::uint32_t item = 0; item < kItems; ++item) {
      is_known.push_back(random() % 2 == 0);
      if (is_known.back()) {
        AddPair(&known, item, PredictRating(-3, users.row(user), items.row(item), kRank));
      }
    }
    known.offsets.push_back(known.columns.size());
  }
  TrainingParams params;
  params.dim = kRank;
  params.iterations = 60;
  params.solve.reg = 1e-3F;
  params.solve.regn = 0;
  const auto model = TrainRatings(known, Transpose(known), params, {});
  ASSERT_TRUE(model.ok());
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    for (std::uint32_t item = 0; item < kItems; ++item) {
      if (!is_known[std::size_t{user} * kItems + item]) {
        const double truth = PredictRating(-3, users.row(user), items.row(item), kRank);
        ASSERT_NEAR(
            PredictRating(model->mean, model->users.row(user), model->items.row(item), kRank),
            truth, 0.02)
            << user << " " << item;
      }
    }
  }
}

TEST(TrainRatings, ZeroIsARating) {
  // Users 0 and 1 rated item 0 with 4 and item 1 with 0.
  InteractionMatrix matrix;
  matrix.columns_count = 2;
  for (int user = 0; user < 2; ++user) {
    AddPair(&matrix, 0, 4);
    AddPair(&matrix, 1, 0);
    matrix.offsets.push_back(matrix.columns.size());
  }
  TrainingParams params;
  params.dim = 2;
  params.solve.reg = 1e-3F;
  params.solve.regn = 0;
  const auto model = TrainRatings(matrix, Transpose(matrix), params, {});
  ASSERT_TRUE(model.ok());
  EXPECT_DOUBLE_EQ(model->mean, 2);
  EXPECT_NEAR(PredictRating(2, model->users.row(0), model->items.row(0), 2), 4, 0.01);
  EXPECT_NEAR(PredictRating(2, model->users.row(0), model->items.row(1), 2), 0, 0.01);
}

TEST(TrainRatings, DimensionZeroTrainsTheBiases) {
  // r = 3 + user + item, exactly additive.
  InteractionMatrix matrix;
  matrix.columns_count = 3;
  for (int user = 0; user < 4; ++user) {
    for (std::uint32_t item = 0; item < 3; ++item) {
      AddPair(&matrix, item, 3 + user - 2.0 * item);
    }
    matrix.offsets.push_back(matrix.columns.size());
  }
  TrainingParams params;
  params.dim = 0;
  params.solve.reg = 1e-6F;
  params.solve.regn = 0;
  const auto model = TrainRatings(matrix, Transpose(matrix), params, {});
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->users.dim(), kRatingExtras);
  EXPECT_NEAR(PredictRating(model->mean, model->users.row(3), model->items.row(2), 0), 2, 1e-4);
  EXPECT_NEAR(PredictRating(model->mean, model->users.row(0), model->items.row(0), 0), 3, 1e-4);
}

struct DegenerateCase {
  const char* name;
  std::uint32_t users;
  std::uint32_t items;
  std::uint32_t repeats;  // times that every pair is listed
  float rating;           // its sign alternates
};

class DegenerateRatings : public ::testing::TestWithParam<DegenerateCase> {};

TEST_P(DegenerateRatings, GiveFiniteRowsAndAnObjectiveThatNeverRises) {
  const DegenerateCase& c = GetParam();
  InteractionMatrix matrix;
  matrix.columns_count = c.items + std::size_t{1};
  for (std::uint32_t user = 0; user < c.users; ++user) {
    for (std::uint32_t at = 0; at < c.items * c.repeats; ++at) {
      AddPair(&matrix, at / c.repeats, (user + at) % 2 == 0 ? c.rating : -c.rating);
    }
    matrix.offsets.push_back(matrix.columns.size());
  }
  matrix.offsets.push_back(matrix.columns.size());
  for (const float reg : {1e-4F, 1.0F}) {
    TrainingParams params = SmallParams();
    params.solve.reg = reg;
    params.solve.regn = 0;
    const auto model = TrainRatings(matrix, Transpose(matrix), params, {});
    ASSERT_TRUE(model.ok());
    EXPECT_TRUE(IsFinite(model->users) && IsFinite(model->items)) << reg;
    EXPECT_EQ(model->users.rows(), matrix.rows());
    EXPECT_EQ(model->items.rows(), matrix.columns_count);
    for (std::size_t i = 0; i < model->objectives.size(); ++i) {
      EXPECT_TRUE(std::isfinite(model->objectives[i])) << reg;
      EXPECT_LE(model->objectives[i], model->objectives[i == 0 ? 0 : i - 1] * (1 + 1e-6) + 1e-9)
          << reg << " " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, DegenerateRatings,
                         ::testing::Values(DegenerateCase{"nothing", 0, 0, 0, 0},
                                           DegenerateCase{"only_empty_rows", 3, 0, 1, 0},
                                           DegenerateCase{"one_pair", 1, 1, 1, 5},
                                           DegenerateCase{"zeros", 4, 5, 1, 0},
                                           DegenerateCase{"rows_of_one", 9, 1, 1, 3},
                                           DegenerateCase{"huge", 30, 40, 1, 1e6F},
                                           DegenerateCase{"duplicates", 5, 7, 9, 1e6F}),
                         [](const ::testing::TestParamInfo<DegenerateCase>& each) {
                           return each.param.name;
                         });

TEST(TrainRatings, CancelStopsIt) {
  const Pairs pairs = StarPairs();
  std::atomic<bool> cancel{false};
  TrainingControl control;
  control.cancel = &cancel;
  control.progress = [&cancel](const TrainingProgress& progress) {
    cancel = progress.iteration == 1;
  };
  TrainingParams params = SmallParams();
  params.threads = 1;
  const auto model = TrainRatings(pairs.by_user, pairs.by_item, params, control);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.status().code(), StatusCode::kUnavailable);
}

TEST(TrainRatings, ProgressRisesToOne) {
  const Pairs pairs = StarPairs();
  TrainingControl control;
  double last = 0;
  control.progress = [&last](const TrainingProgress& progress) {
    EXPECT_GT(progress.fraction, last);
    EXPECT_EQ(progress.iterations, SmallParams().iterations);
    last = progress.fraction;
  };
  TrainingParams params = SmallParams();
  params.threads = 1;
  ASSERT_TRUE(TrainRatings(pairs.by_user, pairs.by_item, params, control).ok());
  EXPECT_DOUBLE_EQ(last, 1);
}

TEST(TrainRatings, MatricesThatDoNotMatchAndNoIterationsAreRefused) {
  const Pairs pairs = StarPairs();
  TrainingParams params = SmallParams();
  EXPECT_EQ(TrainRatings(pairs.by_user, pairs.by_user, params, {}).status().code(),
            StatusCode::kInvalidArgument);
  params.iterations = 0;
  EXPECT_EQ(TrainRatings(pairs.by_user, pairs.by_item, params, {}).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace reco::model::testing
