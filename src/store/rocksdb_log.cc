#include "store/rocksdb_log.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <utility>

namespace reco::store {
namespace {

constexpr std::size_t kLineBytesMax = 1024;  // the rest of a longer line is cut off

class SinkLogger final : public rocksdb::Logger {
 public:
  explicit SinkLogger(LogSink sink)
      : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), sink_(std::move(sink)) {}

  using Logger::Logv;
  // Called for lines of our level and above, and for headers, which RocksDB always sends.
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (sink_ && level >= GetInfoLogLevel() && level != rocksdb::InfoLogLevel::HEADER_LEVEL) {
      Logv(format, arguments);
    }
  }
  void Logv(const char* format, va_list arguments) override {
    std::array<char, kLineBytesMax> line{};
    std::vsnprintf(line.data(), line.size(), format, arguments);
    if (sink_) {
      sink_(LogLevel::kWarning, std::string("storage: ") + line.data());
    }
  }

 private:
  const LogSink sink_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> MakeRocksdbLog(LogSink sink) {
  return std::make_shared<SinkLogger>(std::move(sink));
}

}  // namespace reco::store
