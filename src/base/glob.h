// Redis glob patterns: * ? [abc] [^a-z] and \ to take the next byte literally.
#pragma once

#include <string_view>

namespace reco {

// Returns true iff the pattern matches the whole text, bytewise. Linear in the text for each star
// (no exponential backtracking).
bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case = false);

}  // namespace reco
