// AttributeTable: what only some users or items of a collection have: JSON, a flag, an expiry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

namespace reco::engine {

struct Attributes {
  std::string json;
  bool hidden = false;
  std::int64_t expire_at_ms = 0;  // 0: never
  bool empty() const { return json.empty() && !hidden && expire_at_ms == 0; }
  bool ExpiredAt(std::int64_t now_ms) const { return expire_at_ms != 0 && expire_at_ms <= now_ms; }
};

// By ordinal; knows its own size, since the database asks for it every 100 ms.
// Thread-compatible.
class AttributeTable {
 public:
  bool empty() const { return rows_.empty(); }
  // Returns null when it has none. Valid until the next change.
  const Attributes* Find(std::uint32_t ordinal) const {
    const auto found = rows_.find(ordinal);
    return found == rows_.end() ? nullptr : &found->second;
  }
  // Takes them out and returns them; empty ones when it has none.
  Attributes Take(std::uint32_t ordinal) {
    Attributes taken;
    if (const auto found = rows_.find(ordinal); found != rows_.end()) {
      json_bytes_ -= found->second.json.capacity();
      taken = std::move(found->second);
      rows_.erase(found);
    }
    return taken;
  }
  // Keeps `attributes` unless they are empty. Needs the old ones taken out before.
  void Put(std::uint32_t ordinal, Attributes attributes) {
    if (!attributes.empty()) {
      json_bytes_ += attributes.json.capacity();
      rows_.emplace(ordinal, std::move(attributes));
    }
  }
  // In no particular order.
  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }

  std::uint64_t memory_bytes() const {
    constexpr std::uint64_t kNodeBytes = 2 * sizeof(void*) + sizeof(std::uint64_t);  // with the key
    return rows_.size() * (sizeof(Attributes) + kNodeBytes) + rows_.bucket_count() * sizeof(void*) +
           json_bytes_;
  }

 private:
  std::unordered_map<std::uint32_t, Attributes> rows_;
  std::uint64_t json_bytes_ = 0;
};

}  // namespace reco::engine
