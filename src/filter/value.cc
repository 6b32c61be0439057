#include "filter/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

#include "filter/dictionary.h"

namespace reco::filter {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Returns true iff `sorted`, which has no NaN, holds the key; a NaN is not found.
template <typename T, typename Key>
bool Holds(const std::vector<T>& sorted, const Key& key) {
  constexpr std::size_t kFewElements = 8;
  if (sorted.size() <= kFewElements) {
    return std::find(sorted.begin(), sorted.end(), key) != sorted.end();
  }
  const auto found = std::lower_bound(sorted.begin(), sorted.end(), key);
  return found != sorted.end() && *found == key;
}

bool InLiteral(const Value& a, const LiteralArray& array) {
  switch (a.tag) {
    case Tag::kNull:
      return array.has_null;
    case Tag::kNumber:
      return Holds(array.numbers, a.number);
    case Tag::kInteger:
      return Holds(array.integers, a.integer);
    case Tag::kString:
      return Holds(array.strings, a.string->text);
    default:
      return false;
  }
}

// Returns true iff Equal holds for `a` and the value that the element is.
bool EqualsElement(const Value& a, const Element& element, const Dictionary& dictionary) {
  if (a.tag != element.tag) {
    return false;
  }
  switch (a.tag) {
    case Tag::kNumber:
      return a.number == element.number;
    case Tag::kInteger:
      return a.integer == element.integer;
    case Tag::kString:
      return a.string->text == dictionary.entry(element.id).text;
    default:
      return a.tag == Tag::kNull;
  }
}

// Compares an integer that no double is.
std::partial_ordering OrderOfInteger(std::int64_t integer, double number) {
  if (number >= 0x1p63) {
    return std::partial_ordering::less;
  }
  if (number < -0x1p63) {
    return std::partial_ordering::greater;
  }
  if (std::isnan(number)) {
    return std::partial_ordering::unordered;
  }
  // Doubles of the integer's size have no fraction, and smaller ones lose it to no effect.
  return integer <=> static_cast<std::int64_t>(number);
}

std::partial_ordering Reversed(std::partial_ordering order) {
  if (std::is_lt(order)) {
    return std::partial_ordering::greater;
  }
  return std::is_gt(order) ? std::partial_ordering::less : order;
}

bool IsPart(const std::string& part, const std::string& whole) {
  // Linear, as std::string::find is not.
  return part.empty() || memmem(whole.data(), whole.size(), part.data(), part.size()) != nullptr;
}

}  // namespace

void LiteralArray::Sort() {
  std::sort(strings.begin(), strings.end());
  std::sort(numbers.begin(), numbers.end());
  std::sort(integers.begin(), integers.end());
}

double NumberOf(std::string_view text) {
  const char* first = text.data();
  const char* last = text.data() + text.size();
  if (first != last && *first == '+') {
    ++first;
    if (first != last && *first == '-') {
      return 0;
    }
  }
  // from_chars would also take the names of infinity and NaN.
  const char* digit = first != last && *first == '-' ? first + 1 : first;
  if (digit == last || (!IsDigit(*digit) && *digit != '.')) {
    return 0;
  }
  double number = 0;
  const auto [end, error] = std::from_chars(first, last, number);
  return error == std::errc() && end == last ? number : 0;
}

std::partial_ordering OrderOfOthers(const Value& a, const Value& b) {
  if (a.tag == Tag::kString && b.tag == Tag::kString) {
    return a.string->text <=> b.string->text;
  }
  if (a.tag == Tag::kInteger && b.tag == Tag::kInteger) {
    return a.integer <=> b.integer;
  }
  if (a.tag == Tag::kInteger && b.tag == Tag::kNumber) {
    return OrderOfInteger(a.integer, b.number);
  }
  if (a.tag == Tag::kNumber && b.tag == Tag::kInteger) {
    return Reversed(OrderOfInteger(b.integer, a.number));
  }
  return std::partial_ordering::unordered;
}

bool In(const Value& a, const Value& b) {
  if (b.tag == Tag::kLiteralArray) {
    return InLiteral(a, *b.literal);
  }
  if (b.tag == Tag::kArray) {
    return std::any_of(b.elements, b.elements + b.count, [&](const Element& element) {
      return EqualsElement(a, element, *b.dictionary);
    });
  }
  return a.tag == Tag::kString && b.tag == Tag::kString && IsPart(a.string->text, b.string->text);
}

}  // namespace reco::filter
