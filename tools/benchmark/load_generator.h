// LoadGenerator: drives connections that send batches of requests. A connection waits for all
// replies of a batch before it sends another; a thread drives its share of them with epoll.
//
// In a closed loop a connection sends the next batch at once. That measures how much a server can
// do, not how it behaves under a given rate of arrivals: while it stalls, no requests arrive. The
// latency of a request counts from the sending of its batch to the reading of its reply.
//
// At a set rate batches are due at times fixed before the run, evenly spread; the connection that
// has been free the longest sends the next one. With none free, or when the generator is woken
// late, the batch goes out late, and its latency still counts from when it was due: what a stalled
// server keeps from being sent is measured as well. Between two due times the generator sleeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "reco/result.h"

#include "tools/benchmark/histogram.h"
#include "tools/benchmark/workload.h"
#include "tools/client/connection.h"

namespace reco::benchmark {

struct LoadOptions {
  client::Endpoint endpoint;
  std::size_t clients = 50;
  std::size_t threads = 1;
  std::size_t pipeline = 1;
  double duration_s = 5;       // used when requests is 0
  std::uint64_t requests = 0;  // stop after about so many
  double rate = 0;             // requests a second over all connections; 0: a closed loop
};

// A batch counts as late when it leaves more than this after it was due.
inline constexpr std::uint64_t kLateNs = 1'000'000;

struct LoadResult {
  Histogram latency_ns;
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::uint64_t empty = 0;  // nil or empty replies
  std::uint64_t late = 0;   // requests of late batches; 0 in a closed loop
  std::string first_error;
  double seconds = 0;
  double rate() const { return seconds > 0 ? static_cast<double>(requests) / seconds : 0; }
};

using SourceFactory = std::function<std::unique_ptr<RequestSource>(std::uint64_t client)>;

// Runs the load to its end; at a set rate that is when everything that was due has been answered.
// kUnavailable when a connection cannot be made or breaks.
Result<LoadResult> RunLoad(const LoadOptions& options, const SourceFactory& make_source);

}  // namespace reco::benchmark
