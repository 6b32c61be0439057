// The handlers of CLIENT; their rows are in connection_commands.cc.
#pragma once

#include "api/commands/command.h"

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

// Returns true iff `name` may be the name of a connection: bytes '!' to '~' only.
bool IsValidClientName(std::string_view name);
inline constexpr std::string_view kInvalidClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

}  // namespace reco::api
