// EventStream: made-up interactions, one after the other, without end. The same options give the
// same events, so that two servers, or a server and a store alone, can be given the same.
#pragma once

#include <cstdint>
#include <string_view>

#include "tools/benchmark/workload.h"

namespace reco::benchmark {

// Returns an item for a user: 7 in 10 of the user's group, which owns every 32nd item; popularity
// follows a power law within the group and over all. About 0.05 us.
std::uint64_t ChooseItem(Random& random, std::uint64_t user, std::uint64_t items);

enum class UserOrder : std::uint8_t {
  kRandom,    // each event is of another user
  kSessions,  // kSessionEvents events in a row are of one user
};
inline constexpr std::uint64_t kSessionEvents = 10;

struct StreamOptions {
  std::uint64_t users = 100'000;
  std::uint64_t items = 41'000;
  std::uint64_t seed = 1;
  UserOrder order = UserOrder::kRandom;
  bool users_by_power_law = false;  // otherwise all are as likely
};

struct StreamEvent {
  std::uint64_t user = 0;  // from 0 to users - 1
  std::uint64_t item = 0;
};

// Confined.
class EventStream {
 public:
  explicit EventStream(const StreamOptions& options) : options_(options), random_(options.seed) {}

  StreamEvent Next();
  // Passes over the next `count` events, so that a run can go on where another has ended.
  void Skip(std::uint64_t count);

 private:
  const StreamOptions options_;
  Random random_;
  std::uint64_t user_ = 0;          // of the session
  std::uint64_t session_left_ = 0;  // events
};

}  // namespace reco::benchmark
