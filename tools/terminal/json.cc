#include "tools/terminal/json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>

namespace reco::terminal {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Returns the length of the valid UTF-8 character at text[at], or 0 (RFC 3629: no overlong forms,
// no surrogates, at most U+10FFFF).
std::size_t CharacterBytes(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  // 0xC0 and 0xC1 begin only overlong forms.
  if (lead < 0xC2 || lead > 0xF4 || at + size > text.size()) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) {
      return 0;
    }
  }
  const unsigned char second = byte(at + 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : size;
}

// Appends a byte of ASCII as it stands in a JSON string.
void AppendEscaped(std::string* out, char c) {
  switch (c) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) < 0x20) {
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(c));
    *out += text.data();
  } else {
    *out += c;
  }
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = CharacterBytes(text, at);
    if (size == 0) {
      out += "\\ufffd";
      // One byte alone is given up, so that what follows it is not lost with it.
      ++at;
    } else if (size == 1) {
      AppendEscaped(&out, text[at++]);
    } else {
      out += text.substr(at, size);
      at += size;
    }
  }
  return out + '"';
}

std::string JsonStringOrNull(std::string_view text) {
  return text.empty() ? "null" : JsonString(text);
}

bool IsJsonNumber(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && IsDigit(text[at])) {
      ++at;
    }
    return at - first;
  };
  if (at < text.size() && text[at] == '-') {
    ++at;
  }
  // A leading zero stands alone: an id such as 007 must stay a string.
  const bool zero = at < text.size() && text[at] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) {
    return false;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) {
      return false;
    }
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
      ++at;
    }
    if (digits() == 0) {
      return false;
    }
  }
  return at == text.size();
}

std::string JsonScalar(std::string_view text) {
  return IsJsonNumber(text) ? std::string(text) : JsonString(text);
}

void AppendElement(std::string* list, std::string_view element) {
  if (!list->empty()) {
    *list += ", ";
  }
  *list += element;
}

void AppendMember(std::string* object, std::string_view name, std::string_view value) {
  AppendElement(object, JsonString(name));
  *object += ": ";
  *object += value;
}

std::string Braced(std::string_view members) {
  return std::string("{").append(members).append("}");
}

std::string JsonDouble(double value) {
  // JSON has no NaN and no infinities.
  if (!std::isfinite(value)) {
    return "null";
  }
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::string(text.data(), end) : "null";
}

}  // namespace reco::terminal
