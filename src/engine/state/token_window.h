// TokenWindow: the newest idempotency tokens of a collection and the numbers of their events.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/store.h"

namespace reco::engine {

class TokenWindow {
 public:
  // Returns the number of the event that brought `token`; nullopt when it is empty or not known.
  std::optional<std::uint64_t> Find(std::string_view token) const;
  // Keeps `token`, forgets the oldest beyond `window`, and queues both changes of the family tokens
  // into `rows`. Nothing when the token is empty or the window 0.
  void Remember(std::string_view token, std::uint64_t seq, std::uint64_t window, std::uint32_t cid,
                store::Batch* rows);
  // Puts back a stored token while loading; call it with the oldest first.
  void Restore(std::string token, std::uint64_t seq);

  std::uint64_t memory_bytes() const { return numbers_.size() * kTokenBytes; }

 private:
  static constexpr std::uint64_t kTokenBytes = 160;  // in the map and in the queue, about

  std::unordered_map<std::string, std::uint64_t> numbers_;
  std::deque<std::string> order_;  // oldest first
};

}  // namespace reco::engine
