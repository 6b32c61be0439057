// Train: what it promises, whatever the threads, and that it minimises its objective.
#include "model/trainer.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "model/reference.h"

namespace reco::model::testing {
namespace {

struct Pairs {
  InteractionMatrix by_user;
  InteractionMatrix by_item;
};

// Users of two tastes over popular and rare items; some rows stay empty, some have one pair.
template <typename Weight>
Pairs MakePairs(std::uint32_t users, std::uint32_t items, const Weight& weight) {
  Pairs out;
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  out.by_user.columns_count = items;
  for (std::uint32_t user = 0; user < users; ++user) {
    for (std::uint32_t item = 0; item + 1 < items; ++item) {
      const double liking = (user % 2 == item % 2 ? 2.0 : 0.2) / (1 + item / 20.0);
      const bool alone = user % 50 == 7;
      if (user % 50 != 3 && (alone ? item == user % items : uniform(random) < liking * 0.3)) {
        out.by_user.columns.push_back(item);
        out.by_user.weights.push_back(weight(random));
      }
    }
    out.by_user.offsets.push_back(out.by_user.columns.size());
  }
  out.by_item = Transpose(out.by_user);
  return out;
}

Pairs PlainPairs() {
  return MakePairs(300, 200, [](std::mt19937& random) {
    return random() % 10 == 0 ? -1.0F : 1.0F + static_cast<float>(random() % 3);
  });
}

TrainingParams SmallParams() {
  TrainingParams params;
  params.dim = 20;
  params.iterations = 4;
  params.solve = {.alpha = 1, .reg = 0.1F, .regn = 0.05F, .unobserved = 0.5F};
  params.unobserved_auto = false;
  return params;
}

bool SameBits(const FactorTable& a, const FactorTable& b) {
  if (a.rows() != b.rows() || a.stride() != b.stride()) {
    return false;
  }
  for (std::size_t i = 0; i < a.rows(); ++i) {
    if (std::memcmp(a.row(i), b.row(i), a.stride() * sizeof(float)) != 0) {
      return false;
    }
  }
  return true;
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

// The largest relative error of a user's vector against the float64 fold-in of the items.
double WorstUserError(const Pairs& pairs, const TrainedModel& model) {
  double worst = 0;
  std::vector<Neighbor> neighbors;
  for (std::size_t user = 0; user < pairs.by_user.rows(); ++user) {
    neighbors.clear();
    const auto columns = pairs.by_user.row_columns(user);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      neighbors.push_back({model.items.row(columns[j]), pairs.by_user.row_weights(user)[j]});
    }
    worst =
        std::max(worst, RelativeError(model.users.row(user),
                                      ReferenceSolution(model.item_gram, model.solve, neighbors)));
  }
  return worst;
}

TEST(Train, SameSeedGivesTheSameBitsForAnyNumberOfThreads) {
  const Pairs pairs = PlainPairs();
  TrainingParams params = SmallParams();
  params.threads = 1;
  const auto first = Train(pairs.by_user, pairs.by_item, params, {});
  ASSERT_TRUE(first.ok());
  for (const std::uint32_t threads : {1U, 2U, 3U}) {
    params.threads = threads;
    const auto again = Train(pairs.by_user, pairs.by_item, params, {});
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(SameBits(first->users, again->users)) << threads;
    EXPECT_TRUE(SameBits(first->items, again->items)) << threads;
    EXPECT_EQ(first->item_gram.RelativeDistance(again->item_gram), 0) << threads;
    EXPECT_EQ(first->user_gram.RelativeDistance(again->user_gram), 0) << threads;
    EXPECT_EQ(first->objective, again->objective) << threads;
  }
  params.seed = 43;
  const auto other = Train(pairs.by_user, pairs.by_item, params, {});
  EXPECT_FALSE(SameBits(first->users, other->users));
}

void ExpectObjectivesAgree(const Pairs& pairs, const TrainingParams& params) {
  const auto model = Train(pairs.by_user, pairs.by_item, params, {});
  ASSERT_TRUE(model.ok());
  ASSERT_EQ(model->objectives.size(), params.iterations);
  EXPECT_NEAR(model->objectives.back(), model->objective, 1e-4 * model->objective);
  EXPECT_EQ(model->objective, Objective(pairs.by_user, model->users, model->items, model->solve));
  EXPECT_TRUE(std::is_sorted(model->objectives.rbegin(), model->objectives.rend()));
}

TEST(Train, ReportedObjectivesFallAndAgreeWithTheFloat64One) {
  const Pairs pairs = PlainPairs();
  TrainingParams params = SmallParams();
  for (const std::uint32_t dim : {1U, 16U, 20U, 48U, 96U, 150U}) {
    for (const float alpha : {1.0F, 40.0F}) {
      params.dim = dim;
      params.solve.alpha = alpha;
      for (params.iterations = 1; params.iterations <= 4; ++params.iterations) {
        SCOPED_TRACE(::testing::Message() << dim << " " << alpha << " " << params.iterations);
        ExpectObjectivesAgree(pairs, params);
      }
    }
  }
}

TEST(Train, StopsWhenTheObjectiveHardlyFallsAndStillEndsInExactFoldIns) {
  const Pairs pairs = PlainPairs();
  TrainingParams params = SmallParams();
  params.iterations = 100;
  params.threads = 1;
  params.tolerance = 1e-3;
  std::vector<TrainingProgress> seen;
  TrainingControl control;
  control.progress = [&](const TrainingProgress& progress) { seen.push_back(progress); };
  const auto model = Train(pairs.by_user, pairs.by_item, params, control);
  ASSERT_TRUE(model.ok());
  const std::vector<double>& past = model->objectives;
  ASSERT_GT(past.size(), 2U);
  ASSERT_LT(past.size(), 50U);
  EXPECT_EQ(model->seconds.size(), past.size());
  for (std::size_t i = 1; i + 1 < past.size(); ++i) {
    EXPECT_GE(past[i - 1] - past[i], 1e-3 * past[i - 1]) << i;
  }
  EXPECT_NEAR(past.back(), model->objective, 1e-4 * model->objective);
  EXPECT_LE(WorstUserError(pairs, *model), 1e-3);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_GE(seen[i].fraction, seen[i - 1].fraction);
    EXPECT_EQ(seen[i].objective, seen[i].iteration == 0 ? 0 : past[seen[i].iteration - 1]);
  }
  EXPECT_DOUBLE_EQ(seen.back().fraction, 1);
}

TEST(Train, WarmStartReachesTheSameObjectiveInFewerIterations) {
  const Pairs pairs = PlainPairs();
  TrainingParams params = SmallParams();
  params.iterations = 40;
  const auto converged = Train(pairs.by_user, pairs.by_item, params, {});
  ASSERT_TRUE(converged.ok());
  params.warm_users = &converged->users;
  params.warm_items = &converged->items;
  params.iterations = 2;
  const auto warm = Train(pairs.by_user, pairs.by_item, params, {});
  ASSERT_TRUE(warm.ok());
  EXPECT_LE(warm->objective, converged->objective * (1 + 1e-5));
  params.warm_users = nullptr;
  params.warm_items = nullptr;
  const auto cold = Train(pairs.by_user, pairs.by_item, params, {});
  EXPECT_GT(cold->objective, warm->objective * (1 + 1e-3));
}

TEST(Train, RowsWithoutAWarmVectorStartFromTheSeed) {
  const Pairs pairs = PlainPairs();
  TrainingParams params = SmallParams();
  const auto plain = Train(pairs.by_user, pairs.by_item, params, {});
  ASSERT_TRUE(plain.ok());
  FactorTable zeros(params.dim);
  zeros.Grow(100);
  zeros.mutable_row(9)[2] = std::numeric_limits<float>::infinity();
  params.warm_users = &zeros;
  params.warm_items = &zeros;
  const auto same = Train(pairs.by_user, pairs.by_item, params, {});
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(SameBits(plain->users, same->users));
  EXPECT_TRUE(SameBits(plain->items, same->items));
  const FactorTable other(params.dim + 1);
  params.warm_items = &other;
  EXPECT_EQ(Train(pairs.by_user, pairs.by_item, params, {}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(Train, ObjectiveDecreasesWithEveryIteration) {
  const Pairs pairs = PlainPairs();
  TrainingParams params = SmallParams();
  double last = Objective(pairs.by_user, RandomTable(20, 300, 0.1, 1), RandomTable(20, 200, 0.1, 2),
                          params.solve);
  for (std::uint32_t iterations = 1; iterations <= 8; ++iterations) {
    params.iterations = iterations;
    const auto model = Train(pairs.by_user, pairs.by_item, params, {});
    ASSERT_TRUE(model.ok());
    EXPECT_LT(model->objective, last) << iterations;
    last = model->objective;
  }
}

TEST(Train, UsersEndAsExactFoldInsOfTheItems) {
  const Pairs pairs = PlainPairs();
  const auto model = Train(pairs.by_user, pairs.by_item, SmallParams(), {});
  ASSERT_TRUE(model.ok());
  EXPECT_LE(WorstUserError(pairs, *model), 1e-3);
}

TEST(Train, GramsAreThoseOfTheFinalVectorsAndTheItemsGramIsDiagonal) {
  const Pairs pairs = PlainPairs();
  const auto model = Train(pairs.by_user, pairs.by_item, SmallParams(), {});
  ASSERT_TRUE(model.ok());
  EXPECT_LE(model->item_gram.RelativeDistance(SummedGram(model->items)), 1e-12);
  EXPECT_LE(model->user_gram.RelativeDistance(SummedGram(model->users)), 1e-12);
  const Eigen::MatrixXd gram = ReferenceGram(model->items);
  const Eigen::MatrixXd diagonal = gram.diagonal().asDiagonal();
  EXPECT_LE((gram - diagonal).norm(), 1e-4 * gram.norm());
}

TEST(Train, RowsWithoutPairsAreZero) {
  const Pairs pairs = PlainPairs();
  const auto model = Train(pairs.by_user, pairs.by_item, SmallParams(), {});
  ASSERT_TRUE(model.ok());
  ASSERT_EQ(model->users.rows(), pairs.by_user.rows());
  ASSERT_EQ(model->items.rows(), pairs.by_item.rows());
  const AlignedVector<float> zero(model->users.stride());
  EXPECT_TRUE(std::equal(zero.begin(), zero.end(), model->users.row(3)));
  EXPECT_TRUE(std::equal(zero.begin(), zero.end(), model->items.row(199)));
  EXPECT_FALSE(std::equal(zero.begin(), zero.end(), model->users.row(7)));
}

TEST(Train, MatrixWithoutPairsGivesZeroVectors) {
  InteractionMatrix by_user;
  by_user.columns_count = 3;
  by_user.offsets = {0, 0, 0};
  const auto model = Train(by_user, Transpose(by_user), SmallParams(), {});
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->users.rows(), 2U);
  EXPECT_EQ(model->items.rows(), 3U);
  EXPECT_EQ(model->objective, 0);
}

TEST(Train, ExtremeWeightsStayFinite) {
  for (const float alpha : {1.0F, 1000.0F}) {
    const Pairs pairs = MakePairs(100, 60, [](std::mt19937& random) {
      const float weights[] = {1e6F, -1e6F, 1e-6F, 0, 1, 1e-38F};
      return weights[random() % 6];
    });
    TrainingParams params = SmallParams();
    params.solve.alpha = alpha;
    params.solve.reg = 1e-3F;
    const auto model = Train(pairs.by_user, pairs.by_item, params, {});
    ASSERT_TRUE(model.ok());
    EXPECT_TRUE(IsFinite(model->users));
    EXPECT_TRUE(IsFinite(model->items));
    EXPECT_TRUE(std::isfinite(model->objective));
  }
}

// Rows of every length from none up, some of them twice, weights of both signs over 12 decades.
void AddWildRow(const std::vector<bool>& has, std::mt19937* random, InteractionMatrix* matrix) {
  for (std::uint32_t item = 0; item < has.size(); ++item) {
    if (has[item]) {
      const double size = std::pow(10.0, static_cast<double>((*random)() % 13) - 6);
      matrix->columns.push_back(item);
      matrix->weights.push_back(static_cast<float>((*random)() % 3 == 0 ? -size : size));
    }
  }
  matrix->offsets.push_back(matrix->columns.size());
}

Pairs WildPairs(std::uint32_t seed) {
  std::mt19937 random(seed);
  Pairs out;
  out.by_user.columns_count = 40;
  for (std::uint32_t user = 0; user < 60; ++user) {
    const std::size_t length = user % 5 == 0 ? 0 : (user % 5 == 1 ? 1 : random() % 40);
    std::vector<bool> has(40);
    for (std::size_t j = 0; j < length; ++j) {
      has[random() % 39] = true;
    }
    AddWildRow(has, &random, &out.by_user);
    AddWildRow(has, &random, &out.by_user);
  }
  out.by_item = Transpose(out.by_user);
  return out;
}

TEST(Train, IsFiniteForAnyWeightsRowsAndDimensions) {
  for (const std::uint32_t dim : {1U, 2U, 7U, 16U, 17U, 33U, 64U, 80U, 96U}) {
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
      const Pairs pairs = WildPairs(seed);
      TrainingParams params = SmallParams();
      params.dim = dim;
      params.seed = seed;
      params.solve.reg = seed % 2 == 0 ? 1e-4F : 0.1F;
      params.solve.regn = 0;
      params.solve.alpha = seed > 2 ? 100 : 1;
      const auto model = Train(pairs.by_user, pairs.by_item, params, {});
      ASSERT_TRUE(model.ok());
      EXPECT_TRUE(IsFinite(model->users)) << dim << " " << seed;
      EXPECT_TRUE(IsFinite(model->items)) << dim << " " << seed;
      EXPECT_TRUE(std::isfinite(model->objective));
      for (const double objective : model->objectives) {
        EXPECT_TRUE(std::isfinite(objective)) << dim << " " << seed;
      }
    }
  }
}

TEST(Train, LikedItemsScoreAboveTheOthers) {
  const Pairs pairs = PlainPairs();
  const auto model = Train(pairs.by_user, pairs.by_item, SmallParams(), {});
  ASSERT_TRUE(model.ok());
  double own = 0;
  double other = 0;
  for (std::uint32_t user = 0; user < 300; ++user) {
    for (std::uint32_t item = 0; item < 40; ++item) {
      (user % 2 == item % 2 ? own : other) +=
          Dot(model->users.row(user), model->items.row(item), model->users.stride());
    }
  }
  EXPECT_GT(own, 3 * other);
}

TEST(Train, CancelEndsWithUnavailable) {
  const Pairs pairs = PlainPairs();
  std::atomic<bool> cancel{false};
  TrainingControl control;
  control.cancel = &cancel;
  int calls = 0;
  control.progress = [&](const TrainingProgress& progress) {
    ++calls;
    cancel = progress.iteration == 1;
  };
  TrainingParams params = SmallParams();
  params.threads = 1;
  const auto model = Train(pairs.by_user, pairs.by_item, params, control);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(model.status().message(), "cancelled");
  // Set beforehand, not one block is worked on.
  const int before = calls;
  cancel = true;
  EXPECT_FALSE(Train(pairs.by_user, pairs.by_item, params, control).ok());
  EXPECT_EQ(calls, before);
}

TEST(Train, ProgressRisesToOne) {
  const Pairs pairs = PlainPairs();
  std::vector<TrainingProgress> seen;
  TrainingControl control;
  control.progress = [&](const TrainingProgress& progress) { seen.push_back(progress); };
  TrainingParams params = SmallParams();
  params.threads = 1;
  ASSERT_TRUE(Train(pairs.by_user, pairs.by_item, params, control).ok());
  ASSERT_FALSE(seen.empty());
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_GT(seen[i].fraction, seen[i - 1].fraction);
    EXPECT_GE(seen[i].iteration, seen[i - 1].iteration);
  }
  EXPECT_EQ(seen.back().iteration, 3U);
  EXPECT_EQ(seen.back().iterations, 4U);
  EXPECT_DOUBLE_EQ(seen.back().fraction, 1);
}

TEST(Train, RefusesNothingToTrainAndMatricesThatDoNotMatch) {
  const Pairs pairs = PlainPairs();
  TrainingParams params = SmallParams();
  EXPECT_EQ(Train(pairs.by_user, pairs.by_user, params, {}).status().code(),
            StatusCode::kInvalidArgument);
  params.dim = 0;
  EXPECT_EQ(Train(pairs.by_user, pairs.by_item, params, {}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(AutoUnobserved, IsFiftyTimesTheDensityWithinBounds) {
  InteractionMatrix matrix;
  matrix.columns_count = 100;
  matrix.offsets = {0, 1, 2};
  matrix.columns = {4, 5};
  matrix.weights = {1, 1};
  EXPECT_FLOAT_EQ(AutoUnobserved(matrix), 0.5F);
  matrix.columns_count = 5;
  EXPECT_FLOAT_EQ(AutoUnobserved(matrix), 3.0F);
  matrix.columns_count = 1000000;
  EXPECT_FLOAT_EQ(AutoUnobserved(matrix), 0.01F);
  EXPECT_FLOAT_EQ(AutoUnobserved(InteractionMatrix{}), 0.01F);
  const Pairs pairs = PlainPairs();
  TrainingParams params = SmallParams();
  params.unobserved_auto = true;
  EXPECT_EQ(Train(pairs.by_user, pairs.by_item, params, {})->solve.unobserved,
            AutoUnobserved(pairs.by_user));
}

TEST(Objective, EqualsTheSumOverAllCells) {
  const Pairs pairs = PlainPairs();
  const FactorTable users = RandomTable(20, 300, 0.3, 1);
  const FactorTable items = RandomTable(20, 200, 0.3, 2);
  const SolveParams params = {.alpha = 2, .reg = 0.3F, .regn = 0.07F, .unobserved = 0.4F};
  double expected = 0;
  for (std::uint32_t user = 0; user < 300; ++user) {
    const Eigen::VectorXd x = Widen(users.row(user), 20);
    const auto columns = pairs.by_user.row_columns(user);
    expected += (params.reg + params.regn * static_cast<double>(columns.size())) * x.squaredNorm();
    for (std::uint32_t item = 0; item < 200; ++item) {
      const double score = x.dot(Widen(items.row(item), 20));
      expected += params.unobserved * score * score;
    }
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const double weight = pairs.by_user.row_weights(user)[j];
      const double miss = (weight > 0 ? 1 : 0) - x.dot(Widen(items.row(columns[j]), 20));
      expected += params.alpha * std::abs(weight) * miss * miss;
    }
  }
  for (std::uint32_t item = 0; item < 200; ++item) {
    const auto count = static_cast<double>(pairs.by_item.row_columns(item).size());
    expected += (params.reg + params.regn * count) * Widen(items.row(item), 20).squaredNorm();
  }
  EXPECT_NEAR(Objective(pairs.by_user, users, items, params), expected, 1e-6 * expected);
}

}  // namespace
}  // namespace reco::model::testing
