#include "tools/admin/session.h"

#include <utility>

#include "tools/terminal/json.h"

namespace reco::admin {
namespace {

// Returns what to try next, or "".
std::string Advice(const Status& status, const client::Endpoint& endpoint) {
  const std::string_view message = status.message();
  const auto begins = [&](std::string_view code) { return message.substr(0, code.size()) == code; };
  if (status.code() == StatusCode::kUnavailable) {
    const std::string port = std::to_string(endpoint.port);
    return message.substr(0, 15) == "connection lost"
               ? "see the server's log, and start it again if it has stopped"
               : "start one with: reco-server --port " + port +
                     " --dir ./data (or name another with -h and -p)";
  }
  if (begins("NOAUTH") || begins("WRONGPASS")) {
    return "give the password with -a, or in the environment as RECO_PASSWORD";
  }
  if (begins("MISCONF")) {
    return "the server cannot write its folder: free the disk, see its log, then try again";
  }
  if (begins("OOM")) {
    return "raise the server's maxmemory, or remove data, then try again";
  }
  if (begins("ERR unknown command 'RECO.")) {
    return "this is no RecoDB server: is the port right?";
  }
  return {};
}

}  // namespace

Result<Session> Session::Open(const Settings& settings) {
  auto connection = client::Connection::Open(settings.endpoint);
  if (!connection.ok()) {
    const Status& status = connection.status();
    // The server answers, but not as is needed: its own words say more.
    if (status.code() != StatusCode::kUnavailable) {
      return status;
    }
    return Status::Unavailable("no server answers at " + settings.endpoint.host + ':' +
                               std::to_string(settings.endpoint.port) + ": " +
                               std::string(status.message()));
  }
  return Session(settings, std::move(connection).value());
}

Result<client::Value> Session::Call(client::Arguments arguments) {
  RECO_ASSIGN_OR_RETURN(client::Value reply, connection_.Call(arguments));
  if (reply.is_error()) {
    return Status::FailedPrecondition(std::move(reply.text));
  }
  return reply;
}

int Report(const Status& status, const Settings& settings) {
  const std::string message(status.message());
  const std::string advice = Advice(status, settings.endpoint);
  if (settings.json) {
    std::printf("{\"error\": %s}\n", terminal::JsonString(message).c_str());
  }
  std::fprintf(stderr, "reco-admin: %s\n", message.c_str());
  if (!advice.empty()) {
    std::fprintf(stderr, "  %s\n", advice.c_str());
  }
  switch (status.code()) {
    case StatusCode::kUnavailable:
      return kExitConnection;
    case StatusCode::kFailedPrecondition:
      return kExitRefused;
    default:
      return kExitUsage;
  }
}

}  // namespace reco::admin
