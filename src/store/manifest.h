// What RocksDB's manifest says must be in a folder: table files and logs. Read before RocksDB opens
// the folder, because it removes the files that its manifest does not name.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "reco/result.h"

namespace rocksdb {
class Env;
}

namespace reco::store {

struct Manifest {
  struct Table {
    std::uint32_t family = 0;
    std::uint64_t size_bytes = 0;
  };

  std::uint64_t number = 0;       // of its file
  std::uint64_t whole_bytes = 0;  // of it, up to the first damage
  std::string damage;             // in words; empty: none. A torn end is one
  std::uint64_t records_behind_damage = 0;
  // False where a record is of a kind that this program does not know: then what follows is empty.
  bool understood = true;
  bool consistent = true;                         // no table or family is added twice
  std::map<std::uint64_t, Table> tables;          // by file number
  std::map<std::uint32_t, std::string> families;  // by number
  // Logs with a lower number hold nothing that is not in tables.
  std::uint64_t first_log = 0;
  // By the log from which on some families need logs: the number of the last change in their
  // tables. What such a log holds came later.
  std::map<std::uint64_t, std::uint64_t> last_in_tables;
};

std::string ManifestName(std::uint64_t number);
std::string TableName(std::uint64_t number);
std::string LogName(std::uint64_t number);

// The number in "MANIFEST-000012", "000012.log" and the like, with what stands around it; nullopt
// for other names.
std::optional<std::uint64_t> NumberIn(std::string_view name, std::string_view begin,
                                      std::string_view end);

// Returns the number of the manifest that CURRENT names. kNotFound without CURRENT, kCorruption
// when it names none, kIoError.
Result<std::uint64_t> ReadCurrent(rocksdb::Env& env, const std::string& path);

// Reads a manifest of the folder `path`. kNotFound, kIoError.
Result<Manifest> ReadManifest(rocksdb::Env& env, const std::string& path, std::uint64_t number);

}  // namespace reco::store
