// The first part stands at the text's begin, the last at its end, and each in between at the first
// place behind the one before: what a star could take more of, the next star can. Parts in between
// are searched for by their set of places that fit so far, a bit each, moved on with each byte
// (Baeza-Yates and Gonnet, A New Approach to Text Searching, 1992).
#include "base/glob.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <utility>

namespace reco {
namespace {

constexpr std::size_t kBits = 64;

unsigned char Lower(unsigned char byte) {
  return static_cast<unsigned char>(std::tolower(byte));
}

// Reads the class behind '[' at pattern[*at] and leaves *at behind the closing bracket. An unclosed
// class ends with the pattern, as in Redis.
std::bitset<256> ReadClass(std::string_view pattern, std::size_t* at, bool ignore_case) {
  const auto byte_at = [&](std::size_t i) {
    const auto byte = static_cast<unsigned char>(pattern[i]);
    return ignore_case ? Lower(byte) : byte;
  };
  std::size_t i = *at;
  const bool negated = i < pattern.size() && pattern[i] == '^';
  i += negated ? 1 : 0;
  std::bitset<256> bytes;
  while (i < pattern.size() && pattern[i] != ']') {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      ++i;
      bytes.set(byte_at(i));
    } else if (i + 2 < pattern.size() && pattern[i + 1] == '-') {
      const auto [low, high] = std::minmax({byte_at(i), byte_at(i + 2)});
      for (std::size_t byte = low; byte <= high; ++byte) {
        bytes.set(byte);
      }
      i += 2;
    } else {
      bytes.set(byte_at(i));
    }
    ++i;
  }
  *at = i < pattern.size() ? i + 1 : i;
  return negated ? ~bytes : bytes;
}

// Reads what fits one byte of the text at pattern[*at], which is no star.
std::bitset<256> ReadOne(std::string_view pattern, std::size_t* at, bool ignore_case) {
  const char head = pattern[(*at)++];
  if (head == '?') {
    return std::bitset<256>().set();
  }
  if (head == '[') {
    return ReadClass(pattern, at, ignore_case);
  }
  const char literal = head == '\\' && *at < pattern.size() ? pattern[(*at)++] : head;
  const auto byte = static_cast<unsigned char>(literal);
  return std::bitset<256>().set(ignore_case ? Lower(byte) : byte);
}

}  // namespace

Glob::Glob(std::string_view pattern, bool ignore_case) : parts_(1) {
  for (std::size_t at = 0; at < pattern.size() && least_ <= kBytesMax;) {
    if (pattern[at] == '*') {
      ++at;
      if (parts_.size() == 1 || !parts_.back().sets.empty()) {  // else a star behind a star
        parts_.emplace_back();
      }
      continue;
    }
    Bytes bytes = ReadOne(pattern, &at, ignore_case);
    if (ignore_case) {
      // The set was read folded: a byte fits when its lower case does.
      const Bytes folded = bytes;
      for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
        bytes[byte] = folded[Lower(static_cast<unsigned char>(byte))];
      }
    }
    parts_.back().sets.push_back(bytes);
    ++least_;
  }
  if (parts_.size() < 3) {
    return;
  }
  for (Part& part : std::span(parts_).subspan(1, parts_.size() - 2)) {
    part.words = (part.sets.size() + kBits - 1) / kBits;
    part.places.resize(256 * part.words);
    for (std::size_t i = 0; i < part.sets.size(); ++i) {
      const Bytes& bytes = part.sets[i];
      for (std::size_t byte = bytes._Find_first(); byte < 256; byte = bytes._Find_next(byte)) {
        part.places[byte * part.words + i / kBits] |= std::uint64_t{1} << (i % kBits);
      }
    }
  }
}

bool Glob::FitsAt(const Part& part, std::string_view text, std::size_t at) {
  for (std::size_t i = 0; i < part.sets.size(); ++i) {
    if (!part.sets[i][static_cast<unsigned char>(text[at + i])]) {
      return false;
    }
  }
  return true;
}

// Returns the end of the first place at or behind `from` where the part fits; npos without one.
std::size_t Glob::Find(const Part& part, std::string_view text, std::size_t from) {
  const std::size_t last = part.sets.size() - 1;
  std::vector<std::uint64_t> fits(part.words);  // bit i: the part's begin fits up to and with i
  for (std::size_t at = from; at < text.size(); ++at) {
    const std::size_t row = static_cast<unsigned char>(text[at]) * part.words;
    std::uint64_t carry = 1;
    for (std::size_t word = 0; word < part.words; ++word) {
      const std::uint64_t next = fits[word] >> (kBits - 1);
      fits[word] = ((fits[word] << 1U) | carry) & part.places[row + word];
      carry = next;
    }
    if ((fits[last / kBits] >> (last % kBits) & 1U) != 0) {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

bool Glob::Matches(std::string_view text) const {
  if (text.size() < least_ || least_ > kBytesMax) {
    return false;
  }
  const Part& first = parts_.front();
  if (parts_.size() == 1) {
    return text.size() == first.sets.size() && FitsAt(first, text, 0);
  }
  const Part& end = parts_.back();
  if (!FitsAt(first, text, 0) || !FitsAt(end, text, text.size() - end.sets.size())) {
    return false;
  }
  std::size_t at = first.sets.size();
  for (std::size_t i = 1; i + 1 < parts_.size(); ++i) {
    at = Find(parts_[i], text, at);
    if (at == std::string_view::npos) {
      return false;
    }
  }
  return at + end.sets.size() <= text.size();
}

}  // namespace reco
