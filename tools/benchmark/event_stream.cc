#include "tools/benchmark/event_stream.h"

namespace reco::benchmark {
namespace {

constexpr std::uint64_t kTastes = 32;
constexpr std::uint64_t kOwnTastePercent = 70;

}  // namespace

std::uint64_t ChooseItem(Random& random, std::uint64_t user, std::uint64_t items) {
  if (random.Next() % 100 >= kOwnTastePercent || items < 2 * kTastes) {
    return PowerLaw(random, items);
  }
  return PowerLaw(random, items / kTastes) * kTastes + user % kTastes;
}

StreamEvent EventStream::Next() {
  if (session_left_ == 0) {
    user_ = options_.users_by_power_law ? PowerLaw(random_, options_.users)
                                        : random_.Next() % options_.users;
    session_left_ = options_.order == UserOrder::kSessions ? kSessionEvents : 1;
  }
  --session_left_;
  return {user_, ChooseItem(random_, user_, options_.items)};
}

void EventStream::Skip(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    Next();
  }
}

}  // namespace reco::benchmark
