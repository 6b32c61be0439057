// The groups of Redis's commands on keys.
#pragma once

#include <span>

#include "api/commands/command.h"

namespace reco::api {

std::span<const CommandSpec> KeyCommands();     // key_commands.cc
std::span<const CommandSpec> StringCommands();  // string_commands.cc

}  // namespace reco::api
