// ParallelFor: runs numbered blocks of work on a few threads. Internal to the model layer.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace reco::model {

// Calls work(block, thread) once for every block in [0, blocks), from `threads` threads, of which
// the caller is number 0; returns when all are done. Threads take the next block from a shared
// counter, so that unequal blocks balance. `work` must not throw.
template <typename Work>
void ParallelFor(std::uint32_t threads, std::size_t blocks, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&](std::uint32_t thread) {
    // Relaxed suffices: joining publishes the results.
    for (std::size_t block = next.fetch_add(1, std::memory_order_relaxed); block < blocks;
         block = next.fetch_add(1, std::memory_order_relaxed)) {
      work(block, thread);
    }
  };
  std::vector<std::thread> others;
  const auto wanted = static_cast<std::uint32_t>(std::min<std::size_t>(threads, blocks));
  for (std::uint32_t thread = 1; thread < wanted; ++thread) {
    others.emplace_back(run, thread);
  }
  run(0);
  for (std::thread& other : others) {
    other.join();
  }
}

}  // namespace reco::model
