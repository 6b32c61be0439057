// CommandSpec: one row of the command table. The table is the only source of arity, flags, key
// positions, ACL categories, documentation and dispatch; COMMAND and doc/commands.md are made from
// it. The rows live in the *_commands.cc files, one array per group; api/all_commands.cc lists the
// groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "reco/engine.h"

#include "api/protocol/reply.h"
#include "api/protocol/words.h"

namespace reco::api {

class Client;         // one connection: db, name, protocol, authentication (server/client.h)
class Server;         // configuration, clients, statistics (server/server.h)
struct CommandEntry;  // a row and its place in the table (command_table.h)

struct CommandContext;

// What a handler leaves in place of an answer that has to wait for a job. The connection then runs
// no further request until `answer` was called: when the job has ended, or with its state at the
// end of the time. No thread waits meanwhile.
struct JobWait {
  std::uint64_t job = 0;
  std::int64_t timeout_ms = 0;  // 0: without end
  // Answers through context.reply exactly once; context.args are empty. Null: there is no wait.
  void (*answer)(CommandContext& context, const Result<JobInfo>& job) = nullptr;
};

// All that a handler gets. Views in `args` live until the handler returns; args[0] is the command's
// name as sent (for a subcommand, args[1] is the subcommand's). Only the commands of commands/admin
// know what a Server and a Client are.
struct CommandContext {
  Database& database;
  Server& server;
  Client& client;
  std::uint32_t db;  // the client's selected database
  std::span<const std::string_view> args;
  Reply& reply;
  const CommandEntry* entry = nullptr;  // the row of this command; set before its handler runs
  JobWait wait = {};                    // set by a handler that does not answer yet

  KeyRef Key(std::string_view name) const { return {name, db}; }
};

// Answers through context.reply exactly once, or sets context.wait. Writes use
// WriteOptions{.defer_commit = true}: the connection commits before any reply of the turn leaves.
// Does not throw, does not block on sockets; only rows with kSlowWorker may take long.
using CommandHandler = void (*)(CommandContext& context);

// Bits of CommandSpec::flags; the first group are Redis's command flags.
enum CommandFlag : std::uint32_t {
  kWrite = 1U << 0U,
  kReadonly = 1U << 1U,
  kDenyOom = 1U << 2U,
  kAdmin = 1U << 3U,
  kFast = 1U << 4U,
  kNoAuth = 1U << 5U,
  kLoading = 1U << 6U,
  kStale = 1U << 7U,
  kNoScript = 1U << 8U,
  kBlocking = 1U << 9U,
  // Ours, not shown: runs on a worker thread; the connection's later commands wait in order.
  kSlowWorker = 1U << 16U,
  // Ours, not shown: runs also behind a MULTI that was refused.
  kLeavesTransaction = 1U << 17U,
};

// CommandSpec::slow of commands that take about 1 us to some 20 us for each word.
bool HasManyWords(const CommandContext& context);
inline constexpr std::size_t kWordsAtOnce = 320;  // a RECO.MADD of 100 has 302

// One argument for COMMAND DOCS and doc/commands.md, in Redis's schema.
struct ArgumentSpec {
  std::string_view name;
  // "key", "string", "integer", "double", "pattern", "unix-time", "pure-token", "oneof", "block"
  std::string_view type;
  std::string_view token = {};  // keyword before the value
  bool optional = false;
  bool multiple = false;
  std::span<const ArgumentSpec> arguments = {};  // of oneof and block
};

// Which words are keys: every `step`-th from `first` to `last`.
struct KeyRange {
  std::int32_t first;  // 0: none
  std::int32_t last;   // negative: from the end
  std::int32_t step;
};
inline constexpr KeyRange kNoKeys = {0, 0, 0};

// The defaults are those of a RECO command about the collection in its second word.
struct CommandSpec {
  std::string_view name;  // lower case; subcommands: the second word alone
  // Redis's: counts the name; negative: at least (for subcommands counts both words)
  std::int32_t arity = 0;
  std::uint32_t flags = 0;
  KeyRange keys = {1, 1, 1};
  // "@read @string @fast" beside those the flags imply; "@reco" for ours
  std::string_view categories = "@reco";
  std::string_view group = "reco";   // "connection", "server", "generic", "string", "reco"
  std::string_view summary = {};     // one line, Redis's style: "Returns ..."
  std::string_view complexity = {};  // "O(1)"
  std::span<const ArgumentSpec> arguments = {};
  CommandHandler handler = nullptr;  // null when it has subcommands
  // With kSlowWorker: returns true iff this call is slow; must not answer. Null: every one is.
  bool (*slow)(const CommandContext& context) = nullptr;
  // With kDenyOom: returns true iff this call may need memory; others run at `maxmemory`. Null:
  // every one may.
  bool (*grows)(std::span<const std::string_view> args) = nullptr;
  std::span<const CommandSpec> subcommands = {};
};

// CommandSpec::grows of commands whose verb is the third word.
inline bool SetsSomething(std::span<const std::string_view> args) {
  return args.size() > 2 && EqualsIgnoreCase(args[2], "SET");
}

inline bool HasManyWords(const CommandContext& context) {
  return context.args.size() > kWordsAtOnce;
}

}  // namespace reco::api
