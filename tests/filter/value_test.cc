#include "filter/value.h"

#include <cmath>
#include <compare>
#include <cstdint>
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

// Integers on both sides of the bounds of what doubles hold.
constexpr std::int64_t kBeyond = (std::int64_t{1} << 53) + 1;
constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

// As the lexer and the columns make it.
Value Whole(std::int64_t integer) {
  return BeyondDouble(integer) != 0 ? Value::Integer(integer)
                                    : Value::Number(static_cast<double>(integer));
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
  EXPECT_TRUE(Truth(Value::Integer(kBeyond)));
  EXPECT_FALSE(Truth(Value::Number(0)));
  EXPECT_TRUE(Truth(Text("0")));
  EXPECT_FALSE(Truth(Text("")));
  EXPECT_FALSE(Truth(Value::Null()));
  LiteralArray empty;
  EXPECT_TRUE(Truth({Tag::kLiteralArray, 0, 0, {.literal = &empty}, nullptr}));
}

TEST(BeyondDouble, IsWhatNoDoubleIs) {
  const std::int64_t held[] = {0,
                               1,
                               -1,
                               kBeyond - 1,
                               1 - kBeyond,
                               kBeyond + 1,
                               std::numeric_limits<std::int64_t>::min(),
                               123'456'789'012'345'680};
  for (const std::int64_t integer : held) {
    EXPECT_EQ(BeyondDouble(integer), 0) << integer;
  }
  const std::int64_t beyond[] = {kBeyond, -kBeyond, kLargest, -kLargest, 123'456'789'012'345'678};
  for (const std::int64_t integer : beyond) {
    EXPECT_EQ(BeyondDouble(integer), integer);
  }
}

TEST(Equal, NumbersByValueStringsByBytesNullWithNullAndNoTypeWithAnother) {
  EXPECT_FALSE(Equal(Text("1.0"), Value::Number(1)));
  EXPECT_FALSE(Equal(Text("1.0"), Text("1")));
  EXPECT_TRUE(Equal(Text("a"), Text("a")));
  EXPECT_FALSE(Equal(Text("a"), Value::Number(0)));
  EXPECT_TRUE(Equal(Whole(kBeyond), Whole(kBeyond)));
  EXPECT_FALSE(Equal(Whole(kBeyond), Whole(kBeyond - 1)));
  EXPECT_FALSE(Equal(Whole(kBeyond), Whole(kBeyond + 1)));
  EXPECT_FALSE(Equal(Whole(kLargest), Value::Number(0x1p63)));
  EXPECT_TRUE(Equal(Value::Null(), Value::Null()));
  EXPECT_FALSE(Equal(Value::Null(), Value::Number(0)));
  EXPECT_FALSE(Equal(Text(""), Value::Null()));
  EXPECT_FALSE(Equal(Value::Number(NAN), Value::Number(NAN)));
  LiteralArray array;
  const Value list = {Tag::kLiteralArray, 0, 0, {.literal = &array}, nullptr};
  EXPECT_FALSE(Equal(list, list));
  EXPECT_FALSE(Equal(list, Value::Number(0)));
}

TEST(Order, OfNumbersIsExact) {
  const Value ascending[] = {Value::Number(-INFINITY),
                             Value::Number(-0x1.8p63),
                             Whole(std::numeric_limits<std::int64_t>::min()),
                             Whole(-kLargest),
                             Whole(-kBeyond),
                             Whole(1 - kBeyond),
                             Value::Number(-0.5),
                             Whole(0),
                             Value::Number(0.5),
                             Whole(1),
                             Whole(kBeyond - 1),
                             Whole(kBeyond),
                             Whole(kBeyond + 1),
                             Whole(kLargest - 1),
                             Whole(kLargest),
                             Value::Number(0x1p63),
                             Value::Number(INFINITY)};
  for (std::size_t a = 0; a < std::size(ascending); ++a) {
    for (std::size_t b = 0; b < std::size(ascending); ++b) {
      EXPECT_EQ(Order(ascending[a], ascending[b]), a <=> b) << a << " " << b;
      EXPECT_EQ(Equal(ascending[a], ascending[b]), a == b) << a << " " << b;
    }
    const auto none = std::partial_ordering::unordered;
    EXPECT_EQ(Order(ascending[a], Value::Number(NAN)), none) << a;
    EXPECT_EQ(Order(Value::Number(NAN), ascending[a]), none) << a;
    EXPECT_EQ(Order(ascending[a], Text("5")), none) << a;
    EXPECT_EQ(Order(Text("5"), ascending[a]), none) << a;
    EXPECT_EQ(Order(ascending[a], Value::Null()), none) << a;
  }
}

TEST(Order, OfStringsIsThatOfTheirBytes) {
  const Value ascending[] = {Text(""),           Text("10"), Text("2024-01-31"),
                             Text("2024-02-01"), Text("9"),  Text("A"),
                             Text("a"),          Text("ab"), Text("\xc3\xa9")};
  for (std::size_t a = 0; a < std::size(ascending); ++a) {
    for (std::size_t b = 0; b < std::size(ascending); ++b) {
      EXPECT_EQ(Order(ascending[a], ascending[b]), a <=> b) << a << " " << b;
    }
    EXPECT_EQ(Order(ascending[a], Value::Null()), std::partial_ordering::unordered) << a;
  }
  EXPECT_EQ(Order(Value::Null(), Value::Null()), std::partial_ordering::unordered);
}

// Few elements are looked through, more are searched.
TEST(In, FindsWhatEqualsAnElementOfALiteral) {
  for (const int size : {3, 40}) {
    LiteralArray array;
    for (int i = size; i > 0; --i) {
      array.numbers.push_back(2 * i);
      array.strings.push_back("s" + std::to_string(i));
      array.integers.push_back(kBeyond + 4 * i);
    }
    array.strings.emplace_back("77");
    array.Sort();
    const Value list = {Tag::kLiteralArray, 0, 0, {.literal = &array}, nullptr};
    EXPECT_TRUE(In(Value::Number(2), list));
    EXPECT_TRUE(In(Value::Number(2 * size), list));
    EXPECT_FALSE(In(Value::Number(3), list));
    EXPECT_FALSE(In(Value::Number(2 * size + 1), list));
    EXPECT_TRUE(In(Text("77"), list));
    EXPECT_FALSE(In(Value::Number(77), list));
    EXPECT_TRUE(In(Text("s1"), list));
    EXPECT_FALSE(In(Text("4"), list));
    EXPECT_TRUE(In(Whole(kBeyond + 4), list));
    EXPECT_FALSE(In(Whole(kBeyond + 2), list));
    EXPECT_FALSE(In(Whole(kBeyond + 3), list));
    EXPECT_FALSE(In(Text("s"), list));
    EXPECT_FALSE(In(Value::Null(), list));
    array.has_null = true;
    EXPECT_TRUE(In(Value::Null(), list));
  }
}

TEST(In, FindsWhatEqualsAnElementOfARecordsArray) {
  Dictionary dictionary;
  const std::vector<Element> elements = {{Tag::kNumber, 0, {.number = 5}},
                                         {Tag::kString, dictionary.Intern("red"), {}},
                                         {Tag::kInteger, 0, {.integer = kBeyond}},
                                         {}};
  const Value array = {Tag::kArray, 4, 0, {.elements = elements.data()}, &dictionary};
  EXPECT_TRUE(In(Value::Number(5), array));
  EXPECT_FALSE(In(Text("5"), array));
  EXPECT_TRUE(In(Whole(kBeyond), array));
  EXPECT_FALSE(In(Whole(kBeyond - 1), array));
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
