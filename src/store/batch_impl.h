// Batch::Impl, shared by batch.cc and store.cc.
#pragma once

#include <rocksdb/write_batch.h>

#include "store/store.h"

namespace reco::store {

struct Batch::Impl {
  rocksdb::WriteBatch batch;
};

}  // namespace reco::store
