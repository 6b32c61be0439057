// The values filters compute with, and what the operators make of them (doc/filters.md).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reco::filter {

enum class Tag : std::uint8_t {
  kMissing = 0,  // a row without the field, or with a value that filters cannot use
  kNull = 1,
  kNumber = 2,  // a double; booleans too: 1 and 0
  kString = 3,
  kArray = 4,         // of a record
  kLiteralArray = 5,  // of the expression
  kInteger = 6,       // an int64 that no double is
};

// Returns the integer when no double is it, else 0: what is to be kept as kInteger. So a number has
// one form, and numbers of different tags are never equal.
inline std::int64_t BeyondDouble(std::int64_t integer) {
  const auto number = static_cast<double>(integer);
  // The largest integers are rounded to 2^63, which is none of them.
  return number < 0x1p63 && static_cast<std::int64_t>(number) == integer ? 0 : integer;
}

struct StringEntry {
  std::string text;
  double number = 0;       // NumberOf(text), for arithmetic
  std::uint32_t uses = 0;  // by rows and elements of the column whose dictionary holds it
};

// An element of an array of a record; a string is an id in the dictionary of its column.
struct Element {
  Tag tag = Tag::kNull;
  std::uint32_t id = 0;
  union {
    double number = 0;
    std::int64_t integer;
  };
};

struct LiteralArray;
class Dictionary;

// A view: what it points to belongs to a program or to a column. Without initial values, so that a
// stack of them costs nothing.
struct Value {
  Tag tag;
  std::uint32_t count;  // of `elements`
  double number;        // what it is in arithmetic: 0 for null and arrays
  union {
    std::int64_t integer;
    const StringEntry* string;
    const Element* elements;
    const LiteralArray* literal;
  };
  const Dictionary* dictionary;  // of the strings among `elements`

  static Value Null() { return {Tag::kNull, 0, 0, {.string = nullptr}, nullptr}; }
  static Value Number(double number) {
    return {Tag::kNumber, 0, number, {.string = nullptr}, nullptr};
  }
  // Of an integer that no double is (BeyondDouble).
  static Value Integer(std::int64_t integer) {
    return {Tag::kInteger, 0, static_cast<double>(integer), {.integer = integer}, nullptr};
  }
  static Value String(const StringEntry& entry) {
    return {Tag::kString, 0, entry.number, {.string = &entry}, nullptr};
  }
};

// An array of the expression, sorted for look-ups.
struct LiteralArray {
  std::vector<std::string> strings;
  std::vector<double> numbers;
  std::vector<std::int64_t> integers;  // that no double is
  bool has_null = false;

  void Sort();
};

// Returns the decimal number that all of `text` is, [+-] digits [. digits] [e [+-] digits], or 0.
double NumberOf(std::string_view text);

inline bool Truth(const Value& value) {
  switch (value.tag) {
    case Tag::kNumber:
      return value.number != 0;
    case Tag::kString:
      return !value.string->text.empty();
    case Tag::kInteger:
    case Tag::kArray:
    case Tag::kLiteralArray:
      return true;
    case Tag::kMissing:
    case Tag::kNull:
      break;
  }
  return false;
}

// Compares two numbers by their values, two strings by their bytes, null with null; what is of
// different types is not equal, and an array equals nothing.
inline bool Equal(const Value& a, const Value& b) {
  if (a.tag != b.tag) {
    return false;
  }
  switch (a.tag) {
    case Tag::kNumber:
      return a.number == b.number;
    case Tag::kInteger:
      return a.integer == b.integer;
    case Tag::kString:
      return a.string == b.string || a.string->text == b.string->text;
    case Tag::kNull:
      return true;
    case Tag::kArray:
    case Tag::kLiteralArray:
    case Tag::kMissing:
      break;
  }
  return false;
}

// As Order, of what is not two doubles.
std::partial_ordering OrderOfOthers(const Value& a, const Value& b);

// Returns the order of two numbers by their values or of two strings by their bytes; of all else
// none.
inline std::partial_ordering Order(const Value& a, const Value& b) {
  return a.tag == Tag::kNumber && b.tag == Tag::kNumber ? a.number <=> b.number
                                                        : OrderOfOthers(a, b);
}

// Returns true iff `a` equals an element of the array `b`, or is a part of the string `b`.
bool In(const Value& a, const Value& b);

}  // namespace reco::filter
