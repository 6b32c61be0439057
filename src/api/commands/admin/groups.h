// The groups of commands about the server and its clients.
#pragma once

#include <span>

#include "api/commands/command.h"

namespace reco::api {

std::span<const CommandSpec> ConnectionCommands();  // connection_commands.cc
std::span<const CommandSpec> ServerCommands();      // server_commands.cc

}  // namespace reco::api
