#include "tools/benchmark/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace reco::benchmark {

// Returns the bucket of a value. One of n > 8 bits is shifted right until 8 bits are left; those,
// less their leading one, number the bucket within its power of two.
std::size_t Histogram::BucketOf(std::uint64_t value) {
  if (value < kLinear) {
    return value;
  }
  const std::size_t shift = static_cast<std::size_t>(std::bit_width(value)) - kLinearBits;
  return kLinear + (shift - 1) * kHalf + ((value >> shift) - kHalf);
}

std::uint64_t Histogram::LargestIn(std::size_t bucket) {
  if (bucket < kLinear) {
    return bucket;
  }
  const std::size_t shift = (bucket - kLinear) / kHalf + 1;
  const std::uint64_t top = (bucket - kLinear) % kHalf + kHalf;
  return (top << shift) + ((std::uint64_t{1} << shift) - 1);
}

void Histogram::Record(std::uint64_t value, std::uint64_t times) {
  if (times == 0) {
    return;
  }
  counts_[BucketOf(value)] += times;
  count_ += times;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

void Histogram::Merge(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::Mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::Quantile(double quantile) const {
  // The rank of the value that is looked for, from 1.
  const double wanted = std::ceil(quantile * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) {
      // The bucket's end may lie above the largest value there was.
      return std::min(LargestIn(i), max_);
    }
  }
  return max_;
}

}  // namespace reco::benchmark
