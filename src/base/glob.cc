#include "base/glob.h"

#include <cctype>
#include <cstddef>
#include <utility>

namespace reco {
namespace {

unsigned char Fold(char c, bool ignore_case) {
  const auto byte = static_cast<unsigned char>(c);
  return ignore_case ? static_cast<unsigned char>(std::tolower(byte)) : byte;
}

// Matches one byte against the class that starts behind '[' at pattern[*at]; leaves *at behind the
// closing bracket. An unclosed class ends with the pattern, as in Redis.
bool MatchClass(std::string_view pattern, std::size_t* at, unsigned char byte, bool ignore_case) {
  std::size_t i = *at;
  const bool negated = i < pattern.size() && pattern[i] == '^';
  i += negated ? 1 : 0;
  bool found = false;
  while (i < pattern.size() && pattern[i] != ']') {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      ++i;
      found |= Fold(pattern[i], ignore_case) == byte;
    } else if (i + 2 < pattern.size() && pattern[i + 1] == '-') {
      unsigned char low = Fold(pattern[i], ignore_case);
      unsigned char high = Fold(pattern[i + 2], ignore_case);
      if (low > high) {
        std::swap(low, high);
      }
      found |= low <= byte && byte <= high;
      i += 2;
    } else {
      found |= Fold(pattern[i], ignore_case) == byte;
    }
    ++i;
  }
  *at = i < pattern.size() ? i + 1 : i;
  return found != negated;
}

// Matches one pattern element other than '*' at pattern[*at] and moves *at behind it.
bool MatchOne(std::string_view pattern, std::size_t* at, char c, bool ignore_case) {
  const unsigned char byte = Fold(c, ignore_case);
  const char head = pattern[(*at)++];
  if (head == '?') {
    return true;
  }
  if (head == '[') {
    return MatchClass(pattern, at, byte, ignore_case);
  }
  if (head == '\\' && *at < pattern.size()) {
    return Fold(pattern[(*at)++], ignore_case) == byte;
  }
  return Fold(head, ignore_case) == byte;
}

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // behind the last '*', to come back to
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      // Only the last star is worth coming back to: what an earlier one could take more of, this
      // one can.
      star = ++p;
      star_text = t;
      continue;
    }
    std::size_t next = p;
    if (p < pattern.size() && MatchOne(pattern, &next, text[t], ignore_case)) {
      p = next;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

}  // namespace reco
