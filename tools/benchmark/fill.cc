#include "tools/benchmark/fill.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <time.h>
#include <utility>
#include <vector>

#include "reco/result.h"

#include "tools/benchmark/resp.h"
#include "tools/client/connection.h"
#include "tools/terminal/json.h"
#include "tools/terminal/numbers.h"

namespace reco::benchmark {
namespace {

using client::Connection;
using client::Value;

// Returns the number of a line "name:number" of INFO; 0 when there is none.
std::uint64_t NumberOf(std::string_view info, std::string_view name) {
  const std::string start = "\n" + std::string(name) + ":";
  const std::size_t at = info.find(start);
  std::uint64_t number = 0;
  if (at != std::string_view::npos) {
    const char* digits = info.data() + at + start.size();
    std::from_chars(digits, info.data() + info.size(), number);
  }
  return number;
}

double ProcessCpuSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The commands of all connections: one thread drives them, so that events leave in the order of the
// stream. Confined to it.
class Commands {
 public:
  explicit Commands(const FillOptions& options)
      : key_(options.key), batch_(options.batch), stream_(options.stream) {
    stream_.Skip(options.skip);
    if (options.time_limit_s > 0) {
      end_ = std::chrono::steady_clock::now() +
             std::chrono::microseconds(static_cast<std::int64_t>(1e6 * options.time_limit_s));
    }
  }

  // Says how many events may be taken from now on, unless the time is over before.
  void Allow(std::uint64_t events) { left_ = events; }
  std::uint64_t left() const { return left_; }
  // Replaces *out by up to `count` commands and returns how many there are.
  std::size_t Take(std::size_t count, std::string* out) {
    out->clear();
    std::size_t taken = 0;
    for (; taken < count && left_ > 0 && !Over(); ++taken) {
      const std::uint64_t events = std::min(batch_, left_);
      left_ -= events;
      Append(events, out);
    }
    return taken;
  }

 private:
  bool Over() const { return end_ && std::chrono::steady_clock::now() >= *end_; }

  void Append(std::uint64_t events, std::string* out) {
    *out += '*' + std::to_string(2 + 3 * events) + "\r\n$9\r\nRECO.MADD\r\n$" +
            std::to_string(key_.size()) + "\r\n" + key_ + "\r\n";
    for (std::uint64_t i = 0; i < events; ++i) {
      const StreamEvent event = stream_.Next();
      AppendId('u', event.user, out);
      AppendId('i', event.item, out);
      *out += "$1\r\n1\r\n";
    }
  }

  static void AppendId(char letter, std::uint64_t number, std::string* out) {
    const std::string digits = std::to_string(number);
    *out += '$';
    *out += std::to_string(digits.size() + 1);
    *out += "\r\n";
    *out += letter;
    *out += digits;
    *out += "\r\n";
  }

  const std::string key_;
  const std::uint64_t batch_;
  EventStream stream_;
  std::optional<std::chrono::steady_clock::time_point> end_;
  std::uint64_t left_ = 0;
};

class CommandSource final : public RequestSource {
 public:
  explicit CommandSource(Commands& commands) : commands_(commands) {}
  Batch NextBatch(std::size_t count) override {
    const std::size_t taken = commands_.Take(count, &bytes_);
    return {bytes_, taken, false, {}};
  }

 private:
  Commands& commands_;
  std::string bytes_;
};

Result<std::string> Info(Connection& connection) {
  RECO_ASSIGN_OR_RETURN(const Value info, connection.Call({"INFO"}));
  return info.text;
}

// Sets what INFO says of a step. `hits` and `misses` are those before it, then those behind it.
void TakeInfo(std::string_view info, std::uint64_t* hits, std::uint64_t* misses, FillStep* step) {
  step->resident_bytes = NumberOf(info, "used_memory_rss");
  step->disk_bytes = NumberOf(info, "disk_bytes");
  step->row_bytes = NumberOf(info, "row_cache_bytes");
  const std::uint64_t hits_now = NumberOf(info, "row_cache_hits");
  const std::uint64_t misses_now = NumberOf(info, "row_cache_misses");
  step->row_hits = hits_now - std::exchange(*hits, hits_now);
  step->row_misses = misses_now - std::exchange(*misses, misses_now);
}

// Returns whether the key holds a collection, by a command that only a collection answers.
Status CheckCollection(Connection& connection, const std::string& key) {
  RECO_ASSIGN_OR_RETURN(const Value info, connection.Call({"RECO.INFO", key}));
  if (info.is_error()) {
    return Status::FailedPrecondition(info.text + ": create the collection '" + key + "' first");
  }
  return Status::Ok();
}

struct Column {
  const char* name;  // in CSV and JSON
  const char* title;
  int width;
  double (*value)(const FillStep& step);
  int digits;
};

double Mebibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1U << 20U);
}

constexpr std::array<Column, 12> kColumns = {{
    {"events", "events", 11, [](const FillStep& s) { return static_cast<double>(s.events); }, 0},
    {"seconds", "s", 8, [](const FillStep& s) { return s.load.seconds; }, 2},
    {"rate", "events/s", 9, [](const FillStep& s) { return s.rate(); }, 0},
    {"p50-ms", "p50 ms", 8,
     [](const FillStep& s) { return static_cast<double>(s.load.latency_ns.Quantile(0.5)) / 1e6; },
     2},
    {"p99-ms", "p99 ms", 8,
     [](const FillStep& s) { return static_cast<double>(s.load.latency_ns.Quantile(0.99)) / 1e6; },
     2},
    {"max-ms", "max ms", 9,
     [](const FillStep& s) { return static_cast<double>(s.load.latency_ns.max()) / 1e6; }, 2},
    {"client-us", "client us", 9,
     [](const FillStep& s) {
       return s.added > 0 ? 1e6 * s.client_cpu_s / static_cast<double>(s.added) : 0;
     },
     2},
    {"rss-mib", "RSS MiB", 9, [](const FillStep& s) { return Mebibytes(s.resident_bytes); }, 1},
    {"disk-mib", "disk MiB", 9, [](const FillStep& s) { return Mebibytes(s.disk_bytes); }, 1},
    {"rows-mib", "rows MiB", 9, [](const FillStep& s) { return Mebibytes(s.row_bytes); }, 1},
    {"row-hits", "row hits", 10, [](const FillStep& s) { return static_cast<double>(s.row_hits); },
     0},
    {"row-misses", "misses", 10,
     [](const FillStep& s) { return static_cast<double>(s.row_misses); }, 0},
}};

// Adds `text` to the right of a column of the table.
void AppendCell(std::string* line, std::string_view text, int width) {
  const auto wanted = static_cast<std::size_t>(width);
  line->append(line->empty() ? 0 : 2, ' ');
  line->append(wanted - std::min(wanted, text.size()), ' ');
  *line += text;
}

}  // namespace

Status Fill(const LoadOptions& load, const FillOptions& options,
            const std::function<void(const FillStep&)>& show) {
  RECO_ASSIGN_OR_RETURN(Connection connection, Connection::Open(load.endpoint));
  RECO_RETURN_IF_ERROR(CheckCollection(connection, options.key));
  Commands commands(options);
  LoadOptions each = load;
  each.threads = 1;
  each.rate = 0;
  // The commands end first, which every connection notices with a batch of its own.
  each.requests = options.events + each.clients * each.pipeline;
  RECO_ASSIGN_OR_RETURN(std::string info, Info(connection));
  std::uint64_t hits = NumberOf(info, "row_cache_hits");
  std::uint64_t misses = NumberOf(info, "row_cache_misses");
  FillStep step;
  for (std::uint64_t i = 1; i <= options.steps && commands.left() == 0; ++i) {
    const std::uint64_t wanted = options.events * i / options.steps - step.events;
    commands.Allow(wanted);
    const double cpu_s = ProcessCpuSeconds();
    RECO_ASSIGN_OR_RETURN(step.load, RunLoad(each, [&](std::uint64_t) {
                            return std::make_unique<CommandSource>(commands);
                          }));
    step.client_cpu_s = ProcessCpuSeconds() - cpu_s;
    if (step.load.errors > 0) {
      return Status::FailedPrecondition(step.load.first_error);
    }
    step.added = wanted - commands.left();
    step.events += step.added;
    RECO_ASSIGN_OR_RETURN(info, Info(connection));
    TakeInfo(info, &hits, &misses, &step);
    if (step.added > 0) {
      show(step);
    }
  }
  return Status::Ok();
}

std::string FillHead(ReportFormat format) {
  std::string line;
  for (const Column& column : kColumns) {
    if (format == ReportFormat::kTable) {
      AppendCell(&line, column.title, column.width);
    } else if (format == ReportFormat::kCsv) {
      line += (line.empty() ? "" : ",") + std::string(column.name);
    }
  }
  return format == ReportFormat::kJson ? "" : line + '\n';
}

std::string FillLine(const FillStep& step, ReportFormat format) {
  std::string line;
  for (const Column& column : kColumns) {
    const double value = column.value(step);
    const std::string plain = terminal::FormatFixed(value, column.digits);
    switch (format) {
      case ReportFormat::kTable:
        AppendCell(
            &line,
            column.digits == 0 ? terminal::FormatCount(static_cast<std::int64_t>(value)) : plain,
            column.width);
        break;
      case ReportFormat::kCsv:
        line += (line.empty() ? "" : ",") + plain;
        break;
      case ReportFormat::kJson:
        terminal::AppendMember(&line, column.name, plain);
        break;
    }
  }
  return (format == ReportFormat::kJson ? terminal::Braced(line) : line) + '\n';
}

}  // namespace reco::benchmark
