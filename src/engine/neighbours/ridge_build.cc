#include "engine/neighbours/ridge_build.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "engine/neighbours/ridge_solver.h"
#include "model/parallel.h"

namespace reco::engine {
namespace {

constexpr std::uint32_t kItemsABlock = 64;

// The rows of a block one behind the other.
struct BlockRows {
  std::vector<ItemWeight> weights;
  std::vector<std::size_t> ends;
};

}  // namespace

Result<RidgeRows> BuildRidgeRows(const PairCounts& counts, const RidgeBuildControl& control) {
  const std::size_t blocks = (counts.end() + kItemsABlock - 1) / kItemsABlock;
  std::vector<BlockRows> solved(blocks);
  std::vector<RidgeSolver> solvers(std::max(1U, control.threads));
  std::atomic<std::size_t> done{0};
  const auto cancelled = [&control] {
    return control.cancel != nullptr && control.cancel->load(std::memory_order_relaxed);
  };
  const auto work = [&](std::size_t block, std::uint32_t thread) {
    const auto first = static_cast<std::uint32_t>(block) * kItemsABlock;
    const std::uint32_t end = std::min(first + kItemsABlock, counts.end());
    for (std::uint32_t item = first; item < end && !cancelled(); ++item) {
      solvers[thread].Gather(counts, item);
      const std::span<const ItemWeight> row = solvers[thread].Solve();
      solved[block].weights.insert(solved[block].weights.end(), row.begin(), row.end());
      solved[block].ends.push_back(solved[block].weights.size());
    }
    done.fetch_add(1, std::memory_order_relaxed);
  };
  // Putting the rows in is the last hundredth.
  const auto report = [&] {
    if (control.progress) {
      control.progress(0.99 * static_cast<double>(done.load(std::memory_order_relaxed)) /
                       static_cast<double>(std::max<std::size_t>(blocks, 1)));
    }
  };
  model::ParallelFor(control.threads, blocks, work, report);
  RidgeRows rows;
  for (std::size_t block = 0; block < blocks && !cancelled(); ++block) {
    const std::span<const ItemWeight> weights = solved[block].weights;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < solved[block].ends.size(); ++i) {
      const std::size_t end = solved[block].ends[i];
      rows.Replace(static_cast<std::uint32_t>(block * kItemsABlock + i),
                   weights.subspan(begin, end - begin));
      begin = end;
    }
    solved[block] = BlockRows();
  }
  if (cancelled()) {
    return Status::Unavailable("cancelled");
  }
  if (control.progress) {
    control.progress(1);
  }
  return rows;
}

}  // namespace reco::engine
