// Fills a collection with made-up interactions and trains it, so that rankings have work to do.
#pragma once

#include <cstdint>

#include "reco/status.h"

#include "tools/benchmark/workload.h"
#include "tools/client/connection.h"

namespace reco::benchmark {

struct PrepareOptions {
  std::uint64_t events = 1'000'000;
  std::uint32_t dim = 64;
  std::uint32_t iterations = 5;
};

// Creates the collection, fills and trains it. Every item gets an event; popularity follows a power
// law, and users share tastes in groups, so that there is something to learn. kFailedPrecondition
// when the key exists or a command is refused.
Status Prepare(const client::Endpoint& endpoint, const WorkloadOptions& workload,
               const PrepareOptions& options);

}  // namespace reco::benchmark
