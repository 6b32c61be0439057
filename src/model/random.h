// SplitMix64, the layer's source of randomness: the same numbers from the same seed everywhere.
#pragma once

#include <cstdint>

namespace reco::model {

// Steele, Lea, Flood 2014: small, fast, and any seed will do.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }
  // Returns a number in (0, 1].
  double Uniform() { return static_cast<double>((Next() >> 11U) + 1) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

// Returns a seed for stream `number` of `seed`, so that work may be dealt out in any order.
inline std::uint64_t StreamSeed(std::uint64_t seed, std::uint64_t number) {
  return SplitMix64(SplitMix64(seed).Next() ^ (number * 0xD1342543DE82EF95U)).Next();
}

}  // namespace reco::model
