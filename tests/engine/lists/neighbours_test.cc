// Lists with neighbours: every score is that of the vectors and that of the sessions, found by
// looking through the stream.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "testing/session_reference.h"
#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;

constexpr std::uint32_t kUsers = 120;
constexpr std::uint32_t kItems = 150;
constexpr double kBlend = 1.5;
constexpr std::int64_t kDay = 86'400'000;

std::string UserId(std::uint32_t user) {
  return "u" + std::to_string(user);
}
std::string ItemId(std::uint32_t item) {
  return "i" + std::to_string(item);
}
std::uint32_t NumberOf(const std::string& id) {
  return static_cast<std::uint32_t>(std::stoul(id.substr(1)));
}

void SetNeighbours(Shop& shop, const std::string& value) {
  const std::pair<std::string, std::string> change[] = {{"neighbours", value}};
  ASSERT_TRUE(shop.db->SetConfig("shop", change).ok());
}

void CreateShop(Shop& shop, Neighbours neighbours) {
  CollectionOptions options;
  options.dim = 8;
  options.iterations = 4;
  options.neighbours = neighbours;
  ASSERT_TRUE(shop.db->Create("shop", options).ok());
}

// A stream of sessions, told to the shop and to the reference.
class NeighboursTest : public ::testing::Test {
 protected:
  void Tell(std::uint32_t user, std::uint32_t item, double weight, std::int64_t time_ms) {
    const std::string user_id = UserId(user);
    const std::string item_id = ItemId(item);
    Interaction interaction;
    interaction.user = user_id;
    interaction.item = item_id;
    interaction.weight = weight;
    interaction.time_ms = time_ms;
    ASSERT_TRUE(shop_.db->Add("shop", interaction).ok());
    if (weight > 0) {
      testing::AddEvent(user, item, time_ms, &sessions_);
    } else {
      for (testing::ReferenceSession& one : sessions_) {
        if (one.user == user) {
          std::erase(one.items, item);
        }
      }
    }
  }
  void TellMany(int events) {
    for (int i = 0; i < events; ++i) {
      now_ms_ += random_() % 30 == 0 ? kDay / 3 : static_cast<std::int64_t>(random_() % 90'000);
      const auto user = static_cast<std::uint32_t>(random_() % kUsers);
      const auto item = static_cast<std::uint32_t>(
                            random_() % kItems * (random_() % kItems) / kItems / 4 * 4 + user % 4) %
                        kItems;
      Tell(user, item, random_() % 40 == 0 ? -1 : 1, now_ms_);
    }
  }
  double Scale(const std::string& metric = "session-scale") {
    const auto models = shop_.db->Models("shop");
    for (const ModelInfo& model : *models) {
      for (const auto& [name, value] : model.metrics) {
        if (model.active && name == metric) {
          return value;
        }
      }
    }
    return 0;
  }
  // The items of a user and how much they count now, newest first.
  std::vector<testing::ReferenceProfileItem> ProfileOf(std::uint32_t user) {
    std::vector<HistoryEntry> newest = *shop_.db->History("shop", UserId(user), {.count = 1'000});
    const std::size_t paced = std::min<std::size_t>(10, newest.size());
    // Ties go by the larger ordinal, and ordinals by the order of first events: none has two pairs
    // of one time.
    std::vector<double> gaps;
    for (std::size_t i = 0; i + 1 < paced; ++i) {
      gaps.push_back(static_cast<double>(newest[i].last_ms - newest[i + 1].last_ms));
    }
    std::sort(gaps.begin(), gaps.end());
    const double median =
        gaps.empty() ? 0 : (gaps[(gaps.size() - 1) / 2] + gaps[gaps.size() / 2]) / 2;
    const double pace_ms = 60'000 + std::min(2 * median, 600'000.0);
    std::vector<testing::ReferenceProfileItem> profile;
    double largest = 0;
    for (const HistoryEntry& entry : newest) {
      const double share = 1 / (1 + static_cast<double>(now_ms_ - entry.last_ms) / pace_ms);
      largest = std::max(largest, share);
      if (share / largest >= 1e-4 && entry.weight > 0) {
        profile.push_back({NumberOf(entry.item), share / largest});
      }
    }
    return profile;
  }
  // The part of the sessions in the scores of a user, by item.
  std::map<std::uint32_t, double> PartsOf(std::uint32_t user) {
    std::map<std::uint32_t, double> parts =
        testing::SessionScoresOf(sessions_, ProfileOf(user), user, [&](std::uint32_t item) {
          return std::max<std::uint64_t>(
              1, (*shop_.db->GetRecord("shop", Side::kItem, ItemId(item)))->pairs);
        });
    for (auto& [item, value] : parts) {
      value *= kBlend * Scale();
    }
    return parts;
  }
  // That of the ridge rows.
  std::map<std::uint32_t, double> RidgePartsOf(std::uint32_t user) {
    std::vector<testing::ReferenceProfileItem> profile = ProfileOf(user);
    profile.resize(std::min<std::size_t>(profile.size(), 20));
    std::map<std::uint32_t, double> parts;
    for (std::uint32_t item = 0; item < kItems; ++item) {
      const auto row = shop_.db->NeighboursOf("shop", ItemId(item), 100);
      if (!row.ok()) {
        continue;  // nobody has used it
      }
      for (const ItemNeighbour& one : *row) {
        for (const testing::ReferenceProfileItem& own : profile) {
          if (own.item == NumberOf(one.item)) {
            parts[item] += kBlend * Scale("ridge-scale") * own.weight * one.weight;
          }
        }
      }
    }
    return parts;
  }
  // Waits until all rows are solved that are to be.
  void WaitForRows() {
    for (;;) {
      const CollectionInfo info = *shop_.db->CollectionDetails("shop");
      for (const auto& [name, value] : info.neighbours) {
        if (name == "waiting" && value == 0) {
          return;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  std::map<std::string, double> ScoresOf(std::uint32_t user,
                                         const std::optional<Blend>& blend = std::nullopt) {
    std::vector<std::string> ids;
    for (std::uint32_t item = 0; item < kItems; ++item) {
      ids.push_back(ItemId(item));
    }
    const std::vector<std::string_view> asked(ids.begin(), ids.end());
    ScoreOptions options;
    options.now_ms = now_ms_;
    options.blend = blend;
    const auto scores = *shop_.db->Score("shop", UserId(user), asked, options);
    std::map<std::string, double> found;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (scores[i]) {
        found[ids[i]] = *scores[i];
      }
    }
    return found;
  }
  std::vector<Ranking::Entry> ListOf(std::uint32_t user, std::size_t count) {
    RankingOptions options;
    options.count = count;
    options.now_ms = now_ms_;
    return shop_.Rank(UserId(user), options);
  }

  Shop shop_;
  std::mt19937_64 random_{5};
  testing::ReferenceSessions sessions_;
  std::int64_t now_ms_ = 1'600'000'000'000;
};

TEST_F(NeighboursTest, EveryScoreIsThatOfTheVectorsAndOfTheSessions) {
  CreateShop(shop_, Neighbours::kSessions);
  TellMany(3'000);
  shop_.Train();
  TellMany(300);
  ASSERT_GT(Scale(), 0);
  double largest = 0;
  for (std::uint32_t user = 0; user < 40; ++user) {
    const auto with = ScoresOf(user);
    SetNeighbours(shop_, "off");
    const auto without = ScoresOf(user);
    SetNeighbours(shop_, "sessions");
    const auto parts = PartsOf(user);
    ASSERT_EQ(with.size(), without.size());
    for (const auto& [id, score] : with) {
      const auto part = parts.find(NumberOf(id));
      const double expected = part != parts.end() ? part->second : 0;
      EXPECT_NEAR(score - without.at(id), expected, 1e-6) << user << ' ' << id;
      largest = std::max(largest, expected);
    }
  }
  EXPECT_GT(largest, 0.1);
}

TEST_F(NeighboursTest, EveryScoreHasThePartOfTheRidgeRows) {
  CreateShop(shop_, Neighbours::kAuto);
  TellMany(3'000);
  shop_.Train();
  TellMany(300);
  WaitForRows();
  ASSERT_GT(Scale("ridge-scale"), 0);
  double largest = 0;
  for (std::uint32_t user = 0; user < 40; ++user) {
    const auto vectors = ScoresOf(user, Blend{0, 0});
    const auto with = ScoresOf(user, Blend{0, kBlend});
    const auto all = ScoresOf(user);
    const auto by_ridge = RidgePartsOf(user);
    const auto by_sessions = PartsOf(user);
    for (const auto& [id, score] : with) {
      const std::uint32_t item = NumberOf(id);
      const auto of = [item](const std::map<std::uint32_t, double>& parts) {
        const auto part = parts.find(item);
        return part != parts.end() ? part->second : 0;
      };
      EXPECT_NEAR(score - vectors.at(id), of(by_ridge), 1e-6) << user << ' ' << id;
      EXPECT_NEAR(all.at(id) - vectors.at(id), of(by_ridge) + of(by_sessions), 1e-6);
      largest = std::max(largest, of(by_ridge));
    }
  }
  EXPECT_GT(largest, 0.1);
}

TEST_F(NeighboursTest, ABlendMustBeInBounds) {
  CreateShop(shop_, Neighbours::kAuto);
  TellMany(10);
  RankingOptions options;
  for (const Blend& blend : {Blend{-1, 0}, Blend{0, 1'001}, Blend{std::nan(""), 0}}) {
    options.blend = blend;
    EXPECT_EQ(shop_.db->TopK("shop", "u1", options).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST_F(NeighboursTest, ListsAreTheBestScoresExactly) {
  CreateShop(shop_, Neighbours::kAuto);
  TellMany(3'000);
  shop_.Train();
  TellMany(100);
  WaitForRows();
  for (std::uint32_t user = 0; user < 40; ++user) {
    auto scores = ScoresOf(user);
    const auto history = shop_.db->History("shop", UserId(user), {.count = 1'000});
    for (const HistoryEntry& seen : *history) {
      scores.erase(seen.item);
    }
    std::vector<std::pair<double, std::string>> expected;
    for (const auto& [id, score] : scores) {
      expected.emplace_back(-score, id);
    }
    std::sort(expected.begin(), expected.end());
    const auto list = ListOf(user, 30);
    ASSERT_EQ(list.size(), 30U);
    for (std::size_t i = 0; i < list.size(); ++i) {
      EXPECT_EQ(list[i].id, expected[i].second) << user << ' ' << i;
      EXPECT_EQ(list[i].score, -expected[i].first);
    }
    ScoreOptions options;
    options.now_ms = now_ms_;
    const ItemPlace place = *shop_.db->Why("shop", UserId(user), list[7].id, options);
    EXPECT_EQ(place.rank, 8U);
    EXPECT_EQ(place.score, list[7].score);
  }
}

TEST_F(NeighboursTest, SharesAddUpToTheScore) {
  CreateShop(shop_, Neighbours::kAuto);
  TellMany(3'000);
  shop_.Train();
  for (std::uint32_t user = 0; user < 10; ++user) {
    for (const Ranking::Entry& entry : ListOf(user, 5)) {
      ScoreOptions options;
      options.now_ms = now_ms_;
      const auto explanation = *shop_.db->Explain("shop", UserId(user), entry.id, 1'000, options);
      double sum = explanation.remainder;
      for (const auto& share : explanation.shares) {
        sum += share.share;
      }
      EXPECT_NEAR(sum, entry.score, 1e-6);
      EXPECT_NEAR(explanation.remainder, 0, 2e-3);
    }
  }
}

TEST_F(NeighboursTest, ListsAreTheSameAfterARestart) {
  CreateShop(shop_, Neighbours::kAuto);
  TellMany(2'000);
  shop_.Train();
  TellMany(200);
  ASSERT_TRUE(*shop_.db->DeleteRecord("shop", Side::kUser, "u7"));
  ASSERT_TRUE(*shop_.db->DeleteRecord("shop", Side::kItem, "i5"));
  WaitForRows();
  std::map<std::uint32_t, std::vector<Ranking::Entry>> before;
  for (std::uint32_t user = 0; user < 20; ++user) {
    before[user] = ListOf(user, 20);
  }
  shop_.Reopen();
  for (std::uint32_t user = 0; user < 20; ++user) {
    const auto after = ListOf(user, 20);
    ASSERT_EQ(after.size(), before[user].size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      EXPECT_EQ(after[i].id, before[user][i].id);
      EXPECT_EQ(after[i].score, before[user][i].score);
    }
  }
}

TEST_F(NeighboursTest, SwitchedOnLaterATrainingReadsTheLogBesideWrites) {
  CreateShop(shop_, Neighbours::kOff);
  TellMany(3'000);
  shop_.Train();
  EXPECT_EQ(Scale(), 0);
  SetNeighbours(shop_, "sessions");
  const auto vectors_alone = ListOf(3, 20);
  const auto job = shop_.db->Retrain("shop", {});
  ASSERT_TRUE(job.ok());
  TellMany(200);
  ASSERT_EQ(shop_.db->WaitJob(*job, 0)->state, JobState::kDone);
  ASSERT_GT(Scale(), 0);
  EXPECT_NE(ListOf(3, 20)[0].score, vectors_alone[0].score);
  for (std::uint32_t user = 0; user < 20; ++user) {
    const auto with = ScoresOf(user);
    SetNeighbours(shop_, "off");
    const auto without = ScoresOf(user);
    SetNeighbours(shop_, "sessions");
    for (const auto& [item, part] : PartsOf(user)) {
      EXPECT_NEAR(with.at(ItemId(item)) - without.at(ItemId(item)), part, 1e-6);
    }
  }
  // Off, the next training lets them go.
  SetNeighbours(shop_, "off");
  shop_.Train();
  const CollectionInfo info = *shop_.db->CollectionDetails("shop");
  for (const auto& [name, bytes] : info.memory_bytes) {
    if (name == "neighbours") {
      EXPECT_EQ(bytes, 0U);
    }
  }
}

TEST_F(NeighboursTest, AGroupHasTheMeanOfItsMembers) {
  CreateShop(shop_, Neighbours::kAuto);
  TellMany(3'000);
  shop_.Train();
  const std::string_view group[] = {"u1", "u2", "u3"};
  RankingOptions options;
  options.now_ms = now_ms_;
  options.count = 10;
  const std::map<std::string, double> scores[] = {ScoresOf(1), ScoresOf(2), ScoresOf(3)};
  const auto list = *shop_.db->GroupTopK("shop", group, options);
  ASSERT_EQ(list.entries.size(), 10U);
  for (const Ranking::Entry& entry : list.entries) {
    const double mean =
        (scores[0].at(entry.id) + scores[1].at(entry.id) + scores[2].at(entry.id)) / 3;
    EXPECT_NEAR(entry.score, mean, 1e-5);
  }
}

TEST(Neighbours, AreNotForRatings) {
  CollectionOptions options = CollectionOptions::ForRatings();
  options.neighbours = Neighbours::kSessions;
  EXPECT_EQ(options.Validate().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace reco
