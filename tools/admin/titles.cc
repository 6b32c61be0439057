#include "tools/admin/titles.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "tools/terminal/text_table.h"

namespace reco::admin {
namespace {

void AppendUtf8(std::string* out, std::uint32_t code) {
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += static_cast<char>(0xC0U | (code >> 6U));
    *out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    *out += static_cast<char>(0xE0U | (code >> 12U));
    *out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    *out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    *out += static_cast<char>(0xF0U | (code >> 18U));
    *out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    *out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    *out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

// A cursor over the text of one JSON object.
class Scanner {
 public:
  explicit Scanner(std::string_view json) : json_(json) {}

  bool Take(char c) {
    SkipSpace();
    if (at_ < json_.size() && json_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }

  bool at_string() {
    SkipSpace();
    return at_ < json_.size() && json_[at_] == '"';
  }

  // Takes the string at the cursor. Returns it unescaped.
  std::string String() {
    std::string out;
    ++at_;
    while (at_ < json_.size() && json_[at_] != '"') {
      if (json_[at_] == '\\' && at_ + 1 < json_.size()) {
        ++at_;
        Escape(&out);
      } else {
        out += json_[at_++];
      }
    }
    ++at_;
    return out;
  }

  // Takes the value at the cursor. Returns its raw text: up to the comma or bracket that ends it.
  std::string_view Raw() {
    SkipSpace();
    const std::size_t first = at_;
    int depth = 0;
    while (at_ < json_.size()) {
      const char c = json_[at_];
      if (c == '"') {
        // Brackets and commas in strings are text.
        String();
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
        break;
      }
      depth += c == '{' || c == '[' ? 1 : 0;
      depth -= c == '}' || c == ']' ? 1 : 0;
      ++at_;
    }
    std::string_view raw = json_.substr(first, at_ - first);
    while (!raw.empty() && IsSpace(raw.back())) {
      raw.remove_suffix(1);
    }
    return raw;
  }

 private:
  static bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

  void SkipSpace() {
    while (at_ < json_.size() && IsSpace(json_[at_])) {
      ++at_;
    }
  }

  std::uint32_t Hex4() {
    std::uint32_t code = 0;
    const std::string_view digits = json_.substr(std::min(at_, json_.size()), 4);
    std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    at_ += digits.size();
    return code;
  }

  // Takes an escape. at_ stands behind the backslash.
  void Escape(std::string* out) {
    constexpr std::string_view kLetters = "bfnrt";
    constexpr std::string_view kMeanings = "\b\f\n\r\t";
    const char c = json_[at_++];
    if (c != 'u') {
      const std::size_t letter = kLetters.find(c);
      *out += letter == std::string_view::npos ? c : kMeanings[letter];
      return;
    }
    std::uint32_t code = Hex4();
    // A pair of surrogates is one character.
    const bool high = code >= 0xD800 && code < 0xDC00;
    if (high && json_.substr(std::min(at_, json_.size()), 2) == "\\u") {
      at_ += 2;
      code = 0x10000 + ((code - 0xD800) << 10U) + (Hex4() - 0xDC00);
    }
    AppendUtf8(out, code);
  }

  const std::string_view json_;
  std::size_t at_ = 0;
};

}  // namespace

std::string AttributeText(std::string_view json, std::string_view name) {
  Scanner scanner(json);
  if (!scanner.Take('{')) {
    return {};
  }
  while (scanner.at_string()) {
    const bool found = scanner.String() == name;
    if (!scanner.Take(':')) {
      return {};
    }
    if (found && scanner.at_string()) {
      return scanner.String();
    }
    const std::string_view raw = scanner.Raw();
    if (found) {
      return std::string(raw);
    }
    if (!scanner.Take(',')) {
      return {};
    }
  }
  return {};
}

Result<std::string> ItemTitle(Session& session, std::string_view key, std::string_view item,
                              std::string_view name) {
  RECO_ASSIGN_OR_RETURN(const client::Value record, session.Call({"RECO.ITEM", "GET", key, item}));
  const client::Value* attributes = record.Find("attributes");
  return attributes == nullptr ? std::string()
                               : terminal::Printable(AttributeText(attributes->text, name));
}

}  // namespace reco::admin
