// The table of parameters, and text to values and back by its rows. Every value passes through a
// double, so that one pair of functions serves all rows; types and lists of names stand apart.
#include "engine/settings/parameters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "reco/types.h"

#include "base/glob.h"
#include "base/tagged_names.h"

namespace reco::engine {
namespace {

constexpr double kLargestExact = 9'007'199'254'740'992;  // 2^53
constexpr double kDimMax = 512;
constexpr std::size_t kTypesMax = 64;
constexpr std::string_view kTypePrefix = "type.";
constexpr std::size_t kFieldsMax = 16;
constexpr std::size_t kFieldNameBytesMax = 64;
constexpr std::size_t kAttributeTypesBytesMax = 8 << 10;

double ToDouble(double value) {
  return value;
}

// Returns the value, or one above all bounds: beyond 2^53 doubles skip integers, and 2^53 + 1 would
// pass for 2^53.
double ToDouble(std::uint64_t value) {
  const auto exact = static_cast<std::uint64_t>(kLargestExact);
  return value <= exact ? static_cast<double>(value) : 2 * kLargestExact;
}

template <auto Field>
std::optional<double> Get(const CollectionOptions& options) {
  using Type = std::remove_cvref_t<decltype(options.*Field)>;
  // Through the widest type of its kind: a seed above 2^53 must be seen to be out of range.
  using Wide = std::conditional_t<std::is_floating_point_v<Type>, double, std::uint64_t>;
  return ToDouble(static_cast<Wide>(options.*Field));
}

template <auto Field>
void Set(CollectionOptions* options, std::optional<double> value) {
  using Type = std::remove_cvref_t<decltype(options->*Field)>;
  options->*Field = static_cast<Type>(*value);
}

std::optional<double> GetUnobserved(const CollectionOptions& options) {
  return options.unobserved;
}

void SetUnobserved(CollectionOptions* options, std::optional<double> value) {
  options->unobserved = value;
}

std::optional<double> GetRecency(const CollectionOptions& options) {
  return options.recency.gamma;
}

void SetRecency(CollectionOptions* options, std::optional<double> value) {
  options->recency.gamma = value;
}

// In the order of the enumerations.
constexpr std::string_view kNoYes[] = {"no", "yes"};
constexpr std::string_view kWeightings[] = {"linear", "log"};
constexpr std::string_view kAttributeTypes[] = {"number", "boolean", "text"};
constexpr std::string_view kFeedbacks[] = {"implicit", "explicit"};
constexpr std::string_view kFoldIns[] = {"both", "users", "off"};
constexpr std::string_view kNeighbours[] = {"off", "auto", "sessions"};

// The lower bound of the numbers above 0 keeps them above 0 in float32, which the solver uses.
constexpr double kAboveZero = 1e-9;

constexpr std::array<Parameter, 20> kParameters = {{
    {.name = "dim",
     .effect = ParameterEffect::kFixed,
     .range = "an integer from 1 to 512",
     .doc = "Length of a vector: more finds finer tastes and makes writes and queries slower.",
     .min = 1,
     .max = kDimMax,
     .integer = true,
     .get = Get<&CollectionOptions::dim>,
     .set = Set<&CollectionOptions::dim>},
    {.name = "alpha",
     .effect = ParameterEffect::kNextTraining,
     .range = "a number from 1e-9 to 1e6",
     .doc = "Confidence of a pair is alpha x |weight|.",
     .min = kAboveZero,
     .max = 1e6,
     .get = Get<&CollectionOptions::alpha>,
     .set = Set<&CollectionOptions::alpha>},
    {.name = "reg",
     .effect = ParameterEffect::kNextTraining,
     .range = "a number from 1e-9 to 1e6",
     .doc = "Constant part of the regulariser of a vector.",
     .min = kAboveZero,
     .max = 1e6,
     .get = Get<&CollectionOptions::reg>,
     .set = Set<&CollectionOptions::reg>},
    {.name = "regn",
     .effect = ParameterEffect::kNextTraining,
     .range = "a number from 0 to 1e6",
     .doc = "Part of the regulariser that is multiplied by the number of pairs of the row.",
     .min = 0,
     .max = 1e6,
     .get = Get<&CollectionOptions::regn>,
     .set = Set<&CollectionOptions::regn>},
    {.name = "unobserved",
     .effect = ParameterEffect::kNextTraining,
     .range = "auto or a number from 1e-9 to 1e6",
     .doc =
         "Weight of every pair that was not observed; auto: 50 x the density of the data, between "
         "0.01 and 3.",
     .min = kAboveZero,
     .max = 1e6,
     .word = "auto",
     .get = GetUnobserved,
     .set = SetUnobserved},
    {.name = "iterations",
     .effect = ParameterEffect::kNextTraining,
     .range = "an integer from 1 to 1000",
     .doc = "Alternations over items and users in a training.",
     .min = 1,
     .max = 1000,
     .integer = true,
     .get = Get<&CollectionOptions::iterations>,
     .set = Set<&CollectionOptions::iterations>},
    {.name = "tolerance",
     .effect = ParameterEffect::kNextTraining,
     .range = "a number from 0 to 1",
     .doc = "Stop a training when an iteration lowers the objective by less than this share of it; "
            "0: run all iterations.",
     .min = 0,
     .max = 1,
     .get = Get<&CollectionOptions::tolerance>,
     .set = Set<&CollectionOptions::tolerance>},
    {.name = "warm-start",
     .effect = ParameterEffect::kNextTraining,
     .range = "no or yes",
     .doc = "Start a training from the live vectors rather than from the seed: fewer iterations, "
            "but the model depends on the ones before.",
     .choices = kNoYes,
     .get = Get<&CollectionOptions::warm_start>,
     .set = Set<&CollectionOptions::warm_start>},
    {.name = "seed",
     .effect = ParameterEffect::kNextTraining,
     .range = "an integer from 0 to 9007199254740992",
     .doc = "Seed of the first vectors: the same data and seed give the same model.",
     .min = 0,
     .max = kLargestExact,
     .integer = true,
     .get = Get<&CollectionOptions::seed>,
     .set = Set<&CollectionOptions::seed>},
    {.name = "recency",
     .effect = ParameterEffect::kAtOnce,
     .range = "age or a number from 0.01 to 1",
     .doc = "How a user's newest 256 pairs count in lists. age: by their age and the user's pace, "
            "where the events carry usable times, otherwise as 0.98; a number: the n-th newest by "
            "this to the power of n; 1: all pairs count alike.",
     .min = kRecencyMin,
     .max = 1,
     .word = "age",
     .get = GetRecency,
     .set = SetRecency},
    {.name = "halflife",
     .effect = ParameterEffect::kFixed,
     .range = "a number from 0 to 1e10",
     .doc = "Seconds of event time after which an event counts half; 0: it never fades.",
     .min = 0,
     .max = 1e10,
     .get = Get<&CollectionOptions::halflife_s>,
     .set = Set<&CollectionOptions::halflife_s>},
    {.name = "weighting",
     .effect = ParameterEffect::kNextTraining,
     .range = "linear or log",
     .doc = "Confidence of a pair: alpha x |weight|, or alpha x log2(1 + |weight|).",
     .choices = kWeightings,
     .get = Get<&CollectionOptions::weighting>,
     .set = Set<&CollectionOptions::weighting>},
    {.name = "feedback",
     .effect = ParameterEffect::kFixed,
     .range = "implicit or explicit",
     .doc = "Whether weights say how sure we are that a user likes an item, or are ratings.",
     .choices = kFeedbacks,
     .get = Get<&CollectionOptions::feedback>,
     .set = Set<&CollectionOptions::feedback>},
    {.name = "foldin",
     .effect = ParameterEffect::kFixed,
     .range = "both, users or off",
     .doc = "Which vectors a write solves again at once.",
     .choices = kFoldIns,
     .get = Get<&CollectionOptions::fold_in>,
     .set = Set<&CollectionOptions::fold_in>},
    {.name = "neighbours",
     .effect = ParameterEffect::kAtOnce,
     .range = "off, auto or sessions",
     .doc = "What scores are made of beside the vectors, from the next training on and where the "
            "events carry usable times: the newest sessions of others with the same items.",
     .choices = kNeighbours,
     .get = Get<&CollectionOptions::neighbours>,
     .set = Set<&CollectionOptions::neighbours>},
    {.name = "retrain-every",
     .effect = ParameterEffect::kAtOnce,
     .range = "an integer from 0 to 9007199254740992",
     .doc = "Retrain after so many events since the last training; 0: never.",
     .min = 0,
     .max = kLargestExact,
     .integer = true,
     .get = Get<&CollectionOptions::retrain_every>,
     .set = Set<&CollectionOptions::retrain_every>},
    {.name = "retrain-interval",
     .effect = ParameterEffect::kAtOnce,
     .range = "an integer from 0 to 1000000000",
     .doc = "Retrain after so many seconds since the last training; 0: never.",
     .min = 0,
     .max = 1e9,
     .integer = true,
     .get = Get<&CollectionOptions::retrain_interval_s>,
     .set = Set<&CollectionOptions::retrain_interval_s>},
    {.name = "attrfeatures",
     .effect = ParameterEffect::kNextTraining,
     .range = "names of at most 16 attributes with commas between, each of 1 to 64 bytes without "
              "blanks, control characters and '=', or empty",
     .doc = "Top-level attributes that an item's vector is predicted from before its first "
            "interaction; such as genre,brand,price."},
    {.name = "attribute-types",
     .effect = ParameterEffect::kAtOnce,
     .range = "name:type pairs with commas between, type number, boolean or text, each name once, "
              "in double quotes when it is not plain, 8192 bytes at most",
     .doc = "What kind of value attributes have, such as price:number,code:text. Kept for the "
            "programs that write items; lists and trainings make no use of it."},
    {.name = "type.*",
     .effect = ParameterEffect::kAtOnce,
     .range = "a number from -1e6 to 1e6",
     .doc = "Weight of one event of this feedback type when the event names none.",
     .min = -kWeightMax,
     .max = kWeightMax},
}};
constexpr const Parameter& kTypeParameter = kParameters.back();
constexpr const Parameter& kAttributeTypesParameter = kParameters[kParameters.size() - 2];
constexpr const Parameter& kFieldsParameter = kParameters[kParameters.size() - 3];
static_assert(kAttributeTypesParameter.name == "attribute-types");
static_assert(kFieldsParameter.name == "attrfeatures");

// Returns the text in lower case. ASCII only: names are, and the locale must not matter.
std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return lower;
}

// The caller's bytes as they can stand in a message.
std::string Quoted(std::string_view bytes) {
  constexpr std::size_t kShown = 64;
  std::string quoted = "'";
  for (const char c : bytes.substr(0, kShown)) {
    quoted += c >= ' ' && c <= '~' ? c : '?';
  }
  return quoted + (bytes.size() > kShown ? "...'" : "'");
}

template <typename Number>
std::optional<double> ParseAs(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) {
    return std::nullopt;
  }
  return ToDouble(number);
}

bool InRange(const Parameter& parameter, double value) {
  if (!parameter.choices.empty()) {
    return value >= 0 && value < static_cast<double>(parameter.choices.size());
  }
  // False for NaN.
  return value >= parameter.min && value <= parameter.max;
}

// The number of the choice, or the value of a number in the range of `parameter`, with +0 for -0;
// nullopt for anything else.
std::optional<double> ParseValue(const Parameter& parameter, std::string_view text) {
  if (!parameter.choices.empty()) {
    const auto found = std::find(parameter.choices.begin(), parameter.choices.end(), Lower(text));
    return found != parameter.choices.end()
               ? std::optional(static_cast<double>(found - parameter.choices.begin()))
               : std::nullopt;
  }
  const std::optional<double> number =
      parameter.integer ? ParseAs<std::uint64_t>(text) : ParseAs<double>(text);
  if (!number.has_value() || !InRange(parameter, *number)) {
    return std::nullopt;
  }
  return *number + 0.0;
}

std::string FormatNumber(double value) {
  std::array<char, 32> text{};
  // Integers up to 2^53 in full, others as the shortest text that reads back.
  const bool whole = value == std::floor(value) && std::fabs(value) <= kLargestExact;
  const auto result =
      whole ? std::to_chars(text.begin(), text.end(), static_cast<std::int64_t>(value))
            : std::to_chars(text.begin(), text.end(), value);
  return {text.begin(), result.ptr};
}

std::string JoinFields(const std::vector<std::string>& fields) {
  std::string text;
  for (const std::string& field : fields) {
    text.append(text.empty() ? "" : ",").append(field);
  }
  return text;
}

std::string Format(const Parameter& parameter, const CollectionOptions& options) {
  // The lists of attributes; type.* has no value of its own to show.
  if (&parameter == &kAttributeTypesParameter) {
    return options.attribute_types;
  }
  if (parameter.get == nullptr) {
    return JoinFields(options.attribute_features);
  }
  const std::optional<double> value = parameter.get(options);
  if (value.has_value() && !parameter.choices.empty()) {
    return std::string(parameter.choices[static_cast<std::size_t>(*value)]);
  }
  return value.has_value() ? FormatNumber(*value) : std::string(parameter.word);
}

Status BadValue(std::string_view name, std::string_view range, const std::string& found) {
  return Status::InvalidArgument(std::string(name) + " must be " + std::string(range) + ", not " +
                                 found);
}

Status UnknownParameter(std::string_view name) {
  std::string message = "unknown parameter " + Quoted(name) + ", known are";
  std::string_view separator = " ";
  for (const Parameter& parameter : kParameters) {
    message.append(separator).append(parameter.name);
    separator = ", ";
  }
  return Status::InvalidArgument(std::move(message));
}

// The name is part of "name=value" lines and of lists that people read.
bool IsPlainName(std::string_view name, std::size_t bytes_max) {
  return !name.empty() && name.size() <= bytes_max &&
         std::all_of(name.begin(), name.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte > ' ' && byte != 0x7f && byte != '=';
         });
}

Status CheckTypeName(std::string_view name) {
  if (!IsPlainName(name, kTypeNameBytesMax)) {
    return BadValue("name of a feedback type",
                    "1 to 64 bytes without blanks, control characters and '='", Quoted(name));
  }
  return Status::Ok();
}

Status SetType(CollectionOptions* options, std::string_view name, std::string_view value) {
  RECO_RETURN_IF_ERROR(CheckTypeName(name));
  const std::optional<double> weight = ParseValue(kTypeParameter, value);
  if (!weight.has_value()) {
    return BadValue(std::string(kTypePrefix).append(name), kTypeParameter.range, Quoted(value));
  }
  // A known type changes its weight, but never its number: events refer to it.
  for (FeedbackType& type : options->types) {
    if (type.name == name) {
      type.weight = *weight;
      return Status::Ok();
    }
  }
  if (options->types.size() >= kTypesMax) {
    return Status::InvalidArgument("a collection has at most 64 feedback types");
  }
  options->types.push_back({.name = std::string(name), .weight = *weight});
  return Status::Ok();
}

Status CheckTypes(const std::vector<FeedbackType>& types) {
  if (types.size() > kTypesMax) {
    return Status::InvalidArgument("a collection has at most 64 feedback types");
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    const FeedbackType& type = types[i];
    RECO_RETURN_IF_ERROR(CheckTypeName(type.name));
    if (!InRange(kTypeParameter, type.weight)) {
      return BadValue(std::string(kTypePrefix) + type.name, kTypeParameter.range,
                      FormatNumber(type.weight));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (types[j].name == type.name) {
        return Status::InvalidArgument("feedback type " + Quoted(type.name) + " is given twice");
      }
    }
  }
  return Status::Ok();
}

Status CheckFields(const std::vector<std::string>& fields) {
  bool fine = fields.size() <= kFieldsMax;
  for (std::size_t i = 0; i < fields.size() && fine; ++i) {
    fine = IsPlainName(fields[i], kFieldNameBytesMax) && fields[i].find(',') == std::string::npos &&
           std::find(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(i), fields[i]) ==
               fields.begin() + static_cast<std::ptrdiff_t>(i);
  }
  return fine ? Status::Ok()
              : BadValue(kFieldsParameter.name, kFieldsParameter.range, Quoted(JoinFields(fields)));
}

Status SetFields(CollectionOptions* options, std::string_view text) {
  std::vector<std::string> fields;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    fields.emplace_back(text.substr(0, end));
    // A comma at the end leaves an empty name, which is none.
    if (end + 1 == text.size()) {
      fields.emplace_back();
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  RECO_RETURN_IF_ERROR(CheckFields(fields));
  options->attribute_features = std::move(fields);
  return Status::Ok();
}

// Takes over the names and types as they are written the shortest way.
Status SetAttributeTypes(CollectionOptions* options, std::string_view text) {
  const std::optional<TaggedNames> types = ParseTaggedNames(text);
  bool fine = types.has_value();
  std::vector<std::string_view> names;
  for (std::size_t i = 0; fine && i < types->size(); ++i) {
    fine = std::ranges::find(kAttributeTypes, (*types)[i].second) != std::end(kAttributeTypes);
    names.emplace_back((*types)[i].first);
  }
  std::ranges::sort(names);
  std::string shortest = fine ? FormatTaggedNames(*types) : std::string();
  if (!fine || std::ranges::adjacent_find(names) != names.end() ||
      shortest.size() > kAttributeTypesBytesMax) {
    return BadValue(kAttributeTypesParameter.name, kAttributeTypesParameter.range, Quoted(text));
  }
  options->attribute_types = std::move(shortest);
  return Status::Ok();
}

bool IsType(const Parameter& parameter) {
  return &parameter == &kTypeParameter;
}

// Sets all; names must be distinct and, with `training_only`, those of a training.
Result<CollectionOptions> SetAll(const CollectionOptions& options, ParameterSpan parameters,
                                 bool training_only) {
  // A copy, so that an error leaves all values as they were.
  CollectionOptions changed = options;
  std::vector<std::string> seen;
  for (const auto& [name, value] : parameters) {
    const Parameter* parameter = FindParameter(name);
    if (parameter == nullptr) {
      return UnknownParameter(name);
    }
    if (training_only && parameter->effect != ParameterEffect::kNextTraining) {
      return Status::InvalidArgument("parameter " + Quoted(name) + " is not one of a training");
    }
    // By the row's name, since DIM and dim are one parameter; but a type's name by its own bytes.
    std::string key(parameter->name);
    if (IsType(*parameter)) {
      key = kTypePrefix;
      key += std::string_view(name).substr(kTypePrefix.size());
    }
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      return Status::InvalidArgument("parameter " + Quoted(name) + " is given twice");
    }
    seen.push_back(std::move(key));
    RECO_RETURN_IF_ERROR(SetParameter(&changed, name, value));
  }
  return changed;
}

}  // namespace

std::span<const Parameter> CollectionParameters() {
  return kParameters;
}

const Parameter* FindParameter(std::string_view name) {
  if (Lower(name.substr(0, kTypePrefix.size())) == kTypePrefix) {
    return &kTypeParameter;
  }
  const std::string lower = Lower(name);
  for (const Parameter& parameter : kParameters) {
    if (parameter.name == lower) {
      return &parameter;
    }
  }
  return nullptr;
}

Status SetParameter(CollectionOptions* options, std::string_view name, std::string_view value) {
  const Parameter* parameter = FindParameter(name);
  if (parameter == nullptr) {
    return UnknownParameter(name);
  }
  if (IsType(*parameter)) {
    return SetType(options, name.substr(kTypePrefix.size()), value);
  }
  if (parameter == &kFieldsParameter) {
    return SetFields(options, value);
  }
  if (parameter == &kAttributeTypesParameter) {
    return SetAttributeTypes(options, value);
  }
  std::optional<double> number;
  if (parameter->word.empty() || Lower(value) != parameter->word) {
    number = ParseValue(*parameter, value);
    if (!number.has_value()) {
      return BadValue(parameter->name, parameter->range, Quoted(value));
    }
  }
  parameter->set(options, number);
  return Status::Ok();
}

Result<bool> ChangeParameters(CollectionOptions* options, ParameterSpan parameters) {
  RECO_ASSIGN_OR_RETURN(CollectionOptions changed,
                        SetAll(*options, parameters, /*training_only=*/false));
  // After the values are read, so that a fixed parameter may be given its own value (D21).
  RECO_RETURN_IF_ERROR(CheckSameFixed(*options, changed));
  // Again as a whole, for rules between parameters.
  RECO_RETURN_IF_ERROR(CheckParameters(changed));
  bool needs_training = options->attribute_features != changed.attribute_features;
  for (const Parameter& parameter : kParameters) {
    needs_training |= parameter.effect == ParameterEffect::kNextTraining &&
                      parameter.get != nullptr && parameter.get(*options) != parameter.get(changed);
  }
  *options = std::move(changed);
  return needs_training;
}

Status SetTrainingParameters(CollectionOptions* options, ParameterSpan parameters) {
  RECO_ASSIGN_OR_RETURN(CollectionOptions changed,
                        SetAll(*options, parameters, /*training_only=*/true));
  RECO_RETURN_IF_ERROR(CheckParameters(changed));
  *options = std::move(changed);
  return Status::Ok();
}

ParameterList GetParameters(const CollectionOptions& options, std::string_view pattern) {
  ParameterList list;
  const auto add = [&list, glob = Glob(pattern, /*ignore_case=*/true)](std::string name,
                                                                       std::string value) {
    if (glob.Matches(name)) {
      list.emplace_back(std::move(name), std::move(value));
    }
  };
  for (const Parameter& parameter : kParameters) {
    if (!IsType(parameter)) {
      add(std::string(parameter.name), Format(parameter, options));
    }
  }
  for (const FeedbackType& type : options.types) {
    add(std::string(kTypePrefix) + type.name, FormatNumber(type.weight));
  }
  return list;
}

Status CheckParameters(const CollectionOptions& options) {
  for (const Parameter& parameter : kParameters) {
    if (parameter.get == nullptr) {
      continue;
    }
    const std::optional<double> value = parameter.get(options);
    if (value.has_value() && !InRange(parameter, *value)) {
      return BadValue(parameter.name, parameter.range, FormatNumber(*value));
    }
  }
  // A rating stands until another replaces it (D23): there is nothing to decay or to take a
  // logarithm of.
  if (options.feedback == Feedback::kExplicit &&
      (options.halflife_s != 0 || options.weighting != Weighting::kLinear)) {
    return Status::InvalidArgument(
        "halflife and weighting are for implicit feedback: ratings do not add up");
  }
  if (options.feedback == Feedback::kExplicit && options.neighbours != Neighbours::kOff) {
    return Status::InvalidArgument("neighbours are for implicit feedback: leave them off");
  }
  RECO_RETURN_IF_ERROR(CheckFields(options.attribute_features));
  CollectionOptions scratch;
  RECO_RETURN_IF_ERROR(SetAttributeTypes(&scratch, options.attribute_types));
  return CheckTypes(options.types);
}

Status CheckSameFixed(const CollectionOptions& existing, const CollectionOptions& requested) {
  for (const Parameter& parameter : kParameters) {
    // Every fixed parameter has a `get`; only the types and the list of attributes have none.
    if (parameter.effect == ParameterEffect::kFixed &&
        parameter.get(existing) != parameter.get(requested)) {
      return Status::InvalidArgument(std::string(parameter.name) + " is " +
                                     Format(parameter, existing) + " and cannot change to " +
                                     Format(parameter, requested));
    }
  }
  return Status::Ok();
}

}  // namespace reco::engine
