// The distinct strings of a column, each under a small number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>

#include "filter/value.h"

namespace reco::filter {

// Thread-compatible. Ids are dense, from 0, and stay: a string that nothing uses any more keeps its
// place until the column makes a new dictionary.
class Dictionary {
 public:
  std::uint32_t Intern(std::string_view text);  // one more use of it
  void Release(std::uint32_t id);               // one use less

  const StringEntry& entry(std::uint32_t id) const { return entries_[id]; }
  std::size_t size() const { return entries_.size(); }
  std::size_t unused() const { return unused_; }
  std::size_t memory_bytes() const { return memory_bytes_; }

 private:
  std::deque<StringEntry> entries_;  // in place, for `ids_` refers to them
  std::unordered_map<std::string_view, std::uint32_t> ids_;
  std::size_t unused_ = 0;
  std::size_t memory_bytes_ = 0;  // about: of entries, their texts and `ids_`
};

}  // namespace reco::filter
