// Promises of exactness, each against an independent float64 reference built from what the public
// interface shows: fold-in, top-K, explanations, replay.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;

Eigen::VectorXd ToEigen(const std::vector<float>& values) {
  return Eigen::Map<const Eigen::VectorXf>(values.data(), static_cast<Eigen::Index>(values.size()))
      .cast<double>();
}

// The state as the outside sees it.
struct Seen {
  std::map<std::string, Eigen::VectorXd> users;
  std::map<std::string, Eigen::VectorXd> items;
  std::map<std::string, std::map<std::string, double>> weights;  // by user

  explicit Seen(const Shop& shop, int user_count, int item_count) {
    for (int i = 0; i < item_count; ++i) {
      const std::string id = "i" + std::to_string(i);
      if (const auto vector = shop.Vector(Side::kItem, id); !vector.empty()) {
        items[id] = ToEigen(vector);
      }
    }
    for (int u = 0; u < user_count; ++u) {
      const std::string id = "u" + std::to_string(u);
      if (const auto vector = shop.Vector(Side::kUser, id); !vector.empty()) {
        users[id] = ToEigen(vector);
        const auto history = *shop.db->History("shop", id, {.count = 100'000});
        for (const auto& entry : history) {
          weights[id][entry.item] = entry.weight;
        }
      }
    }
  }
};

struct ModelParameters {
  double alpha = 1, reg = 0.1, regn = 0.05, unobserved = 1;
};

// A and b of one user by the definition.
std::pair<Eigen::MatrixXd, Eigen::VectorXd> NormalEquations(
    const Seen& seen, const std::map<std::string, double>& row, const ModelParameters& p) {
  const auto dim = seen.items.begin()->second.size();
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(dim, dim);
  Eigen::VectorXd b = Eigen::VectorXd::Zero(dim);
  for (const auto& [id, y] : seen.items) {
    a += p.unobserved * y * y.transpose();
  }
  a += (p.reg + p.regn * static_cast<double>(row.size())) * Eigen::MatrixXd::Identity(dim, dim);
  for (const auto& [id, weight] : row) {
    const Eigen::VectorXd& y = seen.items.at(id);
    const double confidence = p.alpha * std::abs(weight);
    a += confidence * y * y.transpose();
    b += weight > 0 ? Eigen::VectorXd(confidence * y) : Eigen::VectorXd::Zero(dim);
  }
  return {a, b};
}

constexpr int kUsers = 60;
constexpr int kItems = 80;

// A trained shop with a stream of random adds, sets and removals behind it.
void Stream(Shop& shop, int events, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < events; ++i) {
    shop.clock.AdvanceMs(1);
    const std::string user = "u" + std::to_string(random() % kUsers);
    const std::string item = "i" + std::to_string(random() % kItems);
    const std::string_view items[] = {item};
    const double weight = static_cast<double>(random() % 400) / 100 - 1;
    switch (random() % 8) {
      case 0:
        ASSERT_TRUE(shop.db->Remove("shop", user, items).ok());
        break;
      case 1:
      case 2:
        ASSERT_TRUE(
            shop.db->SetPreference("shop", {.user = user, .item = item, .weight = weight}).ok());
        break;
      default:
        ASSERT_TRUE(shop.Add(user, item, weight).ok());
    }
  }
}

void TrainedShop(Shop& shop) {
  CollectionOptions options;
  options.neighbours = Neighbours::kOff;  // scores are those of the vectors
  options.dim = 32;
  options.unobserved = 1;
  options.iterations = 5;
  options.recency = 1;
  ASSERT_TRUE(*shop.db->Create("shop", options));
  shop.Fill(3'000, kUsers, kItems, 99);
  shop.Train();
}

TEST(Exactness, FoldInIsTheClosedFormSolution) {
  Shop shop;
  TrainedShop(shop);
  std::vector<double> errors;
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    Stream(shop, 10, random());
    // The user side is solved first, so its right answer follows from the item vectors before.
    const Seen before(shop, kUsers, kItems);
    const std::string user = "u" + std::to_string(random() % kUsers);
    const std::string item = "i" + std::to_string(random() % kItems);
    ASSERT_TRUE(shop.Add(user, item, 1).ok());
    const Seen after(shop, kUsers, kItems);
    const auto [a, b] = NormalEquations(before, after.weights.at(user), {});
    const Eigen::VectorXd exact = a.ldlt().solve(b);
    errors.push_back((after.users.at(user) - exact).norm() / std::max(exact.norm(), 1e-12));
  }
  std::sort(errors.begin(), errors.end());
  EXPECT_LE(errors[errors.size() / 2], 1e-4);
  EXPECT_LE(errors.back(), 1e-3);
}

TEST(Exactness, TopKIsTheBruteForceRanking) {
  Shop shop;
  TrainedShop(shop);
  Stream(shop, 2'000, 6);
  const Seen seen(shop, kUsers, kItems);
  for (int u = 0; u < kUsers; ++u) {
    const std::string user = "u" + std::to_string(u);
    const auto& row = seen.weights.at(user);
    const auto [a, b] = NormalEquations(seen, row, {});
    const Eigen::VectorXd x = a.ldlt().solve(b);
    std::map<std::string, double> scores;
    for (const auto& [id, y] : seen.items) {
      if (!row.contains(id)) {
        scores[id] = x.dot(y);
      }
    }
    const auto ranking = shop.Rank(user, {.count = 20});
    ASSERT_EQ(ranking.size(), std::min<std::size_t>(20, scores.size()));
    std::vector<double> best;
    best.reserve(scores.size());
    for (const auto& [id, score] : scores) {
      best.push_back(score);
    }
    std::sort(best.begin(), best.end(), std::greater<>());
    const double scale = std::max(1e-3, std::abs(best[0]));
    for (std::size_t i = 0; i < ranking.size(); ++i) {
      EXPECT_NEAR(ranking[i].score, scores.at(ranking[i].id), 1e-3 * scale) << user;
      EXPECT_NEAR(ranking[i].score, best[i], 1e-3 * scale) << user << " place " << i;
    }
  }
}

TEST(Exactness, ScoresEqualFloat64ProductsOfTheVectors) {
  Shop shop;
  TrainedShop(shop);
  const Seen seen(shop, kUsers, kItems);
  std::vector<std::string> ids;
  std::vector<std::string_view> items;
  for (const auto& [id, y] : seen.items) {
    ids.push_back(id);
  }
  items.assign(ids.begin(), ids.end());
  for (int u = 0; u < kUsers; ++u) {
    const std::string user = "u" + std::to_string(u);
    const auto scores = *shop.db->Score("shop", user, items);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const double exact = seen.users.at(user).dot(seen.items.at(ids[i]));
      const double size = seen.users.at(user).norm() * seen.items.at(ids[i]).norm();
      EXPECT_NEAR(*scores[i], exact, 1e-3 * size);
    }
  }
}

TEST(Exactness, ExplanationAddsUpToTheScore) {
  Shop shop;
  TrainedShop(shop);
  Stream(shop, 1'000, 7);
  for (int u = 0; u < kUsers; ++u) {
    const std::string user = "u" + std::to_string(u);
    const std::string item = shop.List(user, 1).front();
    const auto explanation = shop.db->Explain("shop", user, item, 10'000);
    ASSERT_TRUE(explanation.ok());
    double sum = 0;
    for (const auto& share : explanation->shares) {
      sum += share.share;
    }
    EXPECT_NEAR(sum, explanation->score, 1e-3 * std::max(1.0, std::abs(explanation->score)));
    const std::string_view items[] = {item};
    EXPECT_NEAR(explanation->score, *shop.db->Score("shop", user, items)->front(), 1e-6);
    EXPECT_LT(std::abs(explanation->remainder), 1e-3);
  }
}

// Two databases that see the same events, one of them with checkpoints and restarts in between.
TEST(Exactness, ReplayGivesTheSameBits) {
  Shop straight;
  Shop restarted;
  TrainedShop(straight);
  TrainedShop(restarted);
  for (std::uint64_t part = 0; part < 6; ++part) {
    Stream(straight, 150, 100 + part);
    Stream(restarted, 150, 100 + part);
    if (part % 2 == 0) {
      ASSERT_TRUE(restarted.db->Checkpoint().ok());
    }
    restarted.Reopen();
  }
  for (int i = 0; i < kItems; ++i) {
    const std::string id = "i" + std::to_string(i);
    EXPECT_EQ(straight.Vector(Side::kItem, id), restarted.Vector(Side::kItem, id)) << id;
  }
  for (int u = 0; u < kUsers; ++u) {
    const std::string id = "u" + std::to_string(u);
    EXPECT_EQ(straight.Vector(Side::kUser, id), restarted.Vector(Side::kUser, id)) << id;
    EXPECT_EQ(straight.List(id), restarted.List(id)) << id;
  }
}

constexpr int kColdItems = 6 * kItems;

// New items by attributes, new attributes of old ones, first pairs and deletions between the rest.
void ColdStream(Shop& shop, int events, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < events; ++i) {
    const std::string item = "i" + std::to_string(random() % (kColdItems));
    const std::string json = R"({"kind":["k)" + std::to_string(random() % 4) + R"(","k)" +
                             std::to_string(random() % 4) + R"("],"size":)" +
                             std::to_string(random() % 50) + "}";
    switch (random() % 10) {
      case 0:
        ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kItem, item).ok());
        break;
      case 1:
      case 2:
      case 3:
      case 4:
        ASSERT_TRUE(shop.db->SetRecord("shop", Side::kItem, item, {.attributes = json}).ok());
        break;
      default:
        Stream(shop, 1, random());
        ASSERT_TRUE(shop.Add("u" + std::to_string(random() % kUsers), item).ok());
    }
  }
}

TEST(Exactness, ReplayOfColdItemsGivesTheSameBits) {
  Shop straight;
  Shop restarted;
  for (Shop* shop : {&straight, &restarted}) {
    CollectionOptions options;
    options.neighbours = Neighbours::kOff;  // scores are those of the vectors
    options.dim = 32;
    options.iterations = 5;
    options.attribute_features = {"kind", "size"};
    ASSERT_TRUE(*shop->db->Create("shop", options));
    ColdStream(*shop, 1'500, 99);
    shop->Train();
  }
  for (std::uint64_t part = 0; part < 6; ++part) {
    ColdStream(straight, 100, 100 + part);
    ColdStream(restarted, 100, 100 + part);
    if (part % 2 == 0) {
      ASSERT_TRUE(restarted.db->Checkpoint().ok());
    }
    restarted.Reopen();
  }
  int cold = 0;
  for (int i = 0; i < kColdItems; ++i) {
    const std::string id = "i" + std::to_string(i);
    const std::vector<float> vector = straight.Vector(Side::kItem, id);
    EXPECT_EQ(vector, restarted.Vector(Side::kItem, id)) << id;
    const auto record = *straight.db->GetRecord("shop", Side::kItem, id);
    cold += record && record->pairs == 0 && std::count(vector.begin(), vector.end(), 0) == 0;
  }
  EXPECT_GT(cold, 20);  // else nothing was tested
  for (int u = 0; u < kUsers; ++u) {
    const std::string id = "u" + std::to_string(u);
    EXPECT_EQ(straight.Vector(Side::kUser, id), restarted.Vector(Side::kUser, id)) << id;
    EXPECT_EQ(straight.List(id), restarted.List(id)) << id;
  }
  for (Shop* shop : {&straight, &restarted}) {
    ASSERT_TRUE(shop->db->Checkpoint().ok());
    shop->db.reset();
    const auto report = Database::Verify(shop->options);
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
  }
}

TEST(Exactness, LongRowsStayCloseToTheirClosedForm) {
  constexpr int kFewUsers = 20;
  constexpr int kManyItems = 200;
  Shop shop;
  CollectionOptions options;
  options.neighbours = Neighbours::kOff;  // scores are those of the vectors
  options.dim = 4;                        // rows of more than 16 pairs are long
  options.unobserved = 1;
  ASSERT_TRUE(*shop.db->Create("shop", options));
  shop.Fill(3'000, kFewUsers, kManyItems, 17);
  shop.Train();
  shop.Fill(1'000, kFewUsers, kManyItems, 18);
  // What the background has yet to solve would change behind what is seen.
  while ((*shop.db->CollectionDetails("shop")).rows_pending > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // Pairs enter the running sums with the vectors of their time: close, not equal.
  const Seen seen(shop, kFewUsers, kManyItems);
  std::vector<double> errors;
  std::size_t shortest = kManyItems;
  for (const auto& [user, row] : seen.weights) {
    const auto [a, b] = NormalEquations(seen, row, {});
    const Eigen::VectorXd exact = a.ldlt().solve(b);
    errors.push_back((seen.users.at(user) - exact).norm() / exact.norm());
    shortest = std::min(shortest, row.size());
  }
  ASSERT_GT(shortest, 64U);
  std::sort(errors.begin(), errors.end());
  EXPECT_LT(errors[errors.size() / 2], 0.05);
  EXPECT_LT(errors.back(), 0.15);
  shop.Reopen();
  const Seen again(shop, kFewUsers, kManyItems);
  for (const auto& [user, vector] : seen.users) {
    EXPECT_EQ(vector, again.users.at(user));
  }
}

}  // namespace
}  // namespace reco
