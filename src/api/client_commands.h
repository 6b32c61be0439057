// The handlers of CLIENT; their rows are in connection_commands.cc.
#pragma once

#include "api/command.h"

namespace reco::api {

void HandleClientId(CommandContext& context);
void HandleClientGetName(CommandContext& context);
void HandleClientSetName(CommandContext& context);
void HandleClientSetInfo(CommandContext& context);
void HandleClientInfo(CommandContext& context);
void HandleClientList(CommandContext& context);
void HandleClientKill(CommandContext& context);
void HandleClientNoEvict(CommandContext& context);
void HandleClientNoTouch(CommandContext& context);
// HELP of any container.
void HandleHelp(CommandContext& context);
// Its row in a container of RECO commands.
inline constexpr CommandSpec kHelpRow = {
    .name = "help",
    .arity = 2,
    .flags = kLoading | kStale,
    .first_key = 0,
    .last_key = 0,
    .key_step = 0,
    .categories = "@reco",
    .group = "reco",
    .summary = "Returns helpful text about the different subcommands",
    .complexity = "O(1)",
    .arguments = {},
    .handler = HandleHelp};

// Whether `name` may be the name of a connection: bytes '!' to '~' only.
bool IsValidClientName(std::string_view name);
inline constexpr std::string_view kInvalidClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

}  // namespace reco::api
