// Items that are recommended by their attributes: before the first interaction, with the first few
// of them, across trainings, removals and restarts.
#include "engine/cold/cold_items.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;

constexpr int kUsers = 40;
constexpr int kItems = 80;

std::string Kind(int group) {
  return R"({"kind":"k)" + std::to_string(group) + R"(","price":)" + std::to_string(group * 2) +
         "}";
}

void SetAttributes(Shop& shop, const std::string& item, const std::string& json) {
  ASSERT_TRUE(shop.db->SetRecord("shop", Side::kItem, item, {.attributes = json}).ok());
}

// Users prefer the items of their group (`Shop::Fill`), which the attributes name.
void Fill(Shop& shop, CollectionOptions options = {}) {
  options.neighbours = Neighbours::kOff;  // scores are those of the vectors
  options.dim = 16;
  options.unobserved = 1;
  options.attribute_features = {"kind", "price"};
  ASSERT_TRUE(*shop.db->Create("shop", options));
  shop.Fill(3'000, kUsers, kItems, 99);
  for (int i = 0; i < kItems; ++i) {
    SetAttributes(shop, "i" + std::to_string(i), Kind(i % 4));
  }
}

double Figure(const Shop& shop, const std::string& name) {
  const auto models = *shop.db->Models("shop");
  for (const ModelInfo& model : models) {
    for (const auto& [figure, value] : model.metrics) {
      if (model.active && figure == name) {
        return value;
      }
    }
  }
  return std::nan("");
}

bool IsZero(const std::vector<float>& vector) {
  return std::all_of(vector.begin(), vector.end(), [](float v) { return v == 0; });
}

void ExpectVerifies(Shop& shop) {
  ASSERT_TRUE(shop.db->Checkpoint().ok());
  shop.db.reset();
  const auto report = Database::Verify(shop.options);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->problems.empty()) << report->problems.front();
  shop.Open();
  ASSERT_TRUE(shop.status.ok());
}

TEST(ColdItems, AreListedForTheUsersOfTheirKind) {
  Shop shop;
  Fill(shop);
  SetAttributes(shop, "early", Kind(1));  // known before the training
  shop.Train();
  SetAttributes(shop, "late", Kind(2));
  EXPECT_GT(Figure(shop, "attribute-explained"), 0.3);
  int right = 0;
  int wrong = 0;
  for (int u = 0; u < kUsers; ++u) {
    const auto list = shop.List("u" + std::to_string(u), 3);
    for (const auto& [item, group] : {std::pair("early", 1), std::pair("late", 2)}) {
      const bool listed = std::find(list.begin(), list.end(), item) != list.end();
      (u % 4 == group ? right : wrong) += listed;
    }
  }
  EXPECT_EQ(right, 2 * kUsers / 4);
  EXPECT_LE(wrong, kUsers / 10);
}

TEST(ColdItems, OfWhichNothingIsKnownHaveNoVector) {
  Shop shop;
  Fill(shop);
  shop.Train();
  for (const std::string json : {"{}", R"({"other":"k1"})", R"({"kind":"unseen"})"}) {
    SetAttributes(shop, "new", json);
    EXPECT_TRUE(IsZero(shop.Vector(Side::kItem, "new"))) << json;
  }
  SetAttributes(shop, "new", Kind(1));
  EXPECT_FALSE(IsZero(shop.Vector(Side::kItem, "new")));
  SetAttributes(shop, "new", "{}");
  EXPECT_TRUE(IsZero(shop.Vector(Side::kItem, "new")));
}

TEST(ColdItems, WithoutTheParameterOrAModelHaveNoVector) {
  Shop shop;
  Fill(shop);
  SetAttributes(shop, "new", Kind(1));
  EXPECT_TRUE(IsZero(shop.Vector(Side::kItem, "new")));
  const std::pair<std::string, std::string> none[] = {{"attrfeatures", ""}};
  shop.Train(none);
  EXPECT_TRUE(IsZero(shop.Vector(Side::kItem, "new")));
  EXPECT_TRUE(std::isnan(Figure(shop, "attribute-columns")));
  shop.Train();
  EXPECT_FALSE(IsZero(shop.Vector(Side::kItem, "new")));
  EXPECT_EQ(Figure(shop, "attribute-columns"), 5);  // four kinds, one price
}

TEST(ColdItems, ReturnToThePredictionWithTheirLastPair) {
  Shop shop;
  Fill(shop);
  shop.Train();
  SetAttributes(shop, "new", Kind(3));
  const std::vector<float> predicted = shop.Vector(Side::kItem, "new");
  const std::string_view items[] = {"new"};
  ASSERT_TRUE(shop.Add("u1", "new").ok());
  ASSERT_TRUE(shop.Add("u3", "new").ok());
  EXPECT_NE(shop.Vector(Side::kItem, "new"), predicted);
  ASSERT_TRUE(shop.db->Remove("shop", "u1", items).ok());
  EXPECT_NE(shop.Vector(Side::kItem, "new"), predicted);
  ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kUser, "u3").ok());
  EXPECT_EQ(shop.Vector(Side::kItem, "new"), predicted);
  ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kItem, "new").ok());
  const auto list = shop.List("u7", 20);
  EXPECT_EQ(std::find(list.begin(), list.end(), "new"), list.end());
  ExpectVerifies(shop);
}

// y = A^-1 (b + share (w0 G + l I) prior): by the definition, in float64.
Eigen::VectorXd AroundPrior(const Shop& shop, const std::vector<float>& prior, double share,
                            const std::vector<std::string>& raters) {
  const CollectionOptions options;
  const auto dim = static_cast<Eigen::Index>(prior.size());
  const auto widen = [dim](const std::vector<float>& v) -> Eigen::VectorXd {
    return Eigen::Map<const Eigen::VectorXf>(v.data(), dim).cast<double>();
  };
  Eigen::MatrixXd a = Eigen::MatrixXd::Identity(dim, dim) *
                      (options.reg + options.regn * static_cast<double>(raters.size()));
  for (int u = 0; u < kUsers; ++u) {
    const Eigen::VectorXd x = widen(shop.Vector(Side::kUser, "u" + std::to_string(u)));
    a += x * x.transpose();
  }
  Eigen::VectorXd b = share * a * widen(prior);
  for (const std::string& user : raters) {
    const Eigen::VectorXd x = widen(shop.Vector(Side::kUser, user));
    a += x * x.transpose();
    b += x;
  }
  return a.ldlt().solve(b);
}

TEST(ColdItems, AreDrawnToThePredictionByTheirFirstPairs) {
  Shop shop;
  Fill(shop);
  shop.Train();
  SetAttributes(shop, "new", Kind(3));
  const std::vector<float> predicted = shop.Vector(Side::kItem, "new");
  std::vector<std::string> raters;
  for (int n = 1; n <= 30; ++n) {
    raters.push_back("u" + std::to_string(n));
    ASSERT_TRUE(shop.Add(raters.back(), "new").ok());
    const Eigen::VectorXd exact = AroundPrior(shop, predicted, 1, raters);
    const std::vector<float> live = shop.Vector(Side::kItem, "new");
    const auto found = Eigen::Map<const Eigen::VectorXf>(live.data(), exact.size());
    EXPECT_LT((found.cast<double>() - exact).norm(), 1e-3 * exact.norm()) << n;
  }
}

// A training solves young items around the new predictions as well.
TEST(ColdItems, KeepTheirPredictionThroughATraining) {
  Shop shop;
  Fill(shop);
  SetAttributes(shop, "twin", Kind(3));  // without pairs: its vector is the prediction
  SetAttributes(shop, "young", Kind(3));
  const std::vector<std::string> raters = {"u3", "u6", "u7"};
  for (const std::string& user : raters) {
    ASSERT_TRUE(shop.Add(user, "young").ok());
  }
  shop.Train();
  const double worth = Figure(shop, "attribute-prior");
  const Eigen::VectorXd exact =
      AroundPrior(shop, shop.Vector(Side::kItem, "twin"), worth / (worth + 3), raters);
  const std::vector<float> live = shop.Vector(Side::kItem, "young");
  const auto found = Eigen::Map<const Eigen::VectorXf>(live.data(), exact.size());
  EXPECT_LT((found.cast<double>() - exact).norm(), 1e-3 * exact.norm());
  ExpectVerifies(shop);
}

TEST(ColdItems, OfTheSameAttributesHaveTheSameVectorWhenAndWhereverTheyCame) {
  Shop shop;
  Fill(shop);
  SetAttributes(shop, "before", Kind(2));
  shop.Train();
  SetAttributes(shop, "after", Kind(2));
  shop.Reopen();
  SetAttributes(shop, "reopened", Kind(2));
  const std::vector<float> vector = shop.Vector(Side::kItem, "before");
  EXPECT_FALSE(IsZero(vector));
  EXPECT_EQ(shop.Vector(Side::kItem, "after"), vector);
  EXPECT_EQ(shop.Vector(Side::kItem, "reopened"), vector);
}

TEST(ColdItems, ArePredictedWhateverIsFoldedIn) {
  for (const FoldIn fold_in : {FoldIn::kBoth, FoldIn::kUsers, FoldIn::kOff}) {
    Shop shop;
    CollectionOptions options;
    options.fold_in = fold_in;
    Fill(shop, options);
    shop.Train();
    SetAttributes(shop, "new", Kind(2));
    const std::vector<float> predicted = shop.Vector(Side::kItem, "new");
    EXPECT_FALSE(IsZero(predicted));
    ASSERT_TRUE(shop.Add("u1", "new").ok());
    EXPECT_EQ(shop.Vector(Side::kItem, "new") == predicted, fold_in != FoldIn::kBoth);
    ExpectVerifies(shop);
  }
}

// The rows of ratings hold a bias and a constant, which are predicted with the rest.
TEST(ColdItems, OfRatingsAreOffered) {
  Shop shop;
  CollectionOptions options = CollectionOptions::ForRatings();
  options.dim = 8;
  options.attribute_features = {"kind"};
  ASSERT_TRUE(*shop.db->Create("shop", options));
  for (int u = 0; u < kUsers; ++u) {
    for (int i = 0; i < kItems; i += 3) {
      const double rating = u % 4 == i % 4 ? 5 : 2;
      ASSERT_TRUE(shop.Add("u" + std::to_string(u), "i" + std::to_string(i), rating).ok());
    }
  }
  for (int i = 0; i < kItems; ++i) {
    SetAttributes(shop, "i" + std::to_string(i), Kind(i % 4));
  }
  shop.Train();
  SetAttributes(shop, "new", Kind(1));
  const std::string_view items[] = {"new"};
  const auto own = shop.db->Score("shop", "u1", items);
  const auto other = shop.db->Score("shop", "u2", items);
  ASSERT_TRUE(own.ok() && own->front().has_value() && other->front().has_value());
  EXPECT_GT(*own->front(), 3.5);
  EXPECT_LT(*other->front(), 3.0);
  ExpectVerifies(shop);
}

TEST(PriorPairs, GrowWithWhatIsExplained) {
  EXPECT_EQ(engine::PriorPairs(-1), 0);
  EXPECT_EQ(engine::PriorPairs(0), 0);
  EXPECT_DOUBLE_EQ(engine::PriorPairs(0.5), 20);
  EXPECT_LT(engine::PriorPairs(0.1), engine::PriorPairs(0.2));
  EXPECT_EQ(engine::PriorPairs(1), 60);
}

}  // namespace
}  // namespace reco
