// HELP of any container of subcommands.
#pragma once

#include <string_view>

#include "api/commands/command.h"

namespace reco::api {

// Answers the lines that say how each subcommand is written.
void HandleHelp(CommandContext& context);

// Returns its row in a container; by default in one of RECO commands.
constexpr CommandSpec HelpRow(std::string_view categories = "@reco",
                              std::string_view group = "reco") {
  return {.name = "help",
          .arity = 2,
          .flags = kLoading | kStale,
          .keys = kNoKeys,
          .categories = categories,
          .group = group,
          .summary = "Returns helpful text about the different subcommands",
          .complexity = "O(1)",
          .handler = HandleHelp};
}
inline constexpr CommandSpec kHelpRow = HelpRow();

}  // namespace reco::api
