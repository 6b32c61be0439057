// Counters of the server. Each io thread counts for itself; INFO adds the threads up.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace reco::api {

// Relaxed: counters are independent of each other and of everything else.
class Counter {
 public:
  void Add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }
  void Reset() { value_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

struct CommandCounters {
  Counter calls;
  Counter nanoseconds;
  Counter failed;    // answered an error
  Counter rejected;  // refused before they ran
};

// Sums of CommandCounters.
struct CommandTotals {
  std::uint64_t calls = 0;
  std::uint64_t nanoseconds = 0;
  std::uint64_t failed = 0;
  std::uint64_t rejected = 0;
};

// Thread-safe; nearly always counted in by one thread, so that nothing is contended.
class ThreadStatistics {
 public:
  explicit ThreadStatistics(std::size_t commands) : commands_(commands) {}

  // Returns the counters of a row, by CommandEntry::index.
  CommandCounters& command(std::size_t index) { return commands_[index]; }
  const CommandCounters& command(std::size_t index) const { return commands_[index]; }

  // Counts an error by its code. `reply` is "-CODE text".
  void CountError(std::string_view reply) EXCLUDES(mutex_);
  void AddErrorsTo(std::map<std::string, std::uint64_t>* totals) const EXCLUDES(mutex_);
  void Reset() EXCLUDES(mutex_);

  Counter input_bytes;
  Counter output_bytes;
  Counter reads;
  Counter writes;
  Counter held_up;  // requests that waited for a checkpoint of their collection

 private:
  std::vector<CommandCounters> commands_;  // constant length
  mutable Mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> errors_ GUARDED_BY(mutex_);
};

}  // namespace reco::api
