// Collections of ratings: predictions, fold-in, lists and explanations against float64 references.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;

constexpr std::uint32_t kDim = 6;
constexpr std::uint64_t kUsers = 50;
constexpr std::uint64_t kItems = 40;

std::string UserId(std::uint64_t i) {
  return "u" + std::to_string(i);
}
std::string ItemId(std::uint64_t i) {
  return "i" + std::to_string(i);
}

// Ratings with structure: biases of users and items, and two tastes.
double TrueRating(std::uint64_t user, std::uint64_t item) {
  const double taste = (user % 2 == item % 2) ? 0.8 : -0.8;
  return 3 + 0.5 * std::sin(static_cast<double>(user)) + 0.7 * std::cos(static_cast<double>(item)) +
         taste;
}

void Rate(Shop& shop, std::uint64_t user, std::uint64_t item, double rating) {
  shop.clock.AdvanceMs(1);
  ASSERT_TRUE(shop.Add(UserId(user), ItemId(item), rating).ok());
}

void OpenRated(Shop& shop, CollectionOptions options = CollectionOptions::ForRatings()) {
  options.dim = kDim;
  options.reg = 0.1;
  options.regn = 0.02;
  ASSERT_TRUE(*shop.db->Create("shop", options));
  std::mt19937_64 random(4);
  for (std::uint64_t u = 0; u < kUsers; ++u) {
    for (std::uint64_t i = 0; i < kItems; ++i) {
      if (random() % 3 != 0) {
        Rate(shop, u, i, TrueRating(u, i));
      }
    }
  }
  shop.Train();
}

double Mean(const Shop& shop) {
  double sum = 0;
  std::size_t count = 0;
  for (std::uint64_t u = 0; u < kUsers; ++u) {
    const auto history = *shop.db->History("shop", UserId(u), {.count = 1'000});
    for (const HistoryEntry& entry : history) {
      sum += entry.weight;
      ++count;
    }
  }
  return sum / static_cast<double>(count);
}

Eigen::VectorXd VectorOf(const Shop& shop, Side side, const std::string& id) {
  const std::vector<float> values = shop.Vector(side, id);
  return Eigen::Map<const Eigen::VectorXf>(values.data(), static_cast<Eigen::Index>(values.size()))
      .cast<double>();
}

// [x, b] of a user by the definition, from the item vectors as they are.
Eigen::VectorXd ClosedForm(const Shop& shop, const std::string& user, double mean,
                           const std::map<std::string, Eigen::VectorXd>& items) {
  const auto history = *shop.db->History("shop", user, {.count = 1'000});
  Eigen::MatrixXd a = (0.1 + 0.02 * static_cast<double>(history.size())) *
                      Eigen::MatrixXd::Identity(kDim + 1, kDim + 1);
  Eigen::VectorXd b = Eigen::VectorXd::Zero(kDim + 1);
  for (const HistoryEntry& entry : history) {
    Eigen::VectorXd z(kDim + 1);
    z << items.at(entry.item).head(kDim), 1;
    a += z * z.transpose();
    b += (entry.weight - mean - items.at(entry.item)(kDim + 1)) * z;
  }
  return a.ldlt().solve(b);
}

std::map<std::string, Eigen::VectorXd> ItemVectors(const Shop& shop) {
  std::map<std::string, Eigen::VectorXd> items;
  for (std::uint64_t i = 0; i < kItems; ++i) {
    items[ItemId(i)] = VectorOf(shop, Side::kItem, ItemId(i));
  }
  return items;
}

double Predict(const Shop& shop, const std::string& user, const std::string& item) {
  const std::string_view items[] = {item};
  return (*shop.db->Score("shop", user, items)).front().value();
}

TEST(Ratings, UnseenOnesArePredicted) {
  Shop shop;
  OpenRated(shop);
  double squares = 0;
  std::size_t count = 0;
  for (std::uint64_t u = 0; u < kUsers; ++u) {
    for (std::uint64_t i = 0; i < kItems; ++i) {
      const std::string item = ItemId(i);
      const std::string_view items[] = {item};
      if (!(*shop.db->Preferences("shop", UserId(u), items)).front()) {
        const double miss = Predict(shop, UserId(u), item) - TrueRating(u, i);
        squares += miss * miss;
        ++count;
      }
    }
  }
  ASSERT_GT(count, 300U);
  EXPECT_LT(std::sqrt(squares / static_cast<double>(count)), 0.2);  // the mean alone misses by 1.0
}

TEST(Ratings, FoldInIsTheClosedForm) {
  Shop shop;
  OpenRated(shop);
  const double mean = Mean(shop);
  std::mt19937_64 random(9);
  for (int round = 0; round < 100; ++round) {
    const auto items = ItemVectors(shop);
    const std::uint64_t user = random() % kUsers;
    Rate(shop, user, random() % kItems, 1 + static_cast<double>(random() % 9) / 2);
    const Eigen::VectorXd exact = ClosedForm(shop, UserId(user), mean, items);
    const Eigen::VectorXd found = VectorOf(shop, Side::kUser, UserId(user));
    ASSERT_EQ(found.size(), kDim + 2);
    EXPECT_LE((found.head(kDim + 1) - exact).norm(), 1e-3 * exact.norm());
    EXPECT_EQ(found(kDim + 1), 1);
  }
}

TEST(Ratings, ANewRatingReplacesTheOldOneAndNewUsersGetListsAtOnce) {
  Shop shop;
  OpenRated(shop);
  Rate(shop, 0, 0, 5);
  Rate(shop, 0, 0, 1.5);
  const std::string_view item[] = {"i0"};
  EXPECT_EQ((*shop.db->Preferences("shop", "u0", item)).front(), 1.5);
  EXPECT_EQ((*shop.db->TopK("shop", "stranger", {})).entries.at(0).source, Source::kPopular);
  for (const std::uint64_t i : {0U, 2U, 4U, 6U}) {
    shop.clock.AdvanceMs(1);
    ASSERT_TRUE(shop.Add("stranger", ItemId(i), 5).ok());
    ASSERT_TRUE(shop.Add("stranger", ItemId(i + 1), 1).ok());
  }
  const auto ranking = *shop.db->TopK("shop", "stranger", {.count = 5});
  ASSERT_EQ(ranking.entries.size(), 5U);
  std::size_t even = 0;
  for (const Ranking::Entry& entry : ranking.entries) {
    EXPECT_EQ(entry.source, Source::kFoldIn);
    even += std::stoul(entry.id.substr(1)) % 2 == 0 ? 1U : 0U;
  }
  EXPECT_GE(even, 4U);
}

TEST(Ratings, ListsOrderByPredictedRating) {
  Shop shop;
  OpenRated(shop);
  ASSERT_TRUE(shop.db->SetRecord("shop", Side::kItem, "unrated", {.hidden = false}).ok());
  for (std::uint64_t u = 0; u < kUsers; ++u) {
    const auto ranking =
        *shop.db->TopK("shop", UserId(u), {.count = kItems + 1, .with_seen = true});
    ASSERT_EQ(ranking.entries.size(), kItems);  // not the one without a rating
    double last = 1e9;
    for (const Ranking::Entry& entry : ranking.entries) {
      EXPECT_NEAR(entry.score, Predict(shop, UserId(u), entry.id), 1e-4);
      EXPECT_LE(entry.score, last);
      last = entry.score;
    }
  }
}

TEST(Ratings, SharesMeanAndBiasAddUpToTheRating) {
  Shop shop;
  OpenRated(shop);
  const double mean = Mean(shop);
  const auto explanation = *shop.db->Explain("shop", "u3", "i7", 1'000);
  EXPECT_NEAR(explanation.score, Predict(shop, "u3", "i7"), 1e-6);
  EXPECT_NEAR(explanation.remainder, mean + VectorOf(shop, Side::kItem, "i7")(kDim + 1), 1e-3);
}

TEST(Ratings, SimilarItemsCompareVectorsWithoutBias) {
  Shop shop;
  OpenRated(shop);
  const std::string_view items[] = {"i4"};
  const auto ranking =
      *shop.db->Similar("shop", items, SimilarityBasis::kVector, {.count = kItems});
  ASSERT_EQ(ranking.entries.size(), kItems - 1);
  const auto vectors = ItemVectors(shop);
  for (const Ranking::Entry& entry : ranking.entries) {
    const Eigen::VectorXd a = vectors.at("i4").head(kDim);
    const Eigen::VectorXd b = vectors.at(entry.id).head(kDim);
    EXPECT_NEAR(entry.score, a.dot(b) / (a.norm() * b.norm()), 1e-4);
  }
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(std::stoul(ranking.entries[i].id.substr(1)) % 2, 0U) << ranking.entries[i].id;
  }
}

TEST(Ratings, SessionsNeedRatings) {
  Shop shop;
  OpenRated(shop);
  const std::string_view items[] = {"i0", "i1"};
  EXPECT_EQ(shop.db->Session("shop", {.items = items}, {}).status().code(),
            StatusCode::kInvalidArgument);
  const double ratings[] = {5, 1};
  const auto ranking =
      *shop.db->Session("shop", {.items = items, .weights = ratings}, {.count = 3});
  ASSERT_EQ(ranking.entries.size(), 3U);
  RankingOptions context;
  context.context = items;
  EXPECT_EQ(shop.db->TopK("shop", "u1", context).status().code(), StatusCode::kInvalidArgument);
}

TEST(Ratings, EvaluationBeatsTheBaselines) {
  Shop shop;
  OpenRated(shop);
  const auto job = *shop.db->Evaluate("shop", {.holdout_last = 3});
  const auto done = *shop.db->WaitJob(job, 0);
  ASSERT_EQ(done.state, JobState::kDone) << done.error;
  std::map<std::string, double> result(done.result.begin(), done.result.end());
  EXPECT_EQ(result.at("ratings"), 3 * kUsers);
  EXPECT_LT(result.at("model.rmse"), result.at("biases.rmse"));
  EXPECT_LT(result.at("biases.rmse"), result.at("mean.rmse"));
  EXPECT_LE(result.at("model.mae"), result.at("model.rmse"));
}

TEST(Ratings, SurviveRestartsBitForBit) {
  Shop shop;
  OpenRated(shop);
  Rate(shop, 1, 2, 4.5);
  const auto items = ItemVectors(shop);
  const auto user = shop.Vector(Side::kUser, "u1");
  const double score = Predict(shop, "u1", "i9");
  shop.Reopen();
  EXPECT_EQ(shop.Vector(Side::kUser, "u1"), user);
  EXPECT_EQ(ItemVectors(shop), items);
  EXPECT_EQ(Predict(shop, "u1", "i9"), score);
}

// An item with more ratings than a write solves at once: the background keeps its vector current.
TEST(Ratings, LongRowsAreSolvedInTheBackground) {
  constexpr std::uint64_t kRaters = 2'500;
  Shop shop;
  OpenRated(shop);
  for (std::uint64_t u = 0; u < kRaters; ++u) {
    Rate(shop, 1'000 + u, 0, 5);
    Rate(shop, 1'000 + u, 1 + u % 5, 3);
  }
  for (int i = 0; i < 1'000 && (*shop.db->CollectionDetails("shop")).rows_pending > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ((*shop.db->CollectionDetails("shop")).rows_pending, 0U);
  const Eigen::VectorXd item = VectorOf(shop, Side::kItem, "i0");
  EXPECT_EQ(item(kDim), 1);
  EXPECT_GT(Predict(shop, "u2", "i0"), 4);
}

// A row that waits for the background while a training swaps its model goes on being solved.
TEST(Ratings, LongRowsFollowAfterATraining) {
  Shop shop(false);
  CollectionOptions options = CollectionOptions::ForRatings();
  options.dim = kDim;
  ASSERT_TRUE(*shop.db->Create("shop", options));
  const auto rate = [&](const std::string& prefix, std::uint64_t count, double rating) {
    for (std::uint64_t u = 0; u < count; ++u) {
      shop.clock.AdvanceMs(1);
      ASSERT_TRUE(shop.Add(prefix + std::to_string(u), "i0", rating).ok());
      ASSERT_TRUE(shop.Add(prefix + std::to_string(u), "i1", 3).ok());
    }
  };
  rate("r", 1'100, 2);
  engine::DatabaseAccess::RunJob(*shop.db, "shop");
  rate("s", 100, 5);  // enough to wait for the background, which has no thread here
  EXPECT_GT((*shop.db->CollectionDetails("shop")).rows_pending, 0U);
  engine::DatabaseAccess::RunJob(*shop.db, "shop");
  const auto trained = shop.Vector(Side::kItem, "i0");
  for (int round = 0; round < 10; ++round) {
    rate("t" + std::to_string(round) + "-", 100, 5);
    engine::DatabaseAccess::Maintain(*shop.db);
  }
  EXPECT_NE(shop.Vector(Side::kItem, "i0"), trained);
  EXPECT_EQ((*shop.db->CollectionDetails("shop")).rows_pending, 0U);
}

TEST(Ratings, ARatingNeedsItsValue) {
  Shop shop;
  ASSERT_TRUE(*shop.db->Create("shop", CollectionOptions::ForRatings()));
  EXPECT_EQ(shop.Add("u", "i").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ((*shop.db->CollectionDetails("shop")).events, 0U);
}

TEST(Ratings, SetStandsWhateverItsTime) {
  Shop shop;
  ASSERT_TRUE(*shop.db->Create("shop", CollectionOptions::ForRatings()));
  ASSERT_TRUE(shop.Add("u", "i", 5).ok());
  shop.clock.AdvanceMs(-1'000);
  ASSERT_TRUE(shop.db->SetPreference("shop", {.user = "u", .item = "i", .weight = 1.0}).ok());
  const std::string_view items[] = {"i"};
  EXPECT_EQ((*shop.db->Preferences("shop", "u", items)).front(), 1);
}

TEST(Ratings, ItemsWithoutASolvedRowAreNotListed) {
  Shop shop;
  CollectionOptions options = CollectionOptions::ForRatings();
  options.fold_in = FoldIn::kUsers;
  OpenRated(shop, options);
  Rate(shop, 1, 1'000, 1);
  const auto ranking = *shop.db->TopK("shop", "u5", {.count = 100, .with_seen = true});
  EXPECT_EQ(ranking.entries.size(), kItems);
}

TEST(Ratings, OptionsOfInteractionsAreRefusedLaterToo) {
  Shop shop;
  OpenRated(shop);
  const std::pair<std::string, std::string> log[] = {{"weighting", "log"}};
  EXPECT_EQ(shop.db->SetConfig("shop", log).status().code(), StatusCode::kInvalidArgument);
  const auto job = shop.db->Retrain("shop", log);
  if (job.ok()) {
    EXPECT_EQ((*shop.db->WaitJob(*job, 0)).state, JobState::kFailed);
  }
  RankingOptions recency;
  recency.recency = 0.5;
  EXPECT_EQ(shop.db->TopK("shop", "u1", recency).status().code(), StatusCode::kInvalidArgument);
}

TEST(Ratings, HalfLifeAndLogarithmAreRefused) {
  CollectionOptions options = CollectionOptions::ForRatings();
  EXPECT_TRUE(options.Validate().ok());
  options.halflife_s = 10;
  EXPECT_EQ(options.Validate().code(), StatusCode::kInvalidArgument);
  options.halflife_s = 0;
  options.weighting = Weighting::kLog;
  EXPECT_EQ(options.Validate().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace reco
