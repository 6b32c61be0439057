// Pages over a lister that ranks items by their number, the highest first.
#include "engine/lists/page.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/catalogue.h"

namespace reco::engine::lists {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint32_t kItems = 10;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class PageTest : public ::testing::Test {
 protected:
  PageTest() {
    for (std::uint32_t item = 0; item < kItems; ++item) {
      Set(item, {.attributes = item % 2 == 0 ? R"({"even": 1})" : R"({"odd": 1})"});
    }
  }

  void Set(std::uint32_t item, const RecordUpdate& update) {
    ASSERT_TRUE(
        writer::SetRecord(catalogue_.shared(), Side::kItem, "i" + std::to_string(item), update)
            .ok());
  }

  Ranking Get(const RankingOptions& options, std::vector<std::uint32_t> left_out = {}) {
    const auto lister = [&](std::size_t count, AcceptItem accept, const Among& among) {
      only_few_ = among.ordinals != nullptr;
      std::vector<ScoredItem> found;
      for (std::uint32_t item = kItems; item-- > 0 && found.size() < count;) {
        const bool wanted =
            among.ordinals == nullptr ||
            std::binary_search(among.ordinals->begin(), among.ordinals->end(), item);
        if (wanted && accept(item)) {
          found.push_back({item, static_cast<double>(item)});
        }
      }
      return found;
    };
    ReadView view(catalogue_.shared());
    const auto page = ItemPage(view, options, std::move(left_out), lister);
    EXPECT_TRUE(page.ok()) << page.status().ToString();
    return page.ok() ? *page : Ranking();
  }
  std::vector<std::string> Ids(const RankingOptions& options,
                               std::vector<std::uint32_t> left_out = {}) {
    std::vector<std::string> ids;
    for (const Ranking::Entry& entry : Get(options, std::move(left_out)).entries) {
      ids.push_back(entry.id);
    }
    return ids;
  }

  testing::Catalogue catalogue_;
  bool only_few_ = false;
};

TEST_F(PageTest, IsTheListBehindItsOffset) {
  RankingOptions options;
  options.count = 3;
  EXPECT_THAT(Ids(options), ElementsAre("i9", "i8", "i7"));
  options.offset = 8;
  EXPECT_THAT(Ids(options), ElementsAre("i1", "i0"));
  options.offset = 10;
  EXPECT_THAT(Ids(options), IsEmpty());
}

TEST_F(PageTest, WhatIsLeftOutExcludedHiddenOrExpiredIsNotInIt) {
  Set(6, {.hidden = true});
  Set(5, {.expire_at_ms = catalogue_.clock.NowMs()});
  Set(4, {.expire_at_ms = catalogue_.clock.NowMs() + 1});
  const std::vector<std::string_view> exclude = {"i9", "i2", "unknown"};
  RankingOptions options;
  options.exclude = exclude;
  EXPECT_THAT(Ids(options, {8, 0}), ElementsAre("i7", "i4", "i3", "i1"));
}

TEST_F(PageTest, IncludeNamesTheOnlyCandidates) {
  const std::vector<std::string_view> include = {"i7", "i3", "unknown", "i5", "i3"};
  RankingOptions options;
  options.include = include;
  EXPECT_THAT(Ids(options), ElementsAre("i7", "i5", "i3"));
  EXPECT_TRUE(only_few_);
  options.include = std::vector<std::string_view>();
  EXPECT_THAT(Ids(options), IsEmpty());
}

TEST_F(PageTest, FilterKeepsWhatItHoldsFor) {
  RankingOptions options;
  options.count = 2;
  options.filter = ".odd == 1";
  EXPECT_THAT(Ids(options), ElementsAre("i9", "i7"));
  const std::vector<std::string_view> include = {"i3", "i4"};
  options.include = include;
  EXPECT_THAT(Ids(options), ElementsAre("i3"));
}

TEST_F(PageTest, AttributesComeWhenAskedFor) {
  RankingOptions options;
  options.count = 1;
  EXPECT_EQ(Get(options).entries[0].attributes, "");
  options.with_attributes = true;
  EXPECT_EQ(Get(options).entries[0].attributes, R"({"odd": 1})");
}

TEST_F(PageTest, AnItemDeletedAfterItWasFoundIsNotShown) {
  const ScoredItem found[] = {{3, 3}, {2, 2}};
  ASSERT_TRUE(*writer::DeleteRecord(catalogue_.shared(), Side::kItem, "i3"));
  ReadView view(catalogue_.shared());
  const Ranking page = Page(view, Side::kItem, {}, found);
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.entries[0].id, "i2");
}

TEST(CheckListOptions, BoundsAreExact) {
  using Change = std::function<void(RankingOptions*)>;
  const std::vector<std::string_view> longest(10'000);
  const std::vector<std::string_view> too_long(10'001);
  struct Case {
    bool ok;
    Change change;
  };
  const Case cases[] = {
      {true, [](RankingOptions*) {}},
      {false, [](RankingOptions* o) { o->count = 0; }},
      {true, [](RankingOptions* o) { o->count = 10'000; }},
      {false, [](RankingOptions* o) { o->count = 10'001; }},
      {true, [](RankingOptions* o) { o->offset = 1'000'000 - o->count; }},
      {false, [](RankingOptions* o) { o->offset = 1'000'001 - o->count; }},
      {false, [](RankingOptions* o) { o->offset = std::numeric_limits<std::size_t>::max(); }},
      {true, [](RankingOptions* o) { o->diversity = 1; }},
      {false, [](RankingOptions* o) { o->diversity = 1.1; }},
      {false, [](RankingOptions* o) { o->diversity = -0.1; }},
      {false, [](RankingOptions* o) { o->diversity = kNan; }},
      {false, [](RankingOptions* o) { o->approximate_ef = 0; }},
      {true, [](RankingOptions* o) { o->approximate_ef = 10'000; }},
      {false, [](RankingOptions* o) { o->approximate_ef = 10'001; }},
      {true, [&](RankingOptions* o) { o->exclude = o->context = longest; }},
      {false, [&](RankingOptions* o) { o->exclude = too_long; }},
      {false, [&](RankingOptions* o) { o->include = too_long; }},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    RankingOptions options;
    cases[i].change(&options);
    EXPECT_EQ(CheckListOptions(options).ok(), cases[i].ok) << i;
  }
}

TEST(CheckListOptions, AListThatNoModelMakesTakesNone) {
  RankingOptions options;
  EXPECT_TRUE(CheckOptionsWithoutModel(options).ok());
  options.model = 1;
  EXPECT_TRUE(CheckListOptions(options).ok());
  EXPECT_EQ(CheckOptionsWithoutModel(options).code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace reco::engine::lists
