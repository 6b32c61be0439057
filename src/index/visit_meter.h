// VisitMeter: how much of an index its searches go through, now and right after it was built.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace reco::index {

// Thread-safe. All counts are hints: a search that is counted in the next window or twice does no
// harm, so relaxed order suffices.
class VisitMeter {
 public:
  // Searches whose mean is compared.
  static constexpr std::uint64_t kWindow = 256;

  // Counts one search that visited `rows` of `of`.
  void Count(std::size_t rows, std::size_t of);
  // Returns true iff the last full window visited at least twice the share of the first one.
  bool doubled() const;
  void Reset();

 private:
  static constexpr double kUnit = 1 << 20;

  std::atomic<std::uint64_t> searches_ = 0;
  std::atomic<std::uint64_t> sum_ = 0;    // of the window's shares, in 1 / kUnit
  std::atomic<std::uint64_t> first_ = 0;  // of the first window; 0: not full yet
  std::atomic<std::uint64_t> last_ = 0;
};

}  // namespace reco::index
