// Which allocator serves malloc and new in this process.
#pragma once

#include <string>

namespace reco {

// Returns "libc", or "jemalloc-5.3.0" and the like, as the memory section of Redis's INFO names it.
std::string AllocatorName();

}  // namespace reco
