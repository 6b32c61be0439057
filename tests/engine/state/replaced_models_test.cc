// Lists by a model that a later training has replaced, against the lists of the time when it was
// the active one and against closed forms in float64 over the vectors of that time.
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include "format/keys.h"
#include "store/store.h"
#include "testing/shop.h"

namespace reco {
namespace {

using engine::DatabaseAccess;
using testing::Shop;

constexpr double kTolerance = 2e-5;
constexpr int kUsers = 40;
constexpr int kItems = 60;
constexpr std::size_t kAll = 1'000;
constexpr std::int64_t kUnusedMs = 600'000;
constexpr std::int64_t kLookMs = 1'000;  // between two looks at which are unused

std::string User(int number) {
  return "u" + std::to_string(number);
}

std::string Item(int number) {
  return "i" + std::to_string(number);
}

void ExpectSame(const std::vector<Ranking::Entry>& got, const std::vector<Ranking::Entry>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(got[i].id, want[i].id) << i;
    EXPECT_NEAR(got[i].score, want[i].score, kTolerance) << i;
  }
}

class ReplacedModels : public ::testing::Test {
 protected:
  // Trains model 1 on half of the events.
  void Begin(const CollectionOptions& options) {
    ASSERT_TRUE(shop.db->Create("shop", options).ok());
    shop.Fill(600, kUsers, kItems, 3);
    shop.Train();
  }

  static CollectionOptions Small() {
    CollectionOptions options;
    options.neighbours = Neighbours::kOff;  // scores are those of the vectors
    options.dim = 8;
    options.recency = 1;
    return options;
  }

  void Train(const std::vector<std::pair<std::string, std::string>>& parameters) {
    shop.Train(parameters);
  }

  StatusCode CodeOf(std::uint32_t model) const {
    return shop.db->TopK("shop", "u1", {.model = model}).status().code();
  }

  std::set<std::uint32_t> Kept() const {
    std::set<std::uint32_t> kept;
    const auto models = shop.db->Models("shop");
    for (const ModelInfo& model : *models) {
      if (model.kept) {
        kept.insert(model.id);
      }
    }
    return kept;
  }

  Shop shop;
};

// Two models, and maintenance by hand.
class ReplacedModelsInMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    CollectionOptions options;
    options.neighbours = Neighbours::kOff;  // scores are those of the vectors
    options.dim = 8;
    ASSERT_TRUE(shop.db->Create("shop", options).ok());
    shop.Fill(300, kUsers, kItems, 3);
    DatabaseAccess::RunJob(*shop.db, "shop");
    DatabaseAccess::RunJob(*shop.db, "shop");
  }

  StatusCode CodeOf(std::uint32_t model) const {
    return shop.db->TopK("shop", "u1", {.model = model}).status().code();
  }

  std::uint64_t Bytes() const {
    const auto details = shop.db->CollectionDetails("shop");
    for (const auto& [part, bytes] : details->memory_bytes) {
      if (part == "replaced-models") {
        return bytes;
      }
    }
    ADD_FAILURE() << "replaced-models is not counted";
    return 0;
  }

  Shop shop{false};
};

TEST_F(ReplacedModels, GiveTheListsThatTheyGaveWhenTheyWereActive) {
  Begin(Small());
  const std::string_view group[] = {"u2", "u3", "u4"};
  const std::string_view basket[] = {"i5", "i17"};
  const auto lists = [&](std::optional<std::uint32_t> model) {
    std::vector<std::vector<Ranking::Entry>> all;
    for (int user = 0; user < kUsers; ++user) {
      all.push_back(shop.Rank(User(user), {.count = kAll, .model = model}));
    }
    const RankingOptions options = {.count = kAll, .diversity = 0.5, .model = model};
    all.push_back(shop.db->GroupTopK("shop", group, options)->entries);
    all.push_back(shop.db->Session("shop", {.items = basket}, options)->entries);
    all.push_back(shop.db->Similar("shop", basket, SimilarityBasis::kVector, options)->entries);
    all.push_back(shop.db->Surprising("shop", "u7", options)->entries);
    return all;
  };
  const auto then = lists(std::nullopt);
  Train({{"seed", "7"}, {"alpha", "5"}, {"regn", "0.5"}});
  const auto now = lists(std::nullopt);
  EXPECT_NE(then[0][0].score, now[0][0].score);
  for (const bool reopened : {false, true}) {
    if (reopened) {
      shop.Reopen();
    }
    const auto replaced = lists(1);
    ASSERT_EQ(replaced.size(), then.size());
    for (std::size_t i = 0; i < then.size(); ++i) {
      SCOPED_TRACE(i);
      ExpectSame(replaced[i], then[i]);
    }
  }
}

TEST_F(ReplacedModels, SolveTheUserFromAllThatIsKnownNow) {
  CollectionOptions options = Small();
  options.unobserved = 0.3;
  Begin(options);
  std::map<std::string, Eigen::VectorXd> items;
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(8, 8);
  for (int item = 0; item < kItems; ++item) {
    const std::vector<float> row = shop.Vector(Side::kItem, Item(item));
    items[Item(item)] = Eigen::Map<const Eigen::VectorXf>(row.data(), 8).cast<double>();
    gram += items[Item(item)] * items[Item(item)].transpose();
  }
  Train({{"seed", "7"}});
  shop.Fill(300, kUsers, kItems, 4);
  ASSERT_TRUE(shop.Add("u1", "younger").ok());
  for (const std::string user : {"u1", "u2", "u30"}) {
    const auto known = shop.db->History("shop", user, {.count = kAll});
    const double n = static_cast<double>(known->size()) - (user == "u1" ? 1 : 0);
    Eigen::MatrixXd a = options.unobserved.value() * gram;
    a.diagonal().array() += options.reg + options.regn * n;
    Eigen::VectorXd b = Eigen::VectorXd::Zero(8);
    std::set<std::string> seen;
    for (const HistoryEntry& entry : *known) {
      seen.insert(entry.item);
      if (items.contains(entry.item)) {
        a += entry.weight * items[entry.item] * items[entry.item].transpose();
        b += entry.weight * items[entry.item];
      }
    }
    const Eigen::VectorXd x = a.llt().solve(b);
    const auto list = shop.Rank(user, {.count = kAll, .model = 1});
    EXPECT_EQ(list.size(), items.size() - seen.size() + (user == "u1" ? 1 : 0));
    double before = std::numeric_limits<double>::infinity();
    for (const Ranking::Entry& entry : list) {
      EXPECT_FALSE(seen.contains(entry.id)) << entry.id;
      EXPECT_NEAR(entry.score, x.dot(items.at(entry.id)), 1e-3) << entry.id;
      EXPECT_EQ(entry.source, Source::kFoldIn);
      EXPECT_LE(entry.score, before);
      before = entry.score;
    }
  }
}

TEST_F(ReplacedModels, PredictRatingsAsTheyDid) {
  CollectionOptions options = CollectionOptions::ForRatings();
  options.dim = 8;
  ASSERT_TRUE(shop.db->Create("shop", options).ok());
  for (int i = 0; i < 800; ++i) {
    shop.clock.AdvanceMs(1);
    const int user = i * 7 % kUsers;
    const int item = i * 13 % 59;
    ASSERT_TRUE(shop.Add(User(user), Item(item), 1 + (user * item + i) % 5).ok());
  }
  shop.Train();
  std::vector<std::vector<Ranking::Entry>> then;
  for (int user = 0; user < kUsers; ++user) {
    then.push_back(shop.Rank(User(user), {.count = kAll}));
  }
  Train({{"seed", "7"}, {"reg", "5"}});
  for (int user = 0; user < kUsers; ++user) {
    ExpectSame(shop.Rank(User(user), {.count = kAll, .model = 1}),
               then[static_cast<std::size_t>(user)]);
  }
  EXPECT_EQ(shop.Rank("nobody", {.model = 1})[0].source, Source::kPopular);
}

TEST_F(ReplacedModels, ObeyFiltersRulesAndWhatIsHiddenOrDeletedSince) {
  Begin(Small());
  Train({{"seed", "7"}});
  const auto before = shop.Rank("u1", {.count = kAll, .model = 1});
  ASSERT_GT(before.size(), 12U);
  const auto set = [&](const std::string& item, const RecordUpdate& update) {
    ASSERT_TRUE(shop.db->SetRecord("shop", Side::kItem, item, update).ok());
  };
  set(before[0].id, {.hidden = true});
  ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kItem, before[1].id).ok());
  for (const std::size_t i : {3U, 5U, 7U}) {
    set(before[i].id, {.attributes = R"({"red":true})"});
  }
  EXPECT_EQ(shop.Rank("u1", {.count = 1, .model = 1})[0].id, before[2].id);
  const auto red = shop.Rank("u1", {.filter = ".red", .model = 1});
  ASSERT_EQ(red.size(), 3U);
  EXPECT_EQ(red[0].id, before[3].id);
  ASSERT_TRUE(shop.db->SetRule("shop", {"first", ".red", Rule::Action::kPin, 1, 0, 0}).ok());
  EXPECT_EQ(shop.Rank("u1", {.count = 1, .model = 1})[0].id, before[3].id);
  const std::vector<std::string_view> included = {before[9].id, before[1].id, before[8].id};
  const auto of_three = shop.Rank("u1", {.include = included, .model = 1});
  ASSERT_EQ(of_three.size(), 2U);
  EXPECT_EQ(of_three[0].id, before[8].id);
}

TEST_F(ReplacedModels, AreKeptAsOftenAsTheOptionSays) {
  for (const std::uint32_t kept : {0U, 1U, 2U}) {
    SCOPED_TRACE(kept);
    Shop other;
    other.options.models_kept = kept;
    other.Reopen();
    ASSERT_TRUE(other.db->Create("shop", Small()).ok());
    other.Fill(300, kUsers, kItems, 3);
    for (int i = 0; i < 4; ++i) {
      other.Train();
    }
    for (std::uint32_t model = 1; model <= 5; ++model) {
      const bool expected = model <= 4 && model + kept >= 4;
      EXPECT_EQ(other.db->TopK("shop", "u1", {.model = model}).ok(), expected) << model;
    }
  }
}

TEST_F(ReplacedModels, AreToldFromTheListOfModels) {
  Begin(Small());
  EXPECT_EQ(Kept(), (std::set<std::uint32_t>{1}));
  for (int i = 0; i < 3; ++i) {
    shop.Train();
  }
  EXPECT_EQ(Kept(), (std::set<std::uint32_t>{2, 3, 4}));
  EXPECT_EQ(CodeOf(1), StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(2), StatusCode::kOk);
  // The option is lowered: the vectors are there, but nobody promised them.
  shop.options.models_kept = 1;
  shop.Reopen();
  EXPECT_EQ(CodeOf(2), StatusCode::kNotFound);
  EXPECT_EQ(Kept(), (std::set<std::uint32_t>{3, 4}));
  // And raised: those that went do not come back.
  shop.Train();
  shop.options.models_kept = 5;
  shop.Reopen();
  EXPECT_EQ(Kept(), (std::set<std::uint32_t>{4, 5}));
  EXPECT_EQ(CodeOf(3), StatusCode::kNotFound);
}

TEST_F(ReplacedModelsInMemory, AreRefusedByListsThatNoModelMakes) {
  const RankingOptions options = {.model = 1};
  const std::string_view items[] = {"i1"};
  for (const auto& list :
       {shop.db->SimilarUsers("shop", "u1", options), shop.db->Latest("shop", options),
        shop.db->Popular("shop", PopularBy::kUsers, options),
        shop.db->Trending("shop", 60, options), shop.db->ActiveUsers("shop", options),
        shop.db->Similar("shop", items, SimilarityBasis::kCooccurrence, options)}) {
    EXPECT_EQ(list.status().code(), StatusCode::kInvalidArgument);
  }
}

TEST_F(ReplacedModelsInMemory, LeaveWhenNobodyAsks) {
  EXPECT_EQ(Bytes(), 0U);
  EXPECT_EQ(CodeOf(1), StatusCode::kOk);
  EXPECT_GT(Bytes(), std::size_t{kItems} * 8 * sizeof(float));
  shop.clock.AdvanceMs(kUnusedMs - 1);
  DatabaseAccess::Maintain(*shop.db);
  EXPECT_GT(Bytes(), 0U);
  shop.clock.AdvanceMs(kLookMs);
  DatabaseAccess::Maintain(*shop.db);
  EXPECT_EQ(Bytes(), 0U);
  EXPECT_EQ(CodeOf(1), StatusCode::kOk);
}

TEST_F(ReplacedModelsInMemory, AreNotReadWhileMemoryIsAtItsLimit) {
  DatabaseAccess::Maintain(*shop.db);
  shop.db->SetMemoryLimit(1);
  EXPECT_EQ(CodeOf(1), StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(2), StatusCode::kOk);
  shop.db->SetMemoryLimit(0);
  EXPECT_EQ(CodeOf(1), StatusCode::kOk);
}

// The folder holds no vector of a deleted item, and of a replaced model none of a user.
TEST_F(ReplacedModels, KeepNoVectorOfAnybodyWhoWasDeleted) {
  Begin(Small());
  shop.Train();
  ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kItem, "i7").ok());
  shop.db.reset();
  store::StoreOptions options;
  options.path = shop.options.path;
  auto store = store::Store::Open(options);
  ASSERT_TRUE(store.ok()) << store.status().ToString();
  const auto count = [&](std::uint32_t model, Side side) {
    int rows = 0;
    for (auto row = (*store)->Scan(store::Family::kVectors, format::VectorPrefix(1, model, side));
         row->Valid(); row->Next()) {
      ++rows;
    }
    return rows;
  };
  EXPECT_EQ(count(1, Side::kItem), kItems - 1);
  EXPECT_EQ(count(2, Side::kItem), kItems - 1);
  EXPECT_EQ(count(1, Side::kUser), 0);
  EXPECT_EQ(count(2, Side::kUser), kUsers);
}

}  // namespace
}  // namespace reco
