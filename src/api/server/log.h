// Log: the server's log lines, to standard output or a file, in Redis's format.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "reco/options.h"
#include "reco/result.h"

namespace spdlog {
class logger;
}

namespace reco::api {

// Thread-safe. Each line is flushed, so that none is lost in a crash.
class Log {
 public:
  // Opens the log; standard output when `file` is empty. kIoError: the file cannot be opened.
  static Result<std::unique_ptr<Log>> Open(const std::string& file, LogLevel level);
  ~Log();

  // Opens the file anew, under its name, after it was moved away; nothing for standard output.
  // kIoError: it cannot be opened, and the old one stays.
  Status Reopen();

  void Write(LogLevel level, std::string_view text);
  void set_level(LogLevel level);

 private:
  class FileSink;

  Log(std::shared_ptr<spdlog::logger> logger, std::shared_ptr<FileSink> file);

  const std::shared_ptr<spdlog::logger> logger_;
  const std::shared_ptr<FileSink> file_;  // null for standard output
};

}  // namespace reco::api
