// JSON output, enough for flat results: strings are escaped, numbers stay numbers.
#pragma once

#include <string>
#include <string_view>

namespace reco::terminal {

// Returns `text` in double quotes; bytes that are no valid UTF-8 become U+FFFD.
std::string JsonString(std::string_view text);

// The same, but null for "".
std::string JsonStringOrNull(std::string_view text);

// Returns true iff `text` is a number by JSON's grammar (so that "007" and "1e" stay strings).
bool IsJsonNumber(std::string_view text);

// Returns the number itself when it is one, a string otherwise.
std::string JsonScalar(std::string_view text);

// Appends an element to the inside of an array or object, behind a comma unless it is the first.
void AppendElement(std::string* list, std::string_view element);
// Appends `"name": value` to the inside of an object in the same way; `value` is JSON.
void AppendMember(std::string* object, std::string_view name, std::string_view value);

// Returns `{members}`.
std::string Braced(std::string_view members);

// Returns the shortest decimal that reads back; null when not finite.
std::string JsonDouble(double value);

}  // namespace reco::terminal
