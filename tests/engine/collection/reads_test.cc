#include "engine/collection/reads.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/catalogue.h"

namespace reco::engine::reads {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kStart = 1'700'000'000'000;  // of the catalogue's clock

CollectionOptions WithTypes() {
  CollectionOptions options;
  options.types = {{"view", 1}, {"buy", 5}};
  return options;
}

class ReadsTest : public ::testing::Test {
 protected:
  ReadsTest() : catalogue_(WithTypes()) {}

  void Add(std::string_view item, std::string_view type, std::int64_t time_ms) {
    // Nothing happens after it has arrived.
    catalogue_.clock.AdvanceMs(
        std::max<std::int64_t>(0, kStart + time_ms - catalogue_.clock.NowMs()));
    const Interaction interaction = {
        .user = "u", .item = item, .type = type, .time_ms = kStart + time_ms};
    ASSERT_TRUE(writer::Add(catalogue_.shared(), {&interaction, 1}, false).ok());
  }
  std::vector<std::string> Items(const HistoryOptions& options) {
    std::vector<std::string> items;
    const auto history = History(catalogue_.shared(), "u", options);
    EXPECT_TRUE(history.ok());
    for (const HistoryEntry& entry : *history) {
      items.push_back(entry.item);
    }
    return items;
  }

  testing::Catalogue catalogue_;
};

TEST_F(ReadsTest, HistoryIsNewestFirstByEventTimeThenById) {
  Add("b", "view", 10);
  Add("c", "view", 30);
  Add("d", "view", 10);
  Add("a", "buy", 10);
  EXPECT_THAT(Items({}), ElementsAre("c", "a", "b", "d"));
  EXPECT_THAT(Items({.count = 2, .offset = 1}), ElementsAre("a", "b"));
  EXPECT_THAT(Items({.offset = 4}), IsEmpty());
}

TEST_F(ReadsTest, HistoryIsLimitedByTypeAndTimesAtTheirBounds) {
  Add("a", "view", 10);
  Add("b", "buy", 20);
  Add("c", "view", 30);
  EXPECT_THAT(Items({.type = "view"}), ElementsAre("c", "a"));
  EXPECT_THAT(Items({.since_ms = kStart + 20}), ElementsAre("c", "b"));
  EXPECT_THAT(Items({.until_ms = kStart + 20}), ElementsAre("b", "a"));
  EXPECT_EQ(History(catalogue_.shared(), "u", {.type = "sold"}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(ReadsTest, HistoryAsOfATimeHasThePairsThatHadArrived) {
  catalogue_.Add("u", "a", 1);  // a millisecond each
  catalogue_.Add("u", "b", 1);
  catalogue_.Add("u", "a", 4);
  catalogue_.clock.AdvanceMs(1);
  const std::string_view item = "b";
  ASSERT_TRUE(writer::Remove(catalogue_.shared(), "u", {&item, 1}).ok());
  wal::EventLog& log = *catalogue_.storage.log;
  ASSERT_TRUE(log.Commit(log.last_staged()).ok());  // it is read from the log
  const auto weights = [&](std::int64_t as_of_ms) {
    std::vector<std::pair<std::string, double>> found;
    const auto history = History(catalogue_.shared(), "u", {.as_of_ms = kStart + as_of_ms});
    EXPECT_TRUE(history.ok());
    for (const HistoryEntry& entry : *history) {
      found.emplace_back(entry.item, entry.weight);
    }
    return found;
  };
  EXPECT_THAT(weights(0), IsEmpty());
  EXPECT_THAT(weights(2), ElementsAre(Pair("b", 1.0), Pair("a", 1.0)));
  EXPECT_THAT(weights(3), ElementsAre(Pair("a", 5.0), Pair("b", 1.0)));
  EXPECT_THAT(weights(4), ElementsAre(Pair("a", 5.0)));
}

TEST_F(ReadsTest, PreferencesStandInTheOrderAsked) {
  catalogue_.Add("u", "a", 2);
  catalogue_.Add("u", "b", -3);
  catalogue_.Add("v", "c");
  const std::vector<std::string_view> items = {"b", "unknown", "a", "c", "b"};
  EXPECT_THAT(*Preferences(catalogue_.shared(), "u", items),
              ElementsAre(-3.0, std::nullopt, 2.0, std::nullopt, -3.0));
  EXPECT_THAT(*Preferences(catalogue_.shared(), "nobody", items),
              ::testing::Each(std::optional<double>()));
}

TEST_F(ReadsTest, ARecordHasItsAttributesAndCounts) {
  Add("a", "view", 10);
  Add("a", "view", 5);
  ASSERT_TRUE(writer::SetRecord(catalogue_.shared(), Side::kItem, "a",
                                {.attributes = R"({"x": 1})", .hidden = true, .expire_at_ms = 9})
                  .ok());
  const auto record = GetRecord(catalogue_.shared(), Side::kItem, "a");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->attributes, R"({"x": 1})");
  EXPECT_TRUE(record->hidden);
  EXPECT_EQ(record->expire_at_ms, 9);
  EXPECT_EQ(record->first_ms, kStart + 5);
  EXPECT_EQ(record->last_ms, kStart + 10);
  EXPECT_EQ(record->pairs, 1U);
  EXPECT_EQ(record->events, 2U);
  EXPECT_FALSE(GetRecord(catalogue_.shared(), Side::kUser, "a"));
}

TEST_F(ReadsTest, AScanShowsEachMatchOnceAndEnds) {
  for (int i = 0; i < 100; ++i) {
    catalogue_.Add("u" + std::to_string(i), "i");
  }
  std::vector<std::string> found;
  std::uint64_t cursor = 0;
  do {
    const ScanPage page = ScanRecords(catalogue_.shared(), Side::kUser, cursor, 7, "u1?");
    found.insert(found.end(), page.names.begin(), page.names.end());
    cursor = page.cursor;
  } while (cursor != 0);
  EXPECT_THAT(found, UnorderedElementsAre("u10", "u11", "u12", "u13", "u14", "u15", "u16", "u17",
                                          "u18", "u19"));
  EXPECT_EQ(CountRecords(catalogue_.shared(), Side::kUser), 100U);
}

TEST_F(ReadsTest, ModelIsFadedOnceTheNewestEventIsTwoHalfLivesYoungerThanIt) {
  CollectionOptions options;
  options.dim = 2;
  options.iterations = 1;
  options.halflife_s = 10;
  testing::Catalogue fading(options);
  fading.Add("u", "i");
  EXPECT_EQ(TriggerOf(fading.shared()).events_since, 1U);
  fading.Train();
  EXPECT_EQ(TriggerOf(fading.shared()).events_since, 0U);
  fading.clock.AdvanceMs(19'000);
  fading.Add("u", "i");
  EXPECT_FALSE(TriggerOf(fading.shared()).faded);
  fading.clock.AdvanceMs(2'000);
  EXPECT_FALSE(TriggerOf(fading.shared()).faded) << "time alone fades nothing";
  fading.Add("u", "i");
  EXPECT_TRUE(TriggerOf(fading.shared()).faded);
  EXPECT_EQ(TriggerOf(fading.shared()).events_since, 2U);
}

}  // namespace
}  // namespace reco::engine::reads
