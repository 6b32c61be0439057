// How much memory this process may use: what the machine has, or less where a cgroup, such as that
// of a container or of a systemd unit, allows less.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reco::api {

struct AvailableMemory {
  enum class Bound : std::uint8_t { kMachine, kCgroup, kMaxmemory };

  std::uint64_t bytes = 0;
  Bound bound = Bound::kMachine;  // what sets it
};

// Returns the memory of this process.
AvailableMemory FindAvailableMemory();

// Returns the smaller of `machine_bytes` and the limits of the cgroup that `root`/proc/self/cgroup
// names, and of those around it, as they stand in `root`/sys/fs/cgroup. What is missing or cannot
// be read sets no limit.
AvailableMemory FindAvailableMemory(const std::string& root, std::uint64_t machine_bytes);

// Returns the files that may hold a limit, innermost first, from the text of /proc/self/cgroup:
// memory.max of version 2, memory.limit_in_bytes of version 1. A container may see the path of its
// cgroup as the host names it; the last file, that of the root, is then the only one there.
std::vector<std::string> MemoryLimitFiles(std::string_view cgroups);

// Reads the text of such a file. nullopt: no limit ("max"), or no number.
std::optional<std::uint64_t> ParseMemoryLimit(std::string_view text);

}  // namespace reco::api
