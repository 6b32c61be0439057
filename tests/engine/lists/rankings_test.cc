// Lists and single scores of the public API against definitions evaluated in float64 over the
// vectors and pairs that the API itself hands out.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;

constexpr double kTolerance = 2e-5;

std::string Name(char letter, int number) {
  return std::string(1, letter) + std::to_string(number);
}

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * b[i];
  }
  return sum;
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  return Dot(a, b) / std::sqrt(Dot(a, a) * Dot(b, b));
}

// 40 users, 60 items with attributes, trained.
class Rankings : public ::testing::Test {
 protected:
  static constexpr int kUsers = 40;
  static constexpr int kItems = 60;

  void SetUp() override {
    CollectionOptions options;
    options.dim = 8;
    options.recency = 1;
    ASSERT_TRUE(shop.db->Create("shop", options).ok());
    shop.Fill(1'200, kUsers, kItems, 3);
    for (int i = 0; i < kItems; ++i) {
      SetAttributes(Name('i', i), R"({"number":)" + std::to_string(i) + R"(,"even":)" +
                                      (i % 2 == 0 ? "true" : "false") + R"(,"group":"g)" +
                                      std::to_string(i % 4) + R"("})");
    }
    shop.Train();
  }

  void SetAttributes(const std::string& item, const std::string& json) {
    ASSERT_TRUE(shop.db->SetRecord("shop", Side::kItem, item, {.attributes = json}).ok());
  }

  std::set<std::string> Seen(const std::string& user) const {
    std::set<std::string> seen;
    const auto history = shop.db->History("shop", user, {.count = 1'000});
    for (const HistoryEntry& entry : *history) {
      seen.insert(entry.item);
    }
    return seen;
  }

  double Score(const std::string& user, const std::string& item) const {
    const std::string_view items[] = {item};
    return **shop.db->Score("shop", user, items)->begin();
  }

  // (item, score) of all items by descending score of `user`, those of `keep` only.
  template <typename Keep>
  std::vector<std::pair<std::string, double>> Ranked(const std::string& user, Keep keep) const {
    std::vector<std::pair<std::string, double>> all;
    for (int i = 0; i < kItems; ++i) {
      if (keep(i)) {
        all.emplace_back(Name('i', i), Score(user, Name('i', i)));
      }
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    return all;
  }

  static void ExpectSame(const Ranking& ranking,
                         std::vector<std::pair<std::string, double>> expected) {
    expected.resize(std::min(expected.size(), ranking.entries.size()));
    ASSERT_EQ(ranking.entries.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(ranking.entries[i].id, expected[i].first) << i;
      EXPECT_NEAR(ranking.entries[i].score, expected[i].second, kTolerance) << i;
    }
  }

  bool SetRule(const std::string& name, const std::string& filter, Rule::Action action,
               double value) const {
    const auto set = shop.db->SetRule("shop", {name, filter, action, value, 0, 0});
    EXPECT_TRUE(set.ok()) << set.status().ToString();
    return set.ok() && *set;
  }

  Shop shop;
};

TEST_F(Rankings, FilterLeavesTheBestOfWhatMatches) {
  const auto seen = Seen("u1");
  const struct {
    std::string filter;
    bool (*matches)(int);
  } cases[] = {
      {".even", [](int i) { return i % 2 == 0; }},
      {".number >= 57", [](int i) { return i >= 57; }},
      {".group in [\"g1\", \"g3\"] and not .even", [](int i) { return i % 4 == 1 || i % 4 == 3; }},
      {".number == 12", [](int i) { return i == 12; }},
      {".nothing > 0", [](int) { return false; }},
  };
  for (const auto& one : cases) {
    for (int repeat = 0; repeat < 3; ++repeat) {  // later ones use what the first left behind
      SCOPED_TRACE(one.filter);
      const auto ranking = shop.db->TopK("shop", "u1", {.count = 100, .filter = one.filter});
      ASSERT_TRUE(ranking.ok()) << ranking.status().ToString();
      const auto expected =
          Ranked("u1", [&](int i) { return one.matches(i) && !seen.contains(Name('i', i)); });
      EXPECT_EQ(ranking->entries.size(), expected.size());
      ExpectSame(*ranking, expected);
    }
  }
}

TEST_F(Rankings, FilterFollowsChangesOfAttributesAtOnce) {
  const RankingOptions options{.count = 100, .with_seen = true, .filter = ".number == 5"};
  ASSERT_EQ(shop.Rank("u1", options).size(), 1U);
  SetAttributes("i6", R"({"number":5})");
  EXPECT_EQ(shop.Rank("u1", options).size(), 2U);
  SetAttributes("i5", R"({"number":"five"})");
  EXPECT_EQ(shop.Rank("u1", options).size(), 1U);
  ASSERT_TRUE(*shop.db->DeleteRecord("shop", Side::kItem, "i6"));
  EXPECT_TRUE(shop.Rank("u1", options).empty());
  SetAttributes("fresh", R"({"number":5})");
  EXPECT_EQ(shop.Rank("u1", options).size(), 1U);
}

TEST_F(Rankings, BadFilterIsRefusedWithItsPlace) {
  const auto ranking = shop.db->TopK("shop", "u1", {.filter = ".number >"});
  EXPECT_EQ(ranking.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(ranking.status().message().find("byte 10"), std::string_view::npos)
      << ranking.status().message();
}

TEST_F(Rankings, PagesUnderRulesAndDiversityArePiecesOfTheWhole) {
  SetRule("boost", ".even", Rule::Action::kBoost, 3);
  SetRule("pin", ".number == 11", Rule::Action::kPin, 4);
  SetRule("bury", ".group == \"g2\"", Rule::Action::kBury, 0);
  RankingOptions options{.count = 100, .with_seen = true, .diversity = 0.3};
  const auto whole = shop.Rank("u1", options);
  ASSERT_EQ(whole.size(), static_cast<std::size_t>(kItems));
  EXPECT_EQ(whole[3].id, "i11");
  options.count = 7;
  for (options.offset = 0; options.offset < kItems; options.offset += options.count) {
    const auto page = shop.Rank("u1", options);
    for (std::size_t i = 0; i < page.size(); ++i) {
      EXPECT_EQ(page[i].id, whole[options.offset + i].id);
    }
  }
  for (std::size_t i = kItems - 15; i < kItems; ++i) {
    EXPECT_EQ(std::stoi(whole[i].id.substr(1)) % 4, 2) << whole[i].id;
  }
}

TEST_F(Rankings, BoostRanksByTheBoostedScore) {
  SetRule("boost", ".even", Rule::Action::kBoost, 2.5);
  const auto ranking = *shop.db->TopK("shop", "u1", {.count = 12, .with_seen = true});
  auto expected = Ranked("u1", [](int) { return true; });
  for (auto& [item, score] : expected) {
    if (std::stoi(item.substr(1)) % 2 == 0) {
      score = score >= 0 ? score * 2.5 : score / 2.5;
    }
  }
  std::sort(expected.begin(), expected.end(),
            [](const auto& a, const auto& b) { return a.second > b.second; });
  ExpectSame(ranking, expected);
}

TEST_F(Rankings, RulesApplyToEveryListOfItemsAndOnlyInTheirTime) {
  const std::string_view basket[] = {"i1", "i2"};
  const std::string_view group[] = {"u1", "u2"};
  const auto lists = [&] {
    const RankingOptions options{.count = 100, .with_seen = true};
    std::vector<Ranking> all;
    all.push_back(*shop.db->TopK("shop", "u1", options));
    all.push_back(*shop.db->TopK("shop", "nobody", options));
    all.push_back(*shop.db->GroupTopK("shop", group, options));
    all.push_back(*shop.db->Session("shop", {.items = basket}, options));
    all.push_back(*shop.db->Similar("shop", basket, SimilarityBasis::kVector, options));
    all.push_back(*shop.db->Popular("shop", PopularBy::kEvents, options));
    return all;
  };
  const std::int64_t now = shop.clock.NowMs();
  Rule rule{"out", ".number >= 30", Rule::Action::kBoost, 0, now + 1'000, now + 2'000};
  ASSERT_TRUE(*shop.db->SetRule("shop", rule));
  const auto any_at_least_30 = [](const Ranking& ranking) {
    return std::any_of(ranking.entries.begin(), ranking.entries.end(),
                       [](const auto& entry) { return std::stoi(entry.id.substr(1)) >= 30; });
  };
  for (const std::int64_t after_ms : {0, 1'000, 1'000}) {
    shop.clock.AdvanceMs(after_ms);
    const bool in_force = shop.clock.NowMs() == now + 1'000;
    for (const Ranking& ranking : lists()) {
      EXPECT_FALSE(ranking.entries.empty());
      EXPECT_EQ(any_at_least_30(ranking), !in_force);
    }
  }
}

TEST_F(Rankings, RulesSurviveARestartAndCanBeReplacedAndDeleted) {
  EXPECT_TRUE(SetRule("b", ".even", Rule::Action::kBoost, 2));
  EXPECT_TRUE(SetRule("a", ".number == 3", Rule::Action::kPin, 1));
  EXPECT_FALSE(SetRule("b", ".even", Rule::Action::kBury, 0));
  const auto before = *shop.db->Rules("shop");
  ASSERT_EQ(before.size(), 2U);
  EXPECT_EQ(before[0].name, "a");
  EXPECT_EQ(before[1].action, Rule::Action::kBury);
  const auto list = shop.List("u1");
  shop.Reopen();
  EXPECT_EQ(*shop.db->Rules("shop"), before);
  EXPECT_EQ(shop.List("u1"), list);
  EXPECT_TRUE(*shop.db->DeleteRule("shop", "a"));
  EXPECT_FALSE(*shop.db->DeleteRule("shop", "a"));
  EXPECT_FALSE(*shop.db->DeleteRule("none", "a"));
  EXPECT_EQ(shop.db->Rules("shop")->size(), 1U);
}

TEST_F(Rankings, BadRulesAreRefusedAndTheirNumberIsBounded) {
  const Rule bad[] = {
      {"", ".even", Rule::Action::kBury, 0, 0, 0},
      {std::string(kRuleNameBytesMax + 1, 'x'), ".even", Rule::Action::kBury, 0, 0, 0},
      {"x", ".even and", Rule::Action::kBury, 0, 0, 0},
      {"x", "", Rule::Action::kBury, 0, 0, 0},
      {"x", ".even", Rule::Action::kBoost, -1, 0, 0},
      {"x", ".even", Rule::Action::kBoost, std::nan(""), 0, 0},
      {"x", ".even", Rule::Action::kPin, 0, 0, 0},
      {"x", ".even", Rule::Action::kPin, 1.5, 0, 0},
      {"x", ".even", Rule::Action::kBury, 0, 10, 10},
  };
  for (const Rule& rule : bad) {
    EXPECT_EQ(shop.db->SetRule("shop", rule).status().code(), StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(shop.db->Rules("shop")->empty());
  for (std::size_t i = 0; i < kRulesMax; ++i) {
    EXPECT_TRUE(SetRule("r" + std::to_string(i), ".even", Rule::Action::kBury, 0));
  }
  const Rule one_more{"more", ".even", Rule::Action::kBury, 0, 0, 0};
  EXPECT_EQ(shop.db->SetRule("shop", one_more).status().code(), StatusCode::kResourceExhausted);
  EXPECT_FALSE(SetRule("r0", ".number == 1", Rule::Action::kBury, 0));
}

TEST_F(Rankings, WhyNamesTheReasonOrTheExactPlace) {
  const auto state = [&](const std::string& item) {
    return shop.db->Why("shop", "u1", item)->state;
  };
  using State = ItemPlace::State;
  EXPECT_EQ(state("nothing"), State::kUnknownItem);
  EXPECT_EQ(state(*Seen("u1").begin()), State::kSeen);
  SetRule("boost", ".even", Rule::Action::kBoost, 2);
  SetRule("pin", ".group == \"g3\"", Rule::Action::kPin, 2);
  const auto list = shop.Rank("u1", {.count = 100});
  ASSERT_GT(list.size(), 6U);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const ItemPlace place = *shop.db->Why("shop", "u1", list[i].id);
    EXPECT_EQ(place.state, State::kRanked);
    EXPECT_EQ(place.rank, i + 1);
    EXPECT_EQ(*place.score, list[i].score);
  }
  SetRule("out", ".number == " + list[0].id.substr(1), Rule::Action::kBoost, 0);
  const ItemPlace out = *shop.db->Why("shop", "u1", list[0].id);
  EXPECT_EQ(out.state, State::kRule);
  EXPECT_EQ(out.taken_out_by, "out");
  EXPECT_TRUE(std::is_sorted(out.rules.begin(), out.rules.end()));
  ASSERT_TRUE(shop.db->SetRecord("shop", Side::kItem, list[4].id, {.hidden = true}).ok());
  EXPECT_EQ(state(list[4].id), State::kHidden);
  ASSERT_TRUE(shop.db->SetRecord("shop", Side::kItem, list[5].id, {.expire_at_ms = 1}).ok());
  EXPECT_EQ(state(list[5].id), State::kExpired);
}

TEST_F(Rankings, WhyNamesTheFieldsThatARuleMisses) {
  const auto missing = [&](const std::string& item) {
    std::string shown;
    const ItemPlace place = *shop.db->Why("shop", "u1", item);
    for (const MissingFields& rule : place.missing_fields) {
      shown += rule.rule + ":";
      for (const std::string& field : rule.fields) {
        shown += field + ",";
      }
    }
    return shown;
  };
  SetRule("there", ".number == 3", Rule::Action::kBury, 0);
  SetRule("b", ".price < 5 or .number >= 0", Rule::Action::kBoost, 2);
  SetRule("a", ".['unit price'] and .price and .['unit price']", Rule::Action::kPin, 1);
  EXPECT_EQ(missing("i5"), "a:unit price,price,b:price,");
  SetAttributes("i5", R"({"number":5,"price":9})");
  EXPECT_EQ(missing("i5"), "a:unit price,");
  SetAttributes("i5", R"({"number":5,"price":[{}],"unit price":null})");
  EXPECT_EQ(missing("i5"), "a:price,b:price,");
  EXPECT_EQ(missing("no such item"), "");
  // Of rules in force alone.
  const std::int64_t from_ms = shop.clock.NowMs() + 1'000;
  EXPECT_TRUE(shop.db->SetRule("shop", {"a", ".none", Rule::Action::kBury, 0, from_ms, 0}).ok());
  EXPECT_EQ(missing("i5"), "b:price,");
}

TEST_F(Rankings, GroupIsRankedByTheMeanOfItsMembersScores) {
  const std::string_view users[] = {"u1", "u2", "u2", "nobody"};
  auto seen = Seen("u1");
  seen.merge(Seen("u2"));
  const auto ranking = *shop.db->GroupTopK("shop", users, {.count = 100});
  auto expected = Ranked("u1", [&](int i) { return !seen.contains(Name('i', i)); });
  for (auto& [item, score] : expected) {
    score = (score + Score("u2", item)) / 2;
  }
  std::sort(expected.begin(), expected.end(),
            [](const auto& a, const auto& b) { return a.second > b.second; });
  EXPECT_EQ(ranking.entries.size(), expected.size());
  ExpectSame(ranking, expected);
}

TEST_F(Rankings, GroupOfStrangersGetsThePopularList) {
  const std::string_view users[] = {"nobody"};
  const auto ranking = *shop.db->GroupTopK("shop", users, {});
  ASSERT_EQ(ranking.entries.size(), 10U);
  EXPECT_EQ(ranking.entries[0].source, Source::kPopular);
}

TEST_F(Rankings, SimilarUsersAreNearestByCosine) {
  const auto own = shop.Vector(Side::kUser, "u1");
  std::vector<std::pair<std::string, double>> expected;
  for (int i = 0; i < kUsers; ++i) {
    if (i != 1) {
      expected.emplace_back(Name('u', i), Cosine(own, shop.Vector(Side::kUser, Name('u', i))));
    }
  }
  std::sort(expected.begin(), expected.end(),
            [](const auto& a, const auto& b) { return a.second > b.second; });
  const auto ranking = *shop.db->SimilarUsers("shop", "u1", {.count = 100});
  EXPECT_EQ(ranking.entries.size(), expected.size());
  ExpectSame(ranking, expected);
  EXPECT_TRUE(shop.db->SimilarUsers("shop", "nobody", {})->entries.empty());
  ASSERT_TRUE(shop.db->SetRecord("shop", Side::kUser, expected[0].first, {.hidden = true}).ok());
  EXPECT_EQ(shop.db->SimilarUsers("shop", "u1", {})->entries[0].id, expected[1].first);
}

TEST_F(Rankings, SimilaritiesAreCosinesInOrder) {
  const std::string_view others[] = {"i3", "nothing", "i0"};
  const auto cosines = *shop.db->Similarities("shop", "i0", others);
  EXPECT_NEAR(*cosines[0], Cosine(shop.Vector(Side::kItem, "i0"), shop.Vector(Side::kItem, "i3")),
              kTolerance);
  EXPECT_FALSE(cosines[1].has_value());
  EXPECT_NEAR(*cosines[2], 1, kTolerance);
}

TEST_F(Rankings, SurprisingAreTheKnownItemsByAscendingScore) {
  const auto seen = Seen("u1");
  auto expected = Ranked("u1", [&](int i) { return seen.contains(Name('i', i)); });
  std::reverse(expected.begin(), expected.end());
  const auto ranking = *shop.db->Surprising("shop", "u1", {.count = 100});
  EXPECT_EQ(ranking.entries.size(), expected.size());
  ExpectSame(ranking, expected);
}

// By the scores that the lists themselves show.
TEST_F(Rankings, LeastScoreIsCheckedAndCutsWhatScoresWorse) {
  const auto kept = [](const Ranking& all, auto better) {
    std::vector<std::string> names;
    for (const Ranking::Entry& entry : all.entries) {
      if (better(entry.score)) {
        names.push_back(entry.id);
      }
    }
    return names;
  };
  const Ranking best = *shop.db->TopK("shop", "u1", {.count = 100});
  const double least = best.entries[best.entries.size() / 2].score;
  const auto at_least = [&](double score) { return score >= least; };
  EXPECT_EQ(kept(*shop.db->TopK("shop", "u1", {.count = 100, .min_score = least}),
                 [](double) { return true; }),
            kept(best, at_least));
  const Ranking known = *shop.db->Surprising("shop", "u1", {.count = 100});
  const double most = known.entries[known.entries.size() / 2].score;
  EXPECT_EQ(kept(*shop.db->Surprising("shop", "u1", {.count = 100, .min_score = most}),
                 [](double) { return true; }),
            kept(known, [&](double score) { return score <= most; }));
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(shop.db->TopK("shop", "u1", {.min_score = kNan}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(shop.db->Latest("shop", {.min_score = 1}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(Rankings, SessionScoreIsTheScoreInTheSessionsList) {
  const std::string_view basket[] = {"i1", "i5"};
  const double weights[] = {1, 3};
  const auto list =
      *shop.db->Session("shop", {.items = basket, .weights = weights}, {.count = 100});
  for (const Ranking::Entry& entry : list.entries) {
    const auto score =
        *shop.db->SessionScore("shop", entry.id, {.items = basket, .weights = weights});
    EXPECT_NEAR(*score, entry.score, kTolerance);
    const auto explanation =
        *shop.db->ExplainSession("shop", entry.id, {.items = basket, .weights = weights}, 10);
    EXPECT_NEAR(explanation.score, entry.score, kTolerance);
    EXPECT_NEAR(explanation.remainder, 0, kTolerance);
    EXPECT_EQ(explanation.shares.size(), 2U);
  }
  EXPECT_FALSE(
      shop.db->SessionScore("shop", "nothing", {.items = basket, .weights = weights})->has_value());
  const std::string_view unknown[] = {"nothing"};
  EXPECT_FALSE(shop.db->SessionScore("shop", "i1", {.items = unknown})->has_value());
  EXPECT_EQ(shop.db->ExplainSession("shop", "i1", {.items = unknown}, 10).status().code(),
            StatusCode::kNotFound);
  const std::string_view partly[] = {"nothing", "i5"};
  EXPECT_EQ(*shop.db->SessionScore("shop", "i1", {.items = partly}),
            *shop.db->SessionScore("shop", "i1", {.items = std::span(partly).last(1)}));
}

TEST(Untrained, ThereIsNoScoreToExplain) {
  Shop shop;
  ASSERT_TRUE(shop.Add("ann", "lamp").ok());
  const std::string_view basket[] = {"lamp"};
  EXPECT_FALSE(shop.db->SessionScore("shop", "lamp", {.items = basket})->has_value());
  EXPECT_EQ(shop.db->Explain("shop", "ann", "lamp", 10).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(shop.db->ExplainSession("shop", "lamp", {.items = basket}, 10).status().code(),
            StatusCode::kNotFound);
}

TEST_F(Rankings, RepresentativesHaveTheLargestComponents) {
  const auto representatives = *shop.db->Representatives("shop");
  ASSERT_EQ(representatives.size(), 8U);
  for (std::size_t feature = 0; feature < representatives.size(); ++feature) {
    for (int i = 0; i < kItems; ++i) {
      EXPECT_LE(shop.Vector(Side::kItem, Name('i', i))[feature],
                representatives[feature].component);
    }
    EXPECT_EQ(shop.Vector(Side::kItem, representatives[feature].item)[feature],
              representatives[feature].component);
  }
}

TEST_F(Rankings, DiversitySpreadsTheListAndKeepsItsFirst) {
  const auto mean_cosine = [&](double lambda) {
    const auto list = shop.Rank("u1", {.count = 10, .with_seen = true, .diversity = lambda});
    double sum = 0;
    for (const auto& a : list) {
      for (const auto& b : list) {
        sum += Cosine(shop.Vector(Side::kItem, a.id), shop.Vector(Side::kItem, b.id));
      }
    }
    return std::pair(list[0].id, sum);
  };
  const auto [first, plain] = mean_cosine(0);
  const auto [first_diverse, diverse] = mean_cosine(0.7);
  EXPECT_EQ(first, first_diverse);
  EXPECT_LT(diverse, plain * 0.9);
}

TEST_F(Rankings, AttributesComeWithTheEntries) {
  const auto list = shop.Rank("u1", {.count = 3, .with_attributes = true});
  for (const auto& entry : list) {
    EXPECT_EQ(entry.attributes,
              shop.db->GetRecord("shop", Side::kItem, entry.id)->value().attributes);
  }
  EXPECT_TRUE(shop.Rank("u1", {.count = 1})[0].attributes.empty());
}

TEST_F(Rankings, OnlyModelsThatAreKeptCanBeAskedFor) {
  const std::uint32_t active = shop.db->CollectionDetails("shop")->model_id;
  EXPECT_TRUE(shop.db->TopK("shop", "u1", {.model = active}).ok());
  EXPECT_EQ(shop.db->TopK("shop", "u1", {.model = active + 1}).status().code(),
            StatusCode::kNotFound);
}

// Every look at it finds it later.
class TickingClock final : public Clock {
 public:
  std::int64_t NowMs() const override { return 1'700'000'000'000; }
  std::int64_t MonotonicUs() const override { return now_us_ += tick_us; }
  std::atomic<std::int64_t> tick_us = 0;

 private:
  mutable std::atomic<std::int64_t> now_us_ = 0;
};

TEST(LongLists, AreThoseThatTookLongOfLate) {
  const testing::TempDir folder;
  TickingClock clock;
  Options options;
  options.path = folder.path() + "/db";
  engine::DatabaseHooks hooks;
  hooks.clock = &clock;
  hooks.background_threads = false;
  const auto db = engine::DatabaseAccess::Open(options, hooks);
  ASSERT_TRUE(db.ok());
  ASSERT_TRUE((*db)->Add("shop", {.user = "ann", .item = "lamp"}).ok());
  const auto is_long_after = [&](std::int64_t list_us) {
    clock.tick_us = list_us;
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE((*db)->TopK("shop", "ann", {}).ok());
    }
    return (*db)->ListsAreLong("shop");
  };
  EXPECT_FALSE((*db)->ListsAreLong("none"));
  EXPECT_FALSE(is_long_after(900));
  EXPECT_TRUE(is_long_after(1'200));
  EXPECT_FALSE(is_long_after(20));
}

TEST_F(Rankings, FiltersAreReadyOnceAListHasMadeWhatTheyNeed) {
  const auto ready = [&](Side side, std::string_view filter) {
    return shop.db->FiltersAreReady("shop", side, filter);
  };
  EXPECT_TRUE(ready(Side::kItem, ""));
  EXPECT_FALSE(ready(Side::kItem, ".even"));
  shop.Rank("u1", {.filter = ".even"});
  EXPECT_TRUE(ready(Side::kItem, ".even"));
  EXPECT_FALSE(ready(Side::kItem, ".number > 3"));
  EXPECT_FALSE(ready(Side::kUser, ".even"));
  SetAttributes("i1", R"({"even":true})");  // kept current
  EXPECT_TRUE(ready(Side::kItem, ".even"));
  SetRule("a", ".number == 7", Rule::Action::kBoost, 2);
  EXPECT_FALSE(ready(Side::kItem, ""));
  EXPECT_TRUE(ready(Side::kUser, ""));
  shop.Rank("u1", {});
  EXPECT_TRUE(ready(Side::kItem, ""));
  EXPECT_TRUE(shop.db->FiltersAreReady("none", Side::kItem, ".even"));
}

TEST(RankingsOfNothing, AreEmpty) {
  Shop shop;
  const std::string_view ids[] = {"x"};
  EXPECT_TRUE(shop.db->GroupTopK("none", ids, {})->entries.empty());
  EXPECT_TRUE(shop.db->SimilarUsers("none", "x", {})->entries.empty());
  EXPECT_TRUE(shop.db->Surprising("none", "x", {})->entries.empty());
  EXPECT_TRUE(shop.db->Representatives("none")->empty());
  EXPECT_TRUE(shop.db->Rules("none")->empty());
  EXPECT_FALSE(shop.db->SessionScore("none", "x", {.items = ids})->has_value());
  EXPECT_EQ(shop.db->Why("none", "u", "x")->state, ItemPlace::State::kUnknownItem);
  EXPECT_EQ(shop.db->SetRule("none", {"a", ".x", Rule::Action::kBury, 0, 0, 0}).status().code(),
            StatusCode::kNotFound);
}

// Filters and a rule that are first asked for while items change; the lists at the end are exact.
TEST(FiltersBesideWrites, EndWithWhatTheItemsHold) {
  constexpr int kItems = 4'000;
  Shop shop;
  shop.scan_step_rows = 256;
  CollectionOptions options;
  options.dim = 8;
  ASSERT_TRUE(shop.db->Create("shop", options).ok());
  std::vector<int> shelf(kItems);
  const auto set = [&](int item, int to) {
    shelf[static_cast<std::size_t>(item)] = to;
    const std::string json = R"({"shelf":)" + std::to_string(to) +
                             R"(,"text":"a part of the record that no filter asks for"})";
    ASSERT_TRUE(
        shop.db->SetRecord("shop", Side::kItem, Name('i', item), {.attributes = json}).ok());
  };
  for (int i = 0; i < kItems; ++i) {
    ASSERT_TRUE(shop.Add("u0", Name('i', i)).ok());
    set(i, i % 10);
  }
  ASSERT_TRUE(*shop.db->SetRule("shop", {"out", ".shelf == 9", Rule::Action::kBoost, 0, 0, 0}));
  ASSERT_TRUE(*shop.db->SetRule("shop", {"up", ".shelf == 8", Rule::Action::kBoost, 2, 0, 0}));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    std::mt19937 random(3);
    while (!stop) {
      set(static_cast<int>(random() % kItems), static_cast<int>(random() % 10));
    }
  });
  const auto list = [&](int round) {
    RankingOptions ranking;
    ranking.count = kItems;
    const std::string none = ".shelf >= 5 and .nobody" + std::to_string(round) + " == 1";
    ranking.filter = none;
    EXPECT_TRUE(shop.db->Popular("shop", PopularBy::kUsers, ranking)->entries.empty());
    const std::string some = ".shelf >= 5 and .shelf * 1 < " + std::to_string(100 + round);
    ranking.filter = some;
    return shop.db->Popular("shop", PopularBy::kUsers, ranking);
  };
  std::vector<std::thread> readers;
  readers.reserve(2);
  for (int thread = 0; thread < 2; ++thread) {
    readers.emplace_back([&, thread] {
      for (int round = 0; round < 20; ++round) {
        const auto ranking = list(thread + round);
        EXPECT_TRUE(ranking.ok()) << ranking.status().ToString();
      }
    });
  }
  for (std::thread& reader : readers) {
    reader.join();
  }
  stop = true;
  writer.join();
  std::set<std::string> wanted;
  for (int i = 0; i < kItems; ++i) {
    if (shelf[static_cast<std::size_t>(i)] >= 5 && shelf[static_cast<std::size_t>(i)] < 9) {
      wanted.insert(Name('i', i));
    }
  }
  for (int round = 0; round < 20; ++round) {
    std::set<std::string> found;
    const auto ranking = list(round);
    for (const Ranking::Entry& entry : ranking->entries) {
      const int at = std::stoi(entry.id.substr(1));
      EXPECT_EQ(entry.score, shelf[static_cast<std::size_t>(at)] == 8 ? 2 : 1) << entry.id;
      found.insert(entry.id);
    }
    EXPECT_EQ(found, wanted);
  }
}

}  // namespace
}  // namespace reco
