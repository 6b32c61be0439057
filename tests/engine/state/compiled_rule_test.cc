#include "engine/state/compiled_rule.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using Action = Rule::Action;

Rule Valid(Action action = Action::kBury) {
  Rule rule;
  rule.name = "sale";
  rule.action = action;
  rule.filter = ".price > 10";
  rule.value = 1;
  return rule;
}

TEST(Compile, ValuesAreBoundedByTheAction) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  struct Case {
    double value;
    Action action;
    bool ok;
  };
  const Case cases[] = {{0, Action::kBoost, true},        {0.001, Action::kBoost, true},
                        {0.0009, Action::kBoost, false},  {1'000, Action::kBoost, true},
                        {1'000.1, Action::kBoost, false}, {-1, Action::kBoost, false},
                        {kNan, Action::kBoost, false},    {1, Action::kPin, true},
                        {0, Action::kPin, false},         {1.5, Action::kPin, false},
                        {10'000, Action::kPin, true},     {10'001, Action::kPin, false},
                        {kNan, Action::kPin, false},      {kNan, Action::kBury, true}};
  for (const Case& c : cases) {
    Rule rule = Valid(c.action);
    rule.value = c.value;
    EXPECT_EQ(Compile(rule).ok(), c.ok) << static_cast<int>(c.action) << " " << c.value;
  }
}

TEST(Compile, NameHasOneTo64Bytes) {
  for (const auto& [length, ok] :
       std::vector<std::pair<std::size_t, bool>>{{0, false}, {1, true}, {64, true}, {65, false}}) {
    Rule rule = Valid();
    rule.name = std::string(length, 'n');
    EXPECT_EQ(Compile(rule).ok(), ok) << length;
  }
}

TEST(Compile, UntilIsLaterThanFromOrLeftOpen) {
  struct Case {
    std::int64_t from_ms;
    std::int64_t until_ms;
    bool ok;
  };
  for (const Case& c : {Case{0, 0, true}, Case{5, 0, true}, Case{5, 6, true}, Case{5, 5, false},
                        Case{6, 5, false}, Case{-1, 0, false}, Case{0, -1, false}}) {
    Rule rule = Valid();
    rule.from_ms = c.from_ms;
    rule.until_ms = c.until_ms;
    EXPECT_EQ(Compile(rule).ok(), c.ok) << c.from_ms << " " << c.until_ms;
  }
}

TEST(Compile, KeepsTheRuleAndCompilesItsFilter) {
  const auto compiled = Compile(Valid());
  ASSERT_TRUE(compiled.ok());
  EXPECT_EQ(compiled->rule.name, "sale");
  EXPECT_EQ(compiled->filter->text(), ".price > 10");
  Rule bad = Valid();
  bad.filter = ".price >";
  EXPECT_EQ(Compile(bad).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace reco::engine
