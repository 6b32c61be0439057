#include "engine/lists/rules.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/catalogue.h"

namespace reco::engine::lists {
namespace {

using Action = Rule::Action;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RulesTest : public ::testing::Test {
 protected:
  RulesTest() {
    for (int item = 0; item < 400; ++item) {
      const std::string attributes = "{\"n\": " + std::to_string(item) + "}";
      EXPECT_TRUE(writer::SetRecord(catalogue_.shared(), Side::kItem, "i" + std::to_string(item),
                                    {.attributes = attributes})
                      .ok());
    }
  }

  void Add(const std::string& name, Action action, double value, const std::string& filter,
           std::int64_t from_ms = 0, std::int64_t until_ms = 0) {
    rules_.push_back(*Compile({.name = name,
                               .filter = filter,
                               .action = action,
                               .value = value,
                               .from_ms = from_ms,
                               .until_ms = until_ms}));
    WriteView view(catalogue_.shared());
    view.set_rules(rules_);
  }
  // Those in force, by name.
  std::vector<std::string> Names() {
    ReadView view(catalogue_.shared());
    std::vector<std::string> names;
    for (const RuleInForce& rule : RulesInForce(view).rules) {
      names.push_back(rule.name);
    }
    return names;
  }

  testing::Catalogue catalogue_;
  std::vector<CompiledRule> rules_;
};

TEST_F(RulesTest, AreInForceFromTheirBeginningUntilBeforeTheirEnd) {
  const std::int64_t now_ms = catalogue_.clock.NowMs();
  Add("open", Action::kBury, 1, ".n > 0");
  Add("begins", Action::kBury, 1, ".n > 0", now_ms, now_ms + 10);
  Add("later", Action::kBury, 1, ".n > 0", now_ms + 1);
  Add("over", Action::kBury, 1, ".n > 0", 0, now_ms);
  EXPECT_THAT(Names(), ElementsAre("open", "begins"));
  catalogue_.clock.AdvanceMs(1);
  EXPECT_THAT(Names(), ElementsAre("open", "later", "begins"));
  catalogue_.clock.AdvanceMs(9);
  EXPECT_THAT(Names(), ElementsAre("open", "later"));
}

TEST_F(RulesTest, PinsComeByPlaceAndOfOnePlaceTheFirstNameLast) {
  Add("b", Action::kPin, 2, ".n == 1");
  Add("c", Action::kPin, 1, ".n == 2");
  Add("a", Action::kPin, 2, ".n == 3");
  EXPECT_THAT(Names(), ElementsAre("c", "b", "a"));
}

TEST_F(RulesTest, KnowWhatTheyHoldForOnceTheirBitmapIsMade) {
  Add("few", Action::kBoost, 2, ".n >= 397");
  Add("many", Action::kBoost, 2, ".n < 300");
  {
    ReadView view(catalogue_.shared());
    EXPECT_FALSE(RuleFiltersAreReady(view));
    std::vector<filter::FilterUse> uses;
    AppendRuleUses(view, &uses);
    ASSERT_EQ(uses.size(), 2U);
    for (filter::FilterUse& use : uses) {
      while (!PrepareStep(view, Side::kItem, &use)) {
      }
    }
    EXPECT_TRUE(RuleFiltersAreReady(view));
  }
  ReadView view(catalogue_.shared());
  const BoundRules bound = RulesInForce(view);
  ASSERT_EQ(bound.rules.size(), 2U);
  for (const RuleInForce& rule : bound.rules) {
    const bool few = rule.name == "few";
    for (std::uint32_t item = 0; item < 400; ++item) {
      EXPECT_EQ(rule.holds_for(item), few ? item >= 397 : item < 300) << item;
    }
    EXPECT_EQ(rule.items_end, 400U);
    EXPECT_TRUE(rule.words());
    if (few) {
      ASSERT_NE(rule.few, nullptr);
      EXPECT_THAT(*rule.few, ElementsAre(397, 398, 399));
    } else {
      EXPECT_EQ(rule.few, nullptr);  // too many to be scored one by one
    }
  }
}

TEST_F(RulesTest, OnlyThoseInForceHaveTheirFiltersMade) {
  Add("over", Action::kBury, 1, ".n > 0", 0, 1);
  ReadView view(catalogue_.shared());
  std::vector<filter::FilterUse> uses;
  AppendRuleUses(view, &uses);
  EXPECT_THAT(uses, IsEmpty());
  EXPECT_TRUE(RuleFiltersAreReady(view));
  EXPECT_THAT(RulesInForce(view).rules, IsEmpty());
}

}  // namespace
}  // namespace reco::engine::lists
