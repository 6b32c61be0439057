// LowerThreadPriority and BackgroundCpu: work that gives way to commands.
#pragma once

#include <cstdint>

#include "base/function_ref.h"

namespace reco {

// Gives the calling thread a tenth of the share of processor time that others have (nice 10), for
// good. It may still take locks.
void LowerThreadPriority();

// While one lives, the loops of the thread that made it (model::ParallelFor) run on threads under
// SCHED_IDLE: whoever else is ready goes first, at once, where a low priority still takes whole
// slices. For `percent` of each tenth of a second they are ordinary threads of the caller's nice
// value, so that a busy machine does not stop them. What they run may take no lock that others wait
// for: its holder might not get a processor to give it back with.
//
// Confined; one a thread.
class BackgroundCpu {
 public:
  // `percent`: 1 to 99.
  explicit BackgroundCpu(std::uint32_t percent);
  ~BackgroundCpu();
  BackgroundCpu(const BackgroundCpu&) = delete;
  BackgroundCpu& operator=(const BackgroundCpu&) = delete;

  // The calling thread's. Null when there is none, or when the system lets no thread leave
  // SCHED_IDLE again, which takes CAP_SYS_NICE or a limit on nice values (RLIMIT_NICE).
  static const BackgroundCpu* OfThread();

  // Calls work(i) for each i in [0, threads), each on a thread of its own, and returns when all
  // have returned. Meanwhile the caller calls pulse() some ten times a second.
  void Run(std::uint32_t threads, FunctionRef<void(std::uint32_t thread)> work,
           FunctionRef<void()> pulse) const;

 private:
  const std::uint32_t percent_;
};

}  // namespace reco
