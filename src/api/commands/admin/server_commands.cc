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
  Server& server = context.server;
  const Status status = server.config().Set(
      context.args.subspan(2), [&server](const ServerOptions& before, const ServerOptions& after) {
        return server.ApplyOptions(before, after);
      });
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

// ASYNC and SYNC are the same here: both answer when the keys are gone.
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

// False: syntax error.
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
  const bool others = options->save || options->no_save || options->now || options->force;
  return !(options->abort && others) && !(options->save && options->no_save);
}

// Answers nothing when it succeeds: the connection closes.
void HandleShutdown(CommandContext& context) {
  ShutdownOptions options;
  if (!ParseShutdown(context.args.subspan(1), &options)) {
    context.reply.Error(kSyntaxError);
    return;
  }
  if (options.abort) {
    context.reply.Error("ERR No shutdown in progress.");
    return;
  }
  context.server.Write(LogLevel::kWarning, "User requested shutdown...");
  const Status saved = options.no_save ? Status::Ok() : context.database.Checkpoint();
  if (!saved.ok() && !options.force) {
    context.server.Write(LogLevel::kWarning, "shutdown refused: " + std::string(saved.message()));
    context.reply.Error("ERR Errors trying to SHUTDOWN. Check logs.");
    return;
  }
  context.client.CloseAfterReply();
  context.server.RequestShutdown();
}

void HandleRole(CommandContext& context) {
  context.reply.Array(3);
  context.reply.Bulk("master");
  context.reply.Integer(0);
  context.reply.Array(0);
}

void HandleClusterDisabled(CommandContext& context) {
  context.reply.Error("ERR This instance has cluster support disabled");
}

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
    {"get", -3, kAdministration, 0, 0, 0, "", kGroup, "Returns the values of options.", kPerOption,
     kPatterns, HandleConfigGet},
    {"help",
     2,
     kAlways,
     0,
     0,
     0,
     "",
     kGroup,
     "Returns helpful text about the different subcommands.",
     "O(1)",
     {},
     HandleHelp},
    {"resetstat",
     2,
     kAdministration,
     0,
     0,
     0,
     "",
     kGroup,
     "Resets the statistics that INFO returns.",
     "O(1)",
     {},
     HandleConfigResetStat},
    {"set", -4, kAdministration, 0, 0, 0, "", kGroup,
     "Sets options of the running server, all or none.", kPerOption, kPairs, HandleConfigSet},
};

constexpr CommandSpec kCommandCommands[] = {
    {"count",
     2,
     kAlways,
     0,
     0,
     0,
     kConnection,
     kGroup,
     "Returns the number of commands.",
     "O(1)",
     {},
     HandleCommandCount},
    {"docs", -2, kAlways, 0, 0, 0, kConnection, kGroup, "Returns the documentation of commands.",
     kPerCommand, kNames, HandleCommandDocs},
    {"getkeys", -4, kAlways, 0, 0, 0, kConnection, kGroup, "Returns the keys of a full command.",
     "O(N) where N is the number of arguments", kFullCommand, HandleCommandGetKeys},
    {"help",
     2,
     kAlways,
     0,
     0,
     0,
     kConnection,
     kGroup,
     "Returns helpful text about the different subcommands.",
     "O(1)",
     {},
     HandleHelp},
    {"info", -2, kAlways, 0, 0, 0, kConnection, kGroup,
     "Returns arity, flags, keys and categories of commands.", kPerCommand, kNames,
     HandleCommandInfo},
    {"list", -2, kAlways, 0, 0, 0, kConnection, kGroup, "Returns the names of commands.",
     kPerCommand, kFilterBy, HandleCommandList},
};

constexpr CommandSpec kCommands[] = {
    {"cluster", -2, kAlways, 0, 0, 0, "", kGroup, "Answers that there is no cluster.", "O(1)",
     kClusterArguments, HandleClusterDisabled},
    {"command",
     -1,
     kAlways,
     0,
     0,
     0,
     kConnection,
     kGroup,
     "Returns detailed information about all commands.",
     kPerCommand,
     {},
     HandleCommand,
     kCommandCommands},
    {"config",
     -2,
     0,
     0,
     0,
     0,
     "",
     kGroup,
     "A container for server configuration commands.",
     "Depends on subcommand.",
     {},
     nullptr,
     kConfigCommands},
    {"dbsize",
     1,
     kReadonly | kFast,
     0,
     0,
     0,
     "@keyspace",
     kGroup,
     "Returns the number of keys in the selected database.",
     "O(1)",
     {},
     HandleDbSize},
    {"flushall", -1, kWrite, 0, 0, 0, "@keyspace @dangerous", kGroup,
     "Removes all keys from all databases.", "O(N) where N is the number of keys", kFlushArguments,
     HandleFlushAll},
    {"flushdb", -1, kWrite, 0, 0, 0, "@keyspace @dangerous", kGroup,
     "Removes all keys from the selected database.", "O(N) where N is the number of keys",
     kFlushArguments, HandleFlushDb},
    {"info", -1, kAlways, 0, 0, 0, "@dangerous", kGroup,
     "Returns information and statistics about the server.", "O(1)", kSections, HandleInfo},
    {"readonly",
     1,
     kAlways | kFast,
     0,
     0,
     0,
     kConnection,
     "cluster",
     "Answers that there is no cluster.",
     "O(1)",
     {},
     HandleClusterDisabled},
    {"role",
     1,
     kNoScript | kLoading | kStale | kFast,
     0,
     0,
     0,
     "@admin @dangerous",
     kGroup,
     "Returns the replication role.",
     "O(1)",
     {},
     HandleRole},
    {"shutdown", -1, kAdministration, 0, 0, 0, "", kGroup,
     "Writes a checkpoint and stops the server.",
     "O(N) where N is the number of rows changed since the last checkpoint", kShutdownArguments,
     HandleShutdown},
    {"time",
     1,
     kAlways | kFast,
     0,
     0,
     0,
     "",
     kGroup,
     "Returns the server's time.",
     "O(1)",
     {},
     HandleTime},
};

}  // namespace

std::span<const CommandSpec> ServerCommands() {
  return kCommands;
}

}  // namespace reco::api
