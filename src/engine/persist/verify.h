// Compares one collection on disk with its events.
#pragma once

#include <string>

#include "reco/status.h"
#include "reco/types.h"

#include "format/records.h"
#include "store/store.h"

namespace reco::engine::persist {

// Adds what differs to the report, under `name`, and counts what was read. kCorruption and so on
// when rows cannot be read. Holds all pairs of the collection in memory.
Status VerifyCollection(const store::Store& store, const format::KeyRecord& key,
                        const std::string& name, VerifyReport* report);

}  // namespace reco::engine::persist
