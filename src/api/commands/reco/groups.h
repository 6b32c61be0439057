// The groups of RECO commands.
#pragma once

#include <span>

#include "api/commands/command.h"

namespace reco::api {

std::span<const CommandSpec> CollectionCommands();   // collection_commands.cc: RECO.CREATE ... INFO
std::span<const CommandSpec> InteractionCommands();  // interaction_commands.cc: RECO.ADD ... PREF
std::span<const CommandSpec> RankingCommands();    // ranking_commands.cc: RECO.TOPK ... SURPRISING
std::span<const CommandSpec> ListCommands();       // list_commands.cc: RECO.POPULAR ... AUDIENCE
std::span<const CommandSpec> ScoreCommands();      // score_commands.cc: RECO.SCORE ... WHY
std::span<const CommandSpec> NeighbourCommands();  // neighbour_commands.cc: RECO.NEIGHBOURS
std::span<const CommandSpec> RuleCommands();       // rule_commands.cc: RECO.RULE
std::span<const CommandSpec> RecordCommands();     // record_commands.cc: RECO.ITEM, USER, VECTOR
std::span<const CommandSpec> ModelCommands();      // model_commands.cc: RECO.RETRAIN ... MODEL

}  // namespace reco::api
