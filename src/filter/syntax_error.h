// Errors of expressions, with the place in the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "reco/status.h"

namespace reco::filter {

// Returns kInvalidArgument "filter: <what> at byte <position + 1>: <text about there, a ^ before
// that byte>". One line of printable ASCII whatever the text: other bytes are shown as \xHH, a
// backslash as two.
Status SyntaxError(std::string_view what, std::string_view text, std::size_t position);

// Returns `bytes` in printable ASCII, as above.
std::string Printable(std::string_view bytes);

}  // namespace reco::filter
