// Who holds a collection's lock, what each may do in one hold, and how long holds have been.
//
// Every view names its holder. In checked builds what is done under it is counted (CountWork), and
// a view that has done more than its holder's bound stops the program, so a step that grows fails
// the tests. Commands do their own work in one hold, however long, but for long writes.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/work.h"

namespace reco::engine {

enum class Holder : std::uint8_t {
  kRead,        // a command; gives the lock back about each 50 us of a scan
  kWrite,       // a command
  kWriteStep,   // goes on with a long one (D51)
  kOpen,        // nobody waits yet
  kCheckpoint,  // names what is to be written, and says that it is
  kCopy,        // copies what was named
  kForget,      // of deleted users and items
  kEvict,
  kLongRow,   // sums of rows that are too long for a write
  kTrain,     // a training or evaluation
  kCatchUp,   // solves what was written beside a training
  kSwap,      // makes the new model the active one
  kReplaced,  // drops the sums of the one before
  kIndex,     // sorts the item index anew
  kGraph,     // of neighbours
  kRidge,     // gathers the counts of ridge rows, sets them
};
inline constexpr std::size_t kHolders = 16;

struct HoldBound {
  Holder holder;
  std::string_view name;  // in INFO
  // In one hold, by Work.
  std::array<std::uint32_t, kWorkKinds> most;
};

inline constexpr std::uint32_t kAny = 0xffffffff;
// The newer pairs of a long row are those of two checkpoints and one RECO.MADD at most.
inline constexpr std::uint32_t kNewerPairsMax = 32'768;

inline constexpr std::array<HoldBound, kHolders> kHoldBounds = {{
    //                                   rows   pairs  solves  entries  matrices
    {Holder::kRead, "read", {kAny, kAny, kAny, kAny, kAny}},
    {Holder::kWrite, "write", {kAny, kAny, kAny, kAny, kAny}},
    // Solves: of a call 64, of partners that are left without pairs as many as there are.
    {Holder::kWriteStep, "write_step", {0, kAny, 512, 512, 0}},
    {Holder::kOpen, "open", {kAny, kAny, kAny, kAny, kAny}},
    {Holder::kCheckpoint, "checkpoint", {0, 0, 0, 0, 2}},
    {Holder::kCopy, "copy", {64, 0, 0, 0, 0}},
    {Holder::kForget, "forget", {0, 0, 0, 1'000, 0}},
    {Holder::kEvict, "evict", {0, 0, 0, 1'024, 0}},
    {Holder::kLongRow, "long_row", {0, kNewerPairsMax, 1, 0, 0}},
    {Holder::kTrain, "train", {64, 0, 0, 1'024, 0}},
    {Holder::kCatchUp, "catch_up", {1, kNewerPairsMax, 0, 0, 0}},
    {Holder::kSwap, "swap", {0, 32'768, 16, 16'384, 3}},
    {Holder::kReplaced, "replaced", {0, 0, 0, 1'000, 0}},
    {Holder::kIndex, "index", {512, 0, 0, 16'384, 0}},
    {Holder::kGraph, "graph", {64, 0, 0, 512, 0}},
    {Holder::kRidge, "ridge", {0, 0, 4, 0, 0}},
}};

constexpr const HoldBound& BoundOf(Holder holder) {
  return kHoldBounds[static_cast<std::size_t>(holder)];
}
constexpr bool HoldBoundsAreInOrder() {
  for (std::size_t i = 0; i < kHolders; ++i) {
    if (static_cast<std::size_t>(kHoldBounds[i].holder) != i) {
      return false;
    }
  }
  return true;
}
static_assert(HoldBoundsAreInOrder());

// How long the collections' locks were held, and in checked builds the most that was done in one
// hold. Thread-safe; counters are independent.
class HoldTimes {
 public:
  // Bucket i has the holds below 2^i us, the last one all that were longer.
  static constexpr std::size_t kBuckets = 22;

  struct Totals {
    std::uint64_t holds = 0;
    std::uint64_t ns = 0;
    std::uint64_t longest_ns = 0;
    std::array<std::uint64_t, kBuckets> buckets{};
  };

  void Add(Holder holder, std::int64_t ns);
  Totals Of(Holder holder) const;
  // Sets the times back to zero; what is added meanwhile may count in part.
  void Reset();

#ifdef RECO_DCHECKS
  // Notes what one hold has done; stops the program above the holder's bound.
  void Check(Holder holder, const WorkDone& before, const WorkDone& after);
  std::uint64_t Most(Holder holder, Work kind) const {
    return most_[static_cast<std::size_t>(holder)][static_cast<std::size_t>(kind)].load();
  }
#endif

 private:
  struct Counters {
    std::atomic<std::uint64_t> ns = 0;
    std::atomic<std::uint64_t> longest_ns = 0;
    std::array<std::atomic<std::uint64_t>, kBuckets> buckets{};
  };
  std::array<Counters, kHolders> counters_;
#ifdef RECO_DCHECKS
  std::array<std::array<std::atomic<std::uint64_t>, kWorkKinds>, kHolders> most_{};
#endif
};

// One hold, from the moment that the lock is there until it is given back. Confined.
class Hold {
 public:
  Hold(HoldTimes& times, Holder holder) : times_(times), holder_(holder) {}

  void Begin();
  void End();

 private:
  HoldTimes& times_;
  const Holder holder_;
  std::int64_t begun_ns_ = 0;
#ifdef RECO_DCHECKS
  WorkDone before_{};
#endif
};

}  // namespace reco::engine
