#include "filter/dictionary.h"

#include <string>

namespace reco::filter {
namespace {

// A node of the hash map and its share of the buckets.
constexpr std::size_t kNodeBytes = 48;

}  // namespace

std::uint32_t Dictionary::Intern(std::string_view text) {
  const auto known = ids_.find(text);
  if (known != ids_.end()) {
    StringEntry& entry = entries_[known->second];
    // It was kept with no uses, and has one again.
    unused_ -= entry.uses == 0 ? 1 : 0;
    ++entry.uses;
    return known->second;
  }
  const auto id = static_cast<std::uint32_t>(entries_.size());
  const StringEntry& entry =
      entries_.emplace_back(StringEntry{std::string(text), NumberOf(text), 1});
  ids_.emplace(entry.text, id);
  memory_bytes_ += sizeof(StringEntry) + kNodeBytes;
  memory_bytes_ += text.size() < sizeof(std::string) / 2 ? 0 : text.size() + 1;
  return id;
}

void Dictionary::Release(std::uint32_t id) {
  StringEntry& entry = entries_[id];
  --entry.uses;
  unused_ += entry.uses == 0 ? 1 : 0;
}

}  // namespace reco::filter
