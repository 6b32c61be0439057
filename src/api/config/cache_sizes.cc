#include "api/config/cache_sizes.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace reco::api {
namespace {

// What auto gives a cache.
struct Share {
  std::uint64_t divisor;
  std::string_view words;
  std::uint64_t min_bytes;
  std::uint64_t max_bytes;

  std::uint64_t Of(std::uint64_t memory_bytes) const {
    return std::clamp(memory_bytes / divisor, min_bytes, max_bytes);
  }
};

constexpr Share kRowShare{4, "a quarter", kAutoRowCacheMin, kAutoRowCacheMax};
constexpr Share kBlockShare{16, "a sixteenth", kAutoBlockCacheMin, kAutoBlockCacheMax};

AvailableMemory WithinMaxmemory(const ServerOptions& options, const AvailableMemory& memory) {
  const auto limit = static_cast<std::uint64_t>(options.maxmemory_bytes);
  return limit != 0 && limit < memory.bytes
             ? AvailableMemory{limit, AvailableMemory::Bound::kMaxmemory}
             : memory;
}

std::uint64_t Choose(std::int64_t configured, const Share& share, const AvailableMemory& memory) {
  return configured == kAutoBytes ? share.Of(memory.bytes) : static_cast<std::uint64_t>(configured);
}

// Returns "1.5 GiB".
std::string Bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string Whose(const AvailableMemory& memory) {
  switch (memory.bound) {
    case AvailableMemory::Bound::kCgroup:
      return "the cgroup's " + Bytes(memory.bytes);
    case AvailableMemory::Bound::kMaxmemory:
      return "maxmemory, " + Bytes(memory.bytes);
    case AvailableMemory::Bound::kMachine:
      break;
  }
  return "the machine's " + Bytes(memory.bytes);
}

std::string Describe(std::int64_t configured, const Share& share, const AvailableMemory& memory) {
  std::string text = Bytes(Choose(configured, share, memory));
  if (configured != kAutoBytes) {
    return text + " (as configured)";
  }
  text.append(" (auto: ").append(share.words).append(" of ").append(Whose(memory));
  if (memory.bytes / share.divisor > share.max_bytes) {
    text += ", at most " + Bytes(share.max_bytes);
  } else if (memory.bytes / share.divisor < share.min_bytes) {
    text += ", at least " + Bytes(share.min_bytes);
  }
  return text + ")";
}

}  // namespace

CacheSizes ChooseCaches(const ServerOptions& options, const AvailableMemory& memory) {
  const AvailableMemory own = WithinMaxmemory(options, memory);
  return {Choose(options.row_cache_bytes, kRowShare, own),
          Choose(options.block_cache_bytes, kBlockShare, own)};
}

std::vector<std::string> DescribeCaches(const ServerOptions& options,
                                        const AvailableMemory& memory) {
  const AvailableMemory own = WithinMaxmemory(options, memory);
  return {"Row cache " + Describe(options.row_cache_bytes, kRowShare, own),
          "Block cache " + Describe(options.block_cache_bytes, kBlockShare, own)};
}

}  // namespace reco::api
