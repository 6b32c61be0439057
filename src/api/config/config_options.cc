// The table of options, and what is made from its rows: a value from text, text from a value, the
// defaults, and the range in words.
#include "api/config/config_options.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "api/config/cache_sizes.h"
#include "api/protocol/quoted_words.h"
#include "api/protocol/reply.h"
#include "api/protocol/words.h"

namespace reco::api {
namespace {

constexpr std::int64_t kIntMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMebi = 1LL << 20U;

// In the order of SyncPolicy and of LogLevel: the position is the value.
constexpr std::array<std::string_view, 3> kSyncChoices = {"always", "everysec", "no"};
constexpr std::array<std::string_view, 4> kLogChoices = {"debug", "verbose", "notice", "warning"};

constexpr std::string_view kAuto = "auto";

constexpr std::string_view kNetwork = "network";
constexpr std::string_view kSecurity = "security";
constexpr std::string_view kClients = "clients";
constexpr std::string_view kThreads = "threads";
constexpr std::string_view kStorage = "storage";
constexpr std::string_view kMemory = "memory";
constexpr std::string_view kTraining = "training";
constexpr std::string_view kLogging = "logging";
constexpr std::string_view kCompatibility = "compatibility";

// Makes a row for what clients of Redis ask and what nothing here depends on.
constexpr OptionSpec Fixed(std::string_view name, std::string_view value) {
  return {.name = name,
          .type = OptionType::kFixed,
          .default_value = value,
          .field = {},
          .section = kCompatibility,
          .documentation = "Fixed; answered because clients written for Redis ask for it."};
}

// In the order in which reco.conf and doc/options.md show them, by section.
constexpr OptionSpec kOptions[] = {
    {.name = "bind",
     .type = OptionType::kString,
     .default_value = "127.0.0.1 -::1",
     .field = &ServerOptions::bind,
     .section = kNetwork,
     .documentation = "Addresses to listen on. A leading - means that an address this machine does "
                      "not have is skipped; * and ::* listen on every address. The default is "
                      "reached from this machine only.",
     .many_words = true},
    {.name = "port",
     .type = OptionType::kInteger,
     .default_value = "6390",
     .field = &ServerOptions::port,
     .section = kNetwork,
     .documentation = "TCP port. 0 takes any free port and says in the log which one.",
     .min = 0,
     .max = 65535},
    {.name = "tcp-backlog",
     .type = OptionType::kInteger,
     .default_value = "511",
     .field = &ServerOptions::tcp_backlog,
     .section = kNetwork,
     .documentation = "Connections that may wait to be accepted. The kernel silently lowers it to "
                      "net.core.somaxconn.",
     .min = 1,
     .max = kIntMax},
    {.name = "tcp-keepalive",
     .type = OptionType::kInteger,
     .default_value = "300",
     .field = &ServerOptions::tcp_keepalive_s,
     .section = kNetwork,
     .documentation = "Seconds of silence after which the kernel probes a peer, so that dead peers "
                      "are noticed. 0: never. Holds for connections made later.",
     .runtime = true,
     .min = 0,
     .max = kIntMax},
    {.name = "timeout",
     .type = OptionType::kInteger,
     .default_value = "0",
     .field = &ServerOptions::timeout_s,
     .section = kNetwork,
     .documentation = "Seconds after which an idle connection is closed. 0: never.",
     .runtime = true,
     .min = 0,
     .max = kIntMax},
    {.name = "protected-mode",
     .type = OptionType::kBoolean,
     .default_value = "yes",
     .field = &ServerOptions::protected_mode,
     .section = kSecurity,
     .documentation = "While no password is set, refuse connections that do not come from this "
                      "machine.",
     .runtime = true},
    {.name = "requirepass",
     .type = OptionType::kString,
     .default_value = "",
     .field = &ServerOptions::requirepass,
     .section = kSecurity,
     .documentation =
         "Password that clients must send with AUTH or HELLO. Empty: none. Connections "
         "that are already authenticated stay so when it changes.",
     .runtime = true,
     .secret = true},
    {.name = "maxclients",
     .type = OptionType::kInteger,
     .default_value = "10000",
     .field = &ServerOptions::maxclients,
     .section = kClients,
     .documentation = "Connections at the same time; a further one gets an error and is closed. "
                      "Lowered at start to what the limit of open files allows, with a warning.",
     .runtime = true,
     .min = 1,
     .max = kIntMax},
    {.name = "client-query-buffer-limit",
     .type = OptionType::kBytes,
     .default_value = "1gb",
     .field = &ServerOptions::query_buffer_bytes_max,
     .section = kClients,
     .documentation =
         "Bytes of an unfinished request of one connection; one that sends more is "
         "closed. Requests that wait for replies to be read are read up to it; one that "
         "then reads none for a minute is closed.",
     .runtime = true,
     .min = kMebi,
     .max = kInt64Max},
    {.name = "client-output-buffer-limit",
     .type = OptionType::kOutputLimits,
     .default_value = "normal 1gb 64mb 60 slave 256mb 64mb 60 pubsub 32mb 8mb 60",
     .field = &ServerOptions::output_limits,
     .section = kClients,
     .documentation =
         "Class, hard limit, soft limit, seconds. A connection with more bytes of replies unread "
         "than the hard limit, or than the soft limit for so many seconds, is closed. 0: no limit. "
         "The classes slave (or replica) and pubsub are kept and shown; no connection belongs to "
         "them yet.",
     .runtime = true,
     .many_words = true},
    {.name = "maxmemory-clients",
     .type = OptionType::kBytes,
     .default_value = "0",
     .field = &ServerOptions::clients_bytes_max,
     .section = kClients,
     .documentation =
         "Bytes of requests and replies of all connections together, compared each second: those "
         "with the most are closed until the others fit, but for those with CLIENT NO-EVICT ON. 0: "
         "no limit.",
     .runtime = true,
     .max = kInt64Max},
    {.name = "proto-max-bulk-len",
     .type = OptionType::kBytes,
     .default_value = "512mb",
     .field = &ServerOptions::bulk_bytes_max,
     .section = kClients,
     .documentation = "Bytes of one argument.",
     .runtime = true,
     .min = kMebi,
     .max = kInt64Max},
    {.name = "io-threads",
     .type = OptionType::kInteger,
     .default_value = "0",
     .field = &ServerOptions::io_threads,
     .section = kThreads,
     .documentation = "Threads that serve connections and run fast commands. 0: one for each core, "
                      "at most 4.",
     .min = 0,
     .max = 128},
    {.name = "worker-threads",
     .type = OptionType::kInteger,
     .default_value = "0",
     .field = &ServerOptions::worker_threads,
     .section = kThreads,
     .documentation = "Threads that run commands that may take long, so that other connections do "
                      "not wait. 0: one for each core.",
     .min = 0,
     .max = 128},
    {.name = "dir",
     .type = OptionType::kString,
     .default_value = "./reco-data",
     .field = &ServerOptions::dir,
     .section = kStorage,
     .documentation =
         "The folder that holds everything. Created when absent; one process at a time "
         "may use it."},
    {.name = "databases",
     .type = OptionType::kInteger,
     .default_value = "16",
     .field = &ServerOptions::databases,
     .section = kStorage,
     .documentation = "Number of key spaces that SELECT can choose from.",
     .min = 1,
     .max = 256},
    {.name = "appendfsync",
     .type = OptionType::kChoice,
     .default_value = "everysec",
     .field = &ServerOptions::appendfsync,
     .section = kStorage,
     .documentation =
         "When the log is forced to disk. always: before a write is acknowledged, so it survives "
         "power loss. everysec: once a second; power loss takes at most the last second. no: when "
         "the operating system likes. An acknowledged write survives a crash of the process with "
         "each of them.",
     .runtime = true,
     .choices = kSyncChoices},
    {.name = "checkpoint-events",
     .type = OptionType::kInteger,
     .default_value = "10000",
     .field = &ServerOptions::checkpoint_events,
     .section = kStorage,
     .documentation =
         "Events after which the rows derived from them are written in the background, or 1,600 "
         "changed bytes for each of them. "
         "More: fewer bytes written, more memory for rows that are not yet in a checkpoint.",
     .min = 100,
     .max = 1'000'000},
    {.name = "checkpoint-interval",
     .type = OptionType::kInteger,
     .default_value = "30",
     .field = &ServerOptions::checkpoint_interval_s,
     .section = kStorage,
     .documentation = "Seconds after which the same happens when anything is waiting.",
     .min = 1,
     .max = 3600},
    {.name = "idempotency-window",
     .type = OptionType::kInteger,
     .default_value = "100000",
     .field = &ServerOptions::idempotency_window,
     .section = kStorage,
     .documentation = "Tokens of RECO.ADD ... ID that each collection remembers; the oldest are "
                      "forgotten first.",
     .min = 0,
     .max = 10'000'000},
    {.name = "neighbours-memory",
     .type = OptionType::kBytes,
     .default_value = "512mb",
     .field = &ServerOptions::neighbours_bytes,
     .section = kStorage,
     .documentation = "Bytes of memory that what lists by neighbours are made from takes at most, "
                      "of each collection; the oldest sessions are forgotten first.",
     .min = kMebi,
     .max = std::int64_t{1} << 40},
    {.name = "collections-max",
     .type = OptionType::kInteger,
     .default_value = "10000",
     .field = &ServerOptions::collections_max,
     .section = kStorage,
     .documentation = "Collections at most; a further one is refused.",
     .min = 1,
     .max = 1'000'000},
    {.name = "keep-models",
     .type = OptionType::kInteger,
     .default_value = "2",
     .field = &ServerOptions::keep_models,
     .section = kStorage,
     .documentation =
         "Replaced models of each collection whose item vectors stay, so that lists can still be "
         "made by them (MODEL); also in memory for ten minutes after a request has named one.",
     .min = 0,
     .max = 15},
    {.name = "maxmemory",
     .type = OptionType::kBytes,
     .default_value = "0",
     .field = &ServerOptions::maxmemory_bytes,
     .section = kMemory,
     .documentation = "Commands that may need memory are refused with OOM while the database uses "
                      "more than this. Nothing is evicted. 0: no limit.",
     .runtime = true,
     .min = 0,
     .max = kInt64Max},
    {.name = "row-cache-bytes",
     .type = OptionType::kBytes,
     .default_value = kAuto,
     .field = &ServerOptions::row_cache_bytes,
     .section = kMemory,
     .documentation =
         "Memory for the interactions of users and items that are kept hot. Rows not yet in a "
         "checkpoint are held beyond it. auto: a quarter of the memory, 16 MiB to 4 GiB. The "
         "memory "
         "is what the machine has, or less where the limit of the process's cgroup, or maxmemory "
         "at start, is lower. The log says at start what was chosen, INFO memory shows it "
         "(row_cache_limit_bytes); CONFIG GET answers auto.",
     .min = kMebi,
     .max = kInt64Max,
     .automatic = true},
    {.name = "block-cache-bytes",
     .type = OptionType::kBytes,
     .default_value = kAuto,
     .field = &ServerOptions::block_cache_bytes,
     .section = kMemory,
     .documentation =
         "Memory for blocks of files on disk. auto: a sixteenth of the memory, 4 MiB to "
         "1 GiB, chosen and shown as row-cache-bytes is (block_cache_limit_bytes).",
     .min = kMebi,
     .max = kInt64Max,
     .automatic = true},
    {.name = "write-buffer-bytes",
     .type = OptionType::kBytes,
     .default_value = "64mb",
     .field = &ServerOptions::write_buffer_bytes,
     .section = kMemory,
     .documentation =
         "Memory in which writes gather before they become files, when it is full or a minute old. "
         "A start after a crash replays the events since (about 10 us each).",
     .min = kMebi,
     .max = kInt64Max},
    {.name = "training-threads",
     .type = OptionType::kInteger,
     .default_value = "0",
     .field = &ServerOptions::training_threads,
     .section = kTraining,
     .documentation = "Threads of one training. 0: one for each core.",
     .min = 0,
     .max = 256},
    {.name = "job-cpu-percent",
     .type = OptionType::kInteger,
     .default_value = "10",
     .field = &ServerOptions::job_cpu_percent,
     .section = kTraining,
     .documentation =
         "Share of the time in which a training or evaluation competes for the processors, at nice "
         "10; otherwise it takes what is left of them. 100: always, as also where the process may "
         "not change its threads' scheduling (CAP_SYS_NICE).",
     .min = 10,
     .max = 100},
    {.name = "loglevel",
     .type = OptionType::kChoice,
     .default_value = "notice",
     .field = &ServerOptions::loglevel,
     .section = kLogging,
     .documentation = "debug: everything. verbose: also each connection. notice: what an operator "
                      "wants to know. warning: only what needs attention.",
     .runtime = true,
     .choices = kLogChoices},
    {.name = "logfile",
     .type = OptionType::kString,
     .default_value = "",
     .field = &ServerOptions::logfile,
     .section = kLogging,
     .documentation = "File that log lines are appended to. Empty: standard output."},
    Fixed("save", ""),
    Fixed("appendonly", "yes"),
    Fixed("replica-read-only", "yes"),
    Fixed("slave-read-only", "yes"),
    Fixed("maxmemory-policy", "noeviction"),
    Fixed("cluster-enabled", "no"),
};

Status CheckRange(const OptionSpec& spec, std::int64_t value) {
  if (value < spec.min || value > spec.max) {
    return Status::InvalidArgument("argument must be between " + std::to_string(spec.min) +
                                   " and " + std::to_string(spec.max) + " inclusive");
  }
  return Status::Ok();
}

// Reads client-output-buffer-limit. `limits` keeps the classes that the text does not name, and is
// unchanged when the text is wrong.
Status ParseOutputLimits(std::string_view text, OutputLimits* limits) {
  std::string bytes;
  std::vector<Slice> words;
  if (!SplitQuotedWords(text, &bytes, &words) || words.empty() || words.size() % 4 != 0) {
    return Status::InvalidArgument("Wrong number of arguments in buffer limit configuration.");
  }
  OutputLimits parsed = *limits;
  const auto word = [&](std::size_t i) {
    return std::string_view(bytes).substr(words[i].offset, words[i].length);
  };
  for (std::size_t i = 0; i < words.size(); i += 4) {
    std::string name = LowerCase(word(i));
    // Redis takes both names and shows the older one.
    if (name == "replica") {
      name = "slave";
    }
    const auto* const found =
        std::find(kOutputLimitClasses.begin(), kOutputLimitClasses.end(), name);
    if (found == kOutputLimitClasses.end()) {
      return Status::InvalidArgument(
          "Invalid client class specified in buffer limit configuration.");
    }
    OutputLimit limit;
    const std::optional<std::int64_t> seconds = ParseInteger(word(i + 3));
    if (!ParseBytes(word(i + 1), &limit.hard_bytes) ||
        !ParseBytes(word(i + 2), &limit.soft_bytes) || !seconds.has_value() || *seconds < 0) {
      return Status::InvalidArgument(
          "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    }
    limit.soft_seconds = *seconds;
    parsed[static_cast<std::size_t>(found - kOutputLimitClasses.begin())] = limit;
  }
  *limits = parsed;
  return Status::Ok();
}

Status ParseChoice(const OptionSpec& spec, std::string_view text, std::int64_t* value) {
  const std::string lower = LowerCase(text);
  const auto found = std::find(spec.choices.begin(), spec.choices.end(), lower);
  if (found == spec.choices.end()) {
    return Status::InvalidArgument("argument(s) must be one of the following: " +
                                   DescribeRange(spec));
  }
  // The choices stand in the order of the enumeration.
  *value = found - spec.choices.begin();
  return Status::Ok();
}

std::string FormatOutputLimits(const OutputLimits& limits) {
  std::string text;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    text += i == 0 ? "" : " ";
    text += kOutputLimitClasses[i];
    for (const std::int64_t value :
         {limits[i].hard_bytes, limits[i].soft_bytes, limits[i].soft_seconds}) {
      text += " " + std::to_string(value);
    }
  }
  return text;
}

}  // namespace

Options ServerOptions::EngineOptions(const AvailableMemory& memory) const {
  const CacheSizes caches = ChooseCaches(*this, memory);
  Options options;
  options.path = dir;
  options.sync = static_cast<SyncPolicy>(appendfsync);
  options.databases = static_cast<std::uint32_t>(databases);
  options.checkpoint_events = static_cast<std::uint64_t>(checkpoint_events);
  options.checkpoint_interval_s = static_cast<std::uint32_t>(checkpoint_interval_s);
  options.row_cache_bytes = caches.row_bytes;
  options.block_cache_bytes = caches.block_bytes;
  options.write_buffer_bytes = static_cast<std::uint64_t>(write_buffer_bytes);
  options.memory_bytes_max = static_cast<std::uint64_t>(maxmemory_bytes);
  options.training_threads = static_cast<std::uint32_t>(training_threads);
  options.job_cpu_percent = static_cast<std::uint32_t>(job_cpu_percent);
  options.idempotency_window = static_cast<std::uint64_t>(idempotency_window);
  options.neighbours_bytes = static_cast<std::uint64_t>(neighbours_bytes);
  options.models_kept = static_cast<std::uint32_t>(keep_models);
  options.collections_max = static_cast<std::uint32_t>(collections_max);
  return options;
}

std::span<const OptionSpec> OptionTable() {
  return kOptions;
}

const OptionSpec* FindOption(std::string_view name) {
  const std::string lower = LowerCase(name);
  const auto* const found = std::find_if(std::begin(kOptions), std::end(kOptions),
                                         [&](const OptionSpec& o) { return o.name == lower; });
  return found == std::end(kOptions) ? nullptr : found;
}

std::string FormatOption(const OptionSpec& spec, const ServerOptions& options) {
  // The type of the field says how it is shown; byte counts have no unit, as in Redis.
  if (const auto* integer = std::get_if<std::int64_t ServerOptions::*>(&spec.field)) {
    const std::int64_t value = options.**integer;
    if (spec.automatic && value == kAutoBytes) {
      return std::string(kAuto);
    }
    return spec.type == OptionType::kChoice
               ? std::string(spec.choices[static_cast<std::size_t>(value)])
               : std::to_string(value);
  }
  if (const auto* boolean = std::get_if<bool ServerOptions::*>(&spec.field)) {
    return options.**boolean ? "yes" : "no";
  }
  if (const auto* text = std::get_if<std::string ServerOptions::*>(&spec.field)) {
    return options.**text;
  }
  if (const auto* limits = std::get_if<OutputLimits ServerOptions::*>(&spec.field)) {
    return FormatOutputLimits(options.**limits);
  }
  // A fixed option has no field.
  return std::string(spec.default_value);
}

Status ParseOption(const OptionSpec& spec, std::string_view text, ServerOptions* options) {
  switch (spec.type) {
    case OptionType::kFixed:
      // A configuration written for Redis may state what is so anyway.
      return text == spec.default_value
                 ? Status::Ok()
                 : Status::InvalidArgument("argument must be '" + std::string(spec.default_value) +
                                           "', it cannot be changed");
    case OptionType::kBoolean: {
      const std::string lower = LowerCase(text);
      if (lower != "yes" && lower != "no") {
        return Status::InvalidArgument("argument must be 'yes' or 'no'");
      }
      options->*std::get<bool ServerOptions::*>(spec.field) = lower == "yes";
      return Status::Ok();
    }
    case OptionType::kString:
      options->*std::get<std::string ServerOptions::*>(spec.field) = text;
      return Status::Ok();
    case OptionType::kOutputLimits:
      return ParseOutputLimits(text,
                               &(options->*std::get<OutputLimits ServerOptions::*>(spec.field)));
    case OptionType::kChoice:
      return ParseChoice(spec, text,
                         &(options->*std::get<std::int64_t ServerOptions::*>(spec.field)));
    case OptionType::kInteger:
    case OptionType::kBytes:
      break;
  }
  std::int64_t value = 0;
  if (spec.automatic && LowerCase(text) == kAuto) {
    options->*std::get<std::int64_t ServerOptions::*>(spec.field) = kAutoBytes;
    return Status::Ok();
  }
  if (spec.type == OptionType::kBytes) {
    if (!ParseBytes(text, &value)) {
      return Status::InvalidArgument(spec.automatic ? "argument must be auto or a memory value"
                                                    : "argument must be a memory value");
    }
  } else if (const std::optional<std::int64_t> integer = ParseInteger(text)) {
    value = *integer;
  } else {
    return Status::InvalidArgument("argument couldn't be parsed into an integer");
  }
  RECO_RETURN_IF_ERROR(CheckRange(spec, value));
  options->*std::get<std::int64_t ServerOptions::*>(spec.field) = value;
  return Status::Ok();
}

ServerOptions DefaultOptions() {
  ServerOptions options;
  for (const OptionSpec& spec : kOptions) {
    ParseOption(spec, spec.default_value, &options)
        .IgnoreError("the tests hold every default to its own range");
  }
  return options;
}

bool ParseBytes(std::string_view text, std::int64_t* bytes) {
  static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      // As in redis.conf: k, m and g are powers of 1000, kb, mb and gb of 1024.
      {"", 1},        {"b", 1},           {"k", 1000},       {"kb", 1LL << 10U},
      {"m", 1000000}, {"mb", 1LL << 20U}, {"g", 1000000000}, {"gb", 1LL << 30U}};
  std::int64_t count = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), count);
  if (result.ec != std::errc() || count < 0) {
    return false;
  }
  // The unit stands behind the digits. from_chars also takes a minus sign, hence the test above.
  const std::string unit = LowerCase({result.ptr, text.data() + text.size()});
  for (const auto& [name, factor] : kUnits) {
    if (unit == name) {
      return !__builtin_mul_overflow(count, factor, bytes);
    }
  }
  return false;
}

std::string DescribeRange(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kBoolean:
      return "yes or no";
    case OptionType::kChoice: {
      std::string text;
      for (const std::string_view choice : spec.choices) {
        text.append(text.empty() ? "" : ", ").append(choice);
      }
      return text;
    }
    case OptionType::kInteger:
    case OptionType::kBytes: {
      const std::string unit = spec.type == OptionType::kBytes ? " bytes" : "";
      const std::string automatic = spec.automatic ? std::string(kAuto) + " or " : "";
      return spec.max == kInt64Max
                 ? automatic + "at least " + std::to_string(spec.min) + unit
                 : automatic + std::to_string(spec.min) + " to " + std::to_string(spec.max) + unit;
    }
    case OptionType::kOutputLimits:
      return "class hard soft seconds, several times";
    case OptionType::kFixed:
      return "fixed";
    case OptionType::kString:
      break;
  }
  return "text";
}

}  // namespace reco::api
