// Config: the options of a running server. CONFIG GET and SET work on it; threads take a copy and
// look at generation() to see whether it is still the newest.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reco/status.h"

#include "api/config/config_options.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace reco::api {

// Thread-safe.
class Config {
 public:
  explicit Config(ServerOptions options) : options_(std::move(options)) {}

  // Returns a number that changes whenever an option has. Acquire: a copy taken after seeing it is
  // at least as new.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  ServerOptions Snapshot() const EXCLUDES(mutex_);

  // Returns name and value of the options that match one of the globs, case-insensitive, each once.
  // A pattern that is a name is answered as it was written.
  std::vector<std::pair<std::string, std::string>> Get(
      std::span<const std::string_view> patterns) const EXCLUDES(mutex_);

  // Sets options, all or none, from name, value, name, value ... . `apply` gets the old and the new
  // options and may refuse them. The error's message is the text CONFIG SET answers.
  using Apply = std::function<Status(const ServerOptions&, const ServerOptions&)>;
  Status Set(std::span<const std::string_view> pairs, const Apply& apply) EXCLUDES(mutex_);

  // Sets options that were chosen at start, such as the port that was free.
  void Adjust(const std::function<void(ServerOptions*)>& change) EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  ServerOptions options_ GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> generation_ = 1;
};

}  // namespace reco::api
