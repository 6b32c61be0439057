// Signal: how events add up to a stored pair, and what weight the model sees in one. Pure functions
// of their arguments: the same events give the same pairs in any process (I6).
#pragma once

#include <cstdint>
#include <string_view>

#include "reco/options.h"
#include "reco/result.h"

#include "format/event.h"
#include "format/records.h"

namespace reco::engine {

// The rules of a collection's events, fixed when it is created (D21).
struct SignalRules {
  bool rated() const { return feedback == Feedback::kExplicit; }

  double halflife_ms = 0;  // of an event, by event time; 0: it never fades
  Feedback feedback = Feedback::kImplicit;
};

SignalRules RulesOf(const CollectionOptions& options);

// Returns 2^-(age / halflife), which is above 1 for a negative age; 1 without a half-life. Held
// between 2^-60 and 2^10, so that no clock set wrong makes a weight useless or endless.
double Decay(double halflife_ms, std::int64_t age_ms);

// Returns what an interaction or a set preference makes of a pair (nullptr: none before). The
// weight is that at the pair's last time, the newest event time: older events count decayed,
// whatever the order of arrival. Weights saturate at +-kWeightMax, and a sum that cancels is 0
// (CancellingSum). With explicit feedback the rating of the newest event time stands (D23).
//
// A set preference replaces the weight, whatever the times say. An event time is read as no later
// than the arrival, and so is the pair's last time: where the clock has gone back, nobody can tell
// how long ago the pair's events were, and the event adds up as of the pair's last time (D50).
// Events of the kinds AsSaid, of folders before format version 3, follow the rules of then.
format::Pair Accumulate(const format::Pair* before, const format::Event& event,
                        const SignalRules& rules);

// How one model reads the weights of stored pairs (forward decay: Cormode et al. 2009). Fixed with
// the model, so that no event changes the weight of another pair (D22).
struct ModelSignal {
  Weighting weighting = Weighting::kLinear;
  double halflife_ms = 0;
  std::int64_t reference_ms = 0;  // an event of this time counts in full

  // The weight that the model sees: signed, |weight| <= kWeightMax.
  float WeightOf(const format::Pair& pair) const;
};

// Returns the number of a feedback type; kNoType for the empty name, kInvalidArgument for an
// unknown one.
Result<std::uint16_t> TypeIndex(const CollectionOptions& options, std::string_view name);

}  // namespace reco::engine
