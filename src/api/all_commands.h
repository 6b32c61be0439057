// The one list of all groups of commands.
#pragma once

#include <span>

#include "api/commands/command.h"

namespace reco::api {

// Returns the groups in the order in which COMMAND and doc/commands.md show them. They live as long
// as the program.
std::span<const std::span<const CommandSpec>> AllCommands();

}  // namespace reco::api
