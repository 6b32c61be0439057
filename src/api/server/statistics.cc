#include "api/server/statistics.h"

namespace reco::api {
namespace {

// Codes come from the server and are few. The bound keeps the map small should one ever carry text
// of a client's.
constexpr std::size_t kErrorCodesMax = 128;

}  // namespace

void ThreadStatistics::CountError(std::string_view reply) {
  const std::string_view code = reply.substr(1, reply.find_first_of(" \r", 1) - 1);
  const MutexLock lock(mutex_);
  const auto found = errors_.find(code);
  if (found != errors_.end()) {
    ++found->second;
  } else if (errors_.size() < kErrorCodesMax) {
    errors_.emplace(code, 1);
  }
}

void ThreadStatistics::AddErrorsTo(std::map<std::string, std::uint64_t>* totals) const {
  const MutexLock lock(mutex_);
  for (const auto& [code, count] : errors_) {
    (*totals)[code] += count;
  }
}

void ThreadStatistics::Reset() {
  for (CommandCounters& counters : commands_) {
    counters.calls.Reset();
    counters.nanoseconds.Reset();
    counters.failed.Reset();
    counters.rejected.Reset();
  }
  for (Counter* counter : {&input_bytes, &output_bytes, &reads, &writes, &held_up}) {
    counter->Reset();
  }
  const MutexLock lock(mutex_);
  errors_.clear();
}

}  // namespace reco::api
