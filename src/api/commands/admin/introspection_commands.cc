// The shapes are those of Redis 7.0, which redis-cli reads: names of flags and categories are
// simple strings in sets, maps are flat arrays in RESP2.
#include "api/commands/admin/introspection_commands.h"

#include <algorithm>
#include <string>
#include <vector>

#include "api/commands/arguments.h"
#include "api/commands/command_table.h"
#include "api/server/server.h"
#include "base/glob.h"

namespace reco::api {
namespace {

void AnswerNames(Reply& reply, const std::vector<std::string_view>& names) {
  reply.Set(names.size());
  for (const std::string_view name : names) {
    reply.Simple(name);
  }
}

// Answers where the keys are, as a list of one key specification: a range from an index.
void AnswerKeySpecs(Reply& reply, const CommandSpec& spec) {
  if (spec.keys.first == 0) {
    reply.Set(0);
    return;
  }
  reply.Set(1);
  reply.Map(3);
  reply.Bulk("flags");
  if ((spec.flags & kWrite) != 0) {
    AnswerNames(reply, {"RW", "update"});
  } else {
    AnswerNames(reply, {"RO", "access"});
  }
  reply.Bulk("begin_search");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("index");
  reply.Bulk("spec");
  reply.Map(1);
  reply.Bulk("index");
  reply.Integer(spec.keys.first);
  reply.Bulk("find_keys");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("range");
  reply.Bulk("spec");
  reply.Map(3);
  reply.Bulk("lastkey");  // relative to the first key, unless negative
  reply.Integer(spec.keys.last < 0 ? spec.keys.last : spec.keys.last - spec.keys.first);
  reply.Bulk("keystep");
  reply.Integer(spec.keys.step);
  reply.Bulk("limit");
  reply.Integer(0);
}

void AnswerInfo(Reply& reply, const CommandEntry& entry) {
  const CommandSpec& spec = *entry.spec;
  reply.Array(10);
  reply.Bulk(entry.full_name);
  reply.Integer(spec.arity);
  AnswerNames(reply, FlagNames(spec.flags));
  reply.Integer(spec.keys.first);
  reply.Integer(spec.keys.last);
  reply.Integer(spec.keys.step);
  AnswerNames(reply, CategoryNames(spec));
  reply.Set(0);  // tips
  AnswerKeySpecs(reply, spec);
  reply.Set(entry.subcommands.size());
  for (const CommandEntry* subcommand : entry.subcommands) {
    AnswerInfo(reply, *subcommand);
  }
}

void AnswerArguments(Reply& reply, std::span<const ArgumentSpec> arguments) {
  reply.Array(arguments.size());
  for (const ArgumentSpec& argument : arguments) {
    const bool is_key = argument.type == "key";
    const bool flagged = argument.optional || argument.multiple;
    // A map announces its length, so the pairs are counted before they are written.
    reply.Map(2 + (is_key ? 1 : 0) + (argument.token.empty() ? 0 : 1) + (flagged ? 1 : 0) +
              (argument.arguments.empty() ? 0 : 1));
    reply.Bulk("name");
    reply.Bulk(argument.name);
    reply.Bulk("type");
    reply.Bulk(argument.type);
    if (is_key) {
      reply.Bulk("key_spec_index");
      reply.Integer(0);
    }
    if (!argument.token.empty()) {
      reply.Bulk("token");
      reply.Bulk(argument.token);
    }
    if (flagged) {
      std::vector<std::string_view> flags;
      if (argument.optional) {
        flags.push_back("optional");
      }
      if (argument.multiple) {
        flags.push_back("multiple");
      }
      reply.Bulk("flags");
      AnswerNames(reply, flags);
    }
    if (!argument.arguments.empty()) {
      reply.Bulk("arguments");
      AnswerArguments(reply, argument.arguments);
    }
  }
}

void AnswerDocs(Reply& reply, const CommandEntry& entry) {
  const CommandSpec& spec = *entry.spec;
  reply.Bulk(entry.full_name);
  reply.Map(3 + (spec.arguments.empty() ? 0 : 1) + (entry.subcommands.empty() ? 0 : 1));
  reply.Bulk("summary");
  reply.Bulk(spec.summary);
  reply.Bulk("group");
  reply.Bulk(spec.group);
  reply.Bulk("complexity");
  reply.Bulk(spec.complexity);
  if (!spec.arguments.empty()) {
    reply.Bulk("arguments");
    AnswerArguments(reply, spec.arguments);
  }
  if (!entry.subcommands.empty()) {
    reply.Bulk("subcommands");
    reply.Map(entry.subcommands.size());
    for (const CommandEntry* subcommand : entry.subcommands) {
      AnswerDocs(reply, *subcommand);
    }
  }
}

void AnswerAllInfo(CommandContext& context) {
  const auto commands = context.server.commands().commands();
  context.reply.Array(commands.size());
  for (const CommandEntry* entry : commands) {
    AnswerInfo(context.reply, *entry);
  }
}

// Returns true iff COMMAND LIST FILTERBY kind value shows the command.
bool ListMatches(const CommandEntry& entry, std::string_view kind, std::string_view value) {
  if (EqualsIgnoreCase(kind, "pattern")) {
    return GlobMatch(value, entry.full_name, /*ignore_case=*/true);
  }
  if (EqualsIgnoreCase(kind, "aclcat")) {
    const std::vector<std::string_view> names = CategoryNames(*entry.spec);
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
      return EqualsIgnoreCase(name.substr(1), value);
    });
  }
  return false;  // MODULE: there are none
}

}  // namespace

void HandleCommand(CommandContext& context) {
  AnswerAllInfo(context);
}

void HandleCommandCount(CommandContext& context) {
  context.reply.Integer(static_cast<std::int64_t>(context.server.commands().commands().size()));
}

void HandleCommandInfo(CommandContext& context) {
  if (context.args.size() == 2) {
    AnswerAllInfo(context);
    return;
  }
  const auto names = context.args.subspan(2);
  context.reply.Array(names.size());
  for (const std::string_view name : names) {
    const CommandEntry* entry = context.server.commands().FindFullName(name);
    if (entry == nullptr) {
      // Each name gets an answer in its place. COMMAND DOCS, being a map, leaves unknown names out.
      context.reply.Null();
    } else {
      AnswerInfo(context.reply, *entry);
    }
  }
}

void HandleCommandDocs(CommandContext& context) {
  std::vector<const CommandEntry*> entries;
  if (context.args.size() == 2) {
    const auto commands = context.server.commands().commands();
    entries.assign(commands.begin(), commands.end());
  }
  for (const std::string_view name : context.args.subspan(2)) {
    const CommandEntry* entry = context.server.commands().FindFullName(name);
    if (entry != nullptr) {
      entries.push_back(entry);
    }
  }
  context.reply.Map(entries.size());
  for (const CommandEntry* entry : entries) {
    AnswerDocs(context.reply, *entry);
  }
}

void HandleCommandGetKeys(CommandContext& context) {
  const auto request = context.args.subspan(2);
  const CommandEntry* entry = context.server.commands().Resolve(request);
  if (entry == nullptr) {
    context.reply.Error("ERR Invalid command specified");
    return;
  }
  // Before the arity, as in Redis 7.0.
  if (entry->spec->keys.first == 0) {
    context.reply.Error("ERR The command has no key arguments");
    return;
  }
  if (!ArityFits(*entry->spec, request.size())) {
    context.reply.Error("ERR Invalid number of arguments specified for command");
    return;
  }
  const std::vector<std::size_t> positions = KeyPositions(*entry->spec, request.size());
  context.reply.Array(positions.size());
  for (const std::size_t position : positions) {
    context.reply.Bulk(request[position]);
  }
}

void HandleCommandList(CommandContext& context) {
  const std::span<const std::string_view> args = context.args;
  const bool filtered = args.size() == 5 && EqualsIgnoreCase(args[2], "filterby");
  const bool known =
      filtered && (EqualsIgnoreCase(args[3], "module") || EqualsIgnoreCase(args[3], "aclcat") ||
                   EqualsIgnoreCase(args[3], "pattern"));
  if (args.size() > 2 && !known) {
    context.reply.Error("ERR syntax error");
    return;
  }
  std::vector<std::string_view> names;
  // Subcommands have rows of their own, and are listed as "config|get".
  for (const CommandEntry& entry : context.server.commands().entries()) {
    if (!filtered || ListMatches(entry, args[3], args[4])) {
      names.push_back(entry.full_name);
    }
  }
  context.reply.Array(names.size());
  for (const std::string_view name : names) {
    context.reply.Bulk(name);
  }
}

}  // namespace reco::api
