// INVENTORY: what a folder must have, written down apart from the files that it is about, so that
// their loss shows (D49). What it says is a lower bound: files grow behind it, and a newer manifest
// than the one it names replaces it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "reco/result.h"

namespace rocksdb {
class Env;
}

namespace reco::store {

inline constexpr std::string_view kInventoryName = "INVENTORY";

struct Inventory {
  std::uint64_t manifest = 0;        // number of the file
  std::uint64_t manifest_bytes = 0;  // synced, and records to the end
  // Of each log that was there, by number, in the same way; 0: it is there.
  std::map<std::uint64_t, std::uint64_t> log_bytes;

  bool operator==(const Inventory&) const = default;
};

// Part of the file format. See doc/format.md.
std::string EncodeInventory(const Inventory& inventory);
// kCorruption when it is not whole; kFailedPrecondition when it is of a newer version.
Result<Inventory> DecodeInventory(std::string_view text);

// Reads that of the folder `path`. kNotFound where there is none; kCorruption and so on name it.
Result<Inventory> ReadInventory(rocksdb::Env& env, const std::string& path);
// Replaces it in one step and syncs it. kIoError; the one before then stays.
Status WriteInventory(rocksdb::Env& env, const std::string& path, const Inventory& inventory);

}  // namespace reco::store
