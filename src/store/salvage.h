// Copies what is whole of a damaged folder's files, so that the copy can be opened.
#pragma once

#include <string>
#include <vector>

#include "reco/result.h"

namespace reco::store {

struct StoreOptions;  // store.h

struct SalvagedFiles {
  std::vector<std::string> damages;  // as CheckFolder tells them, and damaged tables
  std::vector<std::string> dropped;
};

// Of logs the copy has what stands in front of the first damage or of a missing one. Where a table
// or the manifest is damaged, the copy is written anew from the tables that are whole, which lie in
// `<target>.tables` meanwhile. Neither may exist; where it fails, neither is left. Reads the folder
// of `options` under its locks, and changes nothing in it. kNotFound, kAlreadyExists,
// kFailedPrecondition (in use), kIoError, kCorruption.
Result<SalvagedFiles> SalvageFiles(const StoreOptions& options, const std::string& target);

}  // namespace reco::store
