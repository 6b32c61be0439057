// How reco-benchmark shows its results.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/benchmark/load_generator.h"

namespace reco::benchmark {

enum class ReportFormat : std::uint8_t { kTable, kCsv, kJson };

struct NamedResult {
  std::string workload;
  LoadResult result;
};

// Rates in requests per second (the one asked for is 0 in a closed loop), latencies in
// milliseconds.
std::string FormatReport(const std::vector<NamedResult>& results, const LoadOptions& options,
                         ReportFormat format);

}  // namespace reco::benchmark
