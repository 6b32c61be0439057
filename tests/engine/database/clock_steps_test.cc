// A clock that was wrong for a while, ahead or behind: what it leaves, and what a restart and a
// check of the folder say of it (D50).
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reco/engine.h"

#include "format/event.h"
#include "format/keys.h"
#include "store/store.h"
#include "testing/shop.h"

namespace reco {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Shop;

constexpr std::int64_t kDayMs = 86'400'000;
using Scored = std::pair<std::string, double>;

std::vector<Scored> Entries(const Result<Ranking>& ranking) {
  EXPECT_TRUE(ranking.ok()) << ranking.status().ToString();
  std::vector<Scored> entries;
  for (const auto& entry : ranking->entries) {
    entries.emplace_back(entry.id, entry.score);
  }
  return entries;
}

struct ClockSteps : ::testing::Test {
  void CreateFading() {
    CollectionOptions options;
    options.halflife_s = 7.0 * kDayMs / 1'000;
    ASSERT_TRUE(*shop.db->Create("shop", options));
  }
  void Add(const std::string& user, const std::string& item, double weight,
           std::optional<std::int64_t> time_ms = std::nullopt) {
    Interaction event{.user = user, .item = item, .weight = weight};
    event.time_ms = time_ms;
    ASSERT_TRUE(shop.db->Add("shop", event).ok());
  }
  // One event by a clock that is ahead, or behind.
  void AddByClock(const std::string& user, const std::string& item, std::int64_t ahead_ms) {
    shop.clock.SetMs(ahead_ms);
    Add(user, item, 1);
    shop.clock.SetMs(-ahead_ms);
  }
  double Weight(const std::string& user, const std::string& item) {
    const std::string_view items[] = {item};
    return (*shop.db->Preferences("shop", user, items))[0].value_or(NAN);
  }
  // What the events on disk make is what is in the rows.
  void ExpectClean() {
    shop.db.reset();
    const auto report = Database::Verify(shop.options);
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    EXPECT_THAT(report->problems, IsEmpty());
    shop.Open();
    ASSERT_TRUE(shop.status.ok()) << shop.status.ToString();
  }

  Shop shop{false};
};

TEST_F(ClockSteps, ATimeAheadIsReadAsTheArrival) {
  CreateFading();
  const std::int64_t now_ms = shop.clock.NowMs();
  Add("u", "odd", 1, now_ms + 400 * kDayMs);
  const auto history = *shop.db->History("shop", "u", {});
  ASSERT_EQ(history.size(), 1U);
  EXPECT_EQ(history[0].last_ms, now_ms);
  Add("u", "odd", 5);
  Add("u", "odd", -6);
  EXPECT_EQ(Weight("u", "odd"), 0);
  ASSERT_TRUE(shop.db->SetPreference("shop", {.user = "u", .item = "odd", .weight = -3}).ok());
  EXPECT_EQ(Weight("u", "odd"), -3);
  ExpectClean();
  EXPECT_EQ(Weight("u", "odd"), -3);
}

TEST_F(ClockSteps, ListsAreThoseOfTheirOwnNowAlsoAfterARestart) {
  constexpr std::int64_t kHour = 3'600;
  for (const std::int64_t ahead_ms : {10 * kDayMs, -10 * kDayMs}) {
    for (const char* item : {"a", "b"}) {
      Add("u1", item, 1);
      Add("u2", item, 1);
    }
    const bool ahead = ahead_ms > 0;
    const std::string odd = ahead ? "odd-ahead" : "odd-behind";
    const auto expect_lists = [&] {
      const std::int64_t now_ms = shop.clock.NowMs();
      const auto window = Entries(shop.db->PopularWithin("shop", kHour, PopularBy::kUsers, {}));
      const auto trending = Entries(shop.db->Trending("shop", kHour, {}));
      const auto latest = Entries(shop.db->Latest("shop", {}));
      for (const char* item : {"a", "b"}) {
        EXPECT_THAT(window, ::testing::Contains(Scored(item, 2))) << odd;
        EXPECT_THAT(trending, ::testing::Contains(Scored(item, 2))) << odd;
      }
      for (const auto& [item, known_ms] : latest) {
        EXPECT_LE(known_ms, static_cast<double>(now_ms)) << item;
      }
    };
    expect_lists();
    AddByClock("u3", odd, ahead_ms);
    expect_lists();
    shop.Reopen();
    expect_lists();
    // Reads by a clock that is wrong change nothing for those that come after.
    shop.clock.SetMs(ahead_ms);
    Entries(shop.db->PopularWithin("shop", kHour, PopularBy::kUsers, {}));
    Entries(shop.db->Trending("shop", kHour, {}));
    shop.clock.SetMs(-ahead_ms);
    expect_lists();
    for (const char* item : {"a", "b"}) {
      const std::string_view items[] = {item};
      ASSERT_TRUE(shop.db->Remove("shop", "u1", items).ok());
      ASSERT_TRUE(shop.db->Remove("shop", "u2", items).ok());
    }
  }
  ExpectClean();
}

TEST_F(ClockSteps, PairsAddUpTheSameAfterAReplay) {
  CreateFading();
  Add("u", "i", 4);
  AddByClock("u", "i", 10 * kDayMs);
  Add("u", "i", 1);
  AddByClock("u", "i", -300 * kDayMs);
  Add("u", "i", 1);
  // 4 has faded for ten days, as the clock said once; nothing else has.
  const double weight = Weight("u", "i");
  EXPECT_NEAR(weight, 4 * std::exp2(-10.0 / 7) + 4, 1e-6);
  EXPECT_LE((*shop.db->History("shop", "u", {}))[0].last_ms, shop.clock.NowMs());
  ExpectClean();
  EXPECT_EQ(Weight("u", "i"), weight);
}

// As a folder of format version 2 holds them.
TEST_F(ClockSteps, EventsOfOlderFoldersKeepTheirRulesAndSpoilNothingNew) {
  CreateFading();
  Add("u", "odd", 1);
  Add("v", "odd", 1);
  const std::int64_t now_ms = shop.clock.NowMs();
  shop.db.reset();
  {
    store::StoreOptions options;
    options.path = shop.options.path;
    auto store = store::Store::Open(options);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store::Batch batch;
    for (const std::uint32_t user : {0U, 1U}) {
      format::Event event;
      event.kind = format::EventKind::kInteractionAsSaid;
      event.user = user;
      event.item = 0;
      event.weight = 2;
      event.time_ms = now_ms + 400 * kDayMs;
      event.arrival_ms = now_ms;
      std::string record;
      format::EncodeEvent(event, &record);
      batch.Put(store::Family::kEvents, format::EventKey(1, 3 + user), record);
    }
    ASSERT_TRUE((*store)->Write(batch, true).ok());
  }
  shop.Open();
  ASSERT_TRUE(shop.status.ok()) << shop.status.ToString();
  EXPECT_NEAR(Weight("u", "odd"), 2, 1e-6);  // the first has faded for 400 days
  EXPECT_EQ((*shop.db->History("shop", "u", {}))[0].last_ms, now_ms);
  Add("u", "odd", 5);
  Add("u", "odd", -7);
  EXPECT_NEAR(Weight("u", "odd"), 0, 1e-6);
  ASSERT_TRUE(shop.db->SetPreference("shop", {.user = "v", .item = "odd", .weight = -3}).ok());
  EXPECT_EQ(Weight("v", "odd"), -3);
  ExpectClean();
  EXPECT_EQ(Weight("v", "odd"), -3);
}

TEST_F(ClockSteps, HistoryAsOfNowHasWhatCameByAClockThatWasAhead) {
  Add("u", "a", 1);
  AddByClock("u", "odd", 10 * kDayMs);
  shop.clock.AdvanceMs(5);
  HistoryOptions as_of;
  as_of.as_of_ms = shop.clock.NowMs();
  EXPECT_EQ(shop.db->History("shop", "u", as_of)->size(), 2U);
  as_of.as_of_ms = shop.clock.NowMs() - 1;
  EXPECT_EQ(shop.db->History("shop", "u", as_of)->size(), 1U);
}

TEST_F(ClockSteps, ATrainingWeighsByTheTimeThatItBegins) {
  Shop threads;
  CollectionOptions options;
  options.halflife_s = 3'600;
  options.dim = 4;
  ASSERT_TRUE(*threads.db->Create("shop", options));
  ASSERT_TRUE(*threads.db->Create("twin", options));
  const auto fill = [&](const char* key, bool odd) {
    for (int user = 0; user < 8; ++user) {
      for (int item = 0; item < 4; ++item) {
        const std::string name = "i" + std::to_string((user * 3 + item) % 8);
        const bool wrong = odd && user == 0 && item == 0;
        threads.clock.SetMs(wrong ? 10 * kDayMs : 0);
        const std::string id = "u" + std::to_string(user);
        const Interaction event{.user = id, .item = name};
        ASSERT_TRUE(threads.db->Add(key, event).ok());
        threads.clock.SetMs(wrong ? -10 * kDayMs : 0);
      }
    }
    const auto job = threads.db->Retrain(key, {});
    ASSERT_TRUE(job.ok());
    ASSERT_EQ(threads.db->WaitJob(*job, 0)->state, JobState::kDone);
  };
  fill("twin", false);
  fill("shop", true);
  for (int user = 0; user < 8; ++user) {
    const std::string id = "u" + std::to_string(user);
    EXPECT_EQ(**threads.db->GetVector("shop", Side::kUser, id),
              **threads.db->GetVector("twin", Side::kUser, id));
    EXPECT_EQ(Entries(threads.db->TopK("shop", id, {})), Entries(threads.db->TopK("twin", id, {})));
  }
}

}  // namespace
}  // namespace reco
