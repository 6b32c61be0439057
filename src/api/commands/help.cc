#include "api/commands/help.h"

#include <string>
#include <vector>

#include "api/commands/command_syntax.h"
#include "api/commands/command_table.h"

namespace reco::api {

void HandleHelp(CommandContext& context) {
  const std::vector<std::string> lines = HelpLines(*context.entry->parent);
  context.reply.Array(lines.size());
  for (const std::string& line : lines) {
    // Redis answers HELP in simple strings.
    context.reply.Simple(line);
  }
}

}  // namespace reco::api
