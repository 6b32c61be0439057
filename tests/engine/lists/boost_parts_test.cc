// Division of items by their boosts, against each item's own boosts.
#include "engine/lists/boost_parts.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using Action = Rule::Action;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Words = std::vector<std::uint64_t>;

constexpr std::uint32_t kItems = 200;

Words WordsOf(const std::set<std::uint32_t>& items) {
  Words words((kItems + 63) / 64);
  for (const std::uint32_t item : items) {
    words[item / 64] |= std::uint64_t{1} << (item % 64);
  }
  return words;
}

// `words` outlives the rule.
RuleInForce Known(Action action, double value, const Words& words) {
  RuleInForce rule;
  rule.action = action;
  rule.value = value;
  rule.holds_for = [&words](std::uint32_t item) {
    return item / 64 < words.size() && (words[item / 64] >> (item % 64) & 1U) != 0;
  };
  rule.words = [&words] { return std::optional(std::span<const std::uint64_t>(words)); };
  rule.items_end = kItems;
  return rule;
}

TEST(DivideByBoosts, ItemsOfOneBoostAreAPartAndTheRestIsPlain) {
  const Words words = WordsOf({3, 70, 199});
  const auto parts = DivideByBoosts(std::vector{Known(Action::kBoost, 2, words)}, nullptr);
  ASSERT_TRUE(parts);
  ASSERT_THAT(parts->lifted, SizeIs(1));
  EXPECT_EQ(parts->lifted[0].factor, 2);
  EXPECT_THAT(parts->lifted[0].items, ElementsAre(3, 70, 199));
  EXPECT_TRUE(parts->lifted[0].keeps_order);
  EXPECT_TRUE(parts->IsBoosted(70));
  EXPECT_FALSE(parts->IsBoosted(71));
  EXPECT_FALSE(parts->IsBoosted(100'000));
  ASSERT_TRUE(parts->plain);
  EXPECT_THAT(*parts->plain, SizeIs(kItems - 3));
}

TEST(DivideByBoosts, ItemsThatAreTakenOutAreInNoPart) {
  const Words out = WordsOf({3, 4});
  const Words lifted = WordsOf({4, 5});
  const auto parts = DivideByBoosts(
      std::vector{Known(Action::kBoost, 0, out), Known(Action::kBoost, 3, lifted)}, nullptr);
  ASSERT_TRUE(parts);
  ASSERT_THAT(parts->lifted, SizeIs(1));
  EXPECT_THAT(parts->lifted[0].items, ElementsAre(5));
  EXPECT_TRUE(parts->IsBoosted(3));  // so it is not plain either
  EXPECT_THAT(*parts->plain, SizeIs(kItems - 3));
}

TEST(DivideByBoosts, OtherActionsDivideNothing) {
  const Words words = WordsOf({3});
  const auto parts = DivideByBoosts(
      std::vector{Known(Action::kPin, 1, words), Known(Action::kBury, 1, words)}, nullptr);
  ASSERT_TRUE(parts);
  EXPECT_THAT(parts->lifted, IsEmpty());
  EXPECT_THAT(*parts->plain, SizeIs(kItems));
}

TEST(DivideByBoosts, ABoostThatNobodyKnowsTheItemsOfCannotBeDivided) {
  const Words words = WordsOf({3});
  RuleInForce unknown = Known(Action::kBoost, 2, words);
  unknown.words = nullptr;
  EXPECT_FALSE(DivideByBoosts(std::vector{unknown}, nullptr));
  unknown.words = [] { return std::optional<std::span<const std::uint64_t>>(); };
  EXPECT_FALSE(DivideByBoosts(std::vector{unknown}, nullptr));
}

TEST(DivideByBoosts, WithOneRuleOnlyItsItemsAreDivided) {
  const Words lifted = WordsOf({3, 70, 71});
  const Words wanted = WordsOf({70, 72});
  const RuleInForce only = Known(Action::kPin, 1, wanted);
  const auto parts = DivideByBoosts(std::vector{Known(Action::kBoost, 2, lifted), only}, &only);
  ASSERT_TRUE(parts);
  ASSERT_THAT(parts->lifted, SizeIs(1));
  EXPECT_THAT(parts->lifted[0].items, ElementsAre(70));
  EXPECT_THAT(*parts->plain, ElementsAre(72));
}

TEST(DivideByBoosts, PlainItemsAreLeftOutWhenTheyAreManyOrTheirEndIsNotKnown) {
  const Words words = WordsOf({3});
  RuleInForce rule = Known(Action::kBoost, 2, words);
  rule.items_end = 1'000'000;
  EXPECT_FALSE(DivideByBoosts(std::vector{rule}, nullptr)->plain);
  rule.items_end = 0;
  EXPECT_FALSE(DivideByBoosts(std::vector{rule}, nullptr)->plain);
}

// Five boosts over a third of the items each; one of them may take its items out.
struct RandomBoosts {
  RandomBoosts(std::uint32_t seed, bool takes_out) {
    std::mt19937 random(seed);
    words.reserve(5);  // the rules refer to them
    for (int boost = 0; boost < 5; ++boost) {
      std::set<std::uint32_t> items;
      for (std::uint32_t item = 0; item < kItems; ++item) {
        if (random() % 3 == 0) {
          items.insert(item);
        }
      }
      const double value = 0.5 + static_cast<double>(random() % 40) / 10;
      words.push_back(WordsOf(items));
      rules.push_back(Known(Action::kBoost, takes_out && boost == 4 ? 0 : value, words.back()));
    }
  }
  // What they multiply the score of the item by; nullopt: none of them holds for it.
  std::optional<double> FactorOf(std::uint32_t item) const {
    std::optional<double> factor;
    for (const RuleInForce& rule : rules) {
      if (rule.holds_for(item)) {
        factor = factor.value_or(1) * rule.value;
      }
    }
    return factor;
  }

  std::vector<Words> words;
  std::vector<RuleInForce> rules;
};

TEST(DivideByBoosts, EveryBoostedItemIsInOnePartWhoseFactorIsNearItsOwn) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    const RandomBoosts boosts(seed, seed % 2 == 0);
    const auto parts = DivideByBoosts(boosts.rules, nullptr);
    ASSERT_TRUE(parts);
    std::map<std::uint32_t, double> factors;  // of the part that the item is in
    for (const BoostPart& part : parts->lifted) {
      EXPECT_TRUE(std::is_sorted(part.items.begin(), part.items.end()));
      for (const std::uint32_t item : part.items) {
        EXPECT_TRUE(factors.emplace(item, part.factor).second) << item;
      }
    }
    for (std::uint32_t item = 0; item < kItems; ++item) {
      const std::optional<double> own = boosts.FactorOf(item);
      EXPECT_EQ(parts->IsBoosted(item), own.has_value()) << item;
      ASSERT_EQ(factors.contains(item), own.value_or(0) != 0) << item;
      if (factors.contains(item)) {
        EXPECT_LE(*own, factors[item] * (1 + 1e-12));
        EXPECT_GE(*own * 1.25, factors[item]);
      }
    }
  }
}

TEST(DivideByBoosts, PartsComeByFactorHighestFirst) {
  const auto parts = DivideByBoosts(RandomBoosts(1, false).rules, nullptr);
  ASSERT_TRUE(parts);
  EXPECT_TRUE(
      std::is_sorted(parts->lifted.begin(), parts->lifted.end(),
                     [](const BoostPart& a, const BoostPart& b) { return a.factor > b.factor; }));
}

}  // namespace
}  // namespace reco::engine
