#include "engine/state/compiled_rule.h"

#include <cmath>
#include <utility>

namespace reco::engine {
namespace {

constexpr double kBoostMin = 0.001;
constexpr double kBoostMax = 1'000;

}  // namespace

Result<CompiledRule> Compile(const Rule& rule) {
  if (rule.name.empty() || rule.name.size() > kRuleNameBytesMax) {
    return Status::InvalidArgument("a rule's name must have 1 to 64 bytes");
  }
  const bool boost = rule.action == Rule::Action::kBoost;
  if (boost && !(rule.value == 0 || (rule.value >= kBoostMin && rule.value <= kBoostMax))) {
    return Status::InvalidArgument("BOOST must be 0 or a number from 0.001 to 1000");
  }
  const bool pin = rule.action == Rule::Action::kPin;
  if (pin &&
      !(rule.value >= 1 && rule.value <= kCountMax && rule.value == std::floor(rule.value))) {
    return Status::InvalidArgument("PIN must be an integer from 1 to 10000");
  }
  if (rule.from_ms < 0 || rule.until_ms < 0 ||
      (rule.until_ms != 0 && rule.until_ms <= rule.from_ms)) {
    return Status::InvalidArgument("UNTIL must be later than FROM");
  }
  RECO_ASSIGN_OR_RETURN(auto filter, filter::Filter::Compile(rule.filter));
  return CompiledRule{rule, std::move(filter)};
}

}  // namespace reco::engine
