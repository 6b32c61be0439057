#include "engine/rows/recency.h"

#include <algorithm>
#include <array>

namespace reco::engine {
namespace {

constexpr double kShortestPaceMs = 60'000;
constexpr double kLongestGapsMs = 600'000;
constexpr std::size_t kPacedPairs = 10;
constexpr double kLeastShare = 1e-4;  // of the largest

}  // namespace

double PaceMs(std::span<const TimedItem> newest_first) {
  const std::size_t pairs = std::min(newest_first.size(), kPacedPairs);
  if (pairs < 2) {
    return kShortestPaceMs;
  }
  std::array<double, kPacedPairs - 1> gaps{};
  const std::span<double> all(gaps.data(), pairs - 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<double>(newest_first[i].time_ms - newest_first[i + 1].time_ms);
  }
  std::sort(all.begin(), all.end());
  const double median = (all[(all.size() - 1) / 2] + all[all.size() / 2]) / 2;
  return kShortestPaceMs + std::min(2 * median, kLongestGapsMs);
}

std::vector<double> SharesByTime(std::span<const TimedItem> newest_first, const Recency& recency,
                                 std::int64_t now_ms, double pace_ms) {
  std::vector<double> shares;
  shares.reserve(newest_first.size());
  if (!recency.by_age()) {
    double share = 1;
    for (std::size_t i = 0; i < newest_first.size(); ++i) {
      shares.push_back(share);
      share *= *recency.gamma;
    }
    return shares;
  }
  const auto share_of = [&](const TimedItem& item) {
    const auto age_ms = static_cast<double>(std::max<std::int64_t>(0, now_ms - item.time_ms));
    return 1 / (1 + age_ms / pace_ms);
  };
  for (const TimedItem& item : newest_first) {
    const double share = share_of(item) / share_of(newest_first.front());
    shares.push_back(share < kLeastShare ? 0 : share);
  }
  return shares;
}

void KeepNewest(std::vector<TimedItem>* items, std::size_t count) {
  const auto end = items->begin() + static_cast<std::ptrdiff_t>(std::min(items->size(), count));
  std::partial_sort(items->begin(), end, items->end(), [](const TimedItem& a, const TimedItem& b) {
    return a.time_ms != b.time_ms ? a.time_ms > b.time_ms : a.item > b.item;
  });
  items->erase(end, items->end());
}

}  // namespace reco::engine
