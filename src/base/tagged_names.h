// Lists of names with a word each, as text: price:number,"a, b":text
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reco {

// Name and word. A name holds any bytes; a word has no quote, comma, colon, blank or control
// character, and is not empty.
using TaggedNames = std::vector<std::pair<std::string, std::string>>;

// Returns the pairs in order; nullopt: not of this form. A name in double quotes has its quotes
// doubled; it must stand in quotes when it is empty or holds a comma, a colon, a quote, a blank or
// a control character. Names may repeat. An empty text is an empty list.
std::optional<TaggedNames> ParseTaggedNames(std::string_view text);
// Returns the shortest text that reads back.
std::string FormatTaggedNames(const TaggedNames& names);

}  // namespace reco
