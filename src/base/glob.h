// Glob: Redis's patterns: * ? [abc] [^a-z] and \ to take the next byte literally.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace reco {

// A pattern, compiled once for many texts. Immutable, so thread-safe.
class Glob {
 public:
  explicit Glob(std::string_view pattern, bool ignore_case = false);

  // Returns true iff the pattern matches the whole text, bytewise. Takes time in proportion to the
  // text for each part between two stars, whatever its classes are, and for each 64 further bytes
  // of a part.
  bool Matches(std::string_view text) const;

  // A pattern that needs a longer text matches none, which bounds what a compiled one takes: some
  // 64 bytes for each of these.
  static constexpr std::size_t kBytesMax = 16'384;

 private:
  using Bytes = std::bitset<256>;
  // What stands between two stars: a set of bytes for each byte of the text. Bit i of
  // places[byte * words + i / 64] says that `byte` fits at i.
  struct Part {
    std::vector<Bytes> sets;
    std::size_t words = 0;
    std::vector<std::uint64_t> places;  // of parts that are searched for
  };

  static bool FitsAt(const Part& part, std::string_view text, std::size_t at);
  static std::size_t Find(const Part& part, std::string_view text, std::size_t from);

  std::vector<Part> parts_;  // one more than there are stars
  std::size_t least_ = 0;    // bytes of the shortest text that matches
};

// Of a pattern for one text.
inline bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case = false) {
  return Glob(pattern, ignore_case).Matches(text);
}

}  // namespace reco
