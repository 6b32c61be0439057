// Terms of attributes, and the columns and rows made of them.
#include "engine/cold/attribute_features.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

AttributeTerm Text(std::uint32_t field, std::string text) {
  return {.field = field, .kind = AttributeKind::kText, .text = std::move(text)};
}

AttributeTerm Flag(std::uint32_t field, std::string text) {
  return {.field = field, .kind = AttributeKind::kFlag, .text = std::move(text)};
}

AttributeTerm Number(std::uint32_t field, double number) {
  return {.field = field, .kind = AttributeKind::kNumber, .text = {}, .number = number};
}

const std::vector<std::string> kFields = {"a", "b"};

TEST(AttributeTerms, AreReadByTypeFromTheChosenFields) {
  struct Case {
    const char* json;
    std::vector<AttributeTerm> terms;
  };
  const std::vector<Case> cases = {
      {R"({})", {}},
      {R"({"c":"x","d":1})", {}},
      {R"({"b":"x","a":"y"})", {Text(0, "y"), Text(1, "x")}},
      {R"({"a":["x","y","x"]})", {Text(0, "x"), Text(0, "y")}},
      {R"({"a":["x",1,null,true]})", {Text(0, "x")}},
      {R"({"a":[]})", {}},
      {R"({"a":true,"b":false})", {Flag(0, "true"), Flag(1, "false")}},
      {R"({"a":-1.5,"b":3})", {Number(0, -1.5), Number(1, 3)}},
      {R"({"a":null,"b":{"a":"x"}})", {}},
      {R"({"a":"x","a":"y"})", {Text(0, "y")}},
      {R"({"a":""})", {Text(0, "")}},
      {R"({"a":"\u00e9\n"})", {Text(0, "\xc3\xa9\n")}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ReadAttributeTerms(kFields, c.json), c.terms) << c.json;
  }
}

TEST(AttributeTerms, AreBounded) {
  const std::string longest(kAttributeTextMax, 'x');
  EXPECT_EQ(ReadAttributeTerms(kFields, R"({"a":")" + longest + R"("})").size(), 1U);
  EXPECT_EQ(ReadAttributeTerms(kFields, R"({"a":")" + longest + R"(x"})").size(), 0U);
  std::string many = R"({"a":["0")";
  for (int i = 1; i < 1'000; ++i) {
    many += ",\"" + std::to_string(i) + "\"";
  }
  EXPECT_EQ(ReadAttributeTerms(kFields, many + "]}").size(), kAttributeElementsMax);
}

AttributeFeatures Chosen(const std::vector<std::string>& records) {
  AttributeCounter counter(kFields);
  for (const std::string& json : records) {
    counter.Add(json);
  }
  return counter.Choose();
}

TEST(AttributeFeatures, KeepWhatTwoItemsHaveMostFrequentFirst) {
  const AttributeFeatures features =
      Chosen({R"({"a":"x"})", R"({"a":["x","y"]})", R"({"a":["x","y"],"b":"once"})",
              R"({"b":true})", R"({"b":true})", ""});
  std::vector<std::string> texts;
  for (const AttributeColumn& column : features.columns()) {
    texts.push_back(std::to_string(column.field) + column.text);
  }
  EXPECT_THAT(texts, ElementsAre("0x", "0y", "1true"));
}

TEST(AttributeFeatures, ATextAndAFlagOfTheSameNameDiffer) {
  const AttributeFeatures features =
      Chosen({R"({"a":true})", R"({"a":"true"})", R"({"a":true})", R"({"a":"true"})"});
  ASSERT_EQ(features.columns().size(), 2U);
  ASSERT_EQ(features.RowOf(R"({"a":true})").size(), 1U);
  EXPECT_NE(features.RowOf(R"({"a":true})")[0].column, features.RowOf(R"({"a":"true"})")[0].column);
}

TEST(AttributeFeatures, NumbersAreStandardisedAndHeldWithinFourDeviations) {
  const AttributeFeatures features =
      Chosen({R"({"a":2})", R"({"a":4})", R"({"a":4})", R"({"a":6})"});
  ASSERT_EQ(features.columns().size(), 1U);
  EXPECT_DOUBLE_EQ(features.columns()[0].mean, 4);
  EXPECT_DOUBLE_EQ(features.columns()[0].deviation, std::sqrt(2));
  EXPECT_FLOAT_EQ(features.RowOf(R"({"a":6})")[0].value, std::sqrt(2.0F));
  EXPECT_FLOAT_EQ(features.RowOf(R"({"a":1e300})")[0].value, 4);
  EXPECT_FLOAT_EQ(features.RowOf(R"({"a":-1e300})")[0].value, -4);
}

TEST(AttributeFeatures, ANumberThatIsAlwaysTheSameTellsNothing) {
  EXPECT_THAT(Chosen({R"({"a":2})", R"({"a":2})", R"({"a":2})"}).columns(), IsEmpty());
}

TEST(AttributeFeatures, WordsOfOneFieldShareItsLength) {
  const AttributeFeatures features =
      Chosen({R"({"a":["x","y","z"],"b":"w"})", R"({"a":["x","y","z"],"b":"w"})"});
  const auto length = [&](const char* json) {
    double squares = 0;
    for (const model::Feature& feature : features.RowOf(json)) {
      squares += static_cast<double>(feature.value) * static_cast<double>(feature.value);
    }
    return squares;
  };
  EXPECT_NEAR(length(R"({"a":["x"]})"), 1, 1e-6);
  EXPECT_NEAR(length(R"({"a":["x","y","z"]})"), 1, 1e-6);
  EXPECT_NEAR(length(R"({"a":["x","y","new"]})"), 1, 1e-6);
  EXPECT_NEAR(length(R"({"a":["x","y"],"b":"w"})"), 2, 1e-6);
  EXPECT_THAT(features.RowOf(R"({"a":"new"})"), IsEmpty());
  EXPECT_THAT(features.RowOf(""), IsEmpty());
}

TEST(AttributeFeatures, TheMostFrequentColumnsAreKept) {
  AttributeCounter counter(kFields);
  for (int repeat = 0; repeat < 2; ++repeat) {
    for (std::size_t i = 0; i < AttributeFeatures::kColumnsMax + 100; ++i) {
      counter.Add(std::vector<AttributeTerm>{Text(0, std::to_string(i))});
    }
  }
  counter.Add(std::vector<AttributeTerm>{Text(1, "frequent")});
  counter.Add(std::vector<AttributeTerm>{Text(1, "frequent")});
  counter.Add(std::vector<AttributeTerm>{Text(1, "frequent")});
  const AttributeFeatures features = counter.Choose();
  ASSERT_EQ(features.columns().size(), AttributeFeatures::kColumnsMax);
  EXPECT_EQ(features.columns().front().text, "frequent");
}

TEST(AttributeFeatures, DoNotDependOnTheOrderOfItemsOrKeys) {
  const std::vector<std::string> records = {R"({"a":["x","y"],"b":1})", R"({"b":2,"a":"y"})",
                                            R"({"a":["y","x"],"b":3})"};
  const AttributeFeatures one = Chosen(records);
  const AttributeFeatures other = Chosen({records[2], records[0], records[1]});
  ASSERT_EQ(one.columns().size(), other.columns().size());
  for (std::size_t i = 0; i < one.columns().size(); ++i) {
    EXPECT_EQ(one.columns()[i].text, other.columns()[i].text);
    EXPECT_EQ(one.columns()[i].kind, other.columns()[i].kind);
  }
  const auto row = one.RowOf(R"({"a":["x","y"],"b":1})");
  const auto turned = one.RowOf(R"({"b":1,"a":["y","x"]})");
  ASSERT_EQ(row.size(), turned.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    EXPECT_EQ(row[i].column, turned[i].column);
    EXPECT_EQ(row[i].value, turned[i].value);
  }
}

}  // namespace
}  // namespace reco::engine
