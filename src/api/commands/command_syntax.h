// How a command is written, in words, from its row: for HELP and doc/commands.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/commands/command.h"
#include "api/commands/command_table.h"

namespace reco::api {

// Returns "key [MATCH pattern] [COUNT count]"; empty without arguments.
std::string ArgumentSyntax(std::span<const ArgumentSpec> arguments);

// Returns "SCAN cursor [MATCH pattern]", "CONFIG GET parameter [parameter ...]".
std::string CommandSyntax(const CommandEntry& entry);

// Returns the lines of a container's HELP.
std::vector<std::string> HelpLines(const CommandEntry& container);

}  // namespace reco::api
