#include "engine/popular/ranked_values.h"

#include <algorithm>
#include <utility>

namespace reco::engine {

namespace {

// Order of a ranking: best first.
struct Better {
  FunctionRef<bool(std::uint32_t, std::uint32_t)> before;
  bool operator()(const RankedValue& a, const RankedValue& b) const {
    return a.value != b.value ? a.value > b.value : before(a.ordinal, b.ordinal);
  }
};

}  // namespace

// Keeps the best `limit` of the values offered. It gathers up to twice as many and then drops the
// worse half, so a value costs constant time whatever the limit.
class RankedValues::Selection {
 public:
  Selection(const PageQuery& query, std::size_t limit) : query_(query), limit_(limit) {}

  // Values below this one cannot get in; -inf until `limit` were found.
  double threshold() const { return threshold_; }

  void Offer(std::uint32_t ordinal, double value) {
    // kUnranked is below or equal to any threshold.
    if (value < threshold_ || value == kUnranked || !query_.accept(ordinal)) {
      return;
    }
    // Equal to the threshold still gets in: ties are broken by `before`, in Shrink.
    found_.push_back({ordinal, value});
    if (found_.size() >= limit_ + std::max<std::size_t>(limit_, kSlack)) {
      Shrink();
    }
  }

  // Returns the best, best first, without the first `offset`.
  std::vector<RankedValue> Take() && {
    Shrink();
    std::sort(found_.begin(), found_.end(), Better{query_.before});
    found_.erase(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(
                                                      std::min(query_.offset, found_.size())));
    return std::move(found_);
  }

 private:
  static constexpr std::size_t kSlack = 64;

  void Shrink() {
    // Too few: nothing is known of a threshold yet.
    if (found_.size() <= limit_) {
      return;
    }
    const auto last = found_.begin() + static_cast<std::ptrdiff_t>(limit_ - 1);
    std::nth_element(found_.begin(), last, found_.end(), Better{query_.before});
    found_.resize(limit_);
    // nth_element has put the worst of the best there.
    threshold_ = found_.back().value;
  }

  const PageQuery& query_;
  const std::size_t limit_;
  double threshold_ = kUnranked;
  std::vector<RankedValue> found_;
};

void RankedValues::Put(std::uint32_t ordinal, double value) {
  const std::size_t b = ordinal / kBlock;
  while (blocks_.size() <= b) {
    blocks_.emplace_back().fill(kUnranked);
    maxima_.push_back(kUnranked);
  }
  auto& block = blocks_[b];
  double& maximum = maxima_[b];
  const double old = std::exchange(block[ordinal % kBlock], value);
  if (value >= maximum) {
    maximum = value;
    // The maximum may have fallen; another of the same value may stand beside it.
  } else if (old == maximum) {
    maximum = *std::max_element(block.begin(), block.end());
  }
}

void RankedValues::Unrank(std::uint32_t ordinal) {
  if (ordinal / kBlock < blocks_.size()) {
    Put(ordinal, kUnranked);
  }
}

void RankedValues::Clear() {
  blocks_.clear();
  maxima_.clear();
  maxima_.shrink_to_fit();
}

void RankedValues::Scale(double factor) {
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    for (double& value : blocks_[b]) {
      // A factor that underflows to 0 would make NaN of the mark.
      value = value == kUnranked ? kUnranked : value * factor;
    }
    maxima_[b] = *std::max_element(blocks_[b].begin(), blocks_[b].end());
  }
}

double RankedValues::value(std::uint32_t ordinal) const {
  const std::size_t b = ordinal / kBlock;
  if (b >= blocks_.size()) {
    return 0;
  }
  const double value = blocks_[b][ordinal % kBlock];
  return value == kUnranked ? 0 : value;
}

std::vector<RankedValue> RankedValues::Top(const PageQuery& query) const {
  const std::size_t candidates = query.among ? query.among->size() : blocks_.size() * kBlock;
  // Each bound by itself, so that the sum of two large numbers does not wrap.
  const std::size_t limit = std::min(query.count, candidates) + std::min(query.offset, candidates);
  if (query.count == 0 || limit == 0) {
    return {};
  }
  Selection selection(query, limit);
  if (!query.among) {
    OfferAll(&selection);
    return std::move(selection).Take();
  }
  for (const std::uint32_t ordinal : *query.among) {
    if (ordinal / kBlock < blocks_.size()) {
      selection.Offer(ordinal, blocks_[ordinal / kBlock][ordinal % kBlock]);
    }
  }
  return std::move(selection).Take();
}

void RankedValues::OfferAll(Selection* selection) const {
  // A heap, since most queries look at few blocks.
  std::vector<std::pair<double, std::uint32_t>> order;
  order.reserve(maxima_.size());
  for (std::size_t b = 0; b < maxima_.size(); ++b) {
    order.emplace_back(maxima_[b], static_cast<std::uint32_t>(b));
  }
  std::make_heap(order.begin(), order.end());
  // With >=: a block that can only tie with the last place may hold the better id.
  while (!order.empty() && order.front().first >= selection->threshold()) {
    const std::uint32_t b = order.front().second;
    std::pop_heap(order.begin(), order.end());
    order.pop_back();
    for (std::uint32_t i = 0; i < kBlock; ++i) {
      selection->Offer(b * kBlock + i, blocks_[b][i]);
    }
  }
}

std::size_t RankedValues::memory_bytes() const {
  return blocks_.size() * sizeof(blocks_[0]) + maxima_.capacity() * sizeof(maxima_[0]);
}

}  // namespace reco::engine
