// Scans of all users or items beside writes: what stays as it is must be ranked exactly, whatever
// happens to the rest. Every row is a step, so that writes fall in between.
#include "engine/lists/row_scan.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;

constexpr double kTolerance = 2e-5;
// Users and items with lower numbers are left alone by the writers.
constexpr int kKept = 300;
constexpr int kAll = 1'200;

std::string Name(char letter, int number) {
  return std::string(1, letter) + std::to_string(number);
}

int NumberOf(const std::string& id) {
  return std::stoi(id.substr(1));
}

class Scans : public ::testing::Test {
 protected:
  void SetUp() override {
    shop.scan_step_rows = 1;
    shop.Reopen();
  }

  void Make(FoldIn fold_in) {
    CollectionOptions options;
    options.dim = 8;
    options.iterations = 2;
    options.recency = 1;
    options.fold_in = fold_in;
    ASSERT_TRUE(*shop.db->Create("shop", options));
    shop.Fill(8'000, kAll, kAll, 1);
    shop.Train();
  }

  std::vector<std::vector<float>> KeptVectors(Side side) const {
    std::vector<std::vector<float>> vectors;
    vectors.reserve(kKept);
    for (int i = 0; i < kKept; ++i) {
      vectors.push_back(shop.Vector(side, Name(side == Side::kUser ? 'u' : 'i', i)));
    }
    return vectors;
  }

  void SetItem(int item, bool hidden, const char* kind) {
    const std::string json = R"({"kind":")" + std::string(kind) + R"("})";
    EXPECT_TRUE(shop.db
                    ->SetRecord("shop", Side::kItem, Name('i', item),
                                {.attributes = json, .hidden = hidden})
                    .ok());
  }

  // Runs `read` until it has been called `reads` times, beside `write`, which is given 0, 1, ...
  template <typename Write, typename Read>
  void Beside(Write write, int reads, Read read) {
    std::atomic<bool> stop = false;
    std::thread writer([&] {
      for (int i = 0; !stop; ++i) {
        write(i);
      }
    });
    for (int i = 0; i < reads && !HasFailure(); ++i) {
      read();
    }
    stop = true;
    writer.join();
  }

  Shop shop;
};

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0;
  double a_squares = 0;
  double b_squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    a_squares += static_cast<double>(a[i]) * a[i];
    b_squares += static_cast<double>(b[i]) * b[i];
  }
  return dot / std::sqrt(a_squares * b_squares);
}

TEST_F(Scans, SimilarUsersThatStayAreRankedExactly) {
  Make(FoldIn::kBoth);
  constexpr std::size_t kCount = 100;
  const auto kept = KeptVectors(Side::kUser);
  // Takes away users that are listed, and makes up for them.
  const auto write = [&](int i) {
    const Ranking ranking = *shop.db->SimilarUsers("shop", "u1", {.count = kCount});
    for (const auto& entry : ranking.entries) {
      if (NumberOf(entry.id) >= kKept) {
        EXPECT_TRUE(shop.db->DeleteRecord("shop", Side::kUser, entry.id).ok());
        EXPECT_TRUE(shop.Add(entry.id, Name('i', i++ * 11 % kAll)).ok());
      }
    }
  };
  Beside(write, 200, [&] {
    const auto ranking = shop.db->SimilarUsers("shop", "u1", {.count = kCount});
    ASSERT_TRUE(ranking.ok());
    ASSERT_EQ(ranking->entries.size(), kCount);
    std::set<int> listed;
    double last = std::numeric_limits<double>::infinity();
    for (const auto& entry : ranking->entries) {
      const int user = NumberOf(entry.id);
      EXPECT_TRUE(listed.insert(user).second) << entry.id;
      EXPECT_LE(entry.score, last);
      last = entry.score;
      if (user < kKept) {
        EXPECT_NEAR(entry.score, Cosine(kept[1], kept[static_cast<std::size_t>(user)]), kTolerance)
            << entry.id;
      }
    }
    for (std::size_t user = 0; user < kKept; ++user) {
      if (user != 1 && Cosine(kept[1], kept[user]) > last + kTolerance) {
        EXPECT_TRUE(listed.contains(static_cast<int>(user))) << user;
      }
    }
  });
}

TEST_F(Scans, RepresentativesStandAboveAllItemsThatStay) {
  Make(FoldIn::kBoth);
  const auto kept = KeptVectors(Side::kItem);
  // Takes away the items that are best, and makes up for them.
  const auto write = [&](int i) {
    const auto all_best = *shop.db->Representatives("shop");
    for (const Representative& best : all_best) {
      if (NumberOf(best.item) >= kKept) {
        EXPECT_TRUE(shop.db->DeleteRecord("shop", Side::kItem, best.item).ok());
        EXPECT_TRUE(shop.Add(Name('u', i * 11 % kAll), best.item).ok());
      }
    }
    const std::string item = Name('i', kKept + i * 7 % (kAll - kKept));
    for (int user = 0; user < 5; ++user) {
      EXPECT_TRUE(shop.Add(Name('u', (i * 13 + user * 4) % kAll), item).ok());
    }
  };
  Beside(write, 300, [&] {
    const auto found = shop.db->Representatives("shop");
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->size(), 8U);
    for (std::size_t feature = 0; feature < found->size(); ++feature) {
      const Representative& best = (*found)[feature];
      ASSERT_FALSE(best.item.empty());
      const int item = NumberOf(best.item);
      for (const auto& vector : kept) {
        EXPECT_GE(best.component, vector[feature]);
      }
      if (item < kKept) {
        EXPECT_EQ(best.component, kept[static_cast<std::size_t>(item)][feature]);
      }
    }
  });
}

TEST_F(Scans, WhyCountsExactlyTheItemsThatStay) {
  Make(FoldIn::kUsers);  // items and with them the lists stay as they are
  for (int item = 0; item < kAll; ++item) {
    SetItem(item, item >= kKept, item % 3 == 0 ? "good" : "plain");
  }
  ASSERT_TRUE(
      shop.db->SetRule("shop", {"lift", ".kind == \"good\"", Rule::Action::kBoost, 2, 0, 0}).ok());
  std::vector<std::string> listed;  // of those that stay
  for (const auto& entry : shop.Rank("u1", {.count = 1'000})) {
    listed.push_back(entry.id);
  }
  ASSERT_GT(listed.size(), 20U);
  for (int item = kKept; item < kAll; ++item) {
    SetItem(item, false, "good");
  }
  const auto whole = shop.Rank("u1", {.count = 1'000});
  const auto place_in = [&](const std::string& id) {
    return static_cast<std::size_t>(
        std::find_if(whole.begin(), whole.end(), [&](const auto& e) { return e.id == id; }) -
        whole.begin());
  };
  const auto write = [&](int i) {
    SetItem(kKept + i % (kAll - kKept), i % 4 == 0, i % 3 == 0 ? "good" : "plain");
  };
  std::size_t asked = 0;
  Beside(write, 300, [&] {
    const std::string& id = listed[asked % listed.size()];
    const auto place = shop.db->Why("shop", "u1", id);
    ASSERT_TRUE(place.ok());
    EXPECT_EQ(place->state, ItemPlace::State::kRanked);
    // All that stay and are above it, and of the others at most those that a boost lifts above it.
    EXPECT_GE(place->rank, asked % listed.size() + 1) << id;
    EXPECT_LE(place->rank, place_in(id) + 1) << id;
    ++asked;
  });
}

std::string Similar(const Shop& shop) {
  std::string text;
  const Ranking ranking = *shop.db->SimilarUsers("shop", "u1", {.count = kAll});
  for (const auto& entry : ranking.entries) {
    text += entry.id + " " + std::to_string(entry.score) + "\n";
  }
  return text;
}

std::string Features(const Shop& shop) {
  std::string text;
  const auto representatives = *shop.db->Representatives("shop");
  for (const Representative& best : representatives) {
    text += best.item + " " + std::to_string(best.component) + "\n";
  }
  return text;
}

std::string Place(const Shop& shop, const std::string& item) {
  const ItemPlace place = *shop.db->Why("shop", "u1", item);
  return std::to_string(place.rank) + " " + std::to_string(place.score.value_or(0));
}

// Two models take turns; an answer made from rows of both would be that of neither.
TEST_F(Scans, AnAnswerIsThatOfOneModel) {
  Make(FoldIn::kBoth);
  const std::string item = shop.List("u1", 1'000)[500];
  const std::pair<std::string, std::string> seeds[][1] = {{{"seed", "1"}}, {{"seed", "2"}}};
  std::set<std::string> similar;
  std::set<std::string> representatives;
  std::set<std::string> places;
  for (const auto& seed : seeds) {
    shop.Train(seed);
    similar.insert(Similar(shop));
    representatives.insert(Features(shop));
    places.insert(Place(shop, item));
  }
  ASSERT_EQ(similar.size() + representatives.size() + places.size(), 6U);
  std::atomic<bool> stop = false;
  std::thread trainer([&] {
    for (int i = 0; i < 12; ++i) {
      shop.Train(seeds[i % 2]);
    }
    stop = true;
  });
  while (!stop) {
    EXPECT_TRUE(similar.contains(Similar(shop)));
    EXPECT_TRUE(representatives.contains(Features(shop)));
    EXPECT_TRUE(places.contains(Place(shop, item)));
  }
  trainer.join();
}

// Every item has the place in the list that it is shown at, whatever the size of a step.
TEST_F(Scans, WhyAgreesWithTheList) {
  Make(FoldIn::kBoth);
  const std::vector<std::string> list = shop.List("u1", kAll);
  for (std::size_t i = 0; i < list.size(); i += 37) {
    EXPECT_EQ(shop.db->Why("shop", "u1", list[i])->rank, i + 1) << list[i];
  }
  const std::vector<std::string> popular = shop.List("stranger", kAll);
  for (std::size_t i = 0; i < popular.size(); i += 37) {
    EXPECT_EQ(shop.db->Why("shop", "stranger", popular[i])->rank, i + 1) << popular[i];
  }
}

}  // namespace
}  // namespace reco
