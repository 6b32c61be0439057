// Dispatcher: what happens between a parsed request and its handler: the checks in Redis's order,
// the call, the counting.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/commands/command.h"
#include "api/commands/command_table.h"
#include "api/config/config_options.h"
#include "api/server/statistics.h"
#include "base/function_ref.h"

namespace reco::api {

// Confined to one thread at a time; a worker uses its own for the time of a command.
class Dispatcher {
 public:
  Dispatcher(Server* server, ThreadStatistics* statistics)
      : server_(server), statistics_(statistics) {}

  enum class Verdict : std::uint8_t {
    kRun,
    kRefused,     // the error has been answered
    kDisconnect,  // an attack across protocols: close without an answer
  };

  // Looks the request up and checks it. Answers what it refuses. kRun: `*entry` is what Run takes.
  Verdict Admit(const ServerOptions& options, CommandContext& context, const std::string& output,
                const CommandEntry** entry);
  // Calls the handler. `output` is what context.reply appends to.
  void Run(const CommandEntry& entry, CommandContext& context, const std::string& output);
  // Gives the answer that context.wait has put off.
  void Answer(const CommandEntry& entry, CommandContext& context, const std::string& output,
              const Result<JobInfo>& job);

 private:
  // Counts the call and what it answers.
  void Count(const CommandEntry& entry, CommandContext& context, const std::string& output,
             FunctionRef<void()> call);

  Server* const server_;
  ThreadStatistics* const statistics_;
};

}  // namespace reco::api
