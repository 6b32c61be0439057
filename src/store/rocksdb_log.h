// RocksDB's own log, written to the database's log sink. RocksDB's file logger ends the process by
// an assertion once its disk has filled up, and one log is easier to read than two.
#pragma once

#include <memory>

#include <rocksdb/env.h>

#include "reco/options.h"

namespace reco::store {

// Returns a logger by which warnings and worse go to `sink` as one line each; an empty sink drops
// them. Thread-safe.
std::shared_ptr<rocksdb::Logger> MakeRocksdbLog(LogSink sink);

}  // namespace reco::store
