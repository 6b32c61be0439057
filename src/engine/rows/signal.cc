#include "engine/rows/signal.h"

#include <algorithm>
#include <cmath>

#include "reco/types.h"

#include "base/numbers.h"

namespace reco::engine {
namespace {

// Of an event's weight, by its age.
constexpr double kHalvingsMax = 60;
constexpr double kDoublingsMax = 10;

// Returns how many events are in the pair with one more. Saturates, since it counts for a pair what
// a client may send without end.
std::uint32_t OneMore(std::uint32_t count) {
  return count + (count == 0xffffffffU ? 0 : 1);
}

// The rules until format version 2, by which the pairs of such events were made: a replay and
// verification must find the same ones.
format::Pair AccumulateAsSaid(const format::Pair* before, const format::Event& event,
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
  if (rules.rated()) {
    // A rating replaces; one that comes late is older than what stands. A set preference says "this
    // one", whatever its time.
    const bool stands = newest || format::Replaces(event.kind);
    weight = stands ? event.weight : static_cast<double>(after.weight);
  } else if (!format::Replaces(event.kind)) {
    weight += after.weight * Decay(rules.halflife_ms, at_ms - after.last_ms);
  }
  after.weight = static_cast<float>(std::clamp(weight, -kWeightMax, kWeightMax));
  after.first_ms = std::min(after.first_ms, event.time_ms);
  if (newest) {
    after.last_ms = event.time_ms;
    after.last_type = event.type;
  }
  after.count = OneMore(after.count);
  return after;
}

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
  if (event.kind == format::EventKind::kInteractionAsSaid ||
      event.kind == format::EventKind::kSetAsSaid) {
    return AccumulateAsSaid(before, event, rules);
  }
  const std::int64_t happened_ms = event.happened_ms();
  format::Pair after = before != nullptr ? *before : format::Pair{};
  if (before == nullptr) {
    after.first_ms = after.last_ms = happened_ms;
  }
  const std::int64_t known_ms = std::min(after.last_ms, event.arrival_ms);
  const bool newest = happened_ms >= known_ms;
  double weight = event.weight;
  if (format::Replaces(event.kind)) {
    after.last_ms = known_ms;  // a clock that was ahead is forgotten with what it weighed
  } else if (rules.rated()) {
    // A rating replaces; one that comes late is older than what stands.
    weight = newest ? weight : static_cast<double>(after.weight);
  } else {
    // Decayed to whichever is newer, the event or the pair: so the order of arrival does not
    // matter.
    weight = CancellingSum(
        weight * Decay(rules.halflife_ms, std::max<std::int64_t>(0, known_ms - happened_ms)),
        after.weight *
            Decay(rules.halflife_ms, std::max<std::int64_t>(0, happened_ms - after.last_ms)));
  }
  after.weight = static_cast<float>(std::clamp(weight, -kWeightMax, kWeightMax));
  after.first_ms = std::min(after.first_ms, happened_ms);
  after.last_ms = std::max(after.last_ms, happened_ms);
  if (newest || format::Replaces(event.kind)) {
    after.last_type = event.type;
  }
  after.count = OneMore(after.count);
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
