// Compressed inputs: gzip, zstd and bzip2, known by their first bytes.
#pragma once

#include <memory>

#include "reco/result.h"

#include "tools/admin/byte_source.h"

namespace reco::admin {

inline constexpr int kZstdWindowLogMax = 27;  // 128 MiB, what the zstd program takes unasked

// Returns the source of what `source` has packed, or its own bytes when it is not compressed.
// Several gzip members, zstd frames or bzip2 streams one after another are read as one; zeros
// behind the last gzip member, as tapes have them, are passed over.
//
// Its Read answers kCorruption, with the format's name, for data that end too early, are damaged or
// have other bytes behind them, and kInvalidArgument for zstd data that need a window of more than
// 2^kZstdWindowLogMax bytes. Errors here are those of the source.
Result<std::unique_ptr<ByteSource>> Decompressed(std::unique_ptr<ByteSource> source);

}  // namespace reco::admin
