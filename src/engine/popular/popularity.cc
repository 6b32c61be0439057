#include "engine/popular/popularity.h"

namespace reco::engine {

void Popularity::Update(std::uint32_t item, std::uint64_t users, double weight,
                        std::uint64_t events) {
  // Sums of floats leave a rest: without users an item is out by all measures.
  if (users == 0) {
    for (RankedValues& measure : measures_) {
      measure.Unrank(item);
    }
    return;
  }
  of(PopularBy::kUsers).Set(item, static_cast<double>(users));
  of(PopularBy::kWeight).Set(item, weight);
  of(PopularBy::kEvents).Set(item, static_cast<double>(events));
}

void Popularity::Clear() {
  for (RankedValues& measure : measures_) {
    measure.Clear();
  }
}

std::size_t Popularity::memory_bytes() const {
  std::size_t bytes = 0;
  for (const RankedValues& measure : measures_) {
    bytes += measure.memory_bytes();
  }
  return bytes;
}

}  // namespace reco::engine
