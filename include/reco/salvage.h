// Makes of a damaged folder a copy that opens. See doc/operations.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reco/options.h"
#include "reco/result.h"

namespace reco {

struct SalvageReport {
  std::vector<std::string> damages;  // of the folder, a line each
  std::vector<std::string> dropped;  // what the copy lacks of what could still be seen, and why
  std::uint64_t keys = 0;            // in the copy; collections are among them
  std::uint64_t collections = 0;
  std::uint64_t events = 0;  // of all collections
};

// Copies the folder of `options`, which no process may have open, to `target`, which must not
// exist, nor `<target>.tables`, where it works, and makes of the copy a folder that opens: with
// what is whole, without the rest. A log counts up to its first damage, a table file as one; a
// collection that is then not as its events say is left out, the others stay. Changes nothing in
// the folder itself. Takes the disk space of the folder, up to twice where tables or the manifest
// are damaged. kNotFound: there is no folder; kAlreadyExists: there is a target;
// kFailedPrecondition: the folder is in use; kIoError; kCorruption: nothing can be read. What it
// has made is then removed.
Result<SalvageReport> Salvage(const Options& options, const std::string& target);

}  // namespace reco
