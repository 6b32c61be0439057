#include "api/config/available_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace reco::api {
namespace {

constexpr std::string_view kCgroups = "/sys/fs/cgroup";

// Returns the beginning of a file, and "" for one that cannot be read.
std::string ReadText(const std::string& path) {
  constexpr std::size_t kBytesMax = 64U << 10U;  // a line of each hierarchy, each with a path
  std::ifstream file(path);
  std::string text(kBytesMax, '\0');
  // Not by iterators, which throw when the file is a folder.
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// Returns what stands in front of `separator`, and takes both from `text`; all of it without one.
std::string_view TakeUpTo(char separator, std::string_view* text) {
  const std::string_view taken = text->substr(0, text->find(separator));
  text->remove_prefix(std::min(text->size(), taken.size() + 1));
  return taken;
}

bool Names(std::string_view controllers, std::string_view name) {
  while (!controllers.empty()) {
    if (TakeUpTo(',', &controllers) == name) {
      return true;
    }
  }
  return false;
}

// Adds the file of the cgroup `path` below `mount`, and of those around it.
void AddFiles(const std::string& mount, std::string_view path, std::string_view file,
              std::vector<std::string>* files) {
  // A cgroup outside of the namespace of this process, whose folder is not to be seen.
  if (path.find("..") != std::string_view::npos) {
    path = "";
  }
  while (true) {
    while (!path.empty() && path.back() == '/') {
      path.remove_suffix(1);
    }
    files->push_back(mount + std::string(path) + "/" + std::string(file));
    if (path.empty()) {
      return;
    }
    const std::size_t slash = path.rfind('/');
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
}

}  // namespace

std::vector<std::string> MemoryLimitFiles(std::string_view cgroups) {
  std::vector<std::string> files;
  while (!cgroups.empty()) {
    // A line is hierarchy:controllers:path; version 2 has hierarchy 0 and no controllers.
    std::string_view path = TakeUpTo('\n', &cgroups);
    const std::string_view hierarchy = TakeUpTo(':', &path);
    const std::string_view controllers = TakeUpTo(':', &path);
    if (!path.starts_with('/')) {
      continue;
    }
    if (hierarchy == "0" && controllers.empty()) {
      AddFiles(std::string(kCgroups), path, "memory.max", &files);
    } else if (Names(controllers, "memory")) {
      AddFiles(std::string(kCgroups) + "/memory", path, "memory.limit_in_bytes", &files);
    }
  }
  return files;
}

std::optional<std::uint64_t> ParseMemoryLimit(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  std::uint64_t bytes = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), bytes);
  const bool whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
  return whole ? std::optional(bytes) : std::nullopt;
}

AvailableMemory FindAvailableMemory(const std::string& root, std::uint64_t machine_bytes) {
  AvailableMemory memory{machine_bytes, AvailableMemory::Bound::kMachine};
  for (const std::string& file : MemoryLimitFiles(ReadText(root + "/proc/self/cgroup"))) {
    const std::optional<std::uint64_t> limit = ParseMemoryLimit(ReadText(root + file));
    // Version 1 says that there is none by a number above any memory.
    if (limit && *limit < memory.bytes) {
      memory = {*limit, AvailableMemory::Bound::kCgroup};
    }
  }
  return memory;
}

AvailableMemory FindAvailableMemory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  const bool known = pages > 0 && page_bytes > 0;
  return FindAvailableMemory(
      "", known ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes) : 0);
}

}  // namespace reco::api
