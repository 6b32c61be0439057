// The counted place of an item against the list that MakeItemList makes of all of them.
#include "engine/lists/place_in_list.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using Action = Rule::Action;

constexpr auto kBefore = [](std::uint32_t a, std::uint32_t b) { return a < b; };
constexpr auto kAccept = [](std::uint32_t item) { return item % 11 != 3; };

std::vector<ScoredItem> WholeList(const std::vector<double>& scores,
                                  const std::vector<RuleInForce>& rules) {
  const auto cosine = [](std::uint32_t, std::uint32_t) { return 0.0; };
  const auto best = [&](std::size_t count, AcceptItem accept, const RuleInForce* only) {
    std::vector<ScoredItem> all;
    for (std::uint32_t item = 0; item < scores.size(); ++item) {
      if ((only == nullptr || only->holds_for(item)) && accept(item)) {
        all.push_back({item, scores[item], Source::kModel});
      }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const ScoredItem& a, const ScoredItem& b) { return a.score > b.score; });
    all.resize(std::min(all.size(), count));
    return all;
  };
  return MakeItemList({scores.size(), 0, kNoMinScore, rules, kAccept, kBefore, cosine}, best);
}

RuleInForce RandomRule(std::mt19937_64& random) {
  constexpr double kBoosts[] = {0, 0.5, 1, 2, 10};
  constexpr double kPlaces[] = {1, 2, 3, 7, 50, 10'000};
  const auto divisor = static_cast<std::uint32_t>(random() % 7 + 1);
  const auto rest = static_cast<std::uint32_t>(random() % divisor);
  RuleInForce rule;
  rule.holds_for = [=](std::uint32_t item) { return item % divisor == rest; };
  switch (random() % 3) {
    case 0:
      rule.action = Action::kBoost;
      rule.value = kBoosts[random() % std::size(kBoosts)];
      break;
    case 1:
      rule.action = Action::kBury;
      break;
    default:
      rule.action = Action::kPin;
      rule.value = kPlaces[random() % std::size(kPlaces)];
  }
  return rule;
}

PlaceInList PlaceOf(const std::vector<double>& scores, const std::vector<RuleInForce>& rules,
                    std::uint32_t item) {
  PlaceInList place(rules, kBefore, item, scores[item]);
  // From the end: the order must not matter.
  for (auto other = static_cast<std::uint32_t>(scores.size()); other-- > 0;) {
    if (other != item && kAccept(other) && place.Concerns(other, scores[other])) {
      place.Count(other, scores[other]);
    }
  }
  return place;
}

// Scores are small integers of both signs: many are equal, which also rules can make them.
TEST(PlaceInList, IsTheOneInTheWholeListUnderRandomRules) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(round);
    std::vector<double> scores(random() % 60 + 1);
    for (double& score : scores) {
      score = static_cast<double>(static_cast<int>(random() % 9) - 4);
    }
    std::vector<RuleInForce> rules(random() % 6);
    std::generate(rules.begin(), rules.end(), [&] { return RandomRule(random); });
    const std::vector<ScoredItem> list = WholeList(scores, rules);
    for (std::size_t i = 0; i < list.size(); ++i) {
      const PlaceInList place = PlaceOf(scores, rules, list[i].item);
      ASSERT_EQ(place.rank(), i + 1) << "item " << list[i].item;
      ASSERT_EQ(place.score(), list[i].score) << "item " << list[i].item;
    }
  }
}

TEST(PlaceInList, ItemsBelowItConcernOnlyPins) {
  const std::vector<RuleInForce> none;
  const PlaceInList plain(none, kBefore, 1, 5);
  EXPECT_FALSE(plain.Concerns(2, 4));
  EXPECT_FALSE(plain.Concerns(2, 5));
  EXPECT_TRUE(plain.Concerns(0, 5));
  EXPECT_TRUE(plain.Concerns(2, 6));
  std::vector<RuleInForce> rules(2);
  rules[0].action = Action::kPin;
  rules[0].holds_for = [](std::uint32_t) { return true; };
  rules[1].action = Action::kBoost;
  rules[1].value = 0;
  rules[1].holds_for = [](std::uint32_t item) { return item == 3; };
  const PlaceInList pinned(rules, kBefore, 1, 5);
  EXPECT_TRUE(pinned.Concerns(2, 4));
  EXPECT_FALSE(pinned.Concerns(3, 6));
}

}  // namespace
}  // namespace reco::engine
