// reco-server: the daemon. Reads the configuration, opens the folder, serves until told to stop.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "reco/engine.h"

#include "api/all_commands.h"
#include "api/config/available_memory.h"
#include "api/config/cache_sizes.h"
#include "api/config/config_file.h"
#include "api/server/log.h"
#include "api/server/server.h"

namespace {

using reco::Database;
using reco::LogLevel;
using reco::Status;
using reco::api::CommandLine;

constexpr int kExitProblem = 1;

int Fail(const Status& status) {
  std::fprintf(stderr, "reco-server: %s\n", std::string(status.message()).c_str());
  return kExitProblem;
}

// Holds SIGTERM and SIGINT back while it lives: the port answers a moment before they are handled,
// and until then they would end the process without a shutdown. Threads started meanwhile never
// receive them.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  ~HeldSignals() { pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

 private:
  sigset_t signals_{};
};

// Verifies the folder offline. Returns the exit code: 0 when it is clean.
int Check(const CommandLine& line) {
  const reco::Result<reco::VerifyReport> report =
      Database::Verify(line.options.EngineOptions(reco::api::FindAvailableMemory()));
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

// Serves until told to stop. Returns the exit code.
int Serve(const CommandLine& line) {
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
  reco::Options options = line.options.EngineOptions(memory);
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
    {
      // Not held while the folder is opened, which may take long: ending the process then loses
      // nothing.
      const HeldSignals held;
      const Status started = server.Start();
      if (!started.ok()) {
        out.Write(LogLevel::kWarning, std::string(started.message()));
        return Fail(started);
      }
      server.HandleSignals();
    }
    server.WaitForShutdown();
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
    case CommandLine::Action::kServe:
      break;
  }
  return Serve(*line);
}
