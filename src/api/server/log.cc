#include "api/server/log.h"

#include <array>
#include <utility>

#include <spdlog/details/file_helper.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace reco::api {
namespace {

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  constexpr std::array kLevels = {spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                  spdlog::level::warn};
  return kLevels[static_cast<std::size_t>(level)];
}

}  // namespace

// A file that can be opened anew.
class Log::FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)) {}

  Status Open() {
    auto file = std::make_unique<spdlog::details::file_helper>();
    try {
      file->open(path_);
    } catch (const spdlog::spdlog_ex& error) {
      return Status::IoError("cannot open log file '" + path_ + "': " + error.what());
    }
    const std::scoped_lock lock(mutex_);
    file_ = std::move(file);
    return Status::Ok();
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_->write(line);
  }
  void flush_() override { file_->flush(); }

  const std::string path_;
  std::unique_ptr<spdlog::details::file_helper> file_;
};

Log::Log(std::shared_ptr<spdlog::logger> logger, std::shared_ptr<FileSink> file)
    : logger_(std::move(logger)), file_(std::move(file)) {}

Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::Open(const std::string& file, LogLevel level) {
  spdlog::sink_ptr sink;
  std::shared_ptr<FileSink> file_sink;
  if (file.empty()) {
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  } else {
    file_sink = std::make_shared<FileSink>(file);
    RECO_RETURN_IF_ERROR(file_sink->Open());
    sink = file_sink;
  }
  auto logger = std::make_shared<spdlog::logger>("reco", std::move(sink));
  // Redis's line: process id, role, time, mark, text. M is a master.
  logger->set_pattern("%P:M %d %b %Y %H:%M:%S.%e %v");
  logger->set_level(SpdlogLevel(level));
  // Lines are few, and the last one before a crash is the one that is wanted.
  logger->flush_on(spdlog::level::trace);
  return std::unique_ptr<Log>(new Log(std::move(logger), std::move(file_sink)));
}

Status Log::Reopen() {
  return file_ == nullptr ? Status::Ok() : file_->Open();
}

void Log::Write(LogLevel level, std::string_view text) {
  constexpr std::array kMarks = {'.', '-', '*', '#'};  // as in Redis
  logger_->log(SpdlogLevel(level), "{} {}", kMarks[static_cast<std::size_t>(level)], text);
}

void Log::set_level(LogLevel level) {
  logger_->set_level(SpdlogLevel(level));
}

}  // namespace reco::api
