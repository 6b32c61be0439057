// Reads table files whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/manifest.h"

namespace rocksdb {
class Env;
}

namespace reco::store {

struct DamagedTable {
  std::uint64_t number = 0;
  std::string family;      // empty where it cannot be told
  std::string what;        // in words, with the name of the file
  std::uint64_t rows = 0;  // in it; 0 where that cannot be told
};

// Compares every block of the tables that `manifest` names with its checksum and returns those that
// differ. Tables that are missing are not among them. Time: that of reading the files.
std::vector<DamagedTable> FindDamagedTables(rocksdb::Env& env, const std::string& path,
                                            const Manifest& manifest);

}  // namespace reco::store
