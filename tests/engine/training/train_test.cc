// Trainings of a collection that users and items were deleted from, beside one that never had them.
#include "engine/training/train.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/rows/storage.h"
#include "format/keys.h"
#include "format/records.h"
#include "store/store.h"
#include "testing/shop.h"

namespace reco::engine::training {
namespace {

using testing::Shop;
using Dead = std::function<bool(int)>;

constexpr int kUsers = 600;
constexpr int kItems = 400;

std::string User(int number) {
  return "u" + std::to_string(number);
}

std::string Item(int number) {
  return "i" + std::to_string(number);
}

// Who goes. Either way most of them do.
struct Deletion {
  std::string name;
  Dead user;
  Dead item;
};

const Deletion kClustered = {"Clustered", [](int user) { return user < 450; },
                             [](int item) { return item >= 40 && item < 340; }};
const Deletion kScattered = {"Scattered", [](int user) { return user % 4 != 3; },
                             [](int item) { return item % 7 > 1; }};
const Deletion kNobody = {"Nobody", [](int) { return false; }, [](int) { return false; }};

// Some users and items have a record alone.
void FillWithout(Shop& shop, const CollectionOptions& options, const Deletion& gone) {
  ASSERT_TRUE(*shop.db->Create("shop", options));
  for (int item = 0; item < kItems; ++item) {
    if (!gone.item(item)) {
      const std::string json = R"({"group": "g)" + std::to_string(item % 5) + "\"}";
      ASSERT_TRUE(shop.db->SetRecord("shop", Side::kItem, Item(item), {.attributes = json}).ok());
    }
  }
  for (int user = 0; user < kUsers; ++user) {
    if (!gone.user(user)) {
      ASSERT_TRUE(shop.db->SetRecord("shop", Side::kUser, User(user), {.hidden = false}).ok());
    }
    for (int i = 0; i < 8 && !gone.user(user) && user % 50 != 3; ++i) {
      const int item = (user * 7 + i * i * 5 + i * (user % 3)) % kItems;
      if (!gone.item(item) && item % 20 != 5) {
        ASSERT_TRUE(shop.Add(User(user), Item(item), 1 + (user + item) % 4).ok());
      }
    }
  }
}

void Delete(Shop& shop, const Deletion& gone) {
  for (int user = 0; user < kUsers; ++user) {
    if (gone.user(user)) {
      ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kUser, User(user)).ok());
    }
  }
  for (int item = 0; item < kItems; ++item) {
    if (gone.item(item)) {
      ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kItem, Item(item)).ok());
    }
  }
}

std::map<std::string, std::uint64_t> Memory(const Shop& shop) {
  const auto details = *shop.db->CollectionDetails("shop");
  return {details.memory_bytes.begin(), details.memory_bytes.end()};
}

using Lists = std::map<std::string, std::vector<std::pair<std::string, double>>>;

// The lists of every tenth user that is left.
Lists ListsOf(const Shop& shop, const Deletion& gone, const RankingOptions& options = {}) {
  Lists lists;
  for (int user = 9; user < kUsers; user += 10) {
    if (!gone.user(user)) {
      for (const Ranking::Entry& entry : shop.Rank(User(user), options)) {
        lists[User(user)].emplace_back(entry.id, entry.score);
      }
    }
  }
  return lists;
}

void ExpectSameModel(const Shop& one, const Shop& other, const Deletion& gone) {
  for (int user = 0; user < kUsers; ++user) {
    EXPECT_EQ(one.Vector(Side::kUser, User(user)), other.Vector(Side::kUser, User(user))) << user;
  }
  for (int item = 0; item < kItems; ++item) {
    EXPECT_EQ(one.Vector(Side::kItem, Item(item)), other.Vector(Side::kItem, Item(item))) << item;
  }
  EXPECT_EQ(ListsOf(one, gone), ListsOf(other, gone));
}

// The ordinals with a vector on disk.
std::set<std::uint32_t> Stored(const std::string& path, std::uint32_t model, Side side) {
  store::StoreOptions options;
  options.path = path;
  const auto store = store::Store::Open(options);
  EXPECT_TRUE(store.ok());
  std::set<std::uint32_t> ordinals;
  for (auto row = (*store)->Scan(store::Family::kVectors, format::VectorPrefix(1, model, side));
       row->Valid(); row->Next()) {
    ordinals.insert(format::TrailingOrdinal(row->key()));
  }
  return ordinals;
}

// Those of the records.
std::set<std::uint32_t> Recorded(const std::string& path, Side side) {
  store::StoreOptions options;
  options.path = path;
  const auto store = store::Store::Open(options);
  EXPECT_TRUE(store.ok());
  std::set<std::uint32_t> ordinals;
  for (auto row = (*store)->Scan(RecordFamily(side), format::CollectionPrefix(1)); row->Valid();
       row->Next()) {
    ordinals.insert(format::TrailingOrdinal(row->key()));
  }
  return ordinals;
}

std::vector<std::string> ProblemsOf(const Shop& shop) {
  return Database::Verify(shop.options)->problems;
}

class TrainWithout : public ::testing::TestWithParam<Deletion> {
 protected:
  static CollectionOptions Plain() {
    CollectionOptions options;
    options.dim = 16;
    options.iterations = 4;
    return options;
  }
};

TEST_P(TrainWithout, GivesTheModelOfACollectionThatNeverHadThem) {
  CollectionOptions attributes = Plain();
  attributes.attribute_features = {"group"};
  CollectionOptions ratings = CollectionOptions::ForRatings();
  ratings.dim = 16;
  ratings.iterations = 4;
  for (const CollectionOptions& options : {Plain(), attributes, ratings}) {
    Shop never;
    FillWithout(never, options, GetParam());
    never.Train();
    Shop shop;
    FillWithout(shop, options, kNobody);
    Delete(shop, GetParam());
    shop.Train();
    ExpectSameModel(shop, never, GetParam());
    // What is counted of them is in no figure of an evaluation either.
    const auto measured = [](Shop& of) {
      const auto job = of.db->Evaluate("shop", {});
      EXPECT_TRUE(job.ok()) << job.status().ToString();
      auto result = of.db->WaitJob(*job, 0)->result;
      std::erase_if(result, [](const auto& figure) { return figure.first.starts_with("seconds"); });
      return result;
    };
    EXPECT_EQ(measured(shop), measured(never));
  }
}

TEST_P(TrainWithout, AWarmStartTakesTheVectorsOfThoseThatAreLeft) {
  CollectionOptions options = Plain();
  options.warm_start = true;
  Shop shop;
  FillWithout(shop, options, kNobody);
  shop.Train();
  Delete(shop, GetParam());
  options.warm_start = false;
  Shop cold;
  FillWithout(cold, options, GetParam());
  cold.Train();
  shop.Train();
  const auto objective = [](const Shop& of) {
    const auto models = *of.db->Models("shop");
    return models.back().metrics.front().second;
  };
  EXPECT_LT(objective(shop), objective(cold));
}

TEST_P(TrainWithout, TheirVectorsAreGivenBack) {
  const Deletion& gone = GetParam();
  Shop never;
  FillWithout(never, Plain(), gone);
  never.Train();
  Shop shop;
  FillWithout(shop, Plain(), kNobody);
  shop.Train();
  const std::uint64_t before = Memory(shop)["vectors"];
  Delete(shop, gone);
  EXPECT_EQ(Memory(shop)["vectors"], before);
  shop.Train();
  std::uint64_t dead_users = 0;
  std::uint64_t dead_items = 0;
  for (int user = 0; user < kUsers; ++user) {
    dead_users += gone.user(user) ? 1 : 0;
  }
  for (int item = 0; item < kItems; ++item) {
    dead_items += gone.item(item) ? 1 : 0;
  }
  // Less than a byte in the table for every ordinal, four more in the index for an item.
  EXPECT_LE(Memory(shop)["vectors"], Memory(never)["vectors"] + dead_users + dead_items);
  EXPECT_EQ(Memory(shop)["item-index"], Memory(never)["item-index"] + 4 * dead_items);
  // Of a replaced model, read from disk, as well.
  ASSERT_FALSE(ListsOf(shop, gone, {.model = 1}).empty());
  EXPECT_LE(Memory(shop)["replaced-models"], before);

  const Lists lists = ListsOf(shop, gone);
  const Lists replaced = ListsOf(shop, gone, {.count = 1'000, .model = 1});
  for (const auto& [user, list] : replaced) {
    for (const auto& [id, score] : list) {
      EXPECT_FALSE(gone.item(std::stoi(id.substr(1)))) << id;
    }
  }
  shop.db.reset();
  for (const Side side : {Side::kUser, Side::kItem}) {
    const auto live = Recorded(shop.options.path, side);
    EXPECT_EQ(live.size() + (side == Side::kUser ? dead_users : dead_items),
              static_cast<std::size_t>(side == Side::kUser ? kUsers : kItems));
    EXPECT_EQ(Stored(shop.options.path, 2, side), live);
    EXPECT_EQ(Stored(shop.options.path, 1, side),
              side == Side::kUser ? std::set<std::uint32_t>() : live);
  }
  EXPECT_TRUE(ProblemsOf(shop).empty()) << ProblemsOf(shop).front();
  const std::uint64_t vectors = Memory(never)["vectors"] + dead_users + dead_items;
  shop.Open();
  EXPECT_LE(Memory(shop)["vectors"], vectors);
  EXPECT_EQ(ListsOf(shop, gone), lists);
  EXPECT_EQ(ListsOf(shop, gone, {.count = 1'000, .model = 1}), replaced);
}

TEST_P(TrainWithout, AnIdMayComeBackBeforeAndAfterTheTraining) {
  Shop shop;
  FillWithout(shop, Plain(), kNobody);
  shop.Train();
  Delete(shop, GetParam());
  const auto add = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      ASSERT_TRUE(shop.Add(User(i), Item(100 + i % 20)).ok());
      ASSERT_TRUE(shop.Add(User(i), Item(101 + i % 30)).ok());
      EXPECT_FALSE(shop.Rank(User(i), {}).empty());
    }
  };
  add(0, 60);
  shop.Train();
  add(40, 120);
  for (const int user : {0, 40, 119}) {
    const std::vector<float> vector = shop.Vector(Side::kUser, User(user));
    EXPECT_TRUE(std::any_of(vector.begin(), vector.end(), [](float v) { return v != 0; })) << user;
  }
  const Lists lists = ListsOf(shop, GetParam());
  shop.Reopen();
  EXPECT_EQ(ListsOf(shop, GetParam()), lists);
  shop.db.reset();
  EXPECT_TRUE(ProblemsOf(shop).empty()) << ProblemsOf(shop).front();
}

INSTANTIATE_TEST_SUITE_P(Train, TrainWithout, ::testing::Values(kClustered, kScattered),
                         [](const auto& deletion) { return deletion.param.name; });

TEST(Train, BeforeTheFirstOneVectorsTakeNoMemory) {
  Shop shop;
  FillWithout(shop, CollectionOptions(), kNobody);
  EXPECT_LT(Memory(shop)["vectors"], 1'024U);
  shop.Reopen();
  EXPECT_LT(Memory(shop)["vectors"], 1'024U);
  EXPECT_EQ(shop.Vector(Side::kUser, User(1)), std::vector<float>(CollectionOptions().dim));
}

// Those who come and go between two trainings leave nothing but their ordinals.
TEST(Train, WhomCameAndWentBehindItLeavesNoVector) {
  Shop shop;
  FillWithout(shop, CollectionOptions(), kNobody);
  shop.Train();
  ASSERT_TRUE(shop.Add("first", Item(1)).ok());
  const std::uint64_t before = Memory(shop)["vectors"];
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_TRUE(shop.Add("new" + std::to_string(i), Item(1)).ok());
    ASSERT_TRUE(*shop.db->DeleteRecord("shop", Side::kUser, "new" + std::to_string(i)));
  }
  EXPECT_LE(Memory(shop)["vectors"], before + 4'000);
}

// The loader would pass over such a row, so the check names it.
TEST(Train, AVectorOfNobodyIsAProblem) {
  Shop shop;
  FillWithout(shop, CollectionOptions(), kNobody);
  shop.Train();
  Delete(shop, kScattered);
  shop.db.reset();
  ASSERT_TRUE(ProblemsOf(shop).empty());
  const auto put = [&](float value) {
    store::StoreOptions options;
    options.path = shop.options.path;
    const auto store = store::Store::Open(options);
    std::string encoded;
    format::EncodeVector(std::vector<float>(CollectionOptions().dim, value), &encoded);
    store::Batch batch;
    batch.Put(store::Family::kVectors, format::VectorKey(1, 1, Side::kUser, 0), encoded);
    ASSERT_TRUE((*store)->Write(batch, true).ok());
  };
  put(0);  // as trainings of older versions wrote them
  EXPECT_TRUE(ProblemsOf(shop).empty());
  put(1e-9F);
  EXPECT_FALSE(ProblemsOf(shop).empty());
}

}  // namespace
}  // namespace reco::engine::training
