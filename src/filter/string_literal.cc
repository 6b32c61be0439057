#include "filter/string_literal.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>

#include "filter/syntax_error.h"

namespace reco::filter {
namespace {

constexpr std::size_t kHexDigits = 4;

// Returns the code unit after "\u" at `at`.
std::optional<std::uint32_t> CodeUnit(std::string_view text, std::size_t at) {
  if (at >= text.size() || text.size() - at < kHexDigits + 2 || text.substr(at, 2) != "\\u") {
    return std::nullopt;
  }
  const char* first = text.data() + at + 2;
  std::uint32_t unit = 0;
  const auto parsed = std::from_chars(first, first + kHexDigits, unit, 16);
  if (parsed.ec != std::errc() || parsed.ptr != first + kHexDigits) {
    return std::nullopt;
  }
  return unit;
}

void AppendUtf8(std::uint32_t code, std::string* out) {
  const auto byte = [out](std::uint32_t bits) { out->push_back(static_cast<char>(bits)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | (code >> 6));
    byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3f));
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3f));
    byte(0x80 | ((code >> 6) & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

// Takes one character, or a pair of surrogates. Returns false when there is none at *at.
bool TakeUnicode(std::string_view text, std::size_t* at, std::string* value) {
  std::optional<std::uint32_t> code = CodeUnit(text, *at);
  if (!code || (*code >= 0xdc00 && *code < 0xe000)) {
    return false;
  }
  *at += kHexDigits + 2;
  if (*code >= 0xd800 && *code < 0xdc00) {
    const std::optional<std::uint32_t> low = CodeUnit(text, *at);
    if (!low || *low < 0xdc00 || *low >= 0xe000) {
      return false;
    }
    *at += kHexDigits + 2;
    code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
  }
  AppendUtf8(*code, value);
  return true;
}

// Takes the escape whose backslash is at *at. Returns false when it is none.
bool TakeEscape(std::string_view text, std::size_t* at, std::string* value) {
  constexpr std::string_view kNames = "\"'\\/bfnrt";
  constexpr std::string_view kMeanings = "\"'\\/\b\f\n\r\t";
  if (*at + 1 >= text.size()) {
    return false;
  }
  const std::size_t escape = kNames.find(text[*at + 1]);
  if (escape == std::string_view::npos) {
    return TakeUnicode(text, at, value);
  }
  value->push_back(kMeanings[escape]);
  *at += 2;
  return true;
}

}  // namespace

Status ReadStringLiteral(std::string_view text, std::size_t* at, std::string* value) {
  const std::size_t open = *at;
  for (++*at; *at < text.size();) {
    if (text[*at] == text[open]) {
      ++*at;
      return Status::Ok();
    }
    if (text[*at] != '\\') {
      value->push_back(text[*at]);
      ++*at;
      continue;
    }
    const std::size_t escape = *at;
    if (!TakeEscape(text, at, value)) {
      return SyntaxError("unknown escape", text, escape);
    }
  }
  return SyntaxError("unclosed string", text, open);
}

}  // namespace reco::filter
