// JSON output, enough for flat results: strings are escaped, numbers stay numbers.
#pragma once

#include <string>
#include <string_view>

namespace reco::terminal {

// `text` in double quotes; bytes that are no valid UTF-8 become U+FFFD.
std::string JsonString(std::string_view text);

// True when `text` is a number by JSON's grammar (so that "007" and "1e" stay strings).
bool IsJsonNumber(std::string_view text);

// The number itself when it is one, a string otherwise.
std::string JsonScalar(std::string_view text);

// Appends an element to the inside of an array or object, behind a comma unless it is the first.
void AppendElement(std::string* list, std::string_view element);
// The same for `"name": value`, where `value` is JSON.
void AppendMember(std::string* object, std::string_view name, std::string_view value);

// `{members}`.
std::string Braced(std::string_view members);

// The shortest decimal that reads back; null when not finite.
std::string JsonDouble(double value);

}  // namespace reco::terminal
