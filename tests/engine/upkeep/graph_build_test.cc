// Lists by the graph of neighbours: exact until it is built, then a part of the exact list's items
// with their exact scores, and gone when nobody asks for it or another model takes over.
#include "engine/upkeep/graph_build.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco {
namespace {

using engine::DatabaseAccess;
using testing::Shop;

constexpr int kUsers = 50;
constexpr int kItems = 600;
constexpr std::int64_t kUnusedMs = 600'000;

// A trained catalogue that is large enough for a graph.
class Catalogue : public Shop {
 public:
  explicit Catalogue(bool background_threads = false, Feedback feedback = Feedback::kImplicit)
      : Shop(background_threads) {
    approximate_items_min = kItems / 2;
    Reopen();
    CollectionOptions parameters =
        feedback == Feedback::kExplicit ? CollectionOptions::ForRatings() : CollectionOptions();
    parameters.neighbours = Neighbours::kOff;  // scores are those of the vectors
    parameters.dim = 8;
    parameters.iterations = 2;
    EXPECT_TRUE(*db->Create("shop", parameters));
    if (feedback == Feedback::kImplicit) {
      Fill(6'000, kUsers, kItems, 1);
    } else {
      Rate();
    }
  }

  // Each user rates one item in five, those of a group of their own higher.
  void Rate() {
    for (int i = 0; i < kUsers * kItems; i += 5) {
      const int user = i / kItems;
      const int item = (i + user) % kItems;
      ASSERT_TRUE(Add("u" + std::to_string(user), "i" + std::to_string(item),
                      item % 4 == user % 4 ? 5 : 1 + item % 3)
                      .ok());
    }
  }

  void Retrain() { DatabaseAccess::RunJob(*db, "shop"); }
  void Maintain(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      DatabaseAccess::Maintain(*db);
    }
  }
  // Asks for the graph and lets it be built and measured.
  void BuildGraph() {
    Near("u0", {});
    Maintain(60);
    ASSERT_EQ(Figure("answering"), 1);
  }

  std::vector<Ranking::Entry> Near(const std::string& user, RankingOptions ranking,
                                   std::uint32_t ef = kApproximateEfDefault) const {
    ranking.approximate_ef = ef;
    return Rank(user, ranking);
  }
  std::vector<std::string> NearIds(const std::string& user, std::size_t count,
                                   std::uint32_t ef = kApproximateEfDefault) const {
    std::vector<std::string> ids;
    for (const auto& entry : Near(user, {.count = count}, ef)) {
      ids.push_back(entry.id);
    }
    return ids;
  }
  // Of RECO.INFO; -1 without.
  double Figure(std::string_view name) const {
    const auto info = db->CollectionDetails("shop");
    EXPECT_TRUE(info.ok());
    for (const auto& [figure, value] : info->approximate) {
      if (figure == name) {
        return value;
      }
    }
    return -1;
  }
  std::uint64_t GraphBytes() const {
    const auto info = db->CollectionDetails("shop");
    for (const auto& [part, bytes] : info->memory_bytes) {
      if (part == "approximate-index") {
        return bytes;
      }
    }
    ADD_FAILURE() << "no such part of memory";
    return 0;
  }
  bool HasGraph() const { return Figure("rows") >= 0; }
  // How many users' lists of one differ from the exact ones when hardly any row is looked at.
  int Misses() const {
    int misses = 0;
    for (int u = 0; u < kUsers; ++u) {
      const std::string user = "u" + std::to_string(u);
      const RankingOptions one = {.count = 1, .with_seen = true};
      misses += Near(user, one, 1)[0].id != Rank(user, one)[0].id ? 1 : 0;
    }
    return misses;
  }
  std::set<std::string> Seen(const std::string& user) const {
    std::set<std::string> seen;
    const auto history = *db->History("shop", user, {.count = 100'000});
    for (const HistoryEntry& entry : history) {
      seen.insert(entry.item);
    }
    return seen;
  }
  void SetItem(const std::string& item, const RecordUpdate& update) {
    ASSERT_TRUE(db->SetRecord("shop", Side::kItem, item, update).ok());
  }
};

TEST(ApproximateTest, AnswersExactlyUntilTheGraphIsBuilt) {
  Catalogue shop;
  shop.Retrain();
  shop.Maintain(20);
  EXPECT_FALSE(shop.HasGraph()) << "nobody has asked";
  EXPECT_EQ(shop.Misses(), 0);
  EXPECT_FALSE(shop.HasGraph()) << "that is for maintenance";
  shop.Maintain(2);
  EXPECT_TRUE(shop.HasGraph());
  EXPECT_EQ(shop.Figure("answering"), 0);
  EXPECT_GT(shop.Figure("pending"), 0);
  EXPECT_EQ(shop.Misses(), 0);
}

TEST(ApproximateTest, SmallCataloguesGetNoGraph) {
  Catalogue shop;
  shop.approximate_items_min = kItems + 1;
  shop.Reopen();
  shop.Retrain();
  EXPECT_EQ(shop.Misses(), 0);
  shop.Maintain(60);
  EXPECT_FALSE(shop.HasGraph());
  EXPECT_EQ(shop.Misses(), 0);
}

TEST(ApproximateTest, RequestsThatCannotUseAGraphDoNotAskForOne) {
  Catalogue shop;
  shop.Retrain();
  const std::string_view item = "i1";
  RankingOptions ranking;
  ranking.approximate_ef = kApproximateEfDefault;
  RankingOptions exact;
  const auto near = *shop.db->Similar("shop", {&item, 1}, SimilarityBasis::kVector, ranking);
  const auto all = *shop.db->Similar("shop", {&item, 1}, SimilarityBasis::kVector, exact);
  ASSERT_EQ(near.entries.size(), all.entries.size());
  for (std::size_t i = 0; i < near.entries.size(); ++i) {
    EXPECT_EQ(near.entries[i].id, all.entries[i].id);
  }
  ranking.include = {&item, 1};
  shop.Rank("u0", ranking);
  shop.Maintain(20);
  EXPECT_FALSE(shop.HasGraph());
}

TEST(ApproximateTest, OnceBuiltTheGraphAnswersWithExactScores) {
  for (const Feedback feedback : {Feedback::kImplicit, Feedback::kExplicit}) {
    Catalogue shop(false, feedback);
    shop.Retrain();
    shop.BuildGraph();
    const double items = static_cast<double>(shop.db->CollectionDetails("shop")->items);
    EXPECT_EQ(shop.Figure("rows"), items);
    EXPECT_EQ(shop.Figure("pending"), 0);
    EXPECT_GE(shop.Figure("recall@20"), 0.95);
    EXPECT_LE(shop.Figure("recall@20"), 1);
    EXPECT_GT(shop.GraphBytes(), items * 8 * sizeof(float));
    EXPECT_GT(shop.Misses(), 0) << "a search of so few rows should miss something";
    for (int u = 0; u < kUsers; u += 7) {
      const std::string user = "u" + std::to_string(u);
      const std::set<std::string> seen = shop.Seen(user);
      double last = 1e9;
      const auto list = shop.Near(user, {.count = 20}, 20);
      ASSERT_EQ(list.size(), 20U);
      for (const auto& entry : list) {
        const std::string_view id = entry.id;
        EXPECT_NEAR(*(*shop.db->Score("shop", user, {&id, 1}))[0], entry.score, 1e-6);
        EXPECT_FALSE(seen.contains(entry.id));
        EXPECT_LE(entry.score, last);
        last = entry.score;
      }
    }
  }
}

TEST(ApproximateTest, FindsNothingThatIsRemovedHiddenExpiredExcludedOrFiltered) {
  Catalogue shop;
  for (int i = 0; i < kItems; ++i) {
    shop.SetItem("i" + std::to_string(i),
                 {.attributes = i % 4 == 0 ? R"({"kind":"lamp"})" : R"({"kind":"vase"})"});
  }
  shop.Retrain();
  shop.BuildGraph();
  const std::vector<std::string> best = shop.NearIds("u1", 40);
  ASSERT_EQ(best.size(), 40U);
  ASSERT_TRUE(*shop.db->DeleteRecord("shop", Side::kItem, best[0]));
  shop.SetItem(best[1], {.hidden = true});
  shop.SetItem(best[2], {.expire_at_ms = shop.clock.NowMs() + 1});
  shop.clock.AdvanceMs(2);
  ASSERT_TRUE(shop.Add("u1", best[3]).ok());
  const std::string_view excluded = best[4];
  const std::set<std::string> gone(best.begin(), best.begin() + 5);
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(shop.Figure("answering"), 1);
    const auto list = shop.Near("u1", {.count = 40, .exclude = {&excluded, 1}});
    ASSERT_EQ(list.size(), 40U);
    for (const auto& entry : list) {
      EXPECT_FALSE(gone.contains(entry.id)) << entry.id;
    }
    const auto lamps =
        shop.Near("u1", {.count = 20, .with_attributes = true, .filter = R"(.kind == "lamp")"}, 1);
    ASSERT_EQ(lamps.size(), 20U);
    for (const auto& entry : lamps) {
      EXPECT_EQ(entry.attributes, R"({"kind":"lamp"})");
      EXPECT_FALSE(gone.contains(entry.id)) << entry.id;
    }
    shop.Maintain(1);
  }
}

TEST(ApproximateTest, ListsThatTheGraphWouldLeaveShortAreExact) {
  Catalogue shop;
  shop.Retrain();
  shop.BuildGraph();
  const std::size_t all = shop.List("u0", 10'000).size();
  EXPECT_EQ(shop.NearIds("u0", 10'000, 1), shop.List("u0", 10'000));
  EXPECT_EQ(shop.NearIds("u0", all, 1).size(), all);
}

TEST(ApproximateTest, NewItemsAreFoundAfterTheNextRound) {
  Catalogue shop;
  shop.Retrain();
  shop.BuildGraph();
  for (int u = 0; u < kUsers; u += 4) {
    ASSERT_TRUE(shop.Add("u" + std::to_string(u), "new").ok());
  }
  ASSERT_GT(shop.Figure("pending"), 0);
  // The item is among the best of somebody who shares their taste and has not seen it.
  ASSERT_TRUE(shop.db->Remove("shop", "u0", std::vector<std::string_view>{"new"}).ok());
  const std::vector<std::string> exact = shop.List("u0", 100);
  ASSERT_NE(std::find(exact.begin(), exact.end(), "new"), exact.end());
  std::vector<std::string> near = shop.NearIds("u0", 100, 1'000);
  EXPECT_EQ(std::find(near.begin(), near.end(), "new"), near.end());
  shop.Maintain(1);
  EXPECT_EQ(shop.Figure("pending"), 0);
  near = shop.NearIds("u0", 100, 1'000);
  EXPECT_NE(std::find(near.begin(), near.end(), "new"), near.end());
}

TEST(ApproximateTest, AnswersExactlyWhileMuchOfTheGraphIsOutOfDate) {
  Catalogue shop;
  shop.Retrain();
  shop.BuildGraph();
  ASSERT_GT(shop.Misses(), 0);
  for (int i = 0; i < kItems / 5; ++i) {
    ASSERT_TRUE(shop.Add("u0", "i" + std::to_string(i)).ok());
  }
  EXPECT_EQ(shop.Figure("answering"), 0);
  EXPECT_EQ(shop.Misses(), 0);
  shop.Maintain(10);
  EXPECT_EQ(shop.Figure("answering"), 1);
}

TEST(ApproximateTest, GoesWithItsModelAndIsBuiltForTheNext) {
  Catalogue shop;
  shop.Retrain();
  shop.BuildGraph();
  const std::uint64_t bytes = shop.GraphBytes();
  shop.Retrain();
  EXPECT_FALSE(shop.HasGraph());
  EXPECT_EQ(shop.GraphBytes(), 0U);
  EXPECT_EQ(shop.Misses(), 0);
  shop.Maintain(60);
  EXPECT_EQ(shop.Figure("answering"), 1);
  EXPECT_NEAR(static_cast<double>(shop.GraphBytes()), static_cast<double>(bytes), 1e4);
  // In the middle of a build.
  shop.Retrain();
  shop.Maintain(2);
  ASSERT_TRUE(shop.HasGraph());
  shop.Retrain();
  EXPECT_FALSE(shop.HasGraph());
  shop.Maintain(60);
  EXPECT_EQ(shop.Figure("answering"), 1);
}

TEST(ApproximateTest, GoesWhenNobodyHasAskedForTenMinutes) {
  Catalogue shop;
  shop.Retrain();
  shop.BuildGraph();
  shop.clock.AdvanceMs(kUnusedMs - 1);
  shop.Maintain(1);
  ASSERT_TRUE(shop.HasGraph());
  shop.NearIds("u0", 10);  // counts from here
  shop.clock.AdvanceMs(kUnusedMs - 1);
  shop.List("u0");
  shop.Maintain(1);
  ASSERT_TRUE(shop.HasGraph());
  shop.clock.AdvanceMs(1);
  shop.Maintain(1);
  EXPECT_FALSE(shop.HasGraph());
  EXPECT_EQ(shop.GraphBytes(), 0U);
  EXPECT_EQ(shop.Misses(), 0);
}

TEST(ApproximateTest, BreadthOutOfItsBoundsIsRefused) {
  Catalogue shop;
  for (const std::uint32_t ef : {0U, kApproximateEfMax + 1}) {
    RankingOptions ranking;
    ranking.approximate_ef = ef;
    EXPECT_EQ(shop.db->TopK("shop", "u0", ranking).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(ApproximateTest, SearchesBesideWritesBuildsAndTrainingsAnswerFullLists) {
  Catalogue shop(true);
  shop.Train();
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    for (int i = 0; !stop; ++i) {
      RankingOptions ranking;
      ranking.approximate_ef = 50;
      const auto list = shop.db->TopK("shop", "u" + std::to_string(i % kUsers), ranking);
      ASSERT_TRUE(list.ok());
      ASSERT_EQ(list->entries.size(), 10U);
      ASSERT_TRUE(shop.db->CollectionDetails("shop").ok());
    }
  });
  for (int model = 0; model < 2; ++model) {
    for (int step = 0;
         shop.Figure("recall@20") < 0 && step < 200'000 && !::testing::Test::HasFailure(); ++step) {
      const std::string item = "i" + std::to_string(step % 40);
      ASSERT_TRUE(shop.Add("u" + std::to_string(step % kUsers), item).ok());
      if (step % 50 == 0) {
        ASSERT_TRUE(shop.db->DeleteRecord("shop", Side::kItem, item).ok());
      }
    }
    EXPECT_GE(shop.Figure("recall@20"), 0);
    shop.Train();
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace reco
