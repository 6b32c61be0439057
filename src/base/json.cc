#include "base/json.h"

#include <cstddef>
#include <cstdint>

namespace reco {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// A recursive descent over the text; every function takes one element from the front of `rest_` and
// answers whether it was well formed.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : rest_(text) {}

  bool Object(int depth) {
    if (!Take('{')) {
      return false;
    }
    SkipSpace();
    if (Take('}')) {
      return true;
    }
    do {
      SkipSpace();
      if (!String()) {
        return false;
      }
      SkipSpace();
      if (!Take(':') || !Value(depth)) {
        return false;
      }
    } while (Take(','));
    return Take('}');
  }

  void SkipSpace() {
    const std::size_t end = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  bool AtEnd() const { return rest_.empty(); }

 private:
  char Front() const { return rest_.empty() ? '\0' : rest_.front(); }

  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool TakeWord(std::string_view word) {
    if (!rest_.starts_with(word)) {
      return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }

  // Takes a value with the white space around it.
  bool Value(int depth) {
    SkipSpace();
    const bool good = BareValue(depth);
    SkipSpace();
    return good;
  }

  bool BareValue(int depth) {
    switch (Front()) {
      case '{':
        return depth < kJsonDepthMax && Object(depth + 1);
      case '[':
        return depth < kJsonDepthMax && Array(depth + 1);
      case '"':
        return String();
      default:
        return TakeWord("true") || TakeWord("false") || TakeWord("null") || Number();
    }
  }

  bool Array(int depth) {
    if (!Take('[')) {
      return false;
    }
    SkipSpace();
    if (Take(']')) {
      return true;
    }
    do {
      if (!Value(depth)) {
        return false;
      }
    } while (Take(','));
    return Take(']');
  }

  bool Digits() {
    if (!IsDigit(Front())) {
      return false;
    }
    while (IsDigit(Front())) {
      rest_.remove_prefix(1);
    }
    return true;
  }

  bool Number() {
    Take('-');
    if (!Take('0') && !Digits()) {
      return false;
    }
    if (Take('.') && !Digits()) {
      return false;
    }
    if (Take('e') || Take('E')) {
      if (!Take('+')) {
        Take('-');
      }
      return Digits();
    }
    return true;
  }

  bool String() {
    if (!Take('"')) {
      return false;
    }
    while (!rest_.empty()) {
      if (Take('"')) {
        return true;
      }
      if (!(Take('\\') ? Escape() : Character())) {
        return false;
      }
    }
    return false;
  }

  // Takes what follows a backslash.
  bool Escape() {
    constexpr std::string_view kSimple = "\"\\/bfnrt";
    constexpr std::size_t kHexDigits = 4;
    if (rest_.empty()) {
      return false;
    }
    if (kSimple.find(rest_.front()) != std::string_view::npos) {
      rest_.remove_prefix(1);
      return true;
    }
    if (!Take('u')) {
      return false;
    }
    for (std::size_t i = 0; i < kHexDigits; ++i) {
      if (!IsHexDigit(Front())) {
        return false;
      }
      rest_.remove_prefix(1);
    }
    return true;
  }

  // Takes one character of a string in UTF-8 (RFC 3629): shortest form, no surrogates, at most
  // U+10FFFF.
  bool Character() {
    const auto lead = static_cast<std::uint8_t>(rest_.front());
    std::size_t length = 1;
    std::uint8_t low = 0x80;  // bounds of the second byte
    std::uint8_t high = 0xbf;
    // Control characters must be escaped.
    if (lead < 0x20) {
      return false;
    }
    if (lead >= 0x80) {
      if (lead < 0xc2 || lead > 0xf4) {
        return false;
      }
      length = lead < 0xe0 ? 2 : (lead < 0xf0 ? 3 : 4);
      low = lead == 0xe0 ? 0xa0 : (lead == 0xf0 ? 0x90 : low);
      high = lead == 0xed ? 0x9f : (lead == 0xf4 ? 0x8f : high);
    }
    if (rest_.size() < length) {
      return false;
    }
    for (std::size_t i = 1; i < length; ++i) {
      const auto byte = static_cast<std::uint8_t>(rest_[i]);
      if (byte < (i == 1 ? low : 0x80) || byte > (i == 1 ? high : 0xbf)) {
        return false;
      }
    }
    rest_.remove_prefix(length);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

bool IsJsonObject(std::string_view text) {
  JsonReader reader(text);
  reader.SkipSpace();
  if (!reader.Object(1)) {
    return false;
  }
  reader.SkipSpace();
  return reader.AtEnd();
}

}  // namespace reco
