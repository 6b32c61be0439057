// The handlers of COMMAND; their rows are in server_commands.cc.
#pragma once

#include "api/commands/command.h"

namespace reco::api {

void HandleCommand(CommandContext& context);
void HandleCommandCount(CommandContext& context);
void HandleCommandDocs(CommandContext& context);
void HandleCommandGetKeys(CommandContext& context);
void HandleCommandInfo(CommandContext& context);
void HandleCommandList(CommandContext& context);

}  // namespace reco::api
