#include "api/all_commands.h"

#include <array>

#include "api/commands/admin/groups.h"
#include "api/commands/keys/groups.h"
#include "api/commands/reco/groups.h"

namespace reco::api {

std::span<const std::span<const CommandSpec>> AllCommands() {
  static const std::array kGroups{ConnectionCommands(), ServerCommands(),     KeyCommands(),
                                  StringCommands(),     CollectionCommands(), InteractionCommands(),
                                  RankingCommands(),    ListCommands(),       ScoreCommands(),
                                  NeighbourCommands(),  RuleCommands(),       RecordCommands(),
                                  ModelCommands()};
  return kGroups;
}

}  // namespace reco::api
