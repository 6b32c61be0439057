#include "api/config/open_files.h"

#include <algorithm>
#include <limits>

#include <sys/resource.h>

namespace reco::api {
namespace {

constexpr std::int64_t kTablesMin = 32;    // RocksDB's floor is 20
constexpr std::int64_t kClientsMin = 16;   // or maxclients
constexpr std::int64_t kFilesAThread = 4;  // of an event loop

}  // namespace

OpenFiles WantedOpenFiles(const ServerOptions& options) {
  constexpr std::int64_t kIoThreadsAuto = 4;
  const std::int64_t threads = options.io_threads > 0 ? options.io_threads : kIoThreadsAuto;
  OpenFiles files{.tables = Options().open_files_max,
                  .clients = options.maxclients,
                  .reserve = kOtherFilesMax + kEndingSocketsMax + kFilesAThread * threads};
  files.limit = files.Needed(files.clients);
  return files;
}

Result<OpenFiles> DivideOpenFiles(std::int64_t limit, const ServerOptions& options) {
  OpenFiles files = WantedOpenFiles(options);
  if (limit >= files.limit) {
    files.limit = limit;
    return files;
  }
  const std::int64_t left = limit - files.reserve;
  const std::int64_t clients_min = std::min(kClientsMin, options.maxclients);
  if (left < kTablesMin + clients_min) {
    return Status::ResourceExhausted(
        "the limit of open files is " + std::to_string(limit) + ", but at least " +
        std::to_string(files.reserve + kTablesMin + clients_min) + " are needed, and " +
        std::to_string(files.limit) + " for maxclients " + std::to_string(options.maxclients) +
        ": raise it (ulimit -n, LimitNOFILE)");
  }
  files.limit = limit;
  files.tables =
      std::clamp(std::max(left / 4, left - options.maxclients), kTablesMin, files.tables);
  files.clients = std::min(left - files.tables, options.maxclients);
  return files;
}

Result<OpenFiles> PlanOpenFiles(const ServerOptions& options) {
  return DivideOpenFiles(RaiseOpenFileLimit(WantedOpenFiles(options).limit), options);
}

std::int64_t RaiseOpenFileLimit(std::int64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return wanted;  // not known, so nothing is lowered for it
  }
  if (limit.rlim_cur < static_cast<rlim_t>(wanted)) {
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = std::min(static_cast<rlim_t>(wanted), limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
      limit.rlim_cur = before;
    }
  }
  return static_cast<std::int64_t>(
      std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<std::int64_t>::max()));
}

std::string DescribeOpenFiles(const OpenFiles& files) {
  return "Open files: " + std::to_string(files.limit) + " allowed; " +
         std::to_string(files.tables) + " for tables, " + std::to_string(files.clients) +
         " for clients, " + std::to_string(files.reserve) + " for all else";
}

}  // namespace reco::api
