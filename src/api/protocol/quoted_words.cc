#include "api/protocol/quoted_words.h"

namespace reco::api {
namespace {

constexpr auto kNpos = std::string_view::npos;

// Returns isspace() of the C locale: these bytes separate words and may follow a closing quote.
bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// Returns true iff the byte ends a bare word: vertical tab and form feed do not.
bool EndsWord(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

char Unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Reads the quoted part that starts behind the quote at line[at]. Returns where the word goes on
// behind the closing quote, or kNpos when there is none.
std::size_t ReadQuoted(std::string_view line, std::size_t at, char quote, std::string* bytes) {
  while (at < line.size()) {
    const char c = line[at];
    const std::size_t left = line.size() - at;
    if (quote == '"' && c == '\\' && left >= 4 && line[at + 1] == 'x' &&
        HexDigit(line[at + 2]) >= 0 && HexDigit(line[at + 3]) >= 0) {
      bytes->push_back(static_cast<char>(HexDigit(line[at + 2]) * 16 + HexDigit(line[at + 3])));
      at += 4;
    } else if (quote == '"' && c == '\\' && left >= 2) {
      bytes->push_back(Unescape(line[at + 1]));
      at += 2;
    } else if (quote == '\'' && c == '\\' && left >= 2 && line[at + 1] == '\'') {
      bytes->push_back('\'');
      at += 2;
    } else if (c == quote) {
      return at + 1 == line.size() || IsSpace(line[at + 1]) ? at + 1 : kNpos;
    } else {
      bytes->push_back(c);
      ++at;
    }
  }
  return kNpos;
}

}  // namespace

bool SplitQuotedWords(std::string_view line, std::string* bytes, std::vector<Slice>* words) {
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && IsSpace(line[at])) {
      ++at;
    }
    if (at == line.size()) {
      return true;
    }
    const std::size_t start = bytes->size();
    while (at < line.size() && !EndsWord(line[at])) {
      const char c = line[at++];
      if (c != '"' && c != '\'') {
        bytes->push_back(c);
        continue;
      }
      at = ReadQuoted(line, at, c, bytes);
      if (at == kNpos) {
        return false;
      }
      break;  // a closing quote ends the word
    }
    words->push_back({.offset = start, .length = bytes->size() - start});
  }
}

}  // namespace reco::api
