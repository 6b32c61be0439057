// A merchandising rule with its filter compiled.
#pragma once

#include <memory>

#include "reco/result.h"
#include "reco/types.h"

#include "filter/filter.h"

namespace reco::engine {

struct CompiledRule {
  Rule rule;
  std::shared_ptr<const filter::Filter> filter;
};

// Compiles the rule's filter. kInvalidArgument when a field is out of its bounds or the filter is
// no expression.
Result<CompiledRule> Compile(const Rule& rule);

}  // namespace reco::engine
