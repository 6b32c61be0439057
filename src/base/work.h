// Counts what a thread does, for those who bound it (engine/state/holds.h). Costs nothing but in
// checked builds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace reco {

enum class Work : std::uint8_t {
  kRows,      // vectors, records or pairs copied or coded
  kPairs,     // pairs of one row copied, or added to sums
  kSolves,    // rows solved, with what follows from the new vector
  kEntries,   // entries of a table looked at, moved or taken out
  kMatrices,  // matrices of d x d copied
};
inline constexpr std::size_t kWorkKinds = 5;
using WorkDone = std::array<std::uint64_t, kWorkKinds>;

#ifdef RECO_DCHECKS
// All that the thread has done so far.
inline thread_local WorkDone work_done{};
inline void CountWork(Work kind, std::size_t count) {
  work_done[static_cast<std::size_t>(kind)] += count;
}
#else
inline void CountWork(Work /*kind*/, std::size_t /*count*/) {}
#endif

}  // namespace reco
