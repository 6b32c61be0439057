// HELP of any container of subcommands.
#pragma once

#include "api/commands/command.h"

namespace reco::api {

// Answers the lines that say how each subcommand is written.
void HandleHelp(CommandContext& context);

// The row of HELP in a container of RECO commands.
inline constexpr CommandSpec kHelpRow = {
    .name = "help",
    .arity = 2,
    .flags = kLoading | kStale,
    .keys = kNoKeys,
    .summary = "Returns helpful text about the different subcommands",
    .complexity = "O(1)",
    .handler = HandleHelp};

}  // namespace reco::api
