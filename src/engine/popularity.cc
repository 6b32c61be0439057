#include "engine/popularity.h"

#include <algorithm>
#include <utility>

namespace reco::engine {

namespace {

constexpr auto kUsers = static_cast<std::size_t>(PopularBy::kUsers);
constexpr auto kWeight = static_cast<std::size_t>(PopularBy::kWeight);
constexpr auto kEvents = static_cast<std::size_t>(PopularBy::kEvents);

// Order of a ranking: best first.
struct Better {
  FunctionRef<bool(std::uint32_t, std::uint32_t)> before;
  bool operator()(const PopularItem& a, const PopularItem& b) const {
    return a.value != b.value ? a.value > b.value : before(a.item, b.item);
  }
};

}  // namespace

// Keeps the best `limit` of the items offered. It gathers up to twice as many and then drops the
// worse half, so an item costs constant time whatever the limit.
class Popularity::Selection {
 public:
  Selection(const PopularityQuery& query, std::size_t limit) : query_(query), limit_(limit) {}

  // Items below this value cannot get in; -inf until `limit` were found.
  double threshold() const { return threshold_; }

  void Offer(std::uint32_t item, double value) {
    // kUnranked is below or equal to any threshold.
    if (value < threshold_ || value == kUnranked || !query_.accept(item)) {
      return;
    }
    found_.push_back({item, value});
    if (found_.size() >= limit_ + std::max<std::size_t>(limit_, kSlack)) {
      Shrink();
    }
  }

  // Best first, without the first `offset`.
  std::vector<PopularItem> Take() && {
    Shrink();
    std::sort(found_.begin(), found_.end(), Better{query_.before});
    found_.erase(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(
                                                      std::min(query_.offset, found_.size())));
    return std::move(found_);
  }

 private:
  static constexpr std::size_t kSlack = 64;

  void Shrink() {
    if (found_.size() <= limit_) {
      return;
    }
    const auto last = found_.begin() + static_cast<std::ptrdiff_t>(limit_ - 1);
    std::nth_element(found_.begin(), last, found_.end(), Better{query_.before});
    found_.resize(limit_);
    threshold_ = found_.back().value;
  }

  const PopularityQuery& query_;
  const std::size_t limit_;
  double threshold_ = kUnranked;
  std::vector<PopularItem> found_;
};

void Popularity::SetValue(Measure* measure, std::uint32_t item, double value) {
  const std::size_t b = item / kBlockItems;
  while (measure->blocks.size() <= b) {
    measure->blocks.emplace_back().fill(kUnranked);
    measure->maxima.push_back(kUnranked);
  }
  auto& block = measure->blocks[b];
  double& maximum = measure->maxima[b];
  const double old = std::exchange(block[item % kBlockItems], value);
  if (value >= maximum) {
    maximum = value;
  } else if (old == maximum) {
    maximum = *std::max_element(block.begin(), block.end());
  }
}

void Popularity::Update(std::uint32_t item, std::uint64_t users, double weight,
                        std::uint64_t events) {
  if (users == 0) {
    for (Measure& measure : measures_) {
      SetValue(&measure, item, kUnranked);
    }
    return;
  }
  SetValue(&measures_[kUsers], item, static_cast<double>(users));
  SetValue(&measures_[kWeight], item, weight);
  SetValue(&measures_[kEvents], item, static_cast<double>(events));
}

void Popularity::Clear() {
  measures_ = {};
}

double Popularity::value(PopularBy by, std::uint32_t item) const {
  const Measure& values = measure(by);
  const std::size_t b = item / kBlockItems;
  if (b >= values.blocks.size()) {
    return 0;
  }
  const double value = values.blocks[b][item % kBlockItems];
  return value == kUnranked ? 0 : value;
}

std::vector<PopularItem> Popularity::Top(const PopularityQuery& query) const {
  const Measure& values = measure(query.by);
  const std::size_t items = values.blocks.size() * kBlockItems;
  const std::size_t limit = std::min(query.count, items) + std::min(query.offset, items);
  if (query.count == 0 || limit == 0) {
    return {};
  }
  // A heap, since most queries look at few blocks.
  std::vector<std::pair<double, std::uint32_t>> order;
  order.reserve(values.maxima.size());
  for (std::size_t b = 0; b < values.maxima.size(); ++b) {
    order.emplace_back(values.maxima[b], static_cast<std::uint32_t>(b));
  }
  std::make_heap(order.begin(), order.end());
  Selection selection(query, limit);
  while (!order.empty() && order.front().first >= selection.threshold()) {
    const std::uint32_t b = order.front().second;
    std::pop_heap(order.begin(), order.end());
    order.pop_back();
    for (std::uint32_t i = 0; i < kBlockItems; ++i) {
      selection.Offer(b * kBlockItems + i, values.blocks[b][i]);
    }
  }
  return std::move(selection).Take();
}

std::vector<PopularItem> Popularity::TopOf(std::span<const std::uint32_t> candidates,
                                           const PopularityQuery& query) const {
  const Measure& values = measure(query.by);
  const std::size_t limit =
      std::min(query.count, candidates.size()) + std::min(query.offset, candidates.size());
  if (query.count == 0 || limit == 0) {
    return {};
  }
  Selection selection(query, limit);
  for (const std::uint32_t item : candidates) {
    if (item < values.blocks.size() * kBlockItems) {
      selection.Offer(item, values.blocks[item / kBlockItems][item % kBlockItems]);
    }
  }
  return std::move(selection).Take();
}

std::size_t Popularity::memory_bytes() const {
  std::size_t bytes = 0;
  for (const Measure& values : measures_) {
    bytes += values.blocks.size() * sizeof(values.blocks[0]) +
             values.maxima.capacity() * sizeof(values.maxima[0]);
  }
  return bytes;
}

}  // namespace reco::engine
