#include "api/server/dispatcher.h"

#include <algorithm>
#include <cctype>
#include <chrono>

#include "api/protocol/words.h"
#include "api/server/client.h"
#include "api/server/server.h"

namespace reco::api {
namespace {

constexpr std::size_t kEchoedBytesMax = 128;  // of what a client sent, in an error

// Returns the text as printf's %.128s shows it: cut at a NUL byte.
std::string_view Echoed(std::string_view text, std::size_t bytes_max) {
  return text.substr(0, std::min(bytes_max, text.find('\0')));
}

// Until there are transactions: what clients send between MULTI and EXEC is meant to happen as a
// whole or not at all, so that none of it is carried out. Their classes for an aborted transaction
// go by the code EXECABORT.
constexpr std::string_view kMultiRefused =
    "ERR transactions are not supported: no command up to EXEC or DISCARD is carried out";
constexpr std::string_view kInRefusedTransaction =
    "EXECABORT transactions are not supported: no command since MULTI has been carried out";

// Returns true iff the request is this word alone, which no row of the table has.
bool IsWord(std::span<const std::string_view> args, std::string_view word) {
  return args.size() == 1 && EqualsIgnoreCase(args[0], word);
}

// Returns Redis's text, on whose beginning clients rely to tell a missing command from a failed
// one.
std::string UnknownCommand(const CommandTable& table, std::span<const std::string_view> args) {
  std::string text;
  // The first word is a container, so it is its subcommand that is unknown.
  if (args.size() > 1 && table.Find(args[0]) != nullptr) {
    text.append("ERR unknown subcommand '").append(Echoed(args[1], kEchoedBytesMax));
    text.append("'. Try ");
    for (const char c : args[0]) {
      text.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
    return text.append(" HELP.");
  }
  std::string shown;
  for (std::size_t i = 1; i < args.size() && shown.size() < kEchoedBytesMax; ++i) {
    shown.append("'").append(Echoed(args[i], kEchoedBytesMax - shown.size())).append("' ");
  }
  text.append("ERR unknown command '").append(Echoed(args[0], kEchoedBytesMax));
  return text.append("', with args beginning with: ").append(shown);
}

}  // namespace

Dispatcher::Verdict Dispatcher::Admit(const ServerOptions& options, CommandContext& context,
                                      const std::string& output, const CommandEntry** entry) {
  const std::span<const std::string_view> args = context.args;
  const std::size_t start = output.size();
  // The order of the checks is that of Redis 7.0: name, arity, authentication, memory. A client
  // that has not authenticated is told of an unknown command all the same.
  const CommandEntry* found = server_->commands().Resolve(args);
  const auto refuse = [&](std::string_view error) {
    context.reply.Error(error);
    statistics_->CountError(std::string_view(output).substr(start));
    if (found != nullptr) {
      statistics_->command(found->index).rejected.Add();
    }
    return Verdict::kRefused;
  };
  if (found == nullptr) {
    // A web page can make a browser send an HTTP request here, whose lines would run as inline
    // commands. No command has these names, so known ones are not held up by the test.
    if (EqualsIgnoreCase(args[0], "post") || EqualsIgnoreCase(args[0], "host:")) {
      return Verdict::kDisconnect;
    }
  }
  Client& client = context.client;
  if (client.in_refused_transaction() &&
      (found == nullptr || (found->spec->flags & kLeavesTransaction) == 0)) {
    client.set_in_refused_transaction(!IsWord(args, "exec") && !IsWord(args, "discard"));
    return refuse(kInRefusedTransaction);
  }
  if (found == nullptr) {
    // Also from a client that has yet to authenticate: it may do so in the middle.
    if (IsWord(args, "multi")) {
      client.set_in_refused_transaction(true);
      return refuse(kMultiRefused);
    }
    return refuse(UnknownCommand(server_->commands(), args));
  }
  const CommandSpec& spec = *found->spec;
  // A container without its second word has no handler.
  if (!ArityFits(spec, args.size()) || spec.handler == nullptr) {
    return refuse("ERR wrong number of arguments for '" + found->full_name + "' command");
  }
  // A password that was taken away lets in those who have not sent one.
  if (!client.authenticated() && !options.requirepass.empty() && (spec.flags & kNoAuth) == 0) {
    return refuse("NOAUTH Authentication required.");
  }
  // Checked before the handler, so that a refused command changes nothing. DEL, RECO.REM and their
  // like do not have the flag, since they free memory.
  if ((spec.flags & kDenyOom) != 0 && (spec.grows == nullptr || spec.grows(args)) &&
      options.maxmemory_bytes > 0 &&
      context.database.memory_used_bytes() > static_cast<std::uint64_t>(options.maxmemory_bytes)) {
    return refuse("OOM command not allowed when used memory > 'maxmemory'.");
  }
  *entry = found;
  return Verdict::kRun;
}

void Dispatcher::Run(const CommandEntry& entry, CommandContext& context,
                     const std::string& output) {
  context.entry = &entry;
  // CLIENT LIST shows it also while it runs.
  context.client.set_command(&entry);
  // A command that answers an error was called all the same; only refused ones are counted apart.
  statistics_->command(entry.index).calls.Add();
  Count(entry, context, output, [&] { entry.spec->handler(context); });
}

void Dispatcher::Answer(const CommandEntry& entry, CommandContext& context,
                        const std::string& output, const Result<JobInfo>& job) {
  context.entry = &entry;
  Count(entry, context, output, [&] { context.wait.answer(context, job); });
}

void Dispatcher::Count(const CommandEntry& entry, CommandContext& context,
                       const std::string& output, FunctionRef<void()> call) {
  const std::size_t start = output.size();
  const auto started = std::chrono::steady_clock::now();
  call();
  const auto elapsed = std::chrono::steady_clock::now() - started;
  CommandCounters& counters = statistics_->command(entry.index);
  counters.nanoseconds.Add(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count()));
  if (context.reply.failed()) {
    counters.failed.Add();
    statistics_->CountError(std::string_view(output).substr(start));
  }
}

}  // namespace reco::api
