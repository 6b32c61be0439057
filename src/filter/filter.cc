#include "filter/filter.h"

#include <utility>

#include "filter/parser.h"

namespace reco::filter {

Result<std::shared_ptr<const Filter>> Filter::Compile(std::string_view text) {
  RECO_ASSIGN_OR_RETURN(Program program, ParseProgram(text));
  return std::shared_ptr<const Filter>(new Filter(text, std::move(program)));
}

}  // namespace reco::filter
