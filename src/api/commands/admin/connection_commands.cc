// The group "connection": PING ECHO HELLO AUTH SELECT QUIT RESET CLIENT.
#include <optional>
#include <string>

#include "api/commands/admin/client_commands.h"
#include "api/commands/admin/groups.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/help.h"
#include "api/server/client.h"
#include "api/server/server.h"

namespace reco::api {
namespace {

constexpr std::string_view kWrongPassword =
    "WRONGPASS invalid username-password pair or user is disabled.";

// Compares in a time that depends on `given` alone, so that it does not tell where the texts
// differ.
bool EqualsInConstantTime(std::string_view secret, std::string_view given) {
  unsigned difference = secret.size() == given.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char expected = secret.empty() ? '\0' : secret[i % secret.size()];
    difference |= static_cast<unsigned char>(expected) ^ static_cast<unsigned char>(given[i]);
  }
  return difference == 0;
}

// Tells whether the user may pass, and lets the client in if so. There is one user, "default";
// without a password it accepts any.
bool Authenticate(CommandContext& context, std::string_view user, std::string_view password) {
  const std::string expected = context.server.config().Snapshot().requirepass;
  const bool matches = expected.empty() || EqualsInConstantTime(expected, password);
  if (user != "default" || !matches) {
    return false;
  }
  context.client.set_authenticated(true);
  return true;
}

void HandlePing(CommandContext& context) {
  // Arity has a least count only, so the most is checked here, with the same text.
  if (context.args.size() > 2) {
    context.reply.Error("ERR wrong number of arguments for 'ping' command");
  } else if (context.args.size() == 2) {
    context.reply.Bulk(context.args[1]);
  } else {
    context.reply.Simple("PONG");
  }
}

void HandleEcho(CommandContext& context) {
  context.reply.Bulk(context.args[1]);
}

void HandleAuth(CommandContext& context) {
  if (context.args.size() > 3) {
    context.reply.Error("ERR syntax error");
    return;
  }
  const bool with_user = context.args.size() == 3;
  // Redis refuses AUTH password when none is set, but takes AUTH default password: clients that
  // always send both are let in.
  if (!with_user && context.server.config().Snapshot().requirepass.empty()) {
    context.reply.Error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
    return;
  }
  const std::string_view user = with_user ? context.args[1] : "default";
  if (Authenticate(context, user, context.args.back())) {
    context.reply.Ok();
  } else {
    context.reply.Error(kWrongPassword);
  }
}

struct HelloOptions {
  std::optional<int> protocol;
  std::optional<std::string_view> user;
  std::string_view password;
  std::optional<std::string_view> name;
};

// Reads all options before any takes effect: a bad name leaves the protocol as it was. Returns
// false when the error has been answered.
bool ParseHello(CommandContext& context, HelloOptions* options) {
  const std::span<const std::string_view> args = context.args;
  if (args.size() > 1) {
    const std::optional<std::int64_t> protocol = ParseInteger(args[1]);
    if (!protocol) {
      context.reply.Error("ERR Protocol version is not an integer or out of range");
      return false;
    }
    if (*protocol < 2 || *protocol > 3) {
      context.reply.Error("NOPROTO unsupported protocol version");
      return false;
    }
    options->protocol = static_cast<int>(*protocol);
  }
  for (std::size_t i = 2; i < args.size(); ++i) {
    const std::size_t left = args.size() - 1 - i;
    if (EqualsIgnoreCase(args[i], "auth") && left >= 2) {
      options->user = args[i + 1];
      options->password = args[i + 2];
      i += 2;
    } else if (EqualsIgnoreCase(args[i], "setname") && left >= 1) {
      options->name = args[i + 1];
      if (!IsValidClientName(*options->name)) {
        context.reply.Error(kInvalidClientName);
        return false;
      }
      i += 1;
    } else {
      context.reply.Error("ERR Syntax error in HELLO option '" + std::string(args[i]) + "'");
      return false;
    }
  }
  return true;
}

void HandleHello(CommandContext& context) {
  HelloOptions options;
  if (!ParseHello(context, &options)) {
    return;
  }
  // In this order, as in Redis: who is refused keeps name and protocol.
  Client& client = context.client;
  if (options.user && !Authenticate(context, *options.user, options.password)) {
    context.reply.Error(kWrongPassword);
    return;
  }
  if (!client.authenticated() && !context.server.config().Snapshot().requirepass.empty()) {
    context.reply.Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "AUTH <user> <pass> option can be used to authenticate the client and select the "
        "RESP protocol version at the same time");
    return;
  }
  if (options.name) {
    client.set_name(*options.name);
  }
  if (options.protocol) {
    client.set_protocol(*options.protocol);
    // The reply to HELLO is itself in the new protocol.
    context.reply.set_protocol(*options.protocol);
  }
  // Redis's pairs, in its order: by them clients tell whom they speak to. The version is that of
  // the Redis whose behaviour this is.
  Reply& reply = context.reply;
  reply.Map(7);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(client.protocol());
  reply.Bulk("id");
  reply.Integer(static_cast<std::int64_t>(client.id()));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("modules");
  reply.Array(0);
}

void HandleSelect(CommandContext& context) {
  const std::optional<std::int64_t> index = ParseInteger(context.args[1]);
  if (!index) {
    context.reply.Error("ERR value is not an integer or out of range");
    return;
  }
  // Redis reads an int here, with an error of its own when it is none.
  if (*index != static_cast<std::int32_t>(*index)) {
    context.reply.Error("ERR value is out of range, value must between -2147483648 and 2147483647");
    return;
  }
  if (*index < 0 || *index >= context.server.config().Snapshot().databases) {
    context.reply.Error("ERR DB index is out of range");
    return;
  }
  context.client.set_db(static_cast<std::uint32_t>(*index));
  context.reply.Ok();
}

void HandleQuit(CommandContext& context) {
  context.reply.Ok();
  context.client.CloseAfterReply();
}

void HandleReset(CommandContext& context) {
  Client& client = context.client;
  client.set_protocol(2);
  context.reply.set_protocol(2);
  client.set_db(0);
  client.set_name("");
  client.set_no_evict(false);
  client.set_no_touch(false);
  client.set_in_refused_transaction(false);
  // As a new connection: whoever needs a password must send it again.
  client.set_authenticated(context.server.config().Snapshot().requirepass.empty());
  context.reply.Simple("RESET");
}

// Flags, categories and arities follow Redis 7.0, because clients read them by COMMAND.
constexpr std::uint32_t kSession = kNoScript | kLoading | kStale;
constexpr std::string_view kConnection = "@connection";
constexpr std::string_view kGroup = "connection";

constexpr ArgumentSpec kMessage[] = {{.name = "message", .type = "string"}};
constexpr ArgumentSpec kOptionalMessage[] = {
    {.name = "message", .type = "string", .optional = true}};
constexpr ArgumentSpec kAuthArguments[] = {{.name = "username", .type = "string", .optional = true},
                                           {.name = "password", .type = "string"}};
constexpr ArgumentSpec kCredentials[] = {{.name = "username", .type = "string"},
                                         {.name = "password", .type = "string"}};
constexpr ArgumentSpec kHelloOptions[] = {
    {.name = "protover", .type = "integer"},
    {.name = "username_password",
     .type = "block",
     .token = "AUTH",
     .optional = true,
     .arguments = kCredentials},
    {.name = "clientname", .type = "string", .token = "SETNAME", .optional = true}};
constexpr ArgumentSpec kHelloArguments[] = {
    {.name = "arguments", .type = "block", .optional = true, .arguments = kHelloOptions}};
constexpr ArgumentSpec kIndex[] = {{.name = "index", .type = "integer"}};
constexpr ArgumentSpec kConnectionName[] = {{.name = "connection-name", .type = "string"}};
constexpr ArgumentSpec kSwitch[] = {{.name = "on", .type = "pure-token", .token = "ON"},
                                    {.name = "off", .type = "pure-token", .token = "OFF"}};
constexpr ArgumentSpec kSwitchArguments[] = {
    {.name = "enabled", .type = "oneof", .arguments = kSwitch}};
constexpr ArgumentSpec kLibrary[] = {{.name = "libname", .type = "string", .token = "LIB-NAME"},
                                     {.name = "libver", .type = "string", .token = "LIB-VER"}};
constexpr ArgumentSpec kSetInfoArguments[] = {
    {.name = "attr", .type = "oneof", .arguments = kLibrary}};
constexpr ArgumentSpec kTypes[] = {{.name = "normal", .type = "pure-token", .token = "NORMAL"},
                                   {.name = "master", .type = "pure-token", .token = "MASTER"},
                                   {.name = "replica", .type = "pure-token", .token = "REPLICA"},
                                   {.name = "pubsub", .type = "pure-token", .token = "PUBSUB"}};
constexpr ArgumentSpec kListArguments[] = {
    {.name = "client-type",
     .type = "oneof",
     .token = "TYPE",
     .optional = true,
     .arguments = kTypes},
    {.name = "client-id", .type = "integer", .token = "ID", .optional = true, .multiple = true}};
constexpr ArgumentSpec kSkipMe[] = {{.name = "yes", .type = "pure-token", .token = "YES"},
                                    {.name = "no", .type = "pure-token", .token = "NO"}};
constexpr ArgumentSpec kKillFilters[] = {
    {.name = "client-id", .type = "integer", .token = "ID", .optional = true},
    {.name = "client-type",
     .type = "oneof",
     .token = "TYPE",
     .optional = true,
     .arguments = kTypes},
    {.name = "username", .type = "string", .token = "USER", .optional = true},
    {.name = "addr", .type = "string", .token = "ADDR", .optional = true},
    {.name = "laddr", .type = "string", .token = "LADDR", .optional = true},
    {.name = "skipme", .type = "oneof", .token = "SKIPME", .optional = true, .arguments = kSkipMe}};
constexpr ArgumentSpec kKillForms[] = {
    {.name = "old-format", .type = "string"},
    {.name = "new-format", .type = "block", .multiple = true, .arguments = kKillFilters}};
constexpr ArgumentSpec kKillArguments[] = {
    {.name = "filter", .type = "oneof", .arguments = kKillForms}};

constexpr CommandSpec kClientCommands[] = {
    {.name = "getname",
     .arity = 2,
     .flags = kSession,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns the name of the connection.",
     .complexity = "O(1)",
     .handler = HandleClientGetName},
    HelpRow(kConnection, kGroup),
    {.name = "id",
     .arity = 2,
     .flags = kSession,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns the unique number of the connection.",
     .complexity = "O(1)",
     .handler = HandleClientId},
    {.name = "info",
     .arity = 2,
     .flags = kSession,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns information about the connection.",
     .complexity = "O(1)",
     .handler = HandleClientInfo},
    {.name = "kill",
     .arity = -3,
     .flags = kSession | kAdmin,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Closes connections.",
     .complexity = "O(N) where N is the number of connections",
     .arguments = kKillArguments,
     .handler = HandleClientKill},
    {.name = "list",
     .arity = -2,
     .flags = kSession | kAdmin,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Lists open connections.",
     .complexity = "O(N) where N is the number of connections",
     .arguments = kListArguments,
     .handler = HandleClientList},
    {.name = "no-evict",
     .arity = 3,
     .flags = kSession | kAdmin,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Accepted for compatibility: connections are never evicted.",
     .complexity = "O(1)",
     .arguments = kSwitchArguments,
     .handler = HandleClientNoEvict},
    {.name = "no-touch",
     .arity = 3,
     .flags = kSession,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Accepted for compatibility: reads never change when a key is evicted.",
     .complexity = "O(1)",
     .arguments = kSwitchArguments,
     .handler = HandleClientNoTouch},
    {.name = "setinfo",
     .arity = 4,
     .flags = kSession,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Sets information about the client library of the connection.",
     .complexity = "O(1)",
     .arguments = kSetInfoArguments,
     .handler = HandleClientSetInfo},
    {.name = "setname",
     .arity = 3,
     .flags = kSession,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Sets the name of the connection.",
     .complexity = "O(1)",
     .arguments = kConnectionName,
     .handler = HandleClientSetName},
};

constexpr CommandSpec kCommands[] = {
    {.name = "auth",
     .arity = -2,
     .flags = kSession | kFast | kNoAuth,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Authenticates the connection.",
     .complexity = "O(1)",
     .arguments = kAuthArguments,
     .handler = HandleAuth},
    {.name = "client",
     .arity = -2,
     .flags = 0,
     .keys = kNoKeys,
     .categories = "",
     .group = kGroup,
     .summary = "A container for client connection commands.",
     .complexity = "Depends on subcommand.",
     .subcommands = kClientCommands},
    {.name = "echo",
     .arity = 2,
     .flags = kLoading | kStale | kFast,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns the given string.",
     .complexity = "O(1)",
     .arguments = kMessage,
     .handler = HandleEcho},
    {.name = "hello",
     .arity = -1,
     .flags = kSession | kFast | kNoAuth,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Handshakes with the server: protocol version, authentication, name.",
     .complexity = "O(1)",
     .arguments = kHelloArguments,
     .handler = HandleHello},
    {.name = "ping",
     .arity = -1,
     .flags = kFast,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Returns the server's liveliness response.",
     .complexity = "O(1)",
     .arguments = kOptionalMessage,
     .handler = HandlePing},
    {.name = "quit",
     .arity = -1,
     .flags = kSession | kFast | kNoAuth | kLeavesTransaction,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Closes the connection.",
     .complexity = "O(1)",
     .handler = HandleQuit},
    {.name = "reset",
     .arity = 1,
     .flags = kSession | kFast | kNoAuth | kLeavesTransaction,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Resets the connection to how it was when it was opened.",
     .complexity = "O(1)",
     .handler = HandleReset},
    {.name = "select",
     .arity = 2,
     .flags = kLoading | kStale | kFast,
     .keys = kNoKeys,
     .categories = kConnection,
     .group = kGroup,
     .summary = "Changes the selected database.",
     .complexity = "O(1)",
     .arguments = kIndex,
     .handler = HandleSelect},
};

}  // namespace

std::span<const CommandSpec> ConnectionCommands() {
  return kCommands;
}

}  // namespace reco::api
