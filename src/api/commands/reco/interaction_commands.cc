// Interactions: RECO.ADD, MADD, SET, REM, PREF, HISTORY.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/reco/groups.h"

namespace reco::api {
namespace {

constexpr std::size_t kTypeBytesMax = 64;
constexpr std::size_t kInteractionsMax = 10'000;  // of one RECO.MADD
constexpr std::size_t kWordsPerInteraction = 3;
constexpr std::int64_t kOffsetMax = 1'000'000;

double ReadWeight(Arguments& words) {
  return words.Double("weight", -kWeightMax, kWeightMax);
}

// TYPE name and TS ms. False: the next word is neither.
bool ReadEventOption(Arguments& words, Interaction* event) {
  if (words.Option("TYPE")) {
    event->type = words.Text("type", kTypeBytesMax);
  } else if (words.Option("TS")) {
    event->time_ms = words.Integer("TS", 0, kTimeMsMax);
  } else {
    return false;
  }
  return true;
}

// Every option is a keyword and a value, so the weight is there when an odd number of words is
// left; a lone keyword is not taken for one.
bool HasWeight(const Arguments& words) {
  bool keyword = false;
  for (const std::string_view option : {"TYPE", "TS", "ID"}) {
    keyword = keyword || EqualsIgnoreCase(words.Peek(), option);
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
  while (words.left() > 0) {
    if (words.Option("ID")) {
      event.token = words.Text("ID", kTokenBytesMax);
    } else if (!ReadEventOption(words, &event)) {
      words.FailSyntax();
    }
  }
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerInteger(context.reply, context.database.Add(key, event, kDeferred));
}

void AddMany(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
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
  while (words.left() > 0) {
    if (!ReadEventOption(words, &event)) {
      words.FailSyntax();
    }
  }
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

struct HistoryRequest {
  HistoryOptions options;
  bool with_scores = false;
};

HistoryRequest ReadHistoryOptions(Arguments& words) {
  HistoryRequest request;
  HistoryOptions& options = request.options;
  while (words.left() > 0) {
    if (words.Option("COUNT")) {
      options.count = static_cast<std::size_t>(words.Integer("COUNT", 1, kCountMax));
    } else if (words.Option("OFFSET")) {
      options.offset = static_cast<std::size_t>(words.Integer("OFFSET", 0, kOffsetMax));
    } else if (words.Option("TYPE")) {
      options.type = words.Text("type", kTypeBytesMax);
    } else if (words.Option("SINCE")) {
      options.since_ms = words.Integer("SINCE", 0, kTimeMsMax);
    } else if (words.Option("UNTIL")) {
      options.until_ms = words.Integer("UNTIL", 0, kTimeMsMax);
    } else if (words.Option("ASOF")) {
      options.as_of_ms = words.Integer("ASOF", 0, kTimeMsMax);
    } else if (words.Option("WITHSCORES")) {
      request.with_scores = true;
    } else {
      words.FailSyntax();
    }
  }
  return request;
}

void History(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  const HistoryRequest request = ReadHistoryOptions(words);
  if (words.Reject(context.reply)) {
    return;
  }
  const Result<std::vector<HistoryEntry>> entries =
      context.database.History(key, user, request.options);
  if (!entries.ok()) {
    context.reply.Failure(entries.status());
    return;
  }
  const std::size_t columns = request.with_scores ? 2 : 1;
  StartRows(context.reply, entries->size(), columns);
  for (const HistoryEntry& entry : *entries) {
    StartRow(context.reply, columns);
    context.reply.Bulk(entry.item);
    if (request.with_scores) {
      context.reply.Double(entry.weight);
    }
  }
}

// The past is read from the log, however long that is; the present stands in memory.
bool HistoryIsSlow(const CommandContext& context) {
  constexpr std::size_t kFirstOption = 3;
  return ContainsKeyword(context.args, kFirstOption, "ASOF");
}

constexpr ArgumentSpec kAddArguments[] = {
    {.name = "key", .type = "key"},
    {.name = "user", .type = "string"},
    {.name = "item", .type = "string"},
    {.name = "weight", .type = "double", .optional = true},
    {.name = "name", .type = "string", .token = "TYPE", .optional = true},
    {.name = "ms", .type = "unix-time", .token = "TS", .optional = true},
    {.name = "token", .type = "string", .token = "ID", .optional = true},
};
constexpr ArgumentSpec kInteractionArguments[] = {
    {.name = "user", .type = "string"},
    {.name = "item", .type = "string"},
    {.name = "weight", .type = "double"},
};
constexpr ArgumentSpec kAddManyArguments[] = {
    {.name = "key", .type = "key"},
    {.name = "interaction", .type = "block", .multiple = true, .arguments = kInteractionArguments},
};
constexpr ArgumentSpec kSetArguments[] = {
    {.name = "key", .type = "key"},
    {.name = "user", .type = "string"},
    {.name = "item", .type = "string"},
    {.name = "weight", .type = "double"},
    {.name = "name", .type = "string", .token = "TYPE", .optional = true},
    {.name = "ms", .type = "unix-time", .token = "TS", .optional = true},
};
constexpr ArgumentSpec kUserItemsArguments[] = {
    {.name = "key", .type = "key"},
    {.name = "user", .type = "string"},
    {.name = "item", .type = "string", .multiple = true},
};
constexpr ArgumentSpec kHistoryArguments[] = {
    {.name = "key", .type = "key"},
    {.name = "user", .type = "string"},
    {.name = "count", .type = "integer", .token = "COUNT", .optional = true},
    {.name = "offset", .type = "integer", .token = "OFFSET", .optional = true},
    {.name = "name", .type = "string", .token = "TYPE", .optional = true},
    {.name = "since", .type = "unix-time", .token = "SINCE", .optional = true},
    {.name = "until", .type = "unix-time", .token = "UNTIL", .optional = true},
    {.name = "asof", .type = "unix-time", .token = "ASOF", .optional = true},
    {.name = "withscores", .type = "pure-token", .token = "WITHSCORES", .optional = true},
};

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
     .flags = kWrite | kDenyOom,
     .summary = "Adds many interactions in order, all or none. Returns the last sequence number",
     .complexity = "O(N*D^2) where N is the number of interactions and D the dimension",
     .arguments = kAddManyArguments,
     .handler = AddMany},
    {.name = "reco.set",
     .arity = -5,
     .flags = kWrite | kDenyOom | kFast,
     .summary =
         "Replaces the preference of a user for an item. Returns the event's sequence number",
     .complexity = "O(D^2) for short rows, where D is the dimension",
     .arguments = kSetArguments,
     .handler = SetPreference},
    {.name = "reco.rem",
     .arity = -4,
     .flags = kWrite,
     .summary = "Forgets what a user did with items. Returns the number of pairs that existed",
     .complexity = "O(N*D^2) where N is the number of items and D the dimension",
     .arguments = kUserItemsArguments,
     .handler = Remove},
    {.name = "reco.pref",
     .arity = -4,
     .flags = kReadonly | kFast,
     .summary = "Returns the stored preference of a user for each item, or nil",
     .complexity = "O(N) where N is the number of items",
     .arguments = kUserItemsArguments,
     .handler = Preferences},
    {.name = "reco.history",
     .arity = -3,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns what a user interacted with, newest first; with ASOF as it stood then",
     .complexity = "O(N*log(N)) where N is the number of the user's pairs; with ASOF O(E) where E "
                   "is the number of events in the log",
     .arguments = kHistoryArguments,
     .handler = History,
     .slow = HistoryIsSlow},
};

}  // namespace

std::span<const CommandSpec> InteractionCommands() {
  return kRows;
}

}  // namespace reco::api
