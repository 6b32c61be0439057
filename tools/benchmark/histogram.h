// Histogram: counts of latencies in log-linear buckets, after the idea of HdrHistogram.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace reco::benchmark {

// Values below kLinear have a bucket each; above, every power of two is split into kLinear / 2
// buckets, so that a bucket is at most 2 / kLinear (0.8%) as wide as its values are large. Any
// 64-bit value fits; memory is constant (about 60 KiB). Thread-compatible.
class Histogram {
 public:
  static constexpr std::uint64_t kLinear = 256;
  // A quantile is never below the exact one, and above it by at most this part of it.
  static constexpr double kRelativeError = 2.0 / kLinear;

  void Record(std::uint64_t value, std::uint64_t times = 1);
  void Merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }  // exact
  double Mean() const;                        // exact; 0 when empty
  // Returns the smallest bucket end that at least `quantile` (0 to 1) of the values do not exceed,
  // capped by max(); 0 when empty.
  std::uint64_t Quantile(double quantile) const;

 private:
  static constexpr std::size_t kHalf = kLinear / 2;
  static constexpr std::size_t kLinearBits = 8;
  static constexpr std::size_t kBuckets = kLinear + (64 - kLinearBits) * kHalf;

  static std::size_t BucketOf(std::uint64_t value);
  static std::uint64_t LargestIn(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace reco::benchmark
