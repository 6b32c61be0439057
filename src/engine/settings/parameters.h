// Parameters of a collection by name: the one table behind RECO.CREATE, RECO.CONFIG, RECO.RETRAIN
// and doc/options.md. The values live in CollectionOptions. See doc/engine/settings.md.
//
// Beside the table's rows every feedback type is a parameter "type.<name>" whose value is the
// weight of one such event; setting a new one adds the type. Types are numbered in the order they
// were added and cannot be removed, because events refer to the number.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reco/options.h"
#include "reco/result.h"
#include "reco/status.h"

namespace reco::engine {

enum class ParameterEffect : std::uint8_t {
  kFixed,         // given at creation, never changed: what shapes the replay of events (D21)
  kNextTraining,  // used from the next model on
  kAtOnce,
};

struct Parameter {
  std::string_view name;  // lower case, hyphenated
  ParameterEffect effect = ParameterEffect::kAtOnce;
  std::string_view range;  // completes "<name> must be ..."
  std::string_view doc;    // one sentence, for people
  double min = 0;          // inclusive, as is `max`
  double max = 0;
  bool integer = false;
  std::string_view word = {};  // that may stand in place of a number, for nullopt
  // Not empty: the value is one of these words, and `get` and `set` take its number.
  std::span<const std::string_view> choices = {};
  // Null for "type.*", which stands for any number of values, and for "attrfeatures" and
  // "attribute-types", which are lists.
  std::optional<double> (*get)(const CollectionOptions& options) = nullptr;
  void (*set)(CollectionOptions* options, std::optional<double> value) = nullptr;
};

using ParameterList = std::vector<std::pair<std::string, std::string>>;
using ParameterSpan = std::span<const std::pair<std::string, std::string>>;

// The table, in the order in which it is shown.
std::span<const Parameter> CollectionParameters();
// Returns the row with this name, or the row "type.*" for "type.<name>"; null when unknown. Case
// does not matter, except in a type's name.
const Parameter* FindParameter(std::string_view name);

// Sets one value. kInvalidArgument: unknown name (the message lists the known ones) or bad value
// (the message says what is allowed).
Status SetParameter(CollectionOptions* options, std::string_view name, std::string_view value);
// Sets values of an existing collection, all or none: a fixed parameter keeps its value
// (kInvalidArgument with both values), and no name may come twice. Returns true when a value
// changed that the next training will use. Other errors as of SetParameter.
Result<bool> ChangeParameters(CollectionOptions* options, ParameterSpan parameters);
// Sets values for one training, all or none; only kNextTraining parameters, no name twice. Errors
// as of SetParameter.
Status SetTrainingParameters(CollectionOptions* options, ParameterSpan parameters);

// Returns the names and values that match a Redis glob (case-insensitive), in table order, then the
// types.
ParameterList GetParameters(const CollectionOptions& options, std::string_view pattern = "*");

// Returns Ok when all values are in their ranges; otherwise kInvalidArgument that tells of the
// first that is not.
Status CheckParameters(const CollectionOptions& options);
// Returns Ok when no fixed parameter differs; otherwise kInvalidArgument with both values.
Status CheckSameFixed(const CollectionOptions& existing, const CollectionOptions& requested);

}  // namespace reco::engine
