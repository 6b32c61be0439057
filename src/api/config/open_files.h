// How the files that the process may have open are divided: RocksDB's tables, clients, and a
// reserve for all else.
#pragma once

#include <cstdint>
#include <string>

#include "reco/result.h"

#include "api/config/config_options.h"

namespace reco::api {

// Sockets beyond maxclients, of connections that are being refused or have ended and are not closed
// yet; further ones are closed without an answer.
inline constexpr std::int64_t kEndingSocketsMax = 64;

// Logs, tables that are being written, folders, standard streams, listening sockets.
inline constexpr std::int64_t kOtherFilesMax = 96;

struct OpenFiles {
  std::int64_t limit = 0;    // of the process
  std::int64_t tables = 0;   // Options::open_files_max
  std::int64_t clients = 0;  // maxclients, or what is left for it
  std::int64_t reserve = 0;  // all else

  // Returns what the limit must be for so many clients.
  std::int64_t Needed(std::int64_t maxclients) const { return tables + reserve + maxclients; }
};

// Returns the files with which nothing is short.
OpenFiles WantedOpenFiles(const ServerOptions& options);

// Divides `limit`. Where it is too small for all, tables get a quarter of what the reserve leaves,
// or what clients do not need. kResourceExhausted, with the number that is needed, when too little
// is left to be of use.
Result<OpenFiles> DivideOpenFiles(std::int64_t limit, const ServerOptions& options);

// Divides the limit of the process, raised as far as it may be and need be.
Result<OpenFiles> PlanOpenFiles(const ServerOptions& options);

// Raises the soft limit of open files to `wanted`, or as far as the hard limit allows. Returns what
// it is now; it is never lowered.
std::int64_t RaiseOpenFileLimit(std::int64_t wanted);

// Returns how the files are divided, for the log.
std::string DescribeOpenFiles(const OpenFiles& files);

}  // namespace reco::api
