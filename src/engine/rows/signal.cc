#include "engine/rows/signal.h"

#include <algorithm>
#include <cmath>

#include "reco/types.h"

namespace reco::engine {
namespace {

// Of an event's weight, by its age.
constexpr double kHalvingsMax = 60;
constexpr double kDoublingsMax = 10;

}  // namespace

SignalRules RulesOf(const CollectionOptions& options) {
  return {options.halflife_s * 1000, options.feedback};
}

double Decay(double halflife_ms, std::int64_t age_ms) {
  if (halflife_ms <= 0 || age_ms == 0) {
    return 1;
  }
  return std::exp2(
      std::clamp(-static_cast<double>(age_ms) / halflife_ms, -kHalvingsMax, kDoublingsMax));
}

format::Pair Accumulate(const format::Pair* before, const format::Event& event,
                        const SignalRules& rules) {
  format::Pair after = before != nullptr ? *before : format::Pair{};
  if (before == nullptr) {
    after.first_ms = after.last_ms = event.time_ms;
    after.last_type = event.type;
  }
  // Decayed to whichever is newer, the event or the pair: so the order of arrival does not matter.
  const bool newest = event.time_ms >= after.last_ms;
  const std::int64_t at_ms = newest ? event.time_ms : after.last_ms;
  double weight = event.weight * Decay(rules.halflife_ms, at_ms - event.time_ms);
  if (rules.feedback == Feedback::kExplicit) {
    // A rating replaces; one that comes late is older than what stands. A set preference says "this
    // one", whatever its time.
    const bool stands = newest || event.kind == format::EventKind::kSet;
    weight = stands ? event.weight : static_cast<double>(after.weight);
  } else if (event.kind != format::EventKind::kSet) {
    weight += after.weight * Decay(rules.halflife_ms, at_ms - after.last_ms);
  }
  after.weight = static_cast<float>(std::clamp(weight, -kWeightMax, kWeightMax));
  after.first_ms = std::min(after.first_ms, event.time_ms);
  if (newest) {
    after.last_ms = event.time_ms;
    after.last_type = event.type;
  }
  // Saturates, since it counts for a pair what a client may send without end.
  after.count += after.count == 0xffffffffU ? 0 : 1;
  return after;
}

float ModelSignal::WeightOf(const format::Pair& pair) const {
  // The common case needs no float64 and changes no bit.
  if (halflife_ms <= 0 && weighting == Weighting::kLinear) {
    return pair.weight;
  }
  double weight = pair.weight * Decay(halflife_ms, reference_ms - pair.last_ms);
  if (weighting == Weighting::kLog) {
    // Negative weights fade the same way: a dislike stays one.
    weight = std::copysign(std::log2(1 + std::abs(weight)), weight);
  }
  return static_cast<float>(std::clamp(weight, -kWeightMax, kWeightMax));
}

Result<std::uint16_t> TypeIndex(const CollectionOptions& options, std::string_view name) {
  if (name.empty()) {
    return format::kNoType;
  }
  for (std::size_t i = 0; i < options.types.size(); ++i) {
    if (options.types[i].name == name) {
      return static_cast<std::uint16_t>(i);
    }
  }
  return Status::InvalidArgument("unknown type '" + std::string(name.substr(0, 64)) +
                                 "'; add it with RECO.CONFIG key SET type.<name> <weight>");
}

}  // namespace reco::engine
