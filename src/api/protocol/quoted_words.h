// Splits a line into words as redis.conf and inline commands write them: words are separated by
// blanks; "..." knows \n \r \t \b \a \xHH and \ before any other byte; '...' knows only \'.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reco::api {

// A part of a byte string that may move: position and length instead of pointers.
struct Slice {
  std::size_t offset = 0;
  std::size_t length = 0;
};

// Appends the words' bytes, unescaped, to `bytes` and their places in it to `words`. Returns false
// when a quote is not closed, or closed and not followed by a blank; what was appended is then
// undefined. `line` must not hold NUL bytes.
bool SplitQuotedWords(std::string_view line, std::string* bytes, std::vector<Slice>* words);

}  // namespace reco::api
