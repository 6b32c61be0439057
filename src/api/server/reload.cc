#include "api/server/reload.h"

#include <array>
#include <string_view>
#include <utility>

#include "api/config/config_file.h"

namespace reco::api {

Reloader::Reloader(std::vector<std::string> arguments, ServerOptions options, Server* server)
    : arguments_(std::move(arguments)), read_(std::move(options)), server_(server) {}

void Reloader::Reload() {
  const Status reopened = server_->ReopenLog();
  server_->Write(LogLevel::kNotice, "Received SIGHUP: log file and configuration are read anew");
  if (!reopened.ok()) {
    server_->Write(LogLevel::kWarning,
                   std::string(reopened.message()) + "; lines go to the old one");
  }
  const Result<CommandLine> line = ParseCommandLine(arguments_);
  if (!line.ok()) {
    server_->Write(LogLevel::kWarning,
                   "configuration not taken over: " + std::string(line.status().message()));
    return;
  }
  bool changed = false;
  for (const OptionSpec& spec : OptionTable()) {
    changed |= TakeOver(spec, line->options);
  }
  server_->Write(LogLevel::kNotice, changed ? "The configuration is taken over"
                                            : "Nothing has changed in the configuration");
}

bool Reloader::TakeOver(const OptionSpec& spec, const ServerOptions& now) {
  const std::string value = FormatOption(spec, now);
  if (value == FormatOption(spec, read_)) {
    return false;
  }
  const std::string name = "option '" + std::string(spec.name) + "'";
  if (!spec.runtime) {
    server_->Write(LogLevel::kWarning, name + " has changed: effective from the next start on");
    return true;
  }
  const std::array<std::string_view, 2> pair = {spec.name, value};
  const Status set = server_->SetOptions(pair);
  if (!set.ok()) {
    server_->Write(LogLevel::kWarning, name + " refused: " + std::string(set.message()));
    return true;
  }
  ParseOption(spec, value, &read_).IgnoreError("it has just been set");
  server_->Write(LogLevel::kNotice,
                 name + " is now " + (spec.secret ? "another" : "'" + value + "'"));
  return true;
}

}  // namespace reco::api
