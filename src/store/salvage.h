// Copies what is whole of a damaged folder's files, so that the copy can be opened.
#pragma once

#include <string>
#include <vector>

#include "reco/options.h"
#include "reco/result.h"

namespace reco::store {

struct SalvagedFiles {
  std::vector<std::string> damages;  // as CheckFolder tells them, and damaged tables
  std::vector<std::string> dropped;
};

// Of logs the copy has what stands in front of the first damage or of a missing one. Where a table
// or the manifest is damaged, the copy is written anew from the tables that are whole. `target`
// must not exist. Reads the folder under its lock, and changes nothing in it. kAlreadyExists,
// kFailedPrecondition (in use), kIoError, kCorruption.
Result<SalvagedFiles> SalvageFiles(const std::string& path, const std::string& target,
                                   const LogSink& log);

}  // namespace reco::store
