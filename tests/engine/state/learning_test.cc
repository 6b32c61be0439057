// What the model learns from a stream of every kind of write, against float64 references built from
// what the public interface shows.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <ostream>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include "engine/rows/signal.h"
#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;
using Rows = std::map<std::string, std::map<std::string, double>>;  // user -> item -> weight

constexpr std::uint64_t kUsers = 40;
constexpr std::uint64_t kItems = 60;

std::string UserId(std::uint64_t i) {
  return "u" + std::to_string(i);
}
std::string ItemId(std::uint64_t i) {
  return "i" + std::to_string(i);
}

// Newest first.
std::vector<HistoryEntry> HistoryOf(const Shop& shop, const std::string& user) {
  return *shop.db->History("shop", user, {.count = 100'000});
}

Eigen::VectorXd VectorOf(const Shop& shop, Side side, const std::string& id) {
  const std::vector<float> values = shop.Vector(side, id);
  return Eigen::Map<const Eigen::VectorXf>(values.data(), static_cast<Eigen::Index>(values.size()))
      .cast<double>();
}

std::map<std::string, Eigen::VectorXd> Vectors(const Shop& shop, Side side) {
  std::map<std::string, Eigen::VectorXd> vectors;
  for (std::uint64_t i = 0; i < (side == Side::kUser ? kUsers : kItems); ++i) {
    const std::string id = side == Side::kUser ? UserId(i) : ItemId(i);
    if (Eigen::VectorXd vector = VectorOf(shop, side, id); vector.size() > 0) {
      vectors.emplace(id, std::move(vector));
    }
  }
  return vectors;
}

// One parameter set of the property test.
struct Scenario {
  std::string name;
  double halflife_s = 0;
  Weighting weighting = Weighting::kLinear;
  double alpha = 1;
  std::int64_t reference_ms = 0;
};

// For GoogleTest's messages.
void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.name;
}

double Effective(const Scenario& scenario, double weight, std::int64_t last_ms) {
  if (scenario.halflife_s > 0) {
    weight *= std::exp2(static_cast<double>(last_ms - scenario.reference_ms) /
                        (1000 * scenario.halflife_s));
  }
  return scenario.weighting == Weighting::kLinear
             ? weight
             : std::copysign(std::log2(1 + std::abs(weight)), weight);
}

// The closed form of one row against the vectors of the other side, all in float64.
Eigen::VectorXd ClosedForm(const std::map<std::string, Eigen::VectorXd>& partners,
                           const std::map<std::string, double>& row, double alpha) {
  constexpr double kReg = 0.1, kRegn = 0.05, kUnobserved = 1;
  const Eigen::Index dim = partners.begin()->second.size();
  Eigen::MatrixXd a =
      (kReg + kRegn * static_cast<double>(row.size())) * Eigen::MatrixXd::Identity(dim, dim);
  Eigen::VectorXd b = Eigen::VectorXd::Zero(dim);
  for (const auto& [id, y] : partners) {
    a += kUnobserved * y * y.transpose();
  }
  for (const auto& [id, weight] : row) {
    const Eigen::VectorXd& y = partners.at(id);
    a += alpha * std::abs(weight) * y * y.transpose();
    if (weight > 0) {
      b += alpha * weight * y;
    }
  }
  return a.ldlt().solve(b);
}

// The stored pairs as the model weighs them, by user or by item.
Rows EffectiveRows(const Shop& shop, const Scenario& scenario, Side owners) {
  Rows rows;
  for (std::uint64_t u = 0; u < kUsers; ++u) {
    for (const HistoryEntry& entry : HistoryOf(shop, UserId(u))) {
      const double weight = Effective(scenario, entry.weight, entry.last_ms);
      if (owners == Side::kUser) {
        rows[UserId(u)][entry.item] = weight;
      } else {
        rows[entry.item][UserId(u)] = weight;
      }
    }
  }
  return rows;
}

// A write of a random kind; its time may lie before that of earlier ones.
void RandomWrite(Shop& shop, std::mt19937_64& random) {
  shop.clock.AdvanceMs(1'000);
  const std::string user = UserId(random() % kUsers);
  const std::string item = ItemId(random() % kItems);
  Interaction write{.user = user, .item = item};
  write.weight = static_cast<double>(random() % 500) / 100 - 1.5;
  write.time_ms = shop.clock.NowMs() - static_cast<std::int64_t>(random() % 600'000);
  const std::string_view items[] = {item};
  switch (random() % 24) {
    case 0:
      ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kUser, user).ok());
      break;
    case 1:
      ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kItem, item).ok());
      break;
    case 2:
    case 3:
      ASSERT_TRUE(shop.db->Remove("shop", user, items).ok());
      break;
    case 4:
    case 5:
    case 6:
      ASSERT_TRUE(shop.db->SetPreference("shop", write).ok());
      break;
    default:
      ASSERT_TRUE(shop.db->Add("shop", write).ok());
  }
}

void OpenShop(Shop& shop, Scenario* scenario) {
  CollectionOptions options;
  options.neighbours = Neighbours::kOff;  // scores are those of the vectors
  options.dim = 16;
  options.alpha = scenario->alpha;
  options.unobserved = 1;
  options.iterations = 4;
  options.halflife_s = scenario->halflife_s;
  options.weighting = scenario->weighting;
  ASSERT_TRUE(*shop.db->Create("shop", options));
  shop.Fill(1'500, static_cast<int>(kUsers), static_cast<int>(kItems), 7);
  shop.Train();
  scenario->reference_ms = shop.clock.NowMs();
}

class RandomStreams : public ::testing::TestWithParam<Scenario> {};

TEST_P(RandomStreams, EveryFoldInIsTheClosedForm) {
  Scenario scenario = GetParam();
  Shop shop;
  OpenShop(shop, &scenario);
  std::mt19937_64 random(11);
  std::vector<double> errors;
  for (int round = 0; round < 150; ++round) {
    for (int i = 0; i < 8; ++i) {
      RandomWrite(shop, random);
    }
    // The user is solved first, against the item vectors before; the item then against the users.
    auto items_before = Vectors(shop, Side::kItem);
    const std::string user = UserId(random() % kUsers);
    const std::string item = ItemId(random() % kItems);
    Interaction write{.user = user, .item = item};
    write.weight = static_cast<double>(random() % 300) / 100 - 0.5;
    write.time_ms = shop.clock.NowMs() - static_cast<std::int64_t>(random() % 600'000);
    items_before.try_emplace(item, Eigen::VectorXd::Zero(16));  // when it is new
    ASSERT_TRUE(shop.db->Add("shop", write).ok());
    const auto by_user = EffectiveRows(shop, scenario, Side::kUser);
    const auto by_item = EffectiveRows(shop, scenario, Side::kItem);
    const auto error = [&](const Eigen::VectorXd& found, const Eigen::VectorXd& exact) {
      errors.push_back((found - exact).norm() / std::max(exact.norm(), 1e-9));
    };
    error(VectorOf(shop, Side::kUser, user),
          ClosedForm(items_before, by_user.at(user), scenario.alpha));
    error(VectorOf(shop, Side::kItem, item),
          ClosedForm(Vectors(shop, Side::kUser), by_item.at(item), scenario.alpha));
  }
  std::sort(errors.begin(), errors.end());
  EXPECT_LE(errors[errors.size() / 2], 1e-4);
  EXPECT_LE(errors.back(), 1e-3);
}

TEST_P(RandomStreams, RestartsGiveTheSameBits) {
  Scenario scenario = GetParam();
  Shop straight;
  Shop restarted;
  OpenShop(straight, &scenario);
  OpenShop(restarted, &scenario);
  std::mt19937_64 one(5);
  std::mt19937_64 two(5);
  for (int part = 0; part < 4; ++part) {
    for (int i = 0; i < 100; ++i) {
      RandomWrite(straight, one);
      RandomWrite(restarted, two);
    }
    if (part == 1) {
      ASSERT_TRUE(restarted.db->Checkpoint().ok());
    }
    restarted.Reopen();
  }
  for (const Side side : {Side::kUser, Side::kItem}) {
    const auto left = Vectors(straight, side);
    const auto right = Vectors(restarted, side);
    ASSERT_EQ(left.size(), right.size());
    for (const auto& [id, vector] : left) {
      EXPECT_EQ(vector, right.at(id)) << id;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Signals, RandomStreams,
    ::testing::Values(
        Scenario{.name = "Plain"}, Scenario{.name = "Confident", .alpha = 40},
        Scenario{.name = "HalfLife", .halflife_s = 900},
        Scenario{.name = "Log", .weighting = Weighting::kLog, .alpha = 3},
        Scenario{.name = "HalfLifeAndLog", .halflife_s = 1'000, .weighting = Weighting::kLog}),
    [](const auto& scenario) { return scenario.param.name; });

// A user who is deleted leaves no share: the rows of their items are those of a shop that never saw
// them, given the same vectors on the other side.
TEST(Deletion, LeavesNoShareInTheItemsVectors) {
  Shop shop;
  Scenario scenario;
  OpenShop(shop, &scenario);
  std::vector<std::string> touched;
  for (const HistoryEntry& entry : HistoryOf(shop, "u3")) {
    touched.push_back(entry.item);
  }
  ASSERT_GT(touched.size(), 5U);
  ASSERT_TRUE(*shop.db->DeleteRecord("shop", Side::kUser, "u3"));
  const auto users = Vectors(shop, Side::kUser);
  ASSERT_FALSE(users.contains("u3"));
  const auto by_item = EffectiveRows(shop, scenario, Side::kItem);
  for (const std::string& item : touched) {
    const Eigen::VectorXd exact = ClosedForm(users, by_item.at(item), scenario.alpha);
    const Eigen::VectorXd found = VectorOf(shop, Side::kItem, item);
    EXPECT_LE((found - exact).norm(), 1e-3 * exact.norm()) << item;
  }
}

// Scores of a list against the closed form over the newest pairs, weighted by age.
TEST(Recency, WeighsTheNewestPairsMost) {
  Shop shop;
  Scenario scenario;
  OpenShop(shop, &scenario);
  const auto items = Vectors(shop, Side::kItem);
  for (const double gamma : {0.5, 0.9, 0.98, 1.0}) {
    for (std::uint64_t u = 0; u < kUsers; ++u) {
      std::map<std::string, double> row;
      double share = 1;
      for (const HistoryEntry& entry : HistoryOf(shop, UserId(u))) {
        row[entry.item] = entry.weight * share;  // newest first; no two of a user share a time
        share *= gamma;
      }
      const Eigen::VectorXd x = ClosedForm(items, row, 1);
      RankingOptions options;
      options.count = 5;
      options.recency = gamma;
      const auto ranking = *shop.db->TopK("shop", UserId(u), options);
      ASSERT_EQ(ranking.entries.size(), 5U);
      for (const Ranking::Entry& entry : ranking.entries) {
        EXPECT_NEAR(entry.score, x.dot(items.at(entry.id)), 2e-4) << gamma;
      }
    }
  }
}

TEST(Recency, DefaultIsTheCollections) {
  Shop shop;
  Scenario scenario;
  OpenShop(shop, &scenario);
  RankingOptions options;
  options.recency = 0.7;
  const auto asked = *shop.db->TopK("shop", "u1", options);
  const std::pair<std::string, std::string> change[] = {{"recency", "0.7"}};
  ASSERT_TRUE(shop.db->SetConfig("shop", change).ok());
  const auto configured = *shop.db->TopK("shop", "u1", {});
  ASSERT_EQ(asked.entries.size(), configured.entries.size());
  for (std::size_t i = 0; i < asked.entries.size(); ++i) {
    EXPECT_EQ(asked.entries[i].id, configured.entries[i].id);
    EXPECT_EQ(asked.entries[i].score, configured.entries[i].score);
  }
}

TEST(Recency, SharesAddUpToTheScoreOfTheList) {
  Shop shop;
  Scenario scenario;
  OpenShop(shop, &scenario);
  const std::pair<std::string, std::string> change[] = {{"recency", "0.8"}};
  ASSERT_TRUE(shop.db->SetConfig("shop", change).ok());
  const auto ranking = *shop.db->TopK("shop", "u2", {});
  const auto explanation = *shop.db->Explain("shop", "u2", ranking.entries[0].id, 1'000);
  double sum = 0;
  for (const auto& share : explanation.shares) {
    sum += share.share;
  }
  EXPECT_NEAR(explanation.score, ranking.entries[0].score, 1e-6);
  EXPECT_NEAR(sum, explanation.score, 1e-3);
}

TEST(Recency, OutOfRangeIsRefused) {
  Shop shop;
  Scenario scenario;
  OpenShop(shop, &scenario);
  for (const double gamma : {0.0, 0.009, 1.01, -1.0, std::nan("")}) {
    RankingOptions options;
    options.recency = gamma;
    EXPECT_EQ(shop.db->TopK("shop", "u1", options).status().code(), StatusCode::kInvalidArgument);
  }
}

std::map<std::string, double> TrainedWith(Shop& shop, Parameters parameters) {
  const auto job = *shop.db->Retrain("shop", parameters);
  const JobInfo done = *shop.db->WaitJob(job, 0);
  EXPECT_EQ(done.state, JobState::kDone) << done.error;
  return {done.result.begin(), done.result.end()};
}

// The model weighs events by their age at its own time, so it is trained anew before the newest
// outweigh everything.
TEST(HalfLife, AFadedModelIsTrainedAnewByItself) {
  Shop shop;
  Scenario scenario;
  scenario.halflife_s = 100;
  OpenShop(shop, &scenario);
  const std::uint32_t first = (*shop.db->CollectionDetails("shop")).model_id;
  shop.clock.AdvanceMs(150'000);
  ASSERT_TRUE(shop.Add("u1", "i1").ok());
  shop.clock.AdvanceMs(100'000);
  ASSERT_TRUE(shop.Add("u1", "i2").ok());
  for (int i = 0; i < 1'000 && (*shop.db->CollectionDetails("shop")).model_id == first; ++i) {
    shop.clock.AdvanceMs(1'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_GT((*shop.db->CollectionDetails("shop")).model_id, first);
}

// Nothing of what is deleted stays in a vector or a Gram, whichever side writes solve.
TEST(Deletion, LeavesTheGramsEqualToTheVectorsInEveryFoldInMode) {
  for (const FoldIn mode : {FoldIn::kBoth, FoldIn::kUsers, FoldIn::kOff}) {
    Shop shop;
    CollectionOptions options;
    options.neighbours = Neighbours::kOff;  // scores are those of the vectors
    options.dim = 8;
    options.fold_in = mode;
    ASSERT_TRUE(*shop.db->Create("shop", options));
    shop.Fill(600, static_cast<int>(kUsers), static_cast<int>(kItems), 3);
    shop.Train();
    ASSERT_TRUE(*shop.db->DeleteRecord("shop", Side::kItem, "i9"));
    ASSERT_TRUE(*shop.db->DeleteRecord("shop", Side::kUser, "u3"));
    ASSERT_TRUE(shop.db->Checkpoint().ok());
    shop.db.reset();
    const VerifyReport report = *Database::Verify(shop.options);
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  }
}

TEST(Training, ReportsAFallingObjectiveOfEveryIteration) {
  Shop shop;
  Scenario scenario;
  OpenShop(shop, &scenario);
  const std::pair<std::string, std::string> parameters[] = {{"iterations", "7"}};
  const auto result = TrainedWith(shop, parameters);
  EXPECT_EQ(result.at("iterations"), 7);
  for (int i = 2; i <= 7; ++i) {
    EXPECT_LT(result.at("objective." + std::to_string(i)),
              1.0001 * result.at("objective." + std::to_string(i - 1)));
  }
  EXPECT_NEAR(result.at("objective.7"), result.at("objective"), 1e-3 * result.at("objective"));
}

TEST(Training, AWarmStartNeedsFewerIterationsToTheSameObjective) {
  Shop shop;
  Scenario scenario;
  OpenShop(shop, &scenario);
  const std::pair<std::string, std::string> cold[] = {{"iterations", "100"},
                                                      {"tolerance", "0.001"}};
  const auto first = TrainedWith(shop, cold);
  const std::pair<std::string, std::string> warm[] = {
      {"iterations", "100"}, {"tolerance", "0.001"}, {"warm-start", "yes"}};
  const auto again = TrainedWith(shop, warm);
  EXPECT_LT(first.at("iterations"), 100);
  EXPECT_LT(again.at("iterations"), first.at("iterations"));
  EXPECT_LE(again.at("objective"), 1.001 * first.at("objective"));
}

TEST(FoldInModes, OnlyTheNamedSideMoves) {
  for (const FoldIn mode : {FoldIn::kBoth, FoldIn::kUsers, FoldIn::kOff}) {
    Shop shop;
    CollectionOptions options;
    options.neighbours = Neighbours::kOff;  // scores are those of the vectors
    options.dim = 8;
    options.fold_in = mode;
    ASSERT_TRUE(*shop.db->Create("shop", options));
    shop.Fill(600, static_cast<int>(kUsers), static_cast<int>(kItems), 3);
    shop.Train();
    const auto user = shop.Vector(Side::kUser, "u1");
    const auto item = shop.Vector(Side::kItem, "i9");
    std::vector<std::string> top = shop.List("u1", 20);
    ASSERT_TRUE(shop.Add("u1", "i9", 50).ok());
    if (mode == FoldIn::kOff) {
      std::erase(top, "i9");
      EXPECT_EQ(shop.List("u1", top.size()), top);
    }
    EXPECT_EQ(shop.Vector(Side::kUser, "u1") != user, mode != FoldIn::kOff);
    EXPECT_EQ(shop.Vector(Side::kItem, "i9") != item, mode == FoldIn::kBoth);
    shop.Train();
    EXPECT_NE(shop.Vector(Side::kUser, "u1"), user);
    EXPECT_NE(shop.Vector(Side::kItem, "i9"), item);
  }
}

}  // namespace
}  // namespace reco
