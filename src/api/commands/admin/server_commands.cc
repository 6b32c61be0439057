// The group "server": COMMAND INFO CONFIG DBSIZE TIME FLUSHDB FLUSHALL SHUTDOWN and what clients of
// a cluster or of replicas ask.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/commands/admin/client_commands.h"
#include "api/commands/admin/groups.h"
#include "api/commands/admin/info.h"
#include "api/commands/admin/introspection_commands.h"
#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/help.h"
#include "api/server/client.h"
#include "api/server/server.h"
#include "base/clock.h"

namespace reco::api {
namespace {

constexpr std::string_view kSyntaxError = "ERR syntax error";

void HandleInfo(CommandContext& context) {
  context.reply.Verbatim(InfoText(context.server, context.args.subspan(1)));
}

void HandleConfigGet(CommandContext& context) {
  const auto found = context.server.config().Get(context.args.subspan(2));
  context.reply.Map(found.size());
  for (const auto& [name, value] : found) {
    context.reply.Bulk(name);
    context.reply.Bulk(value);
  }
}

void HandleConfigSet(CommandContext& context) {
  const Status status = context.server.SetOptions(context.args.subspan(2));
  if (status.ok()) {
    context.reply.Ok();
  } else {
    context.reply.Error("ERR " + std::string(status.message()));
  }
}

void HandleConfigResetStat(CommandContext& context) {
  context.server.ResetStatistics();
  context.reply.Ok();
}

void HandleDbSize(CommandContext& context) {
  context.reply.Integer(static_cast<std::int64_t>(context.database.Size(context.client.db())));
}

void HandleTime(CommandContext& context) {
  const std::int64_t now_us = std::chrono::duration_cast<std::chrono::microseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count();
  context.reply.Array(2);
  context.reply.Bulk(std::to_string(now_us / 1'000'000));
  context.reply.Bulk(std::to_string(now_us % 1'000'000));
}

// Flushes one database, or all. ASYNC and SYNC are the same here: both answer when the keys are
// gone.
void Flush(CommandContext& context, std::optional<std::uint32_t> db) {
  const bool has_mode = context.args.size() == 2 && (EqualsIgnoreCase(context.args[1], "async") ||
                                                     EqualsIgnoreCase(context.args[1], "sync"));
  if (context.args.size() > 1 && !has_mode) {
    context.reply.Error(kSyntaxError);
    return;
  }
  AnswerStatus(context.reply, context.database.Flush(db, kDeferred));
}

void HandleFlushDb(CommandContext& context) {
  Flush(context, context.client.db());
}

void HandleFlushAll(CommandContext& context) {
  Flush(context, std::nullopt);
}

struct ShutdownOptions {
  bool save = false;
  bool no_save = false;
  bool now = false;
  bool force = false;
  bool abort = false;
};

// Reads the words of SHUTDOWN. Returns false for a syntax error.
bool ParseShutdown(std::span<const std::string_view> words, ShutdownOptions* options) {
  const std::pair<std::string_view, bool*> keywords[] = {{"save", &options->save},
                                                         {"nosave", &options->no_save},
                                                         {"now", &options->now},
                                                         {"force", &options->force},
                                                         {"abort", &options->abort}};
  for (const std::string_view word : words) {
    bool known = false;
    for (const auto& [keyword, flag] : keywords) {
      if (EqualsIgnoreCase(word, keyword)) {
        *flag = true;
        known = true;
      }
    }
    if (!known) {
      return false;
    }
  }
  // ABORT stands alone, and SAVE and NOSAVE exclude each other.
  const bool others = options->save || options->no_save || options->now || options->force;
  return !(options->abort && others) && !(options->save && options->no_save);
}

// Stops the server. Answers nothing when it succeeds: the connection closes.
void HandleShutdown(CommandContext& context) {
  ShutdownOptions options;
  if (!ParseShutdown(context.args.subspan(1), &options)) {
    context.reply.Error(kSyntaxError);
    return;
  }
  if (options.abort) {
    // A shutdown waits for nothing that could be called off.
    context.reply.Error("ERR No shutdown in progress.");
    return;
  }
  context.server.Write(LogLevel::kWarning, "User requested shutdown...");
  // Written here, where a failure can still be answered; the process writes a last one in any case.
  // No data hang on it: the log has all that was acknowledged.
  const Status saved = options.no_save ? Status::Ok() : context.database.Checkpoint();
  if (!saved.ok() && !options.force) {
    context.server.Write(LogLevel::kWarning, "shutdown refused: " + std::string(saved.message()));
    context.reply.Error("ERR Errors trying to SHUTDOWN. Check logs.");
    return;
  }
  context.client.CloseAfterReply();
  context.server.RequestShutdown();
}

// Answers as a master without replicas; clients of sentinels ask for it.
void HandleRole(CommandContext& context) {
  context.reply.Array(3);
  context.reply.Bulk("master");
  context.reply.Integer(0);
  context.reply.Array(0);
}

// Answers Redis's text, by which clients know that there is no cluster to discover.
void HandleClusterDisabled(CommandContext& context) {
  context.reply.Error("ERR This instance has cluster support disabled");
}

// Flags, categories and arities follow Redis 7.0, because clients read them by COMMAND.
constexpr std::uint32_t kAlways = kLoading | kStale;
constexpr std::uint32_t kAdministration = kAdmin | kNoScript | kLoading | kStale;
constexpr std::string_view kGroup = "server";

constexpr ArgumentSpec kSections[] = {
    {.name = "section", .type = "string", .optional = true, .multiple = true}};
constexpr ArgumentSpec kPatterns[] = {{.name = "parameter", .type = "string", .multiple = true}};
constexpr ArgumentSpec kPair[] = {{.name = "parameter", .type = "string"},
                                  {.name = "value", .type = "string"}};
constexpr ArgumentSpec kPairs[] = {
    {.name = "parameter_value", .type = "block", .multiple = true, .arguments = kPair}};
constexpr ArgumentSpec kNames[] = {
    {.name = "command-name", .type = "string", .optional = true, .multiple = true}};
constexpr ArgumentSpec kFullCommand[] = {
    {.name = "command", .type = "string"},
    {.name = "arg", .type = "string", .optional = true, .multiple = true}};
constexpr ArgumentSpec kFilters[] = {{.name = "module-name", .type = "string", .token = "MODULE"},
                                     {.name = "category", .type = "string", .token = "ACLCAT"},
                                     {.name = "pattern", .type = "pattern", .token = "PATTERN"}};
constexpr ArgumentSpec kFilterBy[] = {{.name = "filterby",
                                       .type = "oneof",
                                       .token = "FILTERBY",
                                       .optional = true,
                                       .arguments = kFilters}};
constexpr ArgumentSpec kFlushModes[] = {{.name = "async", .type = "pure-token", .token = "ASYNC"},
                                        {.name = "sync", .type = "pure-token", .token = "SYNC"}};
constexpr ArgumentSpec kFlushArguments[] = {
    {.name = "async", .type = "oneof", .optional = true, .arguments = kFlushModes}};
constexpr ArgumentSpec kSaveModes[] = {{.name = "nosave", .type = "pure-token", .token = "NOSAVE"},
                                       {.name = "save", .type = "pure-token", .token = "SAVE"}};
constexpr ArgumentSpec kShutdownArguments[] = {
    {.name = "nosave_save", .type = "oneof", .optional = true, .arguments = kSaveModes},
    {.name = "now", .type = "pure-token", .token = "NOW", .optional = true},
    {.name = "force", .type = "pure-token", .token = "FORCE", .optional = true},
    {.name = "abort", .type = "pure-token", .token = "ABORT", .optional = true}};
constexpr ArgumentSpec kClusterArguments[] = {
    {.name = "subcommand", .type = "string"},
    {.name = "arg", .type = "string", .optional = true, .multiple = true}};

constexpr std::string_view kPerCommand = "O(N) where N is the number of commands";
constexpr std::string_view kPerOption = "O(N) where N is the number of options";
constexpr std::string_view kConnection = "@connection";

constexpr CommandSpec kConfigCommands[] = {
    {.name = "get",
     .arity = -3,
     .flags = kAdministration,
     .keys = kNoKeys,
     .categories = "",
     .group = kGroup,
     .summary = "Returns the values of options.",
     .complexity = kPerOption,
     .arguments = kPatterns,
     .handler = HandleConfigGet},
    HelpRow("", kGroup),
    {.name = "resetstat",
     .arity = 2,
     .flags = kAdministration,
     .keys = kNoKeys,
     .categories = "",
     .group = kGroup,
     .summary = "Resets the statistics that INFO returns.",
     .complexity = "O(1)",
     .handler = HandleConfigResetStat},
    {.name = "set",
     .arity = -4,
     .flags = kAdministration,
     .keys = kNoKeys,
     .categories = "",
     .group = kGroup,
     .summary = "Sets options of the running server, all or none.",
     .complexity = kPerOption,
     .arguments = kPairs,
     .handler = HandleConfigSet},
};

constexpr CommandSpec kCommandCommands[] = {
    {.name = "count",
     .arity = 2,
     .flags = kAlways,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns the number of commands.",
     .complexity = "O(1)",
     .handler = HandleCommandCount},
    {.name = "docs",
     .arity = -2,
     .flags = kAlways,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns the documentation of commands.",
     .complexity = kPerCommand,
     .arguments = kNames,
     .handler = HandleCommandDocs},
    {.name = "getkeys",
     .arity = -4,
     .flags = kAlways,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns the keys of a full command.",
     .complexity = "O(N) where N is the number of arguments",
     .arguments = kFullCommand,
     .handler = HandleCommandGetKeys},
    HelpRow(kConnection, kGroup),
    {.name = "info",
     .arity = -2,
     .flags = kAlways,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns arity, flags, keys and categories of commands.",
     .complexity = kPerCommand,
     .arguments = kNames,
     .handler = HandleCommandInfo},
    {.name = "list",
     .arity = -2,
     .flags = kAlways,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns the names of commands.",
     .complexity = kPerCommand,
     .arguments = kFilterBy,
     .handler = HandleCommandList},
};

constexpr CommandSpec kCommands[] = {
    {.name = "cluster",
     .arity = -2,
     .flags = kAlways,
     .keys = kNoKeys,
     .categories = "",
     .group = kGroup,
     .summary = "Answers that there is no cluster.",
     .complexity = "O(1)",
     .arguments = kClusterArguments,
     .handler = HandleClusterDisabled},
    {.name = "command",
     .arity = -1,
     .flags = kAlways,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns detailed information about all commands.",
     .complexity = kPerCommand,
     .handler = HandleCommand,
     .subcommands = kCommandCommands},
    {.name = "config",
     .arity = -2,
     .flags = 0,
     .keys = kNoKeys,
     .categories = "",
     .group = kGroup,
     .summary = "A container for server configuration commands.",
     .complexity = "Depends on subcommand.",
     .subcommands = kConfigCommands},
    {.name = "dbsize",
     .arity = 1,
     .flags = kReadonly | kFast,
     .keys = kNoKeys,
     .categories = "@keyspace",
     .group = kGroup,
     .summary = "Returns the number of keys in the selected database.",
     .complexity = "O(1)",
     .handler = HandleDbSize},
    {.name = "flushall",
     .arity = -1,
     .flags = kWrite,
     .keys = kNoKeys,
     .categories = "@keyspace @dangerous",
     .group = kGroup,
     .summary = "Removes all keys from all databases.",
     .complexity = "O(N) where N is the number of keys",
     .arguments = kFlushArguments,
     .handler = HandleFlushAll},
    {.name = "flushdb",
     .arity = -1,
     .flags = kWrite,
     .keys = kNoKeys,
     .categories = "@keyspace @dangerous",
     .group = kGroup,
     .summary = "Removes all keys from the selected database.",
     .complexity = "O(N) where N is the number of keys",
     .arguments = kFlushArguments,
     .handler = HandleFlushDb},
    {.name = "info",
     .arity = -1,
     .flags = kAlways,
     .keys = kNoKeys,
     .categories = "@dangerous",
     .group = kGroup,
     .summary = "Returns information and statistics about the server.",
     .complexity = "O(1)",
     .arguments = kSections,
     .handler = HandleInfo},
    {.name = "readonly",
     .arity = 1,
     .flags = kAlways | kFast,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = "cluster",
     .summary = "Answers that there is no cluster.",
     .complexity = "O(1)",
     .handler = HandleClusterDisabled},
    {.name = "role",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast,
     .keys = kNoKeys,
     .categories = "@admin @dangerous",
     .group = kGroup,
     .summary = "Returns the replication role.",
     .complexity = "O(1)",
     .handler = HandleRole},
    {.name = "shutdown",
     .arity = -1,
     .flags = kAdministration,
     .keys = kNoKeys,
     .categories = "",
     .group = kGroup,
     .summary = "Writes a checkpoint and stops the server.",
     .complexity = "O(N) where N is the number of rows changed since the last checkpoint",
     .arguments = kShutdownArguments,
     .handler = HandleShutdown},
    {.name = "time",
     .arity = 1,
     .flags = kAlways | kFast,
     .keys = kNoKeys,
     .categories = "",
     .group = kGroup,
     .summary = "Returns the server's time.",
     .complexity = "O(1)",
     .handler = HandleTime},
};

}  // namespace

std::span<const CommandSpec> ServerCommands() {
  return kCommands;
}

}  // namespace reco::api
