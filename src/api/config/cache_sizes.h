// The sizes of the caches: as configured, or a share of the memory where an option says auto.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/config/available_memory.h"
#include "api/config/config_options.h"

namespace reco::api {

// What auto chooses is within these bounds. Below the lower ones a read of a row or a block would
// hardly ever find it; above the upper ones whoever has the memory should say so.
inline constexpr std::uint64_t kAutoRowCacheMin = 16ULL << 20U;
inline constexpr std::uint64_t kAutoRowCacheMax = 4ULL << 30U;
inline constexpr std::uint64_t kAutoBlockCacheMin = 4ULL << 20U;
inline constexpr std::uint64_t kAutoBlockCacheMax = 1ULL << 30U;

struct CacheSizes {
  std::uint64_t row_bytes = 0;
  std::uint64_t block_bytes = 0;
};

// Returns the sizes that `options` configure; auto takes a quarter, or a sixteenth, of `memory` or
// of maxmemory where that is less: rows must not fill what writes need.
CacheSizes ChooseCaches(const ServerOptions& options, const AvailableMemory& memory);

// Returns a line for the log about each cache: "Row cache 4.0 GiB (auto: ...)".
std::vector<std::string> DescribeCaches(const ServerOptions& options,
                                        const AvailableMemory& memory);

}  // namespace reco::api
