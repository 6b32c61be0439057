// The table of options: the only source of names, types, defaults, ranges and documentation of what
// reco-server can be told. The configuration file, the command line, CONFIG, reco.conf and
// doc/options.md are all made from it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "reco/options.h"
#include "reco/result.h"

#include "api/config/available_memory.h"

namespace reco::api {

// Bytes that the text auto stands for: chosen at start by the memory (cache_sizes.h).
inline constexpr std::int64_t kAutoBytes = -1;

// One class of client-output-buffer-limit. Zero: no limit.
struct OutputLimit {
  std::int64_t hard_bytes = 0;
  std::int64_t soft_bytes = 0;
  std::int64_t soft_seconds = 0;
};

// The classes, in the order they are shown in.
inline constexpr std::array<std::string_view, 3> kOutputLimitClasses = {"normal", "slave",
                                                                        "pubsub"};
using OutputLimits = std::array<OutputLimit, kOutputLimitClasses.size()>;

// The values of all options. A plain value; what a field means is in the table.
struct ServerOptions {
  std::string bind;
  std::int64_t port = 0;
  bool protected_mode = false;
  std::string requirepass;
  std::int64_t maxclients = 0;
  std::int64_t timeout_s = 0;
  std::int64_t tcp_keepalive_s = 0;
  std::int64_t tcp_backlog = 0;
  std::int64_t io_threads = 0;
  std::int64_t worker_threads = 0;
  std::int64_t query_buffer_bytes_max = 0;
  OutputLimits output_limits;
  std::int64_t clients_bytes_max = 0;
  std::int64_t bulk_bytes_max = 0;
  std::string dir;
  std::int64_t databases = 0;
  std::int64_t appendfsync = 0;  // a SyncPolicy
  std::int64_t checkpoint_events = 0;
  std::int64_t keep_models = 0;
  std::int64_t checkpoint_interval_s = 0;
  std::int64_t idempotency_window = 0;
  std::int64_t neighbours_bytes = 0;
  std::int64_t collections_max = 0;
  std::int64_t maxmemory_bytes = 0;
  std::int64_t row_cache_bytes = 0;    // or kAutoBytes
  std::int64_t block_cache_bytes = 0;  // or kAutoBytes
  std::int64_t write_buffer_bytes = 0;
  std::int64_t training_threads = 0;
  std::int64_t job_cpu_percent = 0;
  std::int64_t loglevel = 0;  // a LogLevel
  std::string logfile;

  // Returns what the engine is opened with, where `memory` is there for it; `log` stays empty.
  Options EngineOptions(const AvailableMemory& memory) const;
};

enum class OptionType : std::uint8_t {
  kInteger,
  kBytes,  // an integer with an optional unit: 1k 1000, 1kb 1024, m mb g gb
  kBoolean,
  kString,
  kChoice,        // one of `choices`; the field holds its position
  kOutputLimits,  // class, hard, soft, seconds; several times
  kFixed,         // answered by CONFIG GET for clients that ask; cannot be changed
};

using OptionField =
    std::variant<std::monostate, std::int64_t ServerOptions::*, bool ServerOptions::*,
                 std::string ServerOptions::*, OutputLimits ServerOptions::*>;

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order a row is read
struct OptionSpec {
  std::string_view name;
  OptionType type = OptionType::kInteger;
  std::string_view default_value;  // as in the file
  OptionField field;
  std::string_view section;
  std::string_view documentation;  // sentences; a line may be of any length
  bool runtime = false;            // CONFIG SET may change it
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::span<const std::string_view> choices = {};
  bool automatic = false;   // of kBytes: takes auto as well
  bool many_words = false;  // the value is all words of the line
  bool secret = false;      // never shown in errors and logs
};

std::span<const OptionSpec> OptionTable();

// Returns the row of this name, case-insensitive; null when there is none.
const OptionSpec* FindOption(std::string_view name);

// Returns the text that CONFIG GET shows.
std::string FormatOption(const OptionSpec& spec, const ServerOptions& options);

// Sets the option from text. kInvalidArgument: what is allowed, in Redis's words.
Status ParseOption(const OptionSpec& spec, std::string_view text, ServerOptions* options);

// Returns all options at their defaults.
ServerOptions DefaultOptions();

// Reads a number of bytes: "1gb" is 1073741824. Returns false when the text is none.
bool ParseBytes(std::string_view text, std::int64_t* bytes);

// Returns in words what values an option takes: "yes or no", "1 to 65535".
std::string DescribeRange(const OptionSpec& spec);

}  // namespace reco::api
