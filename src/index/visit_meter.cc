#include "index/visit_meter.h"

#include <algorithm>

namespace reco::index {

void VisitMeter::Count(std::size_t rows, std::size_t of) {
  if (of == 0) {
    return;
  }
  const double share = static_cast<double>(rows) / static_cast<double>(of);
  sum_.fetch_add(static_cast<std::uint64_t>(share * kUnit), std::memory_order_relaxed);
  if ((searches_.fetch_add(1, std::memory_order_relaxed) + 1) % kWindow != 0) {
    return;
  }
  const std::uint64_t sum = std::max<std::uint64_t>(1, sum_.exchange(0, std::memory_order_relaxed));
  std::uint64_t none = 0;
  // The first full window behind a build is what all later ones are compared with.
  if (!first_.compare_exchange_strong(none, sum, std::memory_order_relaxed)) {
    last_.store(sum, std::memory_order_relaxed);
  }
}

bool VisitMeter::doubled() const {
  const std::uint64_t first = first_.load(std::memory_order_relaxed);
  return first != 0 && last_.load(std::memory_order_relaxed) >= 2 * first;
}

void VisitMeter::Reset() {
  for (auto* count : {&searches_, &sum_, &first_, &last_}) {
    count->store(0, std::memory_order_relaxed);
  }
}

}  // namespace reco::index
