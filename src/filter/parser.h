// From text to program. The grammar is in doc/filters.md.
#pragma once

#include <string_view>

#include "reco/result.h"

#include "filter/program.h"

namespace reco::filter {

// Compiles an expression; errors as of Filter::Compile.
Result<Program> ParseProgram(std::string_view text);

}  // namespace reco::filter
