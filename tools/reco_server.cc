// reco-server: the daemon. Reads the configuration, opens the folder, serves until told to stop.
#include <csignal>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "reco/engine.h"
#include "reco/salvage.h"

#include "api/all_commands.h"
#include "api/config/available_memory.h"
#include "api/config/cache_sizes.h"
#include "api/config/config_file.h"
#include "api/config/open_files.h"
#include "api/server/log.h"
#include "api/server/reload.h"
#include "api/server/server.h"
#include "base/standard_streams.h"

namespace {

using reco::Database;
using reco::LogLevel;
using reco::Status;
using reco::api::CommandLine;

constexpr int kExitProblem = 1;
constexpr const char* kSalvagedEnding = ".salvaged";

int Fail(const Status& status) {
  std::fprintf(stderr, "reco-server: %s\n", std::string(status.message()).c_str());
  return kExitProblem;
}

// Holds signals back, for this thread and those that it starts, or lets them come again.
void Hold(std::initializer_list<int> signals, bool held) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) {
    sigaddset(&set, signal);
  }
  pthread_sigmask(held ? SIG_BLOCK : SIG_UNBLOCK, &set, nullptr);
}

// What the folder's opening has to say is printed.
reco::Options OfflineOptions(const CommandLine& line) {
  reco::Options options = line.options.EngineOptions(reco::api::FindAvailableMemory());
  // Where the limit is too small for the server it is not for this.
  if (const auto files = reco::api::PlanOpenFiles(line.options); files.ok()) {
    options.open_files_max = static_cast<std::uint32_t>(files->tables);
  }
  options.log = [](LogLevel /*level*/, std::string_view text) {
    std::printf("note: %s\n", std::string(text).c_str());
  };
  return options;
}

// Verifies the folder offline. Returns the exit code: 0 when it is clean.
int Check(const CommandLine& line) {
  const reco::Result<reco::VerifyReport> report = Database::Verify(OfflineOptions(line));
  if (!report.ok()) {
    return Fail(report.status());
  }
  for (const std::string& problem : report->problems) {
    std::printf("problem: %s\n", problem.c_str());
  }
  std::printf("checked %s: %llu collections, %llu events, %llu pairs, %llu vectors, %zu problems\n",
              line.options.dir.c_str(), static_cast<unsigned long long>(report->collections),
              static_cast<unsigned long long>(report->events),
              static_cast<unsigned long long>(report->pairs),
              static_cast<unsigned long long>(report->vectors), report->problems.size());
  return report->problems.empty() ? 0 : kExitProblem;
}

// Makes a copy of a damaged folder that opens, and says what it lacks. Returns the exit code.
int Salvage(const CommandLine& line) {
  std::string target = line.options.dir;
  while (target.size() > 1 && target.back() == '/') {
    target.pop_back();
  }
  target.append(kSalvagedEnding);
  const reco::Result<reco::SalvageReport> report = reco::Salvage(OfflineOptions(line), target);
  if (!report.ok()) {
    return Fail(report.status());
  }
  for (const std::string& damage : report->damages) {
    std::printf("damaged: %s\n", damage.c_str());
  }
  for (const std::string& dropped : report->dropped) {
    std::printf("dropped: %s\n", dropped.c_str());
  }
  std::printf("salvaged %s to %s: %llu keys, among them %llu collections with %llu events\n",
              line.options.dir.c_str(), target.c_str(),
              static_cast<unsigned long long>(report->keys),
              static_cast<unsigned long long>(report->collections),
              static_cast<unsigned long long>(report->events));
  return 0;
}

// Serves until told to stop. Returns the exit code.
int Serve(const CommandLine& line, const std::vector<std::string>& arguments) {
  // A log whose reader is gone, or a file at its limit of size, is an error of that write alone. No
  // thread of the process receives the others until the server handles them.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  Hold({SIGHUP, SIGUSR1, SIGUSR2}, true);
  // The log is opened first and closed last: opening and closing the folder have things to say.
  auto log =
      reco::api::Log::Open(line.options.logfile, static_cast<LogLevel>(line.options.loglevel));
  if (!log.ok()) {
    return Fail(log.status());
  }
  reco::api::Log& out = **log;
  out.Write(LogLevel::kNotice,
            "RecoDB " + std::string(reco::api::kRecoVersion) + " starting, folder " +
                line.options.dir +
                (line.config_file.empty() ? ", no configuration file"
                                          : ", configuration " + line.config_file));
  const reco::api::AvailableMemory memory = reco::api::FindAvailableMemory();
  for (const std::string& text : reco::api::DescribeCaches(line.options, memory)) {
    out.Write(LogLevel::kNotice, text);
  }
  const auto files = reco::api::PlanOpenFiles(line.options);
  if (!files.ok()) {
    out.Write(LogLevel::kWarning, std::string(files.status().message()));
    return Fail(files.status());
  }
  out.Write(LogLevel::kNotice, reco::api::DescribeOpenFiles(*files));
  reco::Options options = line.options.EngineOptions(memory);
  options.open_files_max = static_cast<std::uint32_t>(files->tables);
  options.log = [&out](LogLevel level, std::string_view text) { out.Write(level, text); };
  // The port opens after the folder has been read, so nobody is served half of it.
  auto database = Database::Open(options);
  if (!database.ok()) {
    out.Write(LogLevel::kWarning, "cannot open the folder: " + database.status().ToString());
    return Fail(database.status());
  }
  {
    reco::api::Server server(database->get(), reco::api::AllCommands(), line.options, &out,
                             line.config_file);
    // The port answers a moment before they are handled, and until then they would end the process
    // without a shutdown. Not held while the folder is opened, which may take long: ending the
    // process then loses nothing.
    Hold({SIGTERM, SIGINT}, true);
    const Status started = server.Start();
    if (!started.ok()) {
      out.Write(LogLevel::kWarning, std::string(started.message()));
      return Fail(started);
    }
    server.HandleSignals();
    Hold({SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}, false);
    reco::api::Reloader reloader(arguments, line.options, &server);
    server.WaitForShutdown([&reloader] { reloader.Reload(); });
    // To the end: the server no longer handles them, and the last checkpoint is to be written.
    Hold({SIGHUP, SIGUSR1, SIGUSR2}, true);
    server.Stop();
  }
  // Once no command runs any more. The log holds all that was acknowledged; this makes the next
  // start short.
  const Status saved = (*database)->Checkpoint();
  if (!saved.ok()) {
    out.Write(LogLevel::kWarning, "last checkpoint failed: " + std::string(saved.message()));
  }
  database->reset();
  out.Write(LogLevel::kNotice, "RecoDB is now ready to exit, bye bye...");
  return saved.ok() ? 0 : kExitProblem;
}

}  // namespace

int main(int argc, char** argv) {
  reco::OpenStandardStreams();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const reco::Result<CommandLine> line = reco::api::ParseCommandLine(arguments);
  if (!line.ok()) {
    return Fail(line.status());
  }
  switch (line->action) {
    case CommandLine::Action::kVersion:
      std::printf("reco-server %s\n", std::string(reco::api::kRecoVersion).c_str());
      return 0;
    case CommandLine::Action::kHelp:
      std::fputs(reco::api::UsageText().c_str(), stdout);
      return 0;
    case CommandLine::Action::kCheck:
      return Check(*line);
    case CommandLine::Action::kSalvage:
      return Salvage(*line);
    case CommandLine::Action::kServe:
      break;
  }
  return Serve(*line, arguments);
}
