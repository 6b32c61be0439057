// ParallelFor: runs numbered blocks of work on a few threads. Internal to the model layer.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/background.h"

namespace reco::model {

// Calls work(block, thread) once for every block in [0, blocks), `thread` below `threads`; returns
// when all are done. Threads take the next block from a shared counter, so that unequal blocks
// balance. The caller is one of them, unless it works in the background (BackgroundCpu). `report()`
// is called by the caller alone, now and then. `work` must not throw, and take no lock.
template <typename Work, typename Report>
void ParallelFor(std::uint32_t threads, std::size_t blocks, const Work& work,
                 const Report& report) {
  std::atomic<std::size_t> next{0};
  const auto run = [&](std::uint32_t thread, const auto& after_each) {
    // Relaxed suffices: joining publishes the results.
    for (std::size_t block = next.fetch_add(1, std::memory_order_relaxed); block < blocks;
         block = next.fetch_add(1, std::memory_order_relaxed)) {
      work(block, thread);
      after_each();
    }
  };
  const auto nothing = [] {};
  const auto wanted = static_cast<std::uint32_t>(std::min<std::size_t>(threads, blocks));
  if (const BackgroundCpu* background = BackgroundCpu::OfThread()) {
    background->Run(
        wanted, [&](std::uint32_t thread) { run(thread, nothing); }, report);
    report();
    return;
  }
  std::vector<std::thread> others;
  for (std::uint32_t thread = 1; thread < wanted; ++thread) {
    others.emplace_back([&run, &nothing, thread] { run(thread, nothing); });
  }
  run(0, report);
  for (std::thread& other : others) {
    other.join();
  }
}

template <typename Work>
void ParallelFor(std::uint32_t threads, std::size_t blocks, const Work& work) {
  ParallelFor(threads, blocks, work, [] {});
}

}  // namespace reco::model
