#include "filter/value.h"

#include <cmath>
#include <deque>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "filter/dictionary.h"

namespace reco::filter {
namespace {

// A string that lives as long as the test.
Value Text(const std::string& text) {
  static std::deque<StringEntry> entries;
  return Value::String(entries.emplace_back(StringEntry{text, NumberOf(text), 1}));
}

TEST(NumberOf, IsTheDecimalNumberThatTheWholeTextIs) {
  struct Case {
    const char* text;
    double number;
  };
  const Case cases[] = {
      {"12", 12},    {"-1.5", -1.5}, {"+2", 2},  {"1e3", 1'000}, {".5", 0.5},
      {"-.5", -0.5}, {"", 0},        {"a", 0},   {"12a", 0},     {" 12", 0},
      {"12 ", 0},    {"+-1", 0},     {"inf", 0}, {"nan", 0},     {"-inf", 0},
      {"0x10", 0},   {"1e", 0},      {"-", 0},   {"1e999", 0},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(NumberOf(c.text), c.number) << '"' << c.text << '"';
  }
}

TEST(Truth, IsNotZeroNotEmptyNotNull) {
  EXPECT_TRUE(Truth(Value::Number(-0.5)));
  EXPECT_FALSE(Truth(Value::Number(0)));
  EXPECT_TRUE(Truth(Text("0")));
  EXPECT_FALSE(Truth(Text("")));
  EXPECT_FALSE(Truth(Value::Null()));
  LiteralArray empty;
  EXPECT_TRUE(Truth({Tag::kLiteralArray, 0, 0, {.literal = &empty}, nullptr}));
}

TEST(Equal, StringsByBytesNullWithNullTheRestAsNumbers) {
  EXPECT_TRUE(Equal(Text("1.0"), Value::Number(1)));
  EXPECT_FALSE(Equal(Text("1.0"), Text("1")));
  EXPECT_TRUE(Equal(Text("a"), Text("a")));
  EXPECT_TRUE(Equal(Text("a"), Value::Number(0)));  // no number counts as 0
  EXPECT_TRUE(Equal(Value::Null(), Value::Null()));
  EXPECT_FALSE(Equal(Value::Null(), Value::Number(0)));
  EXPECT_FALSE(Equal(Text(""), Value::Null()));
  EXPECT_FALSE(Equal(Value::Number(NAN), Value::Number(NAN)));
  LiteralArray array;
  const Value list = {Tag::kLiteralArray, 0, 0, {.literal = &array}, nullptr};
  EXPECT_FALSE(Equal(list, list));
  EXPECT_FALSE(Equal(list, Value::Number(0)));
}

// Few elements are looked through, more are searched.
TEST(In, FindsWhatEqualsAnElementOfALiteral) {
  for (const int size : {3, 40}) {
    LiteralArray array;
    for (int i = size; i > 0; --i) {
      array.numbers.push_back(2 * i);
      array.strings.push_back("s" + std::to_string(i));
    }
    array.strings.emplace_back("77");
    array.numbers_of_strings.push_back(77);
    array.Sort();
    const Value list = {Tag::kLiteralArray, 0, 0, {.literal = &array}, nullptr};
    EXPECT_TRUE(In(Value::Number(2), list));
    EXPECT_TRUE(In(Value::Number(2 * size), list));
    EXPECT_FALSE(In(Value::Number(3), list));
    EXPECT_FALSE(In(Value::Number(2 * size + 1), list));
    EXPECT_TRUE(In(Value::Number(77), list));
    EXPECT_TRUE(In(Text("s1"), list));
    EXPECT_TRUE(In(Text("4"), list));
    EXPECT_FALSE(In(Text("s"), list));
    EXPECT_FALSE(In(Value::Null(), list));
    array.has_null = true;
    EXPECT_TRUE(In(Value::Null(), list));
  }
}

TEST(In, FindsWhatEqualsAnElementOfARecordsArray) {
  Dictionary dictionary;
  const std::vector<Element> elements = {
      {Tag::kNumber, 0, 5}, {Tag::kString, dictionary.Intern("red"), 0}, {}};
  const Value array = {Tag::kArray, 3, 0, {.elements = elements.data()}, &dictionary};
  EXPECT_TRUE(In(Value::Number(5), array));
  EXPECT_TRUE(In(Text("5"), array));
  EXPECT_TRUE(In(Text("red"), array));
  EXPECT_FALSE(In(Text("re"), array));
  EXPECT_TRUE(In(Value::Null(), array));
}

TEST(In, IsAPartOfAString) {
  EXPECT_TRUE(In(Text("ed"), Text("red")));
  EXPECT_TRUE(In(Text(""), Text("")));
  EXPECT_FALSE(In(Text("reds"), Text("red")));
  EXPECT_FALSE(In(Value::Number(1), Text("1")));
  EXPECT_FALSE(In(Text("1"), Value::Number(1)));
}

}  // namespace
}  // namespace reco::filter
