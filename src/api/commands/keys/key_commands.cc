// Keys of any kind: DEL ... PERSIST, with the replies and error texts of Redis 7.0.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/keys/groups.h"
#include "base/clock.h"

namespace reco::api {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;
constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
constexpr std::string_view kSyntaxError = "ERR syntax error";

std::string_view KindName(KeyKind kind) {
  switch (kind) {
    case KeyKind::kString:
      return "string";
    case KeyKind::kCollection:
      return "reco";
    case KeyKind::kNone:
      break;
  }
  return "none";
}

std::optional<KeyKind> KindNamed(std::string_view name) {
  for (const KeyKind kind : {KeyKind::kString, KeyKind::kCollection}) {
    if (EqualsIgnoreCase(name, KindName(kind))) {
      return kind;
    }
  }
  return std::nullopt;
}

void Delete(CommandContext& context) {
  const std::uint32_t db = context.Key({}).db;
  AnswerInteger(context.reply, context.database.Delete(db, context.args.subspan(1), kDeferred));
}

// Answers how many of the keys exist. A key named twice counts twice, as in Redis.
void Exists(CommandContext& context) {
  const auto count = std::ranges::count_if(context.args.subspan(1), [&](std::string_view name) {
    return context.database.Exists(context.Key(name));
  });
  context.reply.Integer(count);
}

void Type(CommandContext& context) {
  context.reply.Simple(KindName(context.database.Kind(context.Key(context.args[1]))));
}

struct ScanOptions {
  std::uint64_t cursor = 0;
  std::uint64_t count = 10;
  std::string_view pattern = "*";
  std::optional<std::string_view> type;
};

// Reads the cursor and the options; a repeated option's last value counts, as in Redis. Returns the
// error's text, or empty.
std::string_view ReadScanOptions(std::span<const std::string_view> args, ScanOptions* options) {
  const std::optional<std::uint64_t> cursor = ParseCursor(args[1]);
  if (!cursor.has_value()) {
    return "ERR invalid cursor";
  }
  options->cursor = *cursor;
  for (std::size_t i = 2; i < args.size(); i += 2) {
    if (i + 1 == args.size()) {
      return kSyntaxError;
    }
    const std::string_view value = args[i + 1];
    if (EqualsIgnoreCase(args[i], "COUNT")) {
      const std::optional<std::int64_t> count = ParseInteger(value);
      if (!count.has_value()) {
        return kNotInteger;
      }
      // Redis has a syntax error for it, not an error of range.
      if (*count < 1) {
        return kSyntaxError;
      }
      options->count = static_cast<std::uint64_t>(*count);
    } else if (EqualsIgnoreCase(args[i], "MATCH")) {
      options->pattern = value;
    } else if (EqualsIgnoreCase(args[i], "TYPE")) {
      options->type = value;
    } else {
      return kSyntaxError;
    }
  }
  return {};
}

void Scan(CommandContext& context) {
  ScanOptions options;
  if (const std::string_view error = ReadScanOptions(context.args, &options); !error.empty()) {
    context.reply.Error(error);
    return;
  }
  KeyKind kind = KeyKind::kNone;
  if (options.type.has_value()) {
    const std::optional<KeyKind> named = KindNamed(*options.type);
    if (!named.has_value()) {  // a type that no key here can have
      // No page could have a name, so the walk ends at once.
      AnswerScanPage(context.reply, ScanPage{});
      return;
    }
    kind = *named;
  }
  AnswerScanPage(context.reply, context.database.Scan(context.Key({}).db, options.cursor,
                                                      options.count, options.pattern, kind));
}

void Keys(CommandContext& context) {
  const std::vector<std::string> names = context.database.Keys(context.Key({}).db, context.args[1]);
  context.reply.Array(names.size());
  for (const std::string& name : names) {
    context.reply.Bulk(name);
  }
}

void Rename(CommandContext& context) {
  const KeyRef from = context.Key(context.args[1]);
  const Status status = context.database.Rename(from, context.Key(context.args[2]), kDeferred);
  if (status.code() == StatusCode::kNotFound) {
    context.reply.Error("ERR no such key");
    return;
  }
  AnswerStatus(context.reply, status);
}

struct ExpireFlags {
  bool nx = false;
  bool xx = false;
  bool gt = false;
  bool lt = false;
};

// Reads the flags of EXPIRE and its kin. Returns the error's text, or empty.
std::string ReadExpireFlags(std::span<const std::string_view> words, ExpireFlags* flags) {
  for (const std::string_view word : words) {
    if (EqualsIgnoreCase(word, "NX")) {
      flags->nx = true;
    } else if (EqualsIgnoreCase(word, "XX")) {
      flags->xx = true;
    } else if (EqualsIgnoreCase(word, "GT")) {
      flags->gt = true;
    } else if (EqualsIgnoreCase(word, "LT")) {
      flags->lt = true;
    } else {
      // Not the usual syntax error: EXPIRE has a text of its own in Redis.
      return std::string("ERR Unsupported option ").append(word);
    }
  }
  if (flags->nx && (flags->xx || flags->gt || flags->lt)) {
    return "ERR NX and XX, GT or LT options at the same time are not compatible";
  }
  if (flags->gt && flags->lt) {
    return "ERR GT and LT options at the same time are not compatible";
  }
  return {};
}

// Returns the condition that the flags ask for. GT implies XX: a key without expiry counts as one
// that lives for ever.
ExpireCondition ConditionOf(const ExpireFlags& flags) {
  if (flags.nx) {
    return ExpireCondition::kNoExpiry;
  }
  if (flags.gt) {
    return ExpireCondition::kGreater;
  }
  if (flags.lt) {
    return ExpireCondition::kLess;
  }
  return flags.xx ? ExpireCondition::kHasExpiry : ExpireCondition::kAlways;
}

// Returns `value` units after `base_ms` as a time in ms; nullopt when it does not fit.
std::optional<std::int64_t> TimeAfter(std::int64_t base_ms, std::int64_t value,
                                      std::int64_t unit_ms) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  // A negative value is allowed: the key is gone at once. With a base of at least 0 it cannot pass
  // the least time.
  if (value > kMax / unit_ms || value < kMin / unit_ms || value * unit_ms > kMax - base_ms) {
    return std::nullopt;
  }
  return value * unit_ms + base_ms;
}

void ExpireAt(CommandContext& context, std::int64_t base_ms, std::int64_t unit_ms) {
  // Redis's order of errors: options, number, range.
  ExpireFlags flags;
  if (const std::string error = ReadExpireFlags(context.args.subspan(3), &flags); !error.empty()) {
    context.reply.Error(error);
    return;
  }
  const std::optional<std::int64_t> value = ParseInteger(context.args[2]);
  if (!value.has_value()) {
    context.reply.Error(kNotInteger);
    return;
  }
  const std::optional<std::int64_t> at_ms = TimeAfter(base_ms, *value, unit_ms);
  if (!at_ms.has_value()) {
    context.reply.Error("ERR invalid expire time in '" + LowerCase(context.args[0]) + "' command");
    return;
  }
  const KeyRef key = context.Key(context.args[1]);
  // LT alone also holds for a key without an expiry, which XX excludes; the engine has no condition
  // for both.
  if (flags.xx && flags.lt && context.database.ExpireTimeMs(key) < 0) {
    context.reply.Integer(0);
    return;
  }
  const Result<bool> set = context.database.ExpireAt(key, *at_ms, ConditionOf(flags), kDeferred);
  if (!set.ok()) {
    context.reply.Failure(set.status());
    return;
  }
  context.reply.Integer(*set ? 1 : 0);
}

void Expire(CommandContext& context) {
  ExpireAt(context, SystemClock().NowMs(), kMsPerSecond);
}

void PExpire(CommandContext& context) {
  ExpireAt(context, SystemClock().NowMs(), 1);
}

void ExpireAtSeconds(CommandContext& context) {
  ExpireAt(context, 0, kMsPerSecond);
}

void ExpireAtMs(CommandContext& context) {
  ExpireAt(context, 0, 1);
}

// Answers the expiry less `base_ms` in units of `unit_ms`, rounded to the nearest; -2 without the
// key, -1 without an expiry.
void AnswerExpiry(CommandContext& context, std::int64_t base_ms, std::int64_t unit_ms) {
  const std::int64_t at_ms = context.database.ExpireTimeMs(context.Key(context.args[1]));
  if (at_ms < 0) {
    context.reply.Integer(at_ms);
    return;
  }
  const std::int64_t left_ms = std::max<std::int64_t>(at_ms - base_ms, 0);
  // Redis's (ms + 500) / 1000, without its overflow.
  context.reply.Integer(left_ms / unit_ms + (left_ms % unit_ms * 2 >= unit_ms ? 1 : 0));
}

void Ttl(CommandContext& context) {
  AnswerExpiry(context, SystemClock().NowMs(), kMsPerSecond);
}

void PTtl(CommandContext& context) {
  AnswerExpiry(context, SystemClock().NowMs(), 1);
}

void ExpireTime(CommandContext& context) {
  AnswerExpiry(context, 0, kMsPerSecond);
}

void PExpireTime(CommandContext& context) {
  AnswerExpiry(context, 0, 1);
}

void Persist(CommandContext& context) {
  const Result<bool> removed = context.database.Persist(context.Key(context.args[1]), kDeferred);
  if (!removed.ok()) {
    context.reply.Failure(removed.status());
    return;
  }
  context.reply.Integer(*removed ? 1 : 0);
}

constexpr ArgumentSpec kKey[] = {{.name = "key", .type = "key"}};
constexpr ArgumentSpec kKeys[] = {{.name = "key", .type = "key", .multiple = true}};
constexpr ArgumentSpec kPattern[] = {{.name = "pattern", .type = "pattern"}};
constexpr ArgumentSpec kRenameArguments[] = {{.name = "key", .type = "key"},
                                             {.name = "newkey", .type = "key"}};
constexpr ArgumentSpec kScanArguments[] = {
    {.name = "cursor", .type = "integer"},
    {.name = "pattern", .type = "pattern", .token = "MATCH", .optional = true},
    {.name = "count", .type = "integer", .token = "COUNT", .optional = true},
    {.name = "type", .type = "string", .token = "TYPE", .optional = true},
};
constexpr ArgumentSpec kCondition[] = {
    {.name = "nx", .type = "pure-token", .token = "NX"},
    {.name = "xx", .type = "pure-token", .token = "XX"},
    {.name = "gt", .type = "pure-token", .token = "GT"},
    {.name = "lt", .type = "pure-token", .token = "LT"},
};
constexpr ArgumentSpec kConditionArgument = {
    .name = "condition", .type = "oneof", .optional = true, .arguments = kCondition};
constexpr ArgumentSpec kExpireArguments[] = {
    {.name = "key", .type = "key"}, {.name = "seconds", .type = "integer"}, kConditionArgument};
constexpr ArgumentSpec kPExpireArguments[] = {{.name = "key", .type = "key"},
                                              {.name = "milliseconds", .type = "integer"},
                                              kConditionArgument};
constexpr ArgumentSpec kExpireAtArguments[] = {{.name = "key", .type = "key"},
                                               {.name = "unix-time-seconds", .type = "unix-time"},
                                               kConditionArgument};
constexpr ArgumentSpec kPExpireAtArguments[] = {
    {.name = "key", .type = "key"},
    {.name = "unix-time-milliseconds", .type = "unix-time"},
    kConditionArgument};

// A row of a command on the one key args[1].
constexpr CommandSpec KeyRow(std::string_view name, std::uint32_t flags, std::string_view summary,
                             CommandHandler handler) {
  return {.name = name,
          .arity = 2,
          .flags = flags,
          .categories = "@keyspace",
          .group = "generic",
          .summary = summary,
          .complexity = "O(1)",
          .arguments = kKey,
          .handler = handler};
}

constexpr CommandSpec ExpireRow(std::string_view name, std::string_view summary,
                                std::span<const ArgumentSpec> arguments, CommandHandler handler) {
  CommandSpec row = KeyRow(name, kWrite | kFast, summary, handler);
  row.arity = -3;
  row.arguments = arguments;
  return row;
}

// A row of a command on the keys from args[1] to the end.
constexpr CommandSpec KeysRow(std::string_view name, std::uint32_t flags, std::string_view summary,
                              std::string_view complexity, CommandHandler handler) {
  CommandSpec row = KeyRow(name, flags, summary, handler);
  row.arity = -2;
  row.keys.last = -1;
  row.complexity = complexity;
  row.arguments = kKeys;
  return row;
}

constexpr CommandSpec kRows[] = {
    KeysRow("del", kWrite, "Delete a key",
            "O(N) where N is the number of keys that will be removed. For a collection O(M) where "
            "M is the number of its users, items and interactions.",
            Delete),
    KeysRow("unlink", kWrite | kFast, "Delete a key; the same as DEL",
            "O(1) for each key removed. The space on disk is reclaimed in the background.", Delete),
    KeysRow("exists", kReadonly | kFast, "Determine if a key exists",
            "O(N) where N is the number of keys to check.", Exists),
    KeyRow("type", kReadonly | kFast, "Determine the type stored at key", Type),
    {.name = "scan",
     .arity = -2,
     .flags = kReadonly,
     .keys = kNoKeys,
     .categories = "@keyspace",
     .group = "generic",
     .summary = "Incrementally iterate the keys space",
     .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command "
                   "calls for the cursor to return back to 0. N is the number of keys.",
     .arguments = kScanArguments,
     .handler = Scan},
    {.name = "keys",
     .arity = 2,
     .flags = kReadonly,
     .keys = kNoKeys,
     .categories = "@keyspace @dangerous",
     .group = "generic",
     .summary = "Find all keys matching the given pattern",
     .complexity = "O(N) with N being the number of keys in the database.",
     .arguments = kPattern,
     .handler = Keys},
    {.name = "rename",
     .arity = 3,
     .flags = kWrite,
     .keys = {1, 2, 1},
     .categories = "@keyspace",
     .group = "generic",
     .summary = "Rename a key",
     .complexity = "O(1)",
     .arguments = kRenameArguments,
     .handler = Rename},
    ExpireRow("expire", "Set a key's time to live in seconds", kExpireArguments, Expire),
    ExpireRow("pexpire", "Set a key's time to live in milliseconds", kPExpireArguments, PExpire),
    ExpireRow("expireat", "Set the expiration for a key as a UNIX timestamp", kExpireAtArguments,
              ExpireAtSeconds),
    ExpireRow("pexpireat",
              "Set the expiration for a key as a UNIX timestamp specified in milliseconds",
              kPExpireAtArguments, ExpireAtMs),
    KeyRow("ttl", kReadonly | kFast, "Get the time to live for a key in seconds", Ttl),
    KeyRow("pttl", kReadonly | kFast, "Get the time to live for a key in milliseconds", PTtl),
    KeyRow("expiretime", kReadonly | kFast, "Get the expiration Unix timestamp for a key",
           ExpireTime),
    KeyRow("pexpiretime", kReadonly | kFast,
           "Get the expiration Unix timestamp for a key in milliseconds", PExpireTime),
    KeyRow("persist", kWrite | kFast, "Remove the expiration from a key", Persist),
};

}  // namespace

std::span<const CommandSpec> KeyCommands() {
  return kRows;
}

}  // namespace reco::api
