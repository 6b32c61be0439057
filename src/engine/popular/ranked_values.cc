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
    if (value < threshold_ || !query_.accept(ordinal)) {
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
  double threshold_ = kNothing;
  std::vector<RankedValue> found_;
};

double RankedValues::MaximumOf(std::size_t block) const {
  double maximum = kNothing;
  ForEachOf(block, [&](std::uint32_t, double value) { maximum = std::max(maximum, value); });
  return maximum;
}

void RankedValues::Set(std::uint32_t ordinal, double value) {
  const std::size_t b = ordinal / kBlock;
  if (maxima_.size() <= b) {
    maxima_.resize(b + 1, kNothing);
  }
  const double old = std::exchange(values_.Make(ordinal), value);
  if (value >= maxima_[b]) {
    maxima_[b] = value;
    // The maximum may have fallen; another of the same value may stand beside it.
  } else if (old == maxima_[b]) {
    maxima_[b] = MaximumOf(b);
  }
}

void RankedValues::Unrank(std::uint32_t ordinal) {
  const double* found = values_.Find(ordinal);
  if (found == nullptr) {
    return;
  }
  const double old = *found;
  values_.Erase(ordinal);
  if (double& maximum = maxima_[ordinal / kBlock]; old == maximum) {
    maximum = MaximumOf(ordinal / kBlock);
  }
}

void RankedValues::Clear() {
  values_.Clear();
  maxima_.clear();
  maxima_.shrink_to_fit();
}

void RankedValues::Scale(double factor) {
  values_.ForEach(0, values_.end(), [factor](std::uint32_t, double& value) { value *= factor; });
  for (std::size_t b = 0; b < maxima_.size(); ++b) {
    maxima_[b] = MaximumOf(b);
  }
}

double RankedValues::value(std::uint32_t ordinal) const {
  return values_[ordinal];
}

std::vector<RankedValue> RankedValues::Top(const PageQuery& query) const {
  const std::size_t candidates = query.among ? query.among->size() : maxima_.size() * kBlock;
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
    if (const double* value = values_.Find(ordinal)) {
      selection.Offer(ordinal, *value);
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
    ForEachOf(
        b, [selection](std::uint32_t ordinal, double value) { selection->Offer(ordinal, value); });
  }
}

std::size_t RankedValues::memory_bytes() const {
  return values_.memory_bytes() + maxima_.capacity() * sizeof(maxima_[0]);
}

}  // namespace reco::engine
