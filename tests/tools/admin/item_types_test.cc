#include "tools/admin/item_types.h"

#include <initializer_list>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(IsCanonicalNumber, TakesWhatPrintsBackToItself) {
  for (const std::string_view text : {"0",
                                      "7",
                                      "-7",
                                      "123",
                                      "1200000",
                                      "9007199254740992",
                                      "-9007199254740993",
                                      "123456789012345678",
                                      "9223372036854775807",
                                      "-9223372036854775808",
                                      "0.5",
                                      "1.1",
                                      "-2.95",
                                      "0.00001",
                                      "1e-05",
                                      "1e+22",
                                      "0.1",
                                      "3.141592653589793",
                                      "123456.789",
                                      "5e-324",
                                      "1.7976931348623157e+308"}) {
    EXPECT_TRUE(IsCanonicalNumber(text)) << text;
  }
}

TEST(IsCanonicalNumber, RefusesWhatAnotherTextEquals) {
  for (const std::string_view text : {"",
                                      "1.10",
                                      "1.0",
                                      "12E5",
                                      "12e5",
                                      "1e5",
                                      "1e22",
                                      "00123",
                                      "007",
                                      "+5",
                                      "-0",
                                      "-0.0",
                                      "0.0",
                                      "1e400",
                                      "-1e400",
                                      "47e2210",
                                      "1e-400",
                                      "9223372036854775808",
                                      "100000000000000000000",
                                      "0.1000000000000000055511151231257827",
                                      "1e5.5",
                                      ".5",
                                      "5.",
                                      " 5",
                                      "5 ",
                                      "0x10",
                                      "1_000",
                                      "1,5",
                                      "nan",
                                      "NaN",
                                      "inf",
                                      "Infinity",
                                      "--5",
                                      "true",
                                      "5e",
                                      "1e+5",
                                      "9007199254740993.0"}) {
    EXPECT_FALSE(IsCanonicalNumber(text)) << text;
  }
}

std::optional<CellType> TypeOf(std::initializer_list<std::string_view> cells) {
  TypeSurvey survey;
  for (const std::string_view cell : cells) {
    survey.Add(cell);
  }
  return survey.Decide();
}

TEST(TypeSurvey, AColumnIsWhatAllItsCellsAre) {
  EXPECT_EQ(TypeOf({"1", "2.5", "-3"}), CellType::kNumber);
  EXPECT_EQ(TypeOf({"1", "", "2"}), CellType::kNumber);
  EXPECT_EQ(TypeOf({"1", "2.50"}), CellType::kText);
  EXPECT_EQ(TypeOf({"2210", "47e2210"}), CellType::kText);
  EXPECT_EQ(TypeOf({"123", "00123"}), CellType::kText);
  EXPECT_EQ(TypeOf({"1200000", "12E5"}), CellType::kText);
  EXPECT_EQ(TypeOf({"5", "123456789012345678"}), CellType::kNumber);
  EXPECT_EQ(TypeOf({"5", "12345678901234567890"}), CellType::kText);
  EXPECT_EQ(TypeOf({"word"}), CellType::kText);
  EXPECT_EQ(TypeOf({}), std::nullopt);
  EXPECT_EQ(TypeOf({"", ""}), std::nullopt);
}

TEST(TypeSurvey, BooleansHaveOneSpelling) {
  for (const auto& cells : {std::pair{"true", "false"},
                            {"True", "False"},
                            {"TRUE", "FALSE"},
                            {"false", "false"},
                            {"True", "True"}}) {
    EXPECT_EQ(TypeOf({cells.first, "", cells.second}), CellType::kBoolean) << cells.first;
  }
  for (const auto& cells : {std::pair{"true", "False"},
                            {"TRUE", "true"},
                            {"true", "1"},
                            {"false", "0"},
                            {"true", "yes"},
                            {"tRue", "tRue"},
                            {"true", " false"}}) {
    EXPECT_EQ(TypeOf({cells.first, cells.second}), CellType::kText) << cells.first;
  }
}

TEST(CellJson, IsOfTheColumnsType) {
  const auto json = [](CellType type, std::string_view cell) {
    return CellJson(type, Numbers::kCanonical, cell).value_or("does not fit");
  };
  EXPECT_EQ(json(CellType::kNumber, "2.5"), "2.5");
  EXPECT_EQ(json(CellType::kNumber, "2.50"), "does not fit");
  EXPECT_EQ(json(CellType::kNumber, "n/a"), "does not fit");
  EXPECT_EQ(json(CellType::kBoolean, "true"), "true");
  EXPECT_EQ(json(CellType::kBoolean, "False"), "false");
  EXPECT_EQ(json(CellType::kBoolean, "TRUE"), "true");
  EXPECT_EQ(json(CellType::kBoolean, "1"), "does not fit");
  EXPECT_EQ(json(CellType::kText, "false"), "\"false\"");
  EXPECT_EQ(json(CellType::kText, "12"), "\"12\"");
  EXPECT_EQ(json(CellType::kText, "a \"b\""), R"("a \"b\"")");
}

TEST(CellJson, AnyNumberIsTakenAsItIsWritten) {
  const auto json = [](std::string_view cell) {
    return CellJson(CellType::kNumber, Numbers::kAny, cell).value_or("does not fit");
  };
  for (const std::string_view good : {"2.50", "12E5", "123456789012345678", "-0", "7"}) {
    EXPECT_EQ(json(good), good);
  }
  for (const std::string_view bad : {"1e400", "47e2210", "00123", "+5", "", "1,5", "0x1"}) {
    EXPECT_EQ(json(bad), "does not fit") << bad;
  }
}

TEST(ParseTypes, ReadsWhatFormatTypesWrites) {
  const auto types = ParseTypes(R"(price:number,"in stock":boolean,code:text)");
  ASSERT_TRUE(types.ok());
  EXPECT_THAT(*types,
              ElementsAre(Pair("price", CellType::kNumber), Pair("in stock", CellType::kBoolean),
                          Pair("code", CellType::kText)));
  EXPECT_EQ(FormatTypes(*types), R"(price:number,"in stock":boolean,code:text)");
  EXPECT_TRUE(ParseTypes("")->empty());
}

TEST(ParseTypes, SaysWhatIsWrong) {
  const auto message = [](std::string_view text) {
    return std::string(ParseTypes(text).status().message());
  };
  EXPECT_THAT(message("price"), HasSubstr("name:type"));
  EXPECT_THAT(message("price:float"), HasSubstr("number, boolean or text, not 'float'"));
  EXPECT_THAT(message("a:text,a:number"), HasSubstr("'a' is given twice"));
}

}  // namespace
}  // namespace reco::admin
