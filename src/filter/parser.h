// From text to program. The grammar is in doc/filters.md.
#pragma once

#include <string_view>

#include "filter/program.h"
#include "reco/result.h"

namespace reco::filter {

// As Filter::Compile.
Result<Program> ParseProgram(std::string_view text);

}  // namespace reco::filter
