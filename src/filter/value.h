// The values filters compute with, and what the operators make of them (doc/filters.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reco::filter {

enum class Tag : std::uint8_t {
  kMissing = 0,  // a row without the field, or with a value that filters cannot use
  kNull = 1,
  kNumber = 2,  // booleans too: 1 and 0
  kString = 3,
  kArray = 4,         // of a record
  kLiteralArray = 5,  // of the expression
};

struct StringEntry {
  std::string text;
  double number = 0;       // NumberOf(text)
  std::uint32_t uses = 0;  // by rows and elements of the column whose dictionary holds it
};

// An element of an array of a record; a string is an id in the dictionary of its column.
struct Element {
  Tag tag = Tag::kNull;
  std::uint32_t id = 0;
  double number = 0;
};

struct LiteralArray;
class Dictionary;

// A view: what it points to belongs to a program or to a column. Without initial values, so that a
// stack of them costs nothing.
struct Value {
  Tag tag;
  std::uint32_t count;  // of `elements`
  double number;        // what it is in arithmetic and order: 0 for null and arrays
  union {
    const StringEntry* string;
    const Element* elements;
    const LiteralArray* literal;
  };
  const Dictionary* dictionary;  // of the strings among `elements`

  static Value Null() { return {Tag::kNull, 0, 0, {nullptr}, nullptr}; }
  static Value Number(double number) { return {Tag::kNumber, 0, number, {nullptr}, nullptr}; }
  static Value String(const StringEntry& entry) {
    return {Tag::kString, 0, entry.number, {&entry}, nullptr};
  }
};

// An array of the expression, sorted for look-ups.
struct LiteralArray {
  std::vector<std::string> strings;
  std::vector<double> numbers;
  std::vector<double> numbers_of_strings;
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
    case Tag::kArray:
    case Tag::kLiteralArray:
      return true;
    case Tag::kMissing:
    case Tag::kNull:
      break;
  }
  return false;
}

inline bool IsArray(Tag tag) {
  return tag == Tag::kArray || tag == Tag::kLiteralArray;
}

// Compares two strings by their bytes, null with null alone, an array with nothing, the rest as
// numbers.
inline bool Equal(const Value& a, const Value& b) {
  if (a.tag == Tag::kNumber && b.tag == Tag::kNumber) {
    return a.number == b.number;
  }
  if (a.tag == Tag::kString && b.tag == Tag::kString) {
    return a.string == b.string || a.string->text == b.string->text;
  }
  if (a.tag == Tag::kNull || b.tag == Tag::kNull) {
    return a.tag == b.tag;
  }
  return !IsArray(a.tag) && !IsArray(b.tag) && a.number == b.number;
}

// Returns true iff `a` equals an element of the array `b`, or is a part of the string `b`.
bool In(const Value& a, const Value& b);

}  // namespace reco::filter
