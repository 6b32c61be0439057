#include "api/protocol/words.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace reco::api {
namespace {

char LowerCaseByte(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

// Reads the whole of `word`, as std::from_chars does.
template <typename Number>
std::optional<Number> ParseWhole(std::string_view word) {
  Number value{};
  const char* end = word.data() + word.size();
  const std::from_chars_result result = std::from_chars(word.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::optional<std::int64_t> ParseInteger(std::string_view word) {
  const std::string_view digits = word.substr(word.starts_with('-') ? 1 : 0);
  // from_chars takes no plus sign and no space, but zeros in front, and "-0", which Redis refuses.
  const bool leading_zero = digits.starts_with('0') && word != "0";
  return leading_zero ? std::nullopt : ParseWhole<std::int64_t>(word);
}

std::optional<double> ParseDouble(std::string_view word) {
  const std::optional<double> value = ParseWhole<double>(word);
  return value.has_value() && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<std::uint64_t> ParseCursor(std::string_view word) {
  const std::string text(word);
  const bool leading_space =
      !text.empty() && (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r'));
  // strtoull, because Redis reads cursors by it: it takes a sign, and stops at a NUL byte.
  char* end = nullptr;
  errno = 0;
  const std::uint64_t cursor = std::strtoull(text.c_str(), &end, 10);
  if (leading_space || *end != '\0' || errno == ERANGE) {
    return std::nullopt;
  }
  return cursor;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b,
                            [](char x, char y) { return LowerCaseByte(x) == LowerCaseByte(y); });
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), LowerCaseByte);
  return lower;
}

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

}  // namespace reco::api
