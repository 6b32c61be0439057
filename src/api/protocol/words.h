// One word of a request: numbers as Redis reads them, and case.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reco::api {

// Reads Redis's strict decimal: no sign but '-', no space, no leading zero; nullopt also on
// overflow.
std::optional<std::int64_t> ParseInteger(std::string_view word);
// Reads a decimal, with or without exponent; nullopt for NaN, infinities, overflow, hexadecimal,
// spaces.
std::optional<double> ParseDouble(std::string_view word);
// Reads a SCAN cursor, as laxly as Redis does: a sign and an empty word pass.
std::optional<std::uint64_t> ParseCursor(std::string_view word);
// Compares, or changes the case of, ASCII letters only.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string LowerCase(std::string_view text);
std::string UpperCase(std::string_view text);

}  // namespace reco::api
