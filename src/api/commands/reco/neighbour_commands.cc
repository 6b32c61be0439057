// What lists by neighbours are made from: RECO.NEIGHBOURS.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/grammar.h"
#include "api/commands/help.h"
#include "api/commands/reco/argument_specs.h"
#include "api/commands/reco/groups.h"

namespace reco::api {
namespace {

struct NeighboursRequest {
  std::size_t count = 10;
};

constexpr std::uint32_t kGet = 1;
constexpr std::array kOptions = {
    OptionsOf<NeighboursRequest>::Integer<&NeighboursRequest::count>(
        {"COUNT", "count", "neighbours to answer; 10 by default"}, 1, kCountMax)
        .For(kGet),
};

void GetNeighbours(CommandContext& context) {
  constexpr std::size_t kColumns = 2;
  Arguments words(context.args, 2);
  const KeyRef key = context.Key(words.Word());
  const std::string_view item = words.Id("item id");
  NeighboursRequest request;
  ReadOptions<NeighboursRequest>(kOptions, kGet, words, &request);
  if (words.Reject(context.reply)) {
    return;
  }
  const auto neighbours = context.database.NeighboursOf(key, item, request.count);
  if (neighbours.ok()) {
    StartRows(context.reply, neighbours->size(), kColumns);
    for (const ItemNeighbour& neighbour : *neighbours) {
      StartRow(context.reply, kColumns);
      context.reply.Bulk(neighbour.item);
      context.reply.Float32(static_cast<float>(neighbour.weight));
    }
  } else if (neighbours.status().code() == StatusCode::kNotFound) {
    context.reply.Null();
  } else {
    context.reply.Failure(neighbours.status());
  }
}

constexpr ArgumentSpec kItemOfKey[] = {kKeyArgument, kItemArgument};
constexpr auto kGetArguments = ArgumentsOf<kGet, kItemOfKey, kOptions>();

constexpr CommandSpec kNeighboursRows[] = {
    {.name = "get",
     .arity = -4,
     .flags = kReadonly,
     .keys = {2, 2, 1},
     .summary = "Returns the neighbours of an item and how much each says for it, the largest "
                "first: its row of a ridge regression on the sessions, or nil",
     .complexity = "O(1)",
     .arguments = kGetArguments,
     .handler = GetNeighbours},
    kHelpRow,
};

constexpr CommandSpec kRows[] = {
    {.name = "reco.neighbours",
     .arity = -2,
     .flags = 0,
     .keys = kNoKeys,
     .summary = "A container for commands on the neighbours of items",
     .complexity = "Depends on subcommand.",
     .subcommands = kNeighboursRows},
};

}  // namespace

std::span<const CommandSpec> NeighbourCommands() {
  return kRows;
}

}  // namespace reco::api
