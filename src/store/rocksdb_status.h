// What RocksDB answers, as Status.
#pragma once

#include <string_view>

#include <rocksdb/status.h>

#include "reco/status.h"

namespace reco::store {

// In the message of each Status of a full disk.
inline constexpr std::string_view kDiskFullText = "no space left on device";

// Returns the status with the message "<where>: <what>"; `where` may be empty.
Status ToStatus(const rocksdb::Status& status, std::string_view where);

}  // namespace reco::store
