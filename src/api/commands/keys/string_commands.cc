// Strings: SET and GET, with the replies and error texts of Redis 7.0.
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/keys/groups.h"
#include "base/clock.h"

namespace reco::api {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;
constexpr std::string_view kInvalidExpire = "ERR invalid expire time in 'set' command";

// A keyword of SET, and how the value behind it gives the expiry.
struct ExpiryUnit {
  std::string_view keyword;
  std::int64_t unit_ms;
  bool relative;  // to now
};

constexpr ExpiryUnit kExpiryUnits[] = {
    {.keyword = "EX", .unit_ms = kMsPerSecond, .relative = true},
    {.keyword = "PX", .unit_ms = 1, .relative = true},
    {.keyword = "EXAT", .unit_ms = kMsPerSecond, .relative = false},
    {.keyword = "PXAT", .unit_ms = 1, .relative = false},
};

struct SetRequest {
  SetOptions options;
  const ExpiryUnit* unit = nullptr;
  std::string_view expiry;  // the word behind the unit's keyword
};

const ExpiryUnit* ExpiryUnitNamed(std::string_view word) {
  for (const ExpiryUnit& unit : kExpiryUnits) {
    if (EqualsIgnoreCase(word, unit.keyword)) {
      return &unit;
    }
  }
  return nullptr;
}

// Reads the options of SET. Returns false for a syntax error. As in Redis an option may be
// repeated, but not be combined with another of its kind.
bool ReadSetOptions(std::span<const std::string_view> words, SetRequest* request) {
  using Condition = SetOptions::Condition;
  SetOptions& options = request->options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const ExpiryUnit* unit = ExpiryUnitNamed(words[i]);
    if (EqualsIgnoreCase(words[i], "NX") && options.condition != Condition::kIfPresent) {
      options.condition = Condition::kIfAbsent;
    } else if (EqualsIgnoreCase(words[i], "XX") && options.condition != Condition::kIfAbsent) {
      options.condition = Condition::kIfPresent;
    } else if (EqualsIgnoreCase(words[i], "GET")) {
      options.get = true;
    } else if (EqualsIgnoreCase(words[i], "KEEPTTL") && request->unit == nullptr) {
      options.keep_ttl = true;
    } else if (unit != nullptr && !options.keep_ttl && i + 1 < words.size() &&
               (request->unit == nullptr || request->unit == unit)) {
      // The number is read later: a syntax error anywhere comes first, as in Redis.
      request->unit = unit;
      request->expiry = words[++i];
    } else {
      return false;
    }
  }
  return true;
}

// Reads the number behind EX and its kin. Returns the error's text, or empty.
std::string_view ReadExpiry(SetRequest* request) {
  if (request->unit == nullptr) {
    return {};
  }
  const std::optional<std::int64_t> value = ParseInteger(request->expiry);
  if (!value.has_value()) {
    return "ERR value is not an integer or out of range";
  }
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const std::int64_t unit_ms = request->unit->unit_ms;
  const std::int64_t base_ms = request->unit->relative ? SystemClock().NowMs() : 0;
  // Zero is no expiry for SET, not even as a time: Redis refuses what EXPIRE takes as "at once".
  if (*value <= 0 || *value > kMax / unit_ms || *value * unit_ms > kMax - base_ms) {
    return kInvalidExpire;
  }
  request->options.expire_at_ms = *value * unit_ms + base_ms;
  return {};
}

void Set(CommandContext& context) {
  SetRequest request;
  if (!ReadSetOptions(context.args.subspan(3), &request)) {
    context.reply.Error("ERR syntax error");
    return;
  }
  if (const std::string_view error = ReadExpiry(&request); !error.empty()) {
    context.reply.Error(error);
    return;
  }
  const Result<SetOutcome> outcome = context.database.Set(
      context.Key(context.args[1]), context.args[2], request.options, kDeferred);
  // With GET the old value is the answer, written or not; without it null says that NX or XX did
  // not hold.
  if (!outcome.ok()) {
    context.reply.Failure(outcome.status());
  } else if (request.options.get && outcome->old.has_value()) {
    context.reply.Bulk(*outcome->old);
  } else if (request.options.get || !outcome->written) {
    context.reply.Null();
  } else {
    context.reply.Ok();
  }
}

void Get(CommandContext& context) {
  const Result<std::optional<std::string>> value =
      context.database.Get(context.Key(context.args[1]));
  if (!value.ok()) {
    context.reply.Failure(value.status());
  } else if (value->has_value()) {
    context.reply.Bulk(**value);
  } else {
    context.reply.Null();
  }
}

constexpr ArgumentSpec kCondition[] = {
    {.name = "nx", .type = "pure-token", .token = "NX"},
    {.name = "xx", .type = "pure-token", .token = "XX"},
};
constexpr ArgumentSpec kExpiration[] = {
    {.name = "seconds", .type = "integer", .token = "EX"},
    {.name = "milliseconds", .type = "integer", .token = "PX"},
    {.name = "unix-time-seconds", .type = "unix-time", .token = "EXAT"},
    {.name = "unix-time-milliseconds", .type = "unix-time", .token = "PXAT"},
    {.name = "keepttl", .type = "pure-token", .token = "KEEPTTL"},
};
constexpr ArgumentSpec kSetArguments[] = {
    {.name = "key", .type = "key"},
    {.name = "value", .type = "string"},
    {.name = "condition", .type = "oneof", .optional = true, .arguments = kCondition},
    {.name = "get", .type = "pure-token", .token = "GET", .optional = true},
    {.name = "expiration", .type = "oneof", .optional = true, .arguments = kExpiration},
};
constexpr ArgumentSpec kGetArguments[] = {{.name = "key", .type = "key"}};

constexpr CommandSpec kRows[] = {
    {.name = "set",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .categories = "@string",
     .group = "string",
     .summary = "Set the string value of a key",
     .complexity = "O(1)",
     .arguments = kSetArguments,
     .handler = Set},
    {.name = "get",
     .arity = 2,
     .flags = kReadonly | kFast,
     .categories = "@string",
     .group = "string",
     .summary = "Get the value of a key",
     .complexity = "O(1)",
     .arguments = kGetArguments,
     .handler = Get},
};

}  // namespace

std::span<const CommandSpec> StringCommands() {
  return kRows;
}

}  // namespace reco::api
