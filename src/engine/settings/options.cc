// Bounds of the public options. Those of a collection are in the table of parameters.cc.
#include "reco/options.h"

#include <string>

#include "engine/settings/parameters.h"

namespace reco {
namespace {

// Returns Ok when low <= value <= high.
Status CheckRange(std::string_view name, std::uint64_t value, std::uint64_t low,
                  std::uint64_t high) {
  if (value >= low && value <= high) {
    return Status::Ok();
  }
  return Status::InvalidArgument(std::string(name) + " must be an integer from " +
                                 std::to_string(low) + " to " + std::to_string(high) + ", not " +
                                 std::to_string(value));
}

}  // namespace

Status Options::Validate() const {
  constexpr std::uint64_t kPebibyte = 1ULL << 50U;
  if (path.empty()) {
    return Status::InvalidArgument("path must name a folder");
  }
  if (sync != SyncPolicy::kAlways && sync != SyncPolicy::kEverySecond && sync != SyncPolicy::kNo) {
    return Status::InvalidArgument("sync is not a sync policy");
  }
  RECO_RETURN_IF_ERROR(CheckRange("databases", databases, 1, 256));
  RECO_RETURN_IF_ERROR(CheckRange("checkpoint_events", checkpoint_events, 100, 1'000'000));
  RECO_RETURN_IF_ERROR(CheckRange("checkpoint_interval_s", checkpoint_interval_s, 1, 3'600));
  RECO_RETURN_IF_ERROR(CheckRange("row_cache_bytes", row_cache_bytes, 0, kPebibyte));
  RECO_RETURN_IF_ERROR(CheckRange("block_cache_bytes", block_cache_bytes, 0, kPebibyte));
  RECO_RETURN_IF_ERROR(CheckRange("open_files_max", open_files_max, 32, 100'000));
  // RocksDB takes at least this much itself.
  RECO_RETURN_IF_ERROR(
      CheckRange("write_buffer_bytes", write_buffer_bytes, 64ULL << 10U, kPebibyte));
  RECO_RETURN_IF_ERROR(CheckRange("training_threads", training_threads, 0, 1'024));
  RECO_RETURN_IF_ERROR(CheckRange("job_cpu_percent", job_cpu_percent, 1, 100));
  RECO_RETURN_IF_ERROR(CheckRange("neighbours_bytes", neighbours_bytes, std::uint64_t{1} << 20U,
                                  std::uint64_t{1} << 40U));
  RECO_RETURN_IF_ERROR(CheckRange("idempotency_window", idempotency_window, 0, 10'000'000));
  RECO_RETURN_IF_ERROR(CheckRange("collections_max", collections_max, 1, 10'000'000));
  RECO_RETURN_IF_ERROR(CheckRange("models_kept", models_kept, 0, 15));
  return CheckRange("jobs_kept", jobs_kept, 0, 1'000'000);
}

CollectionOptions CollectionOptions::ForRatings() {
  CollectionOptions options;
  options.feedback = Feedback::kExplicit;
  options.neighbours = Neighbours::kOff;
  options.reg = 1;
  options.regn = 0.1;
  return options;
}

Status CollectionOptions::Validate() const {
  return engine::CheckParameters(*this);
}

}  // namespace reco
