// Interactions: RECO.ADD, MADD, SET, REM, PREF.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/grammar.h"
#include "api/commands/reco/argument_specs.h"
#include "api/commands/reco/groups.h"

namespace reco::api {
namespace {

constexpr std::size_t kWordsPerInteraction = 3;

double ReadWeight(Arguments& words) {
  return words.Double("weight", -kWeightMax, kWeightMax);
}

// Bits of Option::commands.
constexpr std::uint32_t kAdds = 1;
constexpr std::uint32_t kSets = 2;
using InteractionOptions = OptionsOf<Interaction>;
constexpr std::array kInteractionOptions = {
    InteractionOptions::Text<&Interaction::type>(
        {"TYPE", "name", "the type of feedback, whose weight is the default"}, kTypeNameBytesMax),
    InteractionOptions::Time<&Interaction::time_ms>({"TS", "ms", "when it happened; now"}),
    InteractionOptions::Text<&Interaction::token>(
        {"ID", "token", "a retry with the same token changes nothing"}, kTokenBytesMax)
        .For(kAdds),
};

// Returns true iff the next word is a weight. Every option is a keyword and a value, so the weight
// is there when an odd number of words is left; a lone keyword is not taken for one.
bool HasWeight(const Arguments& words) {
  bool keyword = false;
  for (const auto& option : kInteractionOptions) {
    keyword = keyword || EqualsIgnoreCase(words.Peek(), option.argument.token);
  }
  return words.left() % 2 == 1 && !keyword;
}

void Add(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  Interaction event;
  event.user = words.Id("user id");
  event.item = words.Id("item id");
  if (HasWeight(words)) {
    event.weight = ReadWeight(words);
  }
  ReadOptions<Interaction>(kInteractionOptions, kAdds, words, &event);
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerInteger(context.reply, context.database.Add(key, event, kDeferred));
}

void AddMany(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  // After a failure left() is 0, so nothing is reserved or read.
  if (words.left() % kWordsPerInteraction != 0) {
    words.Fail("wrong number of arguments for 'reco.madd' command");
  }
  if (words.left() > kInteractionsMax * kWordsPerInteraction) {
    words.Fail("a call takes at most " + std::to_string(kInteractionsMax) + " interactions");
  }
  std::vector<Interaction> events;
  events.reserve(words.left() / kWordsPerInteraction);
  while (words.left() > 0) {
    Interaction& event = events.emplace_back();
    event.user = words.Id("user id");
    event.item = words.Id("item id");
    event.weight = ReadWeight(words);
  }
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerInteger(context.reply, context.database.AddMany(key, events, kDeferred));
}

void SetPreference(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  Interaction event;
  event.user = words.Id("user id");
  event.item = words.Id("item id");
  event.weight = ReadWeight(words);
  ReadOptions<Interaction>(kInteractionOptions, kSets, words, &event);
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerInteger(context.reply, context.database.SetPreference(key, event, kDeferred));
}

void Remove(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  const std::vector<std::string_view> items = words.RemainingIds("item id");
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerInteger(context.reply, context.database.Remove(key, user, items, kDeferred));
}

void Preferences(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  const std::vector<std::string_view> items = words.RemainingIds("item id");
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerScores(context.reply, context.database.Preferences(key, user, items));
}

constexpr ArgumentSpec kWeightArgument = {.name = "weight", .type = "double"};
constexpr ArgumentSpec kAddFront[] = {kKeyArgument,
                                      kUserArgument,
                                      kItemArgument,
                                      {.name = "weight", .type = "double", .optional = true}};
constexpr ArgumentSpec kSetFront[] = {kKeyArgument, kUserArgument, kItemArgument, kWeightArgument};
constexpr auto kAddArguments = ArgumentsOf<kAdds, kAddFront, kInteractionOptions>();
constexpr auto kSetArguments = ArgumentsOf<kSets, kSetFront, kInteractionOptions>();
constexpr ArgumentSpec kInteractionArguments[] = {kUserArgument, kItemArgument, kWeightArgument};
constexpr ArgumentSpec kAddManyArguments[] = {
    kKeyArgument,
    {.name = "interaction", .type = "block", .multiple = true, .arguments = kInteractionArguments},
};
constexpr ArgumentSpec kUserItemsArguments[] = {kKeyArgument, kUserArgument, kItemsArgument};

constexpr CommandSpec kRows[] = {
    {.name = "reco.add",
     .arity = -4,
     .flags = kWrite | kDenyOom | kFast,
     .summary = "Adds to the preference of a user for an item and folds it in. Returns the event's "
                "sequence number; with an ID seen before, the number it had",
     .complexity = "O(D^2) for short rows, where D is the dimension",
     .arguments = kAddArguments,
     .handler = Add},
    {.name = "reco.madd",
     .arity = -5,
     .flags = kWrite | kDenyOom | kSlowWorker,
     .summary = "Adds many interactions in order, all or none. Returns the last sequence number",
     .complexity = "O(N*D^2) where N is the number of interactions and D the dimension",
     .arguments = kAddManyArguments,
     .handler = AddMany,
     .slow = HasManyWords},
    {.name = "reco.set",
     .arity = -5,
     .flags = kWrite | kDenyOom | kFast,
     .summary =
         "Replaces the preference of a user for an item. Returns the event's sequence number",
     .complexity = "O(D^2) for short rows, where D is the dimension",
     .arguments = kSetArguments,
     .handler = SetPreference},
    // Without kDenyOom: removing must get through at the limit, since it frees memory.
    {.name = "reco.rem",
     .arity = -4,
     .flags = kWrite | kSlowWorker,
     .summary = "Forgets what a user did with items. Returns the number of pairs that existed",
     .complexity = "O(N*D^2) where N is the number of items and D the dimension",
     .arguments = kUserItemsArguments,
     .handler = Remove,
     .slow = HasManyWords},
    {.name = "reco.pref",
     .arity = -4,
     .flags = kReadonly | kFast | kSlowWorker,
     .summary = "Returns the stored preference of a user for each item, or nil",
     .complexity = "O(N) where N is the number of items",
     .arguments = kUserItemsArguments,
     .handler = Preferences,
     .slow = HasManyWords},
};

}  // namespace

std::span<const CommandSpec> InteractionCommands() {
  return kRows;
}

}  // namespace reco::api
