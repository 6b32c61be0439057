// Reload: what a running server takes over of a configuration that has changed.
#pragma once

#include <string>
#include <vector>

#include "api/config/config_options.h"
#include "api/server/server.h"

namespace reco::api {

// Opens the log file anew and reads the configuration again. Confined.
class Reloader {
 public:
  // `arguments` are those of the program and `options` what they came to at start. The server is
  // borrowed.
  Reloader(std::vector<std::string> arguments, ServerOptions options, Server* server);

  // Sets the options whose value in the file, or whose default when it has none any more, is
  // another one than when it was last read, and that may change while running; what CONFIG SET has
  // changed stays otherwise, and what the command line says wins. Each change, and each that is
  // refused, is told in the log. A file that cannot be read, or that has an error, changes nothing.
  void Reload();

 private:
  // Takes over the value that the option has in `now`. Returns false when there is nothing to do.
  bool TakeOver(const OptionSpec& spec, const ServerOptions& now);

  const std::vector<std::string> arguments_;
  ServerOptions read_;  // as last taken over
  Server* const server_;
};

}  // namespace reco::api
