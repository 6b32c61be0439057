// reco-benchmark: measures throughput and latency of any server that speaks the Redis protocol.
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/benchmark/fill.h"
#include "tools/benchmark/load_generator.h"
#include "tools/benchmark/prepare.h"
#include "tools/benchmark/report.h"
#include "tools/benchmark/workload.h"

namespace reco::benchmark {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitFailed = 1;

constexpr const char* kFooter = R"(
Clients are closed loops: each sends --pipeline requests, waits for all replies, sends the next.
Latency counts from the sending of the batch to the reading of the reply. With --rate requests are
due at evenly spread times instead and latency counts from then, also when a request had to wait
for a free connection; "late" counts those that left more than 1 ms after they were due. Quantiles
are at most 0.8% too high, never too low.

--fill adds made-up events to a collection that is there, by RECO.MADD, and prints a line after each
of --steps equal parts: rate and latency of the commands in it, processor time of this program for
an event, and what the server's INFO says. The same seed, users, items and order give the same
events; --skip goes on where another run has ended.

The workload add-topk adds an event, waits for the reply and asks for the user's ranking, as one
request; a ranking that still offers the item is an error.

Exit codes: 0 done, 1 no connection or error replies, 2 wrong usage.

Examples:
  reco-benchmark --workload ping,set,get --pipeline 16
  reco-benchmark --prepare --workload topk,mixed
  reco-benchmark --workload topk --rate 10000 --duration 20
  reco-benchmark --fill --events 4000000 --order sessions --clients 4 --pipeline 4
  reco-benchmark --replay purchases.csv.gz --user customer --item sku --pipeline 16)";

struct CommandLine {
  LoadOptions load;
  WorkloadOptions workload;
  PrepareOptions prepare_options;
  FillOptions fill_options;
  std::vector<std::string> workloads = {"ping"};
  std::string replay;
  std::string user_column = "user";
  std::string item_column = "item";
  bool prepare = false;
  bool fill = false;
  bool csv = false;
  bool json = false;
};

int Fail(const Status& status) {
  std::fprintf(stderr, "reco-benchmark: %s\n", std::string(status.message()).c_str());
  if (status.code() == StatusCode::kUnavailable) {
    std::fprintf(stderr, "  is the server running? name it with -h and -p\n");
  }
  const bool usage =
      status.code() == StatusCode::kInvalidArgument || status.code() == StatusCode::kNotFound;
  return usage ? kExitUsage : kExitFailed;
}

Result<LoadResult> RunWorkload(const CommandLine& line, const std::string& name) {
  // Tried once here, so that the factory below cannot fail.
  RECO_RETURN_IF_ERROR(MakeSource(name, line.workload, 0).status());
  if (name == kAddThenTopk && line.load.pipeline != 1) {
    return Status::InvalidArgument(name +
                                   " takes no --pipeline: its two commands follow each other");
  }
  return RunLoad(line.load, [&](std::uint64_t client) {
    return MakeSource(name, line.workload, client).value();
  });
}

Result<LoadResult> RunReplay(const CommandLine& line) {
  RECO_ASSIGN_OR_RETURN(
      const std::shared_ptr<Replay> replay,
      Replay::Load(line.replay, line.user_column, line.item_column, line.workload.key));
  LoadOptions load = line.load;
  if (load.requests == 0) {
    // Enough that the file ends first, which every connection notices with a batch of its own.
    load.requests = replay->events() + load.clients * load.pipeline;
  }
  return RunLoad(load, [&](std::uint64_t) { return MakeReplaySource(replay); });
}

ReportFormat FormatOf(const CommandLine& line) {
  return line.json ? ReportFormat::kJson : line.csv ? ReportFormat::kCsv : ReportFormat::kTable;
}

int RunFill(const CommandLine& line) {
  FillOptions options = line.fill_options;
  options.key = line.workload.key;
  options.events = line.prepare_options.events;
  options.stream.users = line.workload.users;
  options.stream.items = line.workload.items;
  options.stream.seed = line.workload.seed;
  const ReportFormat format = FormatOf(line);
  // A line is shown when its step is done, also through a pipe: a fill may take long.
  std::fputs(FillHead(format).c_str(), stdout);
  std::fflush(stdout);
  const Status status = Fill(line.load, options, [&](const FillStep& step) {
    std::fputs(FillLine(step, format).c_str(), stdout);
    std::fflush(stdout);
  });
  return status.ok() ? 0 : Fail(status);
}

int Run(const CommandLine& line) {
  if (line.fill) {
    return RunFill(line);
  }
  if (line.prepare) {
    const Status prepared = Prepare(line.load.endpoint, line.workload, line.prepare_options);
    if (!prepared.ok()) {
      return Fail(prepared);
    }
  }
  std::vector<NamedResult> results;
  const std::vector<std::string> names =
      line.replay.empty() ? line.workloads : std::vector<std::string>{"replay"};
  for (const std::string& name : names) {
    auto result = line.replay.empty() ? RunWorkload(line, name) : RunReplay(line);
    if (!result.ok()) {
      return Fail(result.status());
    }
    results.push_back({name, std::move(result).value()});
  }
  std::fputs(FormatReport(results, line.load, FormatOf(line)).c_str(), stdout);
  int code = 0;
  for (const NamedResult& named : results) {
    if (named.result.errors > 0) {
      std::fprintf(stderr, "reco-benchmark: %s got errors, the first: %s\n", named.workload.c_str(),
                   named.result.first_error.c_str());
      code = kExitFailed;
    }
  }
  return code;
}

void AddLoadOptions(CLI::App& app, LoadOptions& load) {
  app.add_option("-h,--host", load.endpoint.host, "Host (default 127.0.0.1)");
  app.add_option("-p,--port", load.endpoint.port, "Port (default 6390)");
  app.add_option("-a,--password", load.endpoint.password, "Password")->envname("RECO_PASSWORD");
  app.add_option("-c,--clients", load.clients, "Connections (default 50)")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--threads", load.threads, "Threads that drive them (default 1)")
      ->check(CLI::Range(1, 256));
  app.add_option("--rate", load.rate, "Requests a second over all connections, at set times")
      ->check(CLI::Range(0.001, 1e9));
  app.add_option("-P,--pipeline", load.pipeline, "Requests a batch (default 1)")
      ->check(CLI::Range(1, 10'000));
  CLI::Option* duration =
      app.add_option("--duration", load.duration_s, "Seconds of each workload (default 5)")
          ->check(CLI::Range(0.01, 86'400.0));
  app.add_option("-n,--requests", load.requests, "Stop after so many requests instead")
      ->check(CLI::PositiveNumber)
      ->excludes(duration);
}

void AddWorkloadOptions(CLI::App& app, CommandLine& line) {
  WorkloadOptions& workload = line.workload;
  app.add_option(
         "-w,--workload", line.workloads,
         "Comma-separated list of " + WorkloadNames() + " (nine topk to one add); default ping")
      ->delimiter(',');
  app.add_option("--key", workload.key, "The collection (default bench)");
  app.add_option("--users", workload.users, "Users that requests choose from (default 100000)")
      ->check(CLI::Range(1, 99'999'999));
  app.add_option("--items", workload.items, "Items, by a power law (default 41000)")
      ->check(CLI::Range(1, 99'999'999));
  app.add_option("--keys", workload.keys, "Keys of get and set (default 100000)")
      ->check(CLI::Range(1, 99'999'999));
  app.add_option("--value-size", workload.value_bytes, "Bytes of a value of set (default 3)")
      ->check(CLI::Range(1, 16'777'216));
  app.add_option("--count", workload.count, "Length of a ranking (default 20)")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--seed", workload.seed, "Seed of what is drawn (default 1)");
  CLI::Option* replay = app.add_option("--replay", line.replay,
                                       "Add the events of this CSV file (plain or gzip) in order");
  app.add_option("--user", line.user_column, "Its column of the user (default user)")
      ->needs(replay);
  app.add_option("--item", line.item_column, "Its column of the item (default item)")
      ->needs(replay);
  CLI::Option* prepare = app.add_flag("--prepare", line.prepare,
                                      "First fill the collection with made-up events and train it");
  app.add_option("--events", line.prepare_options.events,
                 "Events of --prepare or --fill (default 1000000)");
  app.add_option("--dim", line.prepare_options.dim, "Vector length of --prepare (default 64)")
      ->needs(prepare);
}

void AddFillOptions(CLI::App& app, CommandLine& line) {
  FillOptions& options = line.fill_options;
  CLI::Option* fill =
      app.add_flag("--fill", line.fill, "Add made-up events in steps, and tell of each step")
          ->excludes(app.get_option("--prepare"))
          ->excludes(app.get_option("--replay"));
  app.add_option("--order", options.stream.order, "random or sessions of ten (default random)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, UserOrder>{
          {"random", UserOrder::kRandom}, {"sessions", UserOrder::kSessions}}))
      ->needs(fill);
  app.add_flag("--users-by-power-law", options.stream.users_by_power_law,
               "Draw users by a power law, too")
      ->needs(fill);
  app.add_option("--batch", options.batch, "Events of one RECO.MADD (default 100)")
      ->check(CLI::Range(1, 100'000))
      ->needs(fill);
  app.add_option("--steps", options.steps, "Lines that are printed (default 20)")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(fill);
  app.add_option("--skip", options.skip, "Events that are drawn and not sent first")->needs(fill);
  app.add_option("--time-limit", options.time_limit_s,
                 "Seconds after which --fill ends within its step (default none)")
      ->check(CLI::PositiveNumber)
      ->needs(fill);
}

int Main(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Measures a RecoDB or Redis server.", "reco-benchmark");
  // Without -h, which is the host, as of redis-benchmark.
  app.set_help_flag("--help", "Print this help and exit");
  app.set_version_flag("--version", "RecoDB " RECO_VERSION);
  app.footer(kFooter);
  AddLoadOptions(app, line.load);
  AddWorkloadOptions(app, line);
  AddFillOptions(app, line);
  CLI::Option* csv = app.add_flag("--csv", line.csv, "Print CSV");
  app.add_flag("--json", line.json, "Print JSON")->excludes(csv);
  try {
    app.parse(argc, argv);
    if (app.count("--events") > 0 && !line.prepare && !line.fill) {
      throw CLI::RequiresError("--events", "--prepare or --fill");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return Run(line);
}

}  // namespace
}  // namespace reco::benchmark

int main(int argc, char** argv) {
  return reco::benchmark::Main(argc, argv);
}
