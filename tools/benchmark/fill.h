// Fills a collection with made-up interactions in steps, and tells of each step what it cost: how
// the cost of a write behaves as data grow.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "reco/status.h"

#include "tools/benchmark/event_stream.h"
#include "tools/benchmark/load_generator.h"
#include "tools/benchmark/report.h"

namespace reco::benchmark {

struct FillOptions {
  StreamOptions stream;
  std::string key = "bench";
  std::uint64_t events = 1'000'000;
  std::uint64_t skip = 0;     // events of the stream that are passed over first
  std::uint64_t batch = 100;  // events of one RECO.MADD
  std::uint64_t steps = 20;
  double time_limit_s = 0;  // the step that it ends in is cut short and is the last; 0: none
};

// A step, with what the server's INFO says after it; 0 where INFO has no such line.
struct FillStep {
  std::uint64_t events = 0;  // since the start of the fill
  std::uint64_t added = 0;   // in this step
  double client_cpu_s = 0;   // processor time of this process
  LoadResult load;           // its requests are RECO.MADD commands
  std::uint64_t resident_bytes = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t row_bytes = 0;
  std::uint64_t row_hits = 0;  // these two in the step
  std::uint64_t row_misses = 0;

  double rate() const { return load.seconds > 0 ? static_cast<double>(added) / load.seconds : 0; }
};

// Adds the events over `load`'s connections, which take the commands in turn: ids u0, i0 and so on,
// weight 1. `load` says where, over how many connections and how many commands a connection sends
// at once; its threads, rate, duration and requests are not used. Calls `show` after each step, and
// not for one in which nothing was added.
// kFailedPrecondition: the key is no collection, or a command is refused.
Status Fill(const LoadOptions& load, const FillOptions& options,
            const std::function<void(const FillStep&)>& show);

// The lines that show the steps: the head first, then one a step. JSON is one object a line.
std::string FillHead(ReportFormat format);
std::string FillLine(const FillStep& step, ReportFormat format);

}  // namespace reco::benchmark
