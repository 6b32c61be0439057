#include "api/commands/admin/client_commands.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "api/commands/arguments.h"
#include "api/server/client.h"
#include "api/server/server.h"
#include "base/clock.h"

namespace reco::api {
namespace {

constexpr std::string_view kSyntaxError = "ERR syntax error";

// The types CLIENT LIST and KILL know; all of ours are normal.
enum class ClientType : std::uint8_t { kNormal, kOther, kUnknown };

ClientType ParseClientType(std::string_view name) {
  if (EqualsIgnoreCase(name, "normal")) {
    return ClientType::kNormal;
  }
  for (const std::string_view other : {"slave", "replica", "pubsub", "master"}) {
    if (EqualsIgnoreCase(name, other)) {
      return ClientType::kOther;
    }
  }
  return ClientType::kUnknown;
}

void AnswerUnknownType(Reply& reply, std::string_view name) {
  reply.Error("ERR Unknown client type '" + std::string(name) + "'");
}

// Reads on or off; nullopt when the error has been answered.
std::optional<bool> ParseSwitch(CommandContext& context, std::string_view word) {
  if (EqualsIgnoreCase(word, "on")) {
    return true;
  }
  if (EqualsIgnoreCase(word, "off")) {
    return false;
  }
  context.reply.Error(kSyntaxError);
  return std::nullopt;
}

struct KillFilter {
  std::optional<std::int64_t> id;
  std::optional<std::string_view> address;
  std::optional<std::string_view> local_address;
  bool none = false;  // a type that no client has
  bool skip_me = true;

  bool Matches(const Client& client) const {
    return !none && (!id || static_cast<std::uint64_t>(*id) == client.id()) &&
           (!address || *address == client.address()) &&
           (!local_address || *local_address == client.local_address());
  }
};

// Reads one option and its value. Returns false when the error has been answered.
bool ParseKillOption(CommandContext& context, std::string_view option, std::string_view value,
                     KillFilter* filter) {
  Reply& reply = context.reply;
  if (EqualsIgnoreCase(option, "id")) {
    filter->id = ParseInteger(value);
    if (!filter->id || *filter->id < 1) {
      reply.Error("ERR client-id should be greater than 0");
      return false;
    }
  } else if (EqualsIgnoreCase(option, "type")) {
    const ClientType type = ParseClientType(value);
    if (type == ClientType::kUnknown) {
      AnswerUnknownType(reply, value);
      return false;
    }
    filter->none |= type == ClientType::kOther;
  } else if (EqualsIgnoreCase(option, "addr")) {
    filter->address = value;
  } else if (EqualsIgnoreCase(option, "laddr")) {
    filter->local_address = value;
  } else if (EqualsIgnoreCase(option, "user")) {
    // There is one user, so a filter by it leaves all clients in.
    if (value != "default") {
      reply.Error("ERR No such user '" + std::string(value) + "'");
      return false;
    }
  } else if (EqualsIgnoreCase(option, "skipme") &&
             (EqualsIgnoreCase(value, "yes") || EqualsIgnoreCase(value, "no"))) {
    filter->skip_me = EqualsIgnoreCase(value, "yes");
  } else {
    reply.Error(kSyntaxError);
    return false;
  }
  return true;
}

}  // namespace

bool IsValidClientName(std::string_view name) {
  // Names stand between blanks in CLIENT LIST. The empty name passes: it takes the name away.
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '!' && c <= '~'; });
}

void HandleClientId(CommandContext& context) {
  context.reply.Integer(static_cast<std::int64_t>(context.client.id()));
}

void HandleClientGetName(CommandContext& context) {
  const std::string name = context.client.name();
  if (name.empty()) {
    context.reply.Null();
  } else {
    context.reply.Bulk(name);
  }
}

void HandleClientSetName(CommandContext& context) {
  if (!IsValidClientName(context.args[2])) {
    context.reply.Error(kInvalidClientName);
    return;
  }
  context.client.set_name(context.args[2]);
  context.reply.Ok();
}

void HandleClientSetInfo(CommandContext& context) {
  const std::string_view option = context.args[2];
  const std::string_view value = context.args[3];
  const bool is_name = EqualsIgnoreCase(option, "lib-name");
  if (!is_name && !EqualsIgnoreCase(option, "lib-ver")) {
    context.reply.Error("ERR Unrecognized option '" + std::string(option) + "'");
    return;
  }
  if (!IsValidClientName(value)) {
    context.reply.Error("ERR " + std::string(option) +
                        " cannot contain spaces, newlines or special characters.");
    return;
  }
  if (is_name) {
    context.client.set_library_name(value);
  } else {
    context.client.set_library_version(value);
  }
  context.reply.Ok();
}

void HandleClientInfo(CommandContext& context) {
  context.reply.Verbatim(context.client.Describe(context.server.clock().MonotonicUs()) + "\n");
}

void HandleClientList(CommandContext& context) {
  const std::span<const std::string_view> args = context.args;
  std::optional<std::vector<std::int64_t>> ids;
  bool none = false;
  if (args.size() == 4 && EqualsIgnoreCase(args[2], "type")) {
    const ClientType type = ParseClientType(args[3]);
    if (type == ClientType::kUnknown) {
      AnswerUnknownType(context.reply, args[3]);
      return;
    }
    none = type == ClientType::kOther;
  } else if (args.size() > 3 && EqualsIgnoreCase(args[2], "id")) {
    ids.emplace();
    for (const std::string_view word : args.subspan(3)) {
      const std::optional<std::int64_t> id = ParseInteger(word);
      if (!id || *id < 1) {
        context.reply.Error("ERR Invalid client ID");
        return;
      }
      ids->push_back(*id);
    }
  } else if (args.size() > 2) {
    context.reply.Error(kSyntaxError);
    return;
  }
  // One time for all lines, so that ages can be compared.
  const std::int64_t now_us = context.server.clock().MonotonicUs();
  std::string text;
  context.server.clients().ForEach([&](Client& client) {
    const auto id = static_cast<std::int64_t>(client.id());
    if (!none && (!ids || std::find(ids->begin(), ids->end(), id) != ids->end())) {
      text += client.Describe(now_us) + "\n";
    }
  });
  context.reply.Verbatim(text);
}

void HandleClientKill(CommandContext& context) {
  const std::span<const std::string_view> args = context.args;
  KillFilter filter;
  const bool by_address = args.size() == 3;
  if (by_address) {
    // The old form, CLIENT KILL ip:port, also kills its caller and answers OK or an error instead
    // of a number.
    filter.address = args[2];
    filter.skip_me = false;
  } else {
    for (std::size_t i = 2; i < args.size(); i += 2) {
      if (i + 1 == args.size()) {
        context.reply.Error(kSyntaxError);
        return;
      }
      if (!ParseKillOption(context, args[i], args[i + 1], &filter)) {
        return;
      }
    }
  }
  std::int64_t killed = 0;
  bool killed_self = false;
  context.server.clients().ForEach([&](Client& client) {
    const bool self = &client == &context.client;
    if (!filter.Matches(client) || (self && filter.skip_me)) {
      return;
    }
    ++killed;
    killed_self |= self;
    // Ours closes below, behind its reply.
    if (!self) {
      client.RequestClose();
    }
  });
  if (!by_address) {
    context.reply.Integer(killed);
  } else if (killed > 0) {
    context.reply.Ok();
  } else {
    context.reply.Error("ERR No such client");
  }
  if (killed_self) {
    context.client.CloseAfterReply();
  }
}

void HandleClientNoEvict(CommandContext& context) {
  if (const std::optional<bool> on = ParseSwitch(context, context.args[2])) {
    context.client.set_no_evict(*on);
    context.reply.Ok();
  }
}

void HandleClientNoTouch(CommandContext& context) {
  if (const std::optional<bool> on = ParseSwitch(context, context.args[2])) {
    context.client.set_no_touch(*on);
    context.reply.Ok();
  }
}

}  // namespace reco::api
