// Session: what every command of reco-admin works with: the server, and where output goes.
#pragma once

#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>

#include "reco/result.h"
#include "reco/status.h"

#include "tools/admin/exit_code.h"
#include "tools/client/connection.h"
#include "tools/client/value.h"

namespace reco::admin {

struct Settings {
  client::Endpoint endpoint;
  bool json = false;
  bool quiet = false;  // no progress
};

// Results go to standard output, progress and errors to standard error. Confined to one thread.
class Session {
 public:
  // Connects. On failure the status says what cannot be reached; Report() says what to do next.
  static Result<Session> Open(const Settings& settings);

  client::Connection& connection() { return connection_; }
  const Settings& settings() const { return settings_; }
  bool json() const { return settings_.json; }

  // Runs one command. An error reply becomes a Status: kFailedPrecondition with the server's text.
  Result<client::Value> Call(client::Arguments arguments);
  Result<client::Value> Call(std::initializer_list<std::string_view> arguments) {
    return Call(client::Arguments(arguments.begin(), arguments.size()));
  }

 private:
  Session(const Settings& settings, client::Connection connection)
      : settings_(settings), connection_(std::move(connection)) {}

  Settings settings_;
  client::Connection connection_;
};

// Prints what went wrong and what to do about it on standard error (as JSON on standard output when
// asked for). Returns the exit code that fits.
int Report(const Status& status, const Settings& settings);

}  // namespace reco::admin
