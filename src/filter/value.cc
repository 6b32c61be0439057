#include "filter/value.h"

#include <algorithm>
#include <charconv>
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
      return Holds(array.numbers, a.number) || Holds(array.numbers_of_strings, a.number);
    case Tag::kString:
      return Holds(array.strings, a.string->text) || Holds(array.numbers, a.number);
    default:
      return false;
  }
}

Value ElementValue(const Element& element, const Dictionary& dictionary) {
  if (element.tag == Tag::kString) {
    return Value::String(dictionary.entry(element.id));
  }
  return element.tag == Tag::kNumber ? Value::Number(element.number) : Value::Null();
}

bool IsPart(const std::string& part, const std::string& whole) {
  // Linear, as std::string::find is not.
  return part.empty() || memmem(whole.data(), whole.size(), part.data(), part.size()) != nullptr;
}

}  // namespace

void LiteralArray::Sort() {
  std::sort(strings.begin(), strings.end());
  std::sort(numbers.begin(), numbers.end());
  std::sort(numbers_of_strings.begin(), numbers_of_strings.end());
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

bool In(const Value& a, const Value& b) {
  if (b.tag == Tag::kLiteralArray) {
    return InLiteral(a, *b.literal);
  }
  if (b.tag == Tag::kArray) {
    return std::any_of(b.elements, b.elements + b.count, [&](const Element& element) {
      return Equal(a, ElementValue(element, *b.dictionary));
    });
  }
  return a.tag == Tag::kString && b.tag == Tag::kString && IsPart(a.string->text, b.string->text);
}

}  // namespace reco::filter
