#include "api/server/log.h"

#include <array>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace reco::api {
namespace {

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  constexpr std::array kLevels = {spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                  spdlog::level::warn};
  return kLevels[static_cast<std::size_t>(level)];
}

}  // namespace

Log::Log(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}

Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::Open(const std::string& file, LogLevel level) {
  spdlog::sink_ptr sink;
  if (file.empty()) {
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  } else {
    try {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    } catch (const spdlog::spdlog_ex& error) {
      return Status::IoError("cannot open log file '" + file + "': " + error.what());
    }
  }
  auto logger = std::make_shared<spdlog::logger>("reco", std::move(sink));
  // Redis's line: process id, role, time, mark, text. M is a master.
  logger->set_pattern("%P:M %d %b %Y %H:%M:%S.%e %v");
  logger->set_level(SpdlogLevel(level));
  // Lines are few, and the last one before a crash is the one that is wanted.
  logger->flush_on(spdlog::level::trace);
  return std::unique_ptr<Log>(new Log(std::move(logger)));
}

void Log::Write(LogLevel level, std::string_view text) {
  constexpr std::array kMarks = {'.', '-', '*', '#'};  // as in Redis
  logger_->log(SpdlogLevel(level), "{} {}", kMarks[static_cast<std::size_t>(level)], text);
}

void Log::set_level(LogLevel level) {
  logger_->set_level(SpdlogLevel(level));
}

}  // namespace reco::api
