#include "tools/admin/stream_scratch.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "tools/admin/byte_source.h"
#include "tools/admin/model_commands.h"
#include "tools/admin/record_mapping.h"

namespace reco::admin {
namespace {

using client::Value;

constexpr std::string_view kTypePrefix = "type.";
constexpr std::string_view kRetrainPrefix = "retrain-";
constexpr int kNamesTried = 8;

// Returns the name as the server writes it. Names of parameters are case-insensitive, those of
// feedback types are not.
std::string Normalised(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower.starts_with(kTypePrefix)) {
    return std::string(kTypePrefix).append(name.substr(kTypePrefix.size()));
  }
  return lower;
}

std::string RandomWord() {
  std::random_device random;
  return Fingerprint(std::to_string(random()) + ':' + std::to_string(random())).substr(0, 8);
}

std::string Described(const StreamParameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text.append(text.empty() ? "" : " ").append(name).append("=").append(value);
  }
  return text.empty() ? "none" : text;
}

}  // namespace

Result<StreamParameters> ReadParameters(Session& session, const std::string& key) {
  RECO_ASSIGN_OR_RETURN(const Value type, session.Call({"TYPE", key}));
  // A collection that does not exist yet is compared under the server's defaults.
  if (type.ToText() == "none") {
    return StreamParameters();
  }
  if (type.ToText() != "reco") {
    return Status::FailedPrecondition("key " + Quoted(key) + " holds a " + type.ToText() +
                                      " and no collection; name a collection, or an unused key");
  }
  RECO_ASSIGN_OR_RETURN(const Value map, session.Call({"RECO.CONFIG", key, "GET", "*"}));
  StreamParameters parameters;
  for (std::size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    parameters.emplace_back(map.elements[i].ToText(), map.elements[i + 1].ToText());
  }
  return parameters;
}

Result<StreamParameters> MergeParameters(const StreamParameters& inherited,
                                         const std::vector<std::string>& overrides) {
  StreamParameters merged;
  std::copy_if(inherited.begin(), inherited.end(), std::back_inserter(merged),
               [](const auto& parameter) { return !parameter.first.starts_with(kRetrainPrefix); });
  RECO_ASSIGN_OR_RETURN(const std::vector<std::string> words, SplitParameters(overrides));
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    const std::string name = Normalised(words[i]);
    const auto found = std::find_if(merged.begin(), merged.end(),
                                    [&](const auto& parameter) { return parameter.first == name; });
    if (found != merged.end()) {
      found->second = words[i + 1];
    } else {
      merged.emplace_back(name, words[i + 1]);
    }
  }
  return merged;
}

std::string FindParameterValue(const StreamParameters& parameters, std::string_view name) {
  for (const auto& [known, value] : parameters) {
    if (known == name) {
      return value;
    }
  }
  return {};
}

Result<std::map<std::string, double>> TypeWeights(const StreamParameters& parameters) {
  std::map<std::string, double> weights;
  for (const auto& [name, value] : parameters) {
    if (!name.starts_with(kTypePrefix)) {
      continue;
    }
    double weight = 0;
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, weight);
    if (error != std::errc() || stop != end) {
      return Status::InvalidArgument("parameter " + name + " is not a number: " + Quoted(value));
    }
    weights[name.substr(kTypePrefix.size())] = weight;
  }
  return weights;
}

Result<std::string> CreateScratch(Session& session, const std::string& key,
                                  const std::string& label, const StreamParameters& parameters) {
  for (int i = 0; i < kNamesTried; ++i) {
    std::string name = key + ":stream-eval:";
    name.append(RandomWord()).append(":").append(label);
    RECO_ASSIGN_OR_RETURN(const Value exists, session.Call({"EXISTS", name}));
    // A string of this name would be refused by RECO.CREATE; another collection must not be
    // replayed into.
    if (exists.integer != 0) {
      continue;
    }
    std::vector<std::string_view> words = {"RECO.CREATE", name};
    for (const auto& [parameter, value] : parameters) {
      words.push_back(parameter);
      words.push_back(value);
    }
    const auto created = session.Call(client::Arguments(words));
    if (!created.ok()) {
      if (created.status().code() == StatusCode::kUnavailable) {  // it may have been created
        return Status::Unavailable(std::string(created.status().message()) +
                                   "; scratch collection " + name +
                                   " may be left over; remove it with reco-admin call DEL");
      }
      if (created.status().code() != StatusCode::kFailedPrecondition) {
        return created.status();
      }
      return Status::FailedPrecondition(std::string(created.status().message()) +
                                        " (creating a scratch collection with " +
                                        Described(parameters) + "; does the server know these?)");
    }
    // 0: another one was there already, made since EXISTS.
    if (created->integer == 1) {
      return name;
    }
  }
  return Status::FailedPrecondition("no unused name for a scratch collection; try again");
}

Status DeleteScratch(Session& session, const std::string& name, bool lost) {
  if (!lost) {
    return session.Call({"DEL", name}).status();
  }
  RECO_ASSIGN_OR_RETURN(Session another, Session::Open(session.settings()));
  return another.Call({"DEL", name}).status();
}

}  // namespace reco::admin
