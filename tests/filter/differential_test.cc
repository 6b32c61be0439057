// Random expressions over random records against the reference evaluator, by row, by bitmap, and
// through changes of the records.
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/json.h"
#include "filter/attribute_columns.h"
#include "filter/reference.h"

namespace reco::filter {
namespace {

using testing::ReferenceNode;
using testing::ReferenceRecord;

struct Expression {
  ReferenceNode tree;
  std::string text;
  std::shared_ptr<const Filter> filter;
};

// The columns under test, and beside them the records as the reference reads them.
class Twins {
 public:
  explicit Twins(AttributeColumnsOptions options) : columns_(options) {}

  void Set(std::uint32_t ordinal, const std::string& json) {
    ASSERT_TRUE(IsJsonObject(json)) << json;
    json_[ordinal] = json;
    records_[ordinal] = testing::ReadRecord(json);
    columns_.Set(ordinal, json);
  }

  void Erase(std::uint32_t ordinal) {
    json_.erase(ordinal);
    records_.erase(ordinal);
    columns_.Erase(ordinal);
  }

  BoundFilter Bind(const Expression& expression) {
    const auto json = [&](std::uint32_t ordinal) {
      const auto found = json_.find(ordinal);
      return found != json_.end() ? std::string_view(found->second) : std::string_view();
    };
    const std::uint32_t end = json_.empty() ? 0 : json_.rbegin()->first + 1;
    return columns_.Bind(expression.filter, {end, json});
  }

  void Check(const Expression& expression, std::uint32_t ordinals) {
    const BoundFilter bound = Bind(expression);
    std::vector<std::uint32_t> want;
    for (std::uint32_t i = 0; i < ordinals; ++i) {
      const auto record = records_.find(i);
      const bool match =
          record != records_.end() && ReferenceMatches(expression.tree, record->second);
      ASSERT_EQ(bound.Matches(i), match)
          << expression.text << (match ? " matches " : " does not match ")
          << (record != records_.end() ? json_[i] : "no record");
      if (match) {
        want.push_back(i);
      }
    }
    matches += want.size();
    if (bound.match_count().has_value()) {
      std::vector<std::uint32_t> visited;
      bound.ForEachMatch([&](std::uint32_t ordinal) {
        visited.push_back(ordinal);
        return true;
      });
      ASSERT_EQ(visited, want) << expression.text;
      ASSERT_EQ(*bound.match_count(), want.size()) << expression.text;
      ++bitmaps;
    } else {
      ++by_row;
    }
  }

  std::size_t matches = 0;
  std::size_t bitmaps = 0;
  std::size_t by_row = 0;

 private:
  AttributeColumns columns_;
  std::map<std::uint32_t, std::string> json_;
  std::map<std::uint32_t, ReferenceRecord> records_;
};

Expression MakeExpression(std::mt19937_64& random) {
  Expression made;
  made.tree = testing::RandomExpression(random, 1 + static_cast<int>(random() % 4));
  made.text = Print(made.tree, random);
  auto filter = Filter::Compile(made.text);
  EXPECT_TRUE(filter.ok()) << filter.status().ToString();
  made.filter = filter.value();
  return made;
}

TEST(FilterDifferentialTest, RandomExpressionsAgreeWithTheReferenceByRowAndByBitmap) {
  std::mt19937_64 random(1);
  AttributeColumnsOptions options;
  options.first_use_rows_max = 0;
  Twins twins(options);
  constexpr std::uint32_t kRecords = 300;  // more than one block of rows
  for (std::uint32_t i = 0; i < kRecords; ++i) {
    if (random() % 10 != 0) {
      twins.Set(i, testing::RandomRecord(random));
    }
  }
  constexpr int kExpressions = 3000;
  for (int i = 0; i < kExpressions && !HasFatalFailure(); ++i) {
    const Expression expression = MakeExpression(random);
    twins.Check(expression, kRecords + 5);  // by row
    twins.Check(expression, kRecords + 5);  // the bitmap
  }
  EXPECT_GT(twins.by_row, kExpressions * 9 / 10);
  EXPECT_GT(twins.bitmaps, kExpressions * 9 / 10);
  EXPECT_GT(twins.matches, kExpressions * 2 * kRecords / 20) << "too few match to test much";
}

TEST(FilterDifferentialTest, BitmapsFollowSetAndErase) {
  std::mt19937_64 random(2);
  AttributeColumnsOptions options;
  options.filters_max = 24;  // fewer than are used, so that some are dropped and come back
  Twins twins(options);
  std::vector<Expression> expressions;
  expressions.reserve(32);
  for (int i = 0; i < 32; ++i) {
    expressions.push_back(MakeExpression(random));
  }
  std::uint32_t ordinals = 1;
  for (int round = 0; round < 4000 && !HasFatalFailure(); ++round) {
    ordinals += random() % 8 == 0 ? 1 : 0;
    const auto ordinal = static_cast<std::uint32_t>(random() % ordinals);
    if (random() % 4 == 0) {
      twins.Erase(ordinal);
    } else {
      twins.Set(ordinal, testing::RandomRecord(random));
    }
    if (round % 10 == 0) {
      twins.Check(expressions[random() % expressions.size()], ordinals + 3);
    }
    if (round % 100 == 0) {
      expressions[random() % expressions.size()] = MakeExpression(random);
    }
  }
  EXPECT_GT(twins.matches, 1000U);
}

}  // namespace
}  // namespace reco::filter
