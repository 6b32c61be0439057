// String literals of expressions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "reco/status.h"

namespace reco::filter {

// Reads the literal whose opening quote, " or ', is text[*at]; moves *at past its closing quote.
// Escapes are JSON's and \'. kInvalidArgument with the position when it is not closed or an escape
// is none.
Status ReadStringLiteral(std::string_view text, std::size_t* at, std::string* value);

}  // namespace reco::filter
