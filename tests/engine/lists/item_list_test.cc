// Lists under rules and diversity, against the definition followed literally over all items.
#include "engine/lists/item_list.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "engine/lists/boost_parts.h"

namespace reco::engine {
namespace {

using Action = Rule::Action;

// Items 0 .. n - 1 with scores; ties by number.
class Catalogue {
 public:
  explicit Catalogue(std::vector<double> scores) : scores_(std::move(scores)) {}

  std::vector<ScoredItem> List(std::size_t count, double diversity,
                               const std::vector<RuleInForce>& rules,
                               double min_score = kNoMinScore) const {
    const auto accept = [this](std::uint32_t item) { return accepted(item); };
    const auto before = [](std::uint32_t a, std::uint32_t b) { return a < b; };
    const auto cosine = [](std::uint32_t a, std::uint32_t b) { return Cosine(a, b); };
    return MakeItemList({count, diversity, min_score, rules, accept, before, cosine},
                        [this](std::size_t k, AcceptItem wanted, const RuleInForce* only) {
                          return Best(k, wanted, only);
                        });
  }

  // The definition: score all, boost, sort, leave out what scores too little, make diverse, bury,
  // pin.
  std::vector<ScoredItem> Expected(std::size_t count, double diversity,
                                   const std::vector<RuleInForce>& rules,
                                   double min_score = kNoMinScore) const {
    std::vector<ScoredItem> kept;
    std::vector<ScoredItem> buried;
    std::vector<ScoredItem> pinnable;
    for (std::uint32_t item = 0; item < scores_.size(); ++item) {
      const BoostedScore boosted = Boost(rules, item, scores_[item]);
      if (!accepted(item) || boosted.taken_out) {
        continue;
      }
      pinnable.push_back({item, boosted.score, Source::kModel});
    }
    std::sort(pinnable.begin(), pinnable.end(), Better);
    std::vector<std::pair<std::size_t, ScoredItem>> pins;
    for (const RuleInForce& rule : rules) {
      const auto best =
          std::find_if(pinnable.begin(), pinnable.end(),
                       [&](const ScoredItem& entry) { return rule.holds_for(entry.item); });
      if (rule.action == Action::kPin && best != pinnable.end()) {
        pins.emplace_back(static_cast<std::size_t>(rule.value) - 1, *best);
        pinnable.erase(best);
      }
    }
    for (const ScoredItem& entry : pinnable) {
      if (entry.score < min_score) {
        continue;
      }
      const bool below = std::any_of(rules.begin(), rules.end(), [&](const RuleInForce& rule) {
        return rule.action == Action::kBury && rule.holds_for(entry.item);
      });
      (below ? buried : kept).push_back(entry);
    }
    if (diversity > 0) {
      kept = Diverse(kept, diversity);
    }
    kept.insert(kept.end(), buried.begin(), buried.end());
    for (const auto& [place, entry] : pins) {
      kept.insert(kept.begin() + static_cast<std::ptrdiff_t>(std::min(place, kept.size())), entry);
    }
    kept.resize(std::min(kept.size(), count));
    return kept;
  }

  mutable std::size_t asked = 0;  // items of searches, all together

 private:
  static bool Better(const ScoredItem& a, const ScoredItem& b) {
    return a.score != b.score ? a.score > b.score : a.item < b.item;
  }
  static double Cosine(std::uint32_t a, std::uint32_t b) {
    return a % 5 == b % 5 ? 0.9 : std::cos(static_cast<double>(a + b));
  }
  bool accepted(std::uint32_t item) const { return item % 11 != 3; }

  static std::vector<ScoredItem> Diverse(std::vector<ScoredItem> rest, double diversity) {
    std::vector<ScoredItem> tail;
    if (rest.size() > kDiversityPool) {
      tail.assign(rest.begin() + kDiversityPool, rest.end());
      rest.resize(kDiversityPool);
    }
    std::vector<ScoredItem> chosen;
    const double unit = rest.empty() ? 0 : std::abs(rest.front().score);
    while (!rest.empty()) {
      std::size_t next = 0;
      double highest = 0;
      for (std::size_t i = 0; i < rest.size(); ++i) {
        double nearest = -1;
        for (const ScoredItem& other : chosen) {
          nearest = std::max(nearest, Cosine(rest[i].item, other.item));
        }
        const double marginal = (1 - diversity) * (unit > 0 ? rest[i].score / unit : 0) -
                                (chosen.empty() ? 0 : diversity * nearest);
        if (i == 0 || marginal > highest) {
          highest = marginal;
          next = i;
        }
      }
      if (chosen.empty()) {
        next = 0;  // with lambda 1 nothing speaks against the best
      }
      chosen.push_back(rest[next]);
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(next));
    }
    chosen.insert(chosen.end(), tail.begin(), tail.end());
    return chosen;
  }

  // Takes `only` at its word.
  std::vector<ScoredItem> Best(std::size_t count, AcceptItem accept,
                               const RuleInForce* only) const {
    asked += count;
    std::vector<ScoredItem> all;
    for (std::uint32_t item = 0; item < scores_.size(); ++item) {
      if ((only == nullptr || only->holds_for(item)) && accept(item)) {
        all.push_back({item, scores_[item], Source::kModel});
      }
    }
    std::sort(all.begin(), all.end(), Better);
    all.resize(std::min(all.size(), count));
    return all;
  }

  std::vector<double> scores_;
};

std::vector<std::pair<std::uint32_t, double>> Pairs(const std::vector<ScoredItem>& list) {
  std::vector<std::pair<std::uint32_t, double>> pairs;
  pairs.reserve(list.size());
  for (const ScoredItem& entry : list) {
    pairs.emplace_back(entry.item, entry.score);
  }
  return pairs;
}

RuleInForce MakeRule(Action action, double value, std::uint32_t modulus, std::uint32_t rest) {
  return {"rule", action, value, [=](std::uint32_t item) { return item % modulus == rest; }};
}

// The rule says beforehand which of the items 0 .. items - 1 it holds for.
void Know(std::uint32_t items, RuleInForce* rule) {
  std::vector<std::uint64_t> words;
  for (std::uint32_t item = 0; item < items; ++item) {
    if (rule->holds_for(item)) {
      words.resize(item / 64 + 1);
      words[item / 64] |= std::uint64_t{1} << (item % 64);
    }
  }
  rule->words = [words] { return std::optional(std::span<const std::uint64_t>(words)); };
  rule->items_end = items;
}

void KnowAll(std::uint32_t items, std::vector<RuleInForce>* rules) {
  for (RuleInForce& rule : *rules) {
    Know(items, &rule);
  }
}

// Scores with ties, some below zero.
std::vector<double> RandomScores(std::size_t count, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  std::vector<double> scores(count);
  for (double& score : scores) {
    score = std::round(normal(random) * 200) / 100;
  }
  return scores;
}

TEST(ItemList, FollowsTheDefinitionUnderRandomRules) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  const double factors[] = {0, 0.1, 0.5, 2, 50};
  for (int round = 0; round < 300; ++round) {
    std::vector<double> scores(random() % 200);
    for (double& score : scores) {
      score = std::round(normal(random) * 20) / 10;  // with ties
    }
    std::vector<RuleInForce> rules;
    for (std::uint64_t i = random() % 5; i > 0; --i) {
      const auto action = static_cast<Action>(random() % 3);
      const double value =
          action == Action::kBoost ? factors[random() % 5] : static_cast<double>(1 + random() % 12);
      const auto modulus = static_cast<std::uint32_t>(2 + random() % 20);
      rules.push_back(
          MakeRule(action, value, modulus, static_cast<std::uint32_t>(random() % modulus)));
      if (round % 4 != 0) {
        Know(static_cast<std::uint32_t>(scores.size()), &rules.back());
      }
    }
    const Catalogue catalogue(scores);
    const double diversity = round % 3 == 0 ? static_cast<double>(random() % 11) / 10 : 0;
    double min_score = kNoMinScore;
    if (round % 2 == 0) {
      min_score = scores.empty() ? 0 : scores[random() % scores.size()];
    }
    for (const std::size_t count : {1, 2, 10, 50, 500}) {
      ASSERT_EQ(Pairs(catalogue.List(count, diversity, rules, min_score)),
                Pairs(catalogue.Expected(count, diversity, rules, min_score)))
          << "round " << round << ", count " << count << ", diversity " << diversity
          << ", least score " << min_score;
    }
  }
}

TEST(ItemList, WithALeastScoreIsAPrefixOfTheNextLongerOne) {
  std::mt19937_64 random(19);
  constexpr std::uint32_t kItems = 80;
  for (int round = 0; round < 40; ++round) {
    const Catalogue catalogue(RandomScores(kItems, random));
    std::vector<RuleInForce> rules = {MakeRule(Action::kBoost, 3, 4, 1),
                                      MakeRule(Action::kBury, 0, 5, 2),
                                      MakeRule(Action::kPin, 1 + round % 9, 6, 5)};
    KnowAll(kItems, &rules);
    const double diversity = round % 2 == 0 ? 0.3 : 0;
    const double min_score = static_cast<double>(round % 5) / 4;
    std::vector<std::pair<std::uint32_t, double>> shorter;
    for (std::size_t count = 1; count <= kItems; ++count) {
      auto list = Pairs(catalogue.List(count, diversity, rules, min_score));
      ASSERT_LE(shorter.size(), list.size());
      for (const auto& [item, score] : list) {
        ASSERT_TRUE(score >= min_score || item % 6 == 5) << item << " " << score;
      }
      const auto prefix = list.begin() + static_cast<std::ptrdiff_t>(shorter.size());
      ASSERT_TRUE(std::equal(shorter.begin(), shorter.end(), list.begin(), prefix)) << count;
      shorter = std::move(list);
    }
    ASSERT_LT(shorter.size(), kItems) << "the least score leaves something out";
  }
}

TEST(ItemList, FollowsTheDefinitionUnderManyBoosts) {
  std::mt19937_64 random(11);
  const double factors[] = {0, 0.001, 0.3, 0.9, 1, 1.1, 1.5, 1.5, 2, 1'000};
  for (int round = 0; round < 60; ++round) {
    const auto items = static_cast<std::uint32_t>(random() % 600);
    const Catalogue catalogue(RandomScores(items, random));
    std::vector<RuleInForce> rules;
    const std::uint64_t boosts = random() % 80;  // sets of more than 64 rules have no number
    const bool apart = round % 2 == 0;
    for (std::uint32_t i = 0; i < boosts; ++i) {
      const auto modulus = static_cast<std::uint32_t>(apart ? 80 : 1 + random() % 20);
      rules.push_back(MakeRule(Action::kBoost, factors[random() % 10], modulus, i % modulus));
    }
    rules.push_back(MakeRule(Action::kBury, 0, 9, 4));
    rules.push_back(MakeRule(Action::kPin, static_cast<double>(1 + random() % 12), 7, 3));
    rules.push_back(MakeRule(Action::kPin, 2, 50, 30));
    KnowAll(items, &rules);
    const double diversity = round % 5 == 0 ? 0.4 : 0;
    for (const std::size_t count : {1, 10, 60, 700}) {
      ASSERT_EQ(Pairs(catalogue.List(count, diversity, rules)),
                Pairs(catalogue.Expected(count, diversity, rules)))
          << "round " << round << ", count " << count << ", diversity " << diversity;
    }
  }
}

// More than are scored one by one.
TEST(ItemList, FollowsTheDefinitionInALargeCatalogue) {
  std::mt19937_64 random(13);
  constexpr std::uint32_t kItems = 60'000;
  const Catalogue catalogue(RandomScores(kItems, random));
  std::vector<RuleInForce> rules = {
      MakeRule(Action::kBoost, 1.2, 2, 0),   MakeRule(Action::kBoost, 1.1, 3, 1),
      MakeRule(Action::kBoost, 2, 5, 2),     MakeRule(Action::kBoost, 0.5, 7, 3),
      MakeRule(Action::kBoost, 0, 1'000, 1), MakeRule(Action::kPin, 4, 4, 1)};
  KnowAll(kItems, &rules);
  for (const std::size_t count : {1, 20, 1'000}) {
    EXPECT_EQ(Pairs(catalogue.List(count, 0, rules)), Pairs(catalogue.Expected(count, 0, rules)))
        << count;
  }
}

TEST(BoostParts, HoldEachLiftedItemOnceAndFewToScoreOneByOne) {
  constexpr std::uint32_t kItems = 100'000;
  std::vector<RuleInForce> rules;
  rules.reserve(23);
  for (std::uint32_t i = 0; i < 20; ++i) {
    rules.push_back(MakeRule(Action::kBoost, 1.1 + i, 25, i));
  }
  rules.push_back(MakeRule(Action::kBoost, 0, 1'000, 2));
  rules.push_back(MakeRule(Action::kBoost, 0.5, 3, 1));
  rules.push_back(MakeRule(Action::kBury, 0, 7, 1));
  KnowAll(kItems, &rules);
  const auto parts = DivideByBoosts(rules, nullptr);
  ASSERT_TRUE(parts.has_value());
  std::vector<int> seen(kItems);
  std::size_t one_by_one = 0;
  for (const BoostPart& part : parts->lifted) {
    one_by_one += part.one_by_one ? part.items.size() : 0;
    EXPECT_TRUE(std::is_sorted(part.items.begin(), part.items.end()));
    for (const std::uint32_t item : part.items) {
      ++seen[item];
      const double factor = Boost(rules, item, 1).score;
      EXPECT_LE(factor, part.factor * (1 + 1e-12));
      EXPECT_GE(factor, part.factor / 1.25);
    }
  }
  for (std::uint32_t item = 0; item < kItems; ++item) {
    const bool boosted = item % 25 < 20 || item % 1'000 == 2 || item % 3 == 1;
    ASSERT_EQ(parts->IsBoosted(item), boosted) << item;
    ASSERT_EQ(seen[item], boosted && item % 1'000 != 2 ? 1 : 0) << item;
  }
  EXPECT_FALSE(parts->plain.has_value()) << "13 in 100 items are not few";
  EXPECT_GT(one_by_one, 0U);
  EXPECT_LE(one_by_one, 32'768U);
  rules[0].words = nullptr;
  EXPECT_FALSE(DivideByBoosts(rules, nullptr).has_value());
}

TEST(ItemList, BoostsThatAreApartAreReadOnceEach) {
  std::mt19937_64 random(17);
  constexpr std::uint32_t kItems = 2'000;
  constexpr std::size_t kCount = 10;
  const Catalogue catalogue(RandomScores(kItems, random));
  std::vector<RuleInForce> rules;
  rules.reserve(20);
  for (std::uint32_t i = 0; i < 20; ++i) {
    rules.push_back(MakeRule(Action::kBoost, 1 + i, 25, i));
  }
  KnowAll(kItems, &rules);
  catalogue.asked = 0;
  catalogue.List(kCount, 0, rules);
  EXPECT_LE(catalogue.asked, kCount * 21) << "a search for each, and one for the other items";
}

// A write in the middle of a search makes a rule hold for the best item: those behind it move up.
TEST(ItemList, IsCompleteWhenABoostChangesWithinASearch) {
  constexpr std::uint32_t kItems = 500;
  constexpr std::size_t kCount = 10;
  for (const double value : {0.0, 0.1, 3.0}) {
    for (const bool known : {false, true}) {
      bool changed = false;
      std::vector<RuleInForce> rules = {{"rule", Action::kBoost, value, [&](std::uint32_t item) {
                                           return item % 50 == 7 || (changed && item == 1);
                                         }}};
      if (known) {
        KnowAll(kItems, &rules);
      }
      const auto all = [](std::uint32_t) { return true; };
      const auto before = [](std::uint32_t a, std::uint32_t b) { return a < b; };
      const auto cosine = [](std::uint32_t, std::uint32_t) { return 0.0; };
      const auto best = [&](std::size_t count, AcceptItem accept, const RuleInForce* only) {
        changed = true;
        std::vector<ScoredItem> found;
        for (std::uint32_t item = 0; item < kItems && found.size() < count; ++item) {
          if ((only == nullptr || only->holds_for(item)) && accept(item)) {
            found.push_back({item, 1'000.0 - item, Source::kModel});
          }
        }
        return found;
      };
      const auto list = MakeItemList({kCount, 0, kNoMinScore, rules, all, before, cosine}, best);
      std::vector<ScoredItem> expected;
      for (std::uint32_t item = 0; item < kItems; ++item) {
        const BoostedScore boosted = Boost(rules, item, 1'000.0 - item);
        if (!boosted.taken_out) {
          expected.push_back({item, boosted.score, Source::kModel});
        }
      }
      std::stable_sort(expected.begin(), expected.end(),
                       [](const auto& a, const auto& b) { return a.score > b.score; });
      expected.resize(kCount);
      EXPECT_EQ(Pairs(list), Pairs(expected)) << value << " known " << known;
    }
  }
}

TEST(ItemList, ALongerListBeginsWithTheShorterOne) {
  std::vector<double> scores;
  for (int i = 0; i < 1'500; ++i) {
    scores.push_back(std::sin(i) * 3);
  }
  const Catalogue catalogue(scores);
  const std::vector<RuleInForce> rules = {MakeRule(Action::kPin, 3, 100, 7),
                                          MakeRule(Action::kBury, 0, 10, 1),
                                          MakeRule(Action::kBoost, 3, 17, 5)};
  const auto whole = Pairs(catalogue.List(1'500, 0.4, rules));
  for (const std::size_t count : {1, 2, 3, 4, 499, 500, 501, 1'200, 1'499}) {
    auto part = whole;
    part.resize(std::min(part.size(), count));
    EXPECT_EQ(Pairs(catalogue.List(count, 0.4, rules)), part) << count;
  }
}

TEST(ItemList, BoostOfANegativeScoreBringsItNearerToZero) {
  const std::vector<RuleInForce> rules = {MakeRule(Action::kBoost, 4, 2, 0)};
  EXPECT_EQ(Boost(rules, 0, -2).score, -0.5);
  EXPECT_EQ(Boost(rules, 0, 2).score, 8);
  EXPECT_EQ(Boost(rules, 1, 2).score, 2);
}

TEST(ItemList, BoostByZeroTakesOut) {
  const std::vector<RuleInForce> rules = {MakeRule(Action::kBoost, 0, 2, 0)};
  EXPECT_TRUE(Boost(rules, 0, 1).taken_out);
  EXPECT_FALSE(Boost(rules, 1, 1).taken_out);
  EXPECT_EQ(Pairs(Catalogue({5, 4, 3}).List(10, 0, rules)),
            (std::vector<std::pair<std::uint32_t, double>>{{1, 4}}));
}

}  // namespace
}  // namespace reco::engine
