// Compares the files of a folder with what must be there, by its inventory, its manifest and the
// marks in its logs, before RocksDB opens it: RocksDB takes a missing log for one that was never
// there, a shorter manifest for an older state, and then removes what that does not name (D49).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reco/result.h"

#include "store/manifest.h"

namespace rocksdb {
class Env;
}

namespace reco::store {

struct FolderReport {
  // What is damaged or missing of what was synced, each with its file: not to be opened.
  std::vector<std::string> damages;
  // What was written and is lost, but for all that can be told was never synced: what power loss
  // leaves, and what damage of the last second may look like.
  std::vector<std::string> losses;
  // What a process that is killed leaves, and what will become of it.
  std::vector<std::string> notes;

  bool has_inventory = false;
  // The manifest is whole as far as it must be, and understood; otherwise nothing follows from it.
  bool has_manifest = false;
  Manifest manifest;
  // Of each log that is there, by number, its bytes in front of all damage; 0 where the manifest
  // does not need it, or says nothing.
  std::map<std::uint64_t, std::uint64_t> log_bytes;
  std::set<std::uint64_t> lost_tables;  // missing, or of another size
  // The first log that is missing or damaged, and its bytes in front of that.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> broken_log;
};

// Reads the manifest and the logs whole, and no tables; changes nothing. An empty report where
// there is no folder yet. kIoError; what is not as it must be is not an error. The folder must not
// be in use meanwhile.
Result<FolderReport> CheckFolder(rocksdb::Env& env, const std::string& path);

}  // namespace reco::store
