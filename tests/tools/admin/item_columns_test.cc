#include "tools/admin/item_columns.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Described(const ItemColumns& columns) {
  std::vector<std::string> text;
  for (const ItemColumns::Attribute& attribute : columns.attributes) {
    text.push_back(std::to_string(attribute.at) + ' ' + attribute.name);
  }
  return text;
}

TEST(ResolveItemColumns, TakesAllColumnsButTheItems) {
  const auto columns = ResolveItemColumns({"title", "sku", "price"}, true, "sku", {});
  ASSERT_TRUE(columns.ok());
  EXPECT_EQ(columns->width, 3U);
  EXPECT_EQ(columns->item, 1U);
  EXPECT_THAT(Described(*columns), ElementsAre("0 title", "2 price"));
  EXPECT_THAT(columns->warnings, IsEmpty());
}

TEST(ResolveItemColumns, TakesTheNamedOnesInTheirOrder) {
  const auto columns =
      ResolveItemColumns({"title", "sku", "price"}, true, "sku", {"price", "title", "price"});
  EXPECT_THAT(Described(*columns), ElementsAre("2 price", "0 title"));
  EXPECT_FALSE(ResolveItemColumns({"title", "sku"}, true, "sku", {"nosuch"}).ok());
  EXPECT_FALSE(ResolveItemColumns({"title", "sku"}, true, "nosuch", {}).ok());
}

TEST(ResolveItemColumns, WithoutAHeaderColumnsHaveNumbers) {
  const auto columns = ResolveItemColumns({"lamp", "9", "red"}, false, "1", {});
  EXPECT_THAT(Described(*columns), ElementsAre("1 column2", "2 column3"));
  const auto some = ResolveItemColumns({"lamp", "9", "9"}, false, "1", {"3", "3"});
  EXPECT_THAT(Described(*some), ElementsAre("2 column3"));
  EXPECT_THAT(some->warnings, IsEmpty());
}

TEST(ResolveItemColumns, AColumnWithoutANameIsLeftOut) {
  const auto columns = ResolveItemColumns({"", "sku", "price", "  "}, true, "sku", {});
  EXPECT_THAT(Described(*columns), ElementsAre("2 price"));
  EXPECT_THAT(columns->warnings, ElementsAre("column 1 has no name and is left out",
                                             "column 4 has no name and is left out"));
}

TEST(ResolveItemColumns, OfRepeatedNamesTheLastCounts) {
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{}, std::vector<std::string>{"price", "size"}}) {
    const auto columns =
        ResolveItemColumns({"price", "sku", "price", "size", "price"}, true, "sku", names);
    EXPECT_THAT(Described(*columns), ElementsAre("4 price", "3 size"));
    EXPECT_THAT(columns->warnings,
                ElementsAre("columns 1, 3 and 5 are all called 'price': the last one counts, the "
                            "others are left out"));
  }
}

TEST(ResolveItemColumns, BlanksAroundANameBelongToIt) {
  const auto columns = ResolveItemColumns({"sku", " price", "size\t", "in stock"}, true, "sku", {});
  EXPECT_THAT(Described(*columns), ElementsAre("1  price", "2 size\t", "3 in stock"));
  EXPECT_THAT(columns->warnings, ElementsAre(HasSubstr("column 2 is called ' price'"),
                                             HasSubstr("column 3 is called")));
}

TEST(ResolveItemColumns, TheItemsColumnMustBeClear) {
  const auto columns = ResolveItemColumns({"sku", "price", "sku"}, true, "sku", {});
  EXPECT_THAT(std::string(columns.status().message()), HasSubstr("columns 1 and 3"));
}

}  // namespace
}  // namespace reco::admin
