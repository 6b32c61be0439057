// LoadGenerator: closed-loop clients. Every connection sends a batch of requests, waits for all
// their replies, and sends the next; a thread drives its share of the connections with epoll.
//
// A closed loop measures how much a server can do, not how it behaves under a given rate of
// arrivals: while it stalls, no requests arrive. The latency of a request counts from the sending
// of its batch to the reading of its reply.
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
};

struct LoadResult {
  Histogram latency_ns;
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::uint64_t empty = 0;  // nil or empty replies
  std::string first_error;
  double seconds = 0;
  double rate() const { return seconds > 0 ? static_cast<double>(requests) / seconds : 0; }
};

using SourceFactory = std::function<std::unique_ptr<RequestSource>(std::uint64_t client)>;

// Runs to the end. kUnavailable when a connection cannot be made or breaks.
Result<LoadResult> RunLoad(const LoadOptions& options, const SourceFactory& make_source);

}  // namespace reco::benchmark
