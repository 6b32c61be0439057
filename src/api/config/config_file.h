// Reads the configuration file and the command line of reco-server. Both are made of the same
// directives: an option's name and its value, quoted as in redis.conf.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "reco/result.h"

#include "api/config/config_options.h"

namespace reco::api {

// Applies every line of `text` to `options`; later lines win. An unknown option or a bad value is
// kInvalidArgument: "name:line: option: what is allowed"; `options` is then partly changed.
Status ApplyConfigText(std::string_view text, std::string_view name, ServerOptions* options);

struct CommandLine {
  enum class Action : std::uint8_t { kServe, kCheck, kSalvage, kVersion, kHelp };
  Action action = Action::kServe;
  std::string config_file;  // absolute path; empty: none
  ServerOptions options;
};

// Reads `arguments`, without the program's name: [file.conf] [--option value ...]... The file is
// read first, so that the command line wins over it.
Result<CommandLine> ParseCommandLine(std::span<const std::string> arguments);

// Returns what --help prints.
std::string UsageText();

}  // namespace reco::api
